"""gRDA: generalized regularized dual averaging (Chao & Cheng 2019; directional pruning, Chao et al., NeurIPS 2020)."""

import math
from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import FusedAlgorithm
from rmda_ref.algorithms.stepper import Buffers, Tick
from rmda_ref.backends import drivers
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer


@dataclass(frozen=True, eq=False)
class GRDAState:
    """Where gRDA stands after step t of the current stage.

    Attributes
    ----------
    anchor : W^0, the start of the stage
    iterate : W^t, where the next gradient is taken; it is the structured point itself
    grad_sum : gamma times the sum of gradients
    weight : gamma t, the sum of the weights
    t : steps taken in this stage
    """

    anchor: Array
    iterate: Array
    grad_sum: Array
    weight: float = 0.0
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: W^t."""
        return self.iterate

    @property
    def dual_average(self) -> Array:
        """The mean gradient (zeros before the first step)."""
        return self.grad_sum / (self.weight or 1.0)


@dataclass(frozen=True)
class GRDA(FusedAlgorithm[GRDAState]):
    """W^t = prox_{g(t) psi}(W^0 - gamma sum_{i <= t} g_i)  with  g(t) = c gamma^{1/2} (t gamma)^mu.

    With strength 0 it is SGD with step size gamma. For mu < 1 the weight g(t) of psi vanishes beside t gamma, that of
    the gradients: if psi is a norm and W^t stays bounded, the mean gradient tends to 0. So it looks for minimisers of
    f, sparse ones, and not of f + lambda psi: "directional pruning", with psi = ||.||_1 and mu a little above 1/2.

    The first step has t = 1, as in the authors' code.

    Parameters
    ----------
    regularizer : Regularizer
        psi, with its own strength: that of ||.||_1 is 1 in the papers.
    step_size : float
        gamma > 0, a constant: g is no function of a varying one.
    strength : float
        c >= 0.
    power : float
        mu in (0, 1]; the theory of directional pruning is for mu in (1/2, 1).

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range, or the step size a function.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = GRDA(L1(lam=1.0), step_size=0.25, strength=2.0, power=0.5)
    >>> algorithm.step(algorithm.init(np.zeros(2)), np.array([-6.0, 0.5])).iterate  # g(1) = 2 (1/2) (1/4)^(1/2)
    array([1., 0.])
    """

    regularizer: Regularizer
    step_size: float
    strength: float
    power: float

    centre = drivers.from_anchor
    state_type = GRDAState

    def __post_init__(self) -> None:
        if callable(self.step_size):
            raise TypeError(
                f"step_size must be a number, got the function {self.step_size!r}: gRDA is defined for a constant one; "
                "give a constant, and change it by a restart"
            )
        checks.positive("step_size", self.step_size)
        checks.nonnegative("strength", self.strength)
        checks.fraction("power", self.power, "it is the paper's mu, a little above 1/2 for directional pruning")

    def init(self, w0: Array) -> GRDAState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        return GRDAState(anchor=w0, iterate=w0, grad_sum=namespace(w0).zeros_like(w0))

    def tick(self, t: int, weight: float) -> Tick:
        """The scalars of the step after ``t``."""
        t = t + 1
        gamma = float(self.step_size)
        prox_step = float(self.strength) * math.sqrt(gamma) * (t * gamma) ** float(self.power)  # g(t)
        return Tick(t, t * gamma, 1.0, gamma, 1.0, prox_step, 1.0)

    def step(self, state: GRDAState, grad: Array) -> GRDAState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does."""
        checks.gradient(grad, like=state.iterate)
        now = self.tick(state.t, state.weight)
        grad_sum = state.grad_sum + now.weighted_step * grad
        iterate = self.regularizer.prox(state.anchor - grad_sum, now.prox_step)
        return GRDAState(state.anchor, iterate, grad_sum, now.weight, now.t)

    def restart(self, state: GRDAState) -> GRDAState:
        """A new stage from W^t: W^0 <- W^t, an empty sum, t <- 0, so g starts anew too."""
        return GRDAState(state.iterate, state.iterate, namespace(state.iterate).zeros_like(state.iterate))

    def unpack(self, state: GRDAState) -> Buffers:
        return Buffers(state.iterate, state.iterate, state.anchor, state.grad_sum, state.weight, state.t)

    def pack(self, buffers: Buffers) -> GRDAState:
        return GRDAState(buffers.anchor, buffers.iterate, buffers.direction, buffers.weight, buffers.t)
