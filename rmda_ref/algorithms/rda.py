"""RDA: regularized dual averaging (Xiao, JMLR 2010, Algorithm 1 with h = 1/2 ||. - W^0||^2)."""

import math
from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import FusedAlgorithm
from rmda_ref.algorithms.stepper import Buffers, Tick
from rmda_ref.backends import drivers
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer


@dataclass(frozen=True, eq=False)
class RDAState:
    """Where RDA stands after step t.

    Attributes
    ----------
    anchor : W^0, the prox centre
    iterate : W^t, where the next gradient is taken; it is the structured point itself
    grad_sum : the sum of gradients
    t : steps taken
    """

    anchor: Array
    iterate: Array
    grad_sum: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: W^t."""
        return self.iterate

    @property
    def weight(self) -> float:
        """The sum of the (unit) weights."""
        return float(self.t)

    @property
    def dual_average(self) -> Array:
        """The mean gradient (zeros before the first step)."""
        return self.grad_sum / (self.weight or 1.0)


@dataclass(frozen=True)
class RDA(FusedAlgorithm[RDAState]):
    """Regularized dual averaging: W^t = argmin <G^t/t, W> + psi(W) + (gamma/sqrt(t)) 1/2 ||W - W^0||^2.

    RMDA with step size 1/(gamma sqrt(t)) and momentum 1 is the same algorithm.

    Parameters
    ----------
    regularizer : Regularizer
    gamma : float
        Xiao's gamma > 0: beta_t = gamma sqrt(t). Larger means smaller steps.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = RDA(L1(lam=1.0), gamma=2.0)
    >>> algorithm.step(algorithm.init(np.zeros(2)), np.array([-3.0, 0.5])).iterate
    array([1., 0.])
    """

    regularizer: Regularizer
    gamma: float

    centre = drivers.from_anchor
    state_type = RDAState

    def __post_init__(self) -> None:
        checks.positive("gamma", self.gamma)

    def init(self, w0: Array) -> RDAState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        return RDAState(anchor=w0, iterate=w0, grad_sum=namespace(w0).zeros_like(w0))

    def tick(self, t: int, weight: float) -> Tick:
        """The scalars of the step after ``t``."""
        t = t + 1
        scale = float(self.gamma) * math.sqrt(t)  # beta_t
        return Tick(t, float(t), 1.0, 1.0, scale, t / scale, 1.0)

    def step(self, state: RDAState, grad: Array) -> RDAState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does."""
        checks.gradient(grad, like=state.iterate)
        now = self.tick(state.t, state.weight)
        grad_sum = state.grad_sum + grad
        iterate = self.regularizer.prox(state.anchor - grad_sum / now.scale, now.prox_step)
        return RDAState(state.anchor, iterate, grad_sum, now.t)

    def restart(self, state: RDAState) -> RDAState:
        """Start again from W^t."""
        return RDAState(state.iterate, state.iterate, namespace(state.iterate).zeros_like(state.iterate))

    def unpack(self, state: RDAState) -> Buffers:
        return Buffers(state.iterate, state.iterate, state.anchor, state.grad_sum, state.weight, state.t)

    def pack(self, buffers: Buffers) -> RDAState:
        return RDAState(buffers.anchor, buffers.iterate, buffers.direction, buffers.t)
