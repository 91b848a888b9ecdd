"""RMDA, Algorithm 1 of Huang & Lee (ICLR 2022, arXiv 2112.02612)."""

import math
from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import FusedAlgorithm
from rmda_ref.algorithms.stepper import Buffers, Tick
from rmda_ref.backends import drivers
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, check_schedules, momentum_at, step_size_at


@dataclass(frozen=True, eq=False)
class RMDAState:
    """Where RMDA stands after step t of the current stage.

    Attributes
    ----------
    anchor : W^0, the start of the stage
    iterate : W^t, where the next gradient is taken
    prox_iterate : W~^t, the structured point (with momentum < 1 only this one lies on the manifold)
    grad_sum : V^t, the weighted sum of gradients
    weight : alpha_t, the sum of the weights
    t : steps taken in this stage
    """

    anchor: Array
    iterate: Array
    prox_iterate: Array
    grad_sum: Array
    weight: float = 0.0
    t: int = 0

    @property
    def dual_average(self) -> Array:
        """V^t / alpha_t, the variance-reduced gradient (zeros before the first step)."""
        return self.grad_sum / (self.weight or 1.0)


@dataclass(frozen=True)
class RMDA(FusedAlgorithm[RMDAState]):
    """Regularized modernized dual averaging for min_W E f_xi(W) + psi(W).

    Parameters
    ----------
    regularizer : Regularizer
        psi.
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float or function of t
        The paper's c_t in (0, 1]: the weight of the new point in the average. *1 means no momentum.*

    Raises
    ------
    ValueError, TypeError
        If a hyper-parameter is out of range.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = RMDA(L1(lam=1.0), step_size=0.5)
    >>> state = algorithm.init(np.zeros(2))
    >>> state = algorithm.step(state, np.array([-3.0, 0.5]))
    >>> state.prox_iterate
    array([1., 0.])
    """

    regularizer: Regularizer
    step_size: Schedule
    momentum: Schedule = 1.0

    centre = drivers.from_anchor
    state_type = RMDAState

    def __post_init__(self) -> None:
        check_schedules(self.step_size, self.momentum)

    def init(self, w0: Array) -> RMDAState:
        """The state before the first step, at a copy of ``w0`` (float32 or float64, finite).

        Raises ValueError or TypeError if ``w0`` is not such an array or does not fit the regularizer.
        """
        w0 = self._checked_start(w0)
        return RMDAState(anchor=w0, iterate=w0, prox_iterate=w0, grad_sum=namespace(w0).zeros_like(w0))

    def tick(self, t: int, weight: float) -> Tick:
        """The scalars of the step after ``t``."""
        t = t + 1
        scale = math.sqrt(t)  # beta_t
        weighted_step = step_size_at(self.step_size, t) * scale  # s_t
        weight = weight + weighted_step  # alpha_t
        momentum = momentum_at(self.momentum, t)  # c_t
        return Tick(t, weight, 1.0, weighted_step, scale, weight / scale, momentum)

    def step(self, state: RMDAState, grad: Array) -> RMDAState:
        """One step with ``grad``, a gradient of f_xi at ``state.iterate`` (mean per sample).

        Raises ValueError or TypeError if ``grad`` has non-finite entries or another shape or dtype; ``state`` is never
        modified.
        """
        checks.gradient(grad, like=state.iterate)
        now = self.tick(state.t, state.weight)
        grad_sum = state.grad_sum + now.weighted_step * grad  # V^t
        prox_iterate = self.regularizer.prox(state.anchor - grad_sum / now.scale, now.prox_step)  # W~^t
        iterate = (1 - now.momentum) * state.iterate + now.momentum * prox_iterate  # W^t
        return RMDAState(state.anchor, iterate, prox_iterate, grad_sum, now.weight, now.t)

    def restart(self, state: RMDAState) -> RMDAState:
        """A new stage from W^t: W^0 <- W^t, V <- 0, alpha <- 0, t <- 0."""
        anchor = state.iterate
        grad_sum = namespace(anchor).zeros_like(anchor)
        return RMDAState(anchor, state.iterate, state.prox_iterate, grad_sum, weight=0.0, t=0)

    def unpack(self, state: RMDAState) -> Buffers:
        return Buffers(state.iterate, state.prox_iterate, state.anchor, state.grad_sum, state.weight, state.t)

    def pack(self, buffers: Buffers) -> RMDAState:
        iterate, prox_iterate, anchor, grad_sum, weight, t = buffers
        return RMDAState(anchor, iterate, prox_iterate, grad_sum, weight, t)
