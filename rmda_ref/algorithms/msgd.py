"""MSGD: stochastic gradient descent with momentum, the baseline without structure."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.algorithms.base import Algorithm
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Zero
from rmda_ref.schedules import Schedule, check_schedules, momentum_at, step_size_at


@dataclass(frozen=True, eq=False)
class MSGDState:
    """Where MSGD stands after step t.

    Attributes
    ----------
    iterate : W^t, where the next gradient is taken
    velocity : V^t, the decaying sum of gradients
    t : steps taken in this stage
    """

    iterate: Array
    velocity: Array
    t: int = 0

    @property
    def prox_iterate(self) -> Array:
        """The point that is scored: W^t (no structure is asked for)."""
        return self.iterate


@dataclass(frozen=True)
class MSGD(Algorithm[MSGDState]):
    """V^t = (1 - c_t) V^{t-1} + g_t;  W^t = W^{t-1} - eta_t V^t: the heavy ball (Polyak 1964).

    Sutskever et al. (ICML 2013, eqs. 1 and 2) where eta does not change, and the SGD of PyTorch with its ``momentum``
    equal to 1 - c. The velocity is a *sum*: with a small c a step is 1/c times as long as without momentum, where
    `ProxSGD`, whose velocity is a mean, keeps its length.

    Parameters
    ----------
    step_size : float or function of t
        eta_t > 0, per step.
    momentum : float or function of t
        c_t in (0, 1], the weight that the velocity loses in a step: as for RMDA, *1 means no momentum.*

    >>> import numpy as np
    >>> algorithm = MSGD(step_size=0.5, momentum=0.1)
    >>> state = algorithm.init(np.zeros(1))
    >>> for grad in (np.array([-2.0]), np.array([-2.0])):
    ...     state = algorithm.step(state, grad)
    >>> state.iterate  # 0.5 * 2, then 0.5 * (0.9 * 2 + 2) more
    array([2.9])
    """

    step_size: Schedule
    momentum: Schedule = 1.0

    regularizer = Zero()

    def __post_init__(self) -> None:
        check_schedules(self.step_size, self.momentum)

    def init(self, w0: Array) -> MSGDState:
        """The state before the first step, at a copy of ``w0``; raises as `RMDA.init` does."""
        w0 = self._checked_start(w0)
        return MSGDState(iterate=w0, velocity=namespace(w0).zeros_like(w0))

    def step(self, state: MSGDState, grad: Array) -> MSGDState:
        """One step with ``grad``, a gradient at ``state.iterate``; raises as `RMDA.step` does."""
        checks.gradient(grad, like=state.iterate)
        t = state.t + 1
        velocity = (1 - momentum_at(self.momentum, t)) * state.velocity + grad
        iterate = state.iterate - step_size_at(self.step_size, t) * velocity
        return MSGDState(iterate, velocity, t)

    def restart(self, state: MSGDState) -> MSGDState:
        """A new stage from W^t without velocity."""
        return MSGDState(state.iterate, namespace(state.iterate).zeros_like(state.iterate))
