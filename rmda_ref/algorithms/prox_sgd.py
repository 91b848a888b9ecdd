"""ProxSGD: proximal stochastic gradient with an averaged gradient (Yang et al. 2020; ProxGen, Yun et al. 2021)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import FusedAlgorithm
from rmda_ref.algorithms.stepper import Buffers, Tick
from rmda_ref.backends import drivers
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, check_schedules, momentum_at, step_size_at


@dataclass(frozen=True, eq=False)
class ProxSGDState:
    """Where ProxSGD stands after step t.

    Attributes
    ----------
    iterate : W^t, where the next gradient is taken; it is the structured point itself
    grad_average : M^t, the exponential average of gradients
    t : steps taken in this stage
    """

    iterate: Array
    grad_average: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The structured point: W^t."""
        return self.iterate


@dataclass(frozen=True)
class ProxSGD(FusedAlgorithm[ProxSGDState]):
    """M^t = (1 - c_t) M^{t-1} + c_t g_t;  W^t = prox_{eta_t psi}(W^{t-1} - eta_t M^t).

    Parameters
    ----------
    regularizer : Regularizer
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float or function of t
        c_t in (0, 1], the weight of the new gradient: as for RMDA, 1 means no momentum.

    >>> import numpy as np
    >>> from rmda_ref import L1
    >>> algorithm = ProxSGD(L1(lam=1.0), step_size=0.5)
    >>> algorithm.step(algorithm.init(np.zeros(2)), np.array([-3.0, 0.5])).iterate
    array([1., 0.])
    """

    regularizer: Regularizer
    step_size: Schedule
    momentum: Schedule = 1.0

    centre = drivers.from_iterate
    state_type = ProxSGDState

    def __post_init__(self) -> None:
        check_schedules(self.step_size, self.momentum)

    def init(self, w0: Array) -> ProxSGDState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        return ProxSGDState(iterate=w0, grad_average=namespace(w0).zeros_like(w0))

    def tick(self, t: int, weight: float) -> Tick:
        """The scalars of the step after ``t``."""
        t = t + 1
        step_size = step_size_at(self.step_size, t)  # eta_t
        momentum = momentum_at(self.momentum, t)  # c_t
        return Tick(t, 0.0, 1 - momentum, momentum, step_size, step_size, 1.0)

    def step(self, state: ProxSGDState, grad: Array) -> ProxSGDState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does."""
        checks.gradient(grad, like=state.iterate)
        now = self.tick(state.t, 0.0)
        grad_average = now.decay * state.grad_average + now.weighted_step * grad
        iterate = self.regularizer.prox(state.iterate - now.scale * grad_average, now.prox_step)
        return ProxSGDState(iterate, grad_average, now.t)

    def restart(self, state: ProxSGDState) -> ProxSGDState:
        """A new stage from W^t with an empty average."""
        return ProxSGDState(state.iterate, namespace(state.iterate).zeros_like(state.iterate))

    def unpack(self, state: ProxSGDState) -> Buffers:
        return Buffers(state.iterate, state.iterate, state.iterate, state.grad_average, 0.0, state.t)

    def pack(self, buffers: Buffers) -> ProxSGDState:
        return ProxSGDState(buffers.iterate, buffers.direction, buffers.t)
