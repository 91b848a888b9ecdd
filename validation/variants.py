"""Variants of RMDA that look plausible and are wrong, to see which claims notice: ``run --algorithm module:name``."""

from dataclasses import dataclass
from typing import Any

from rmda_ref import RMDA, RMDAState
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True)
class RestartAtProx(RMDA):
    """Restarts from W~^t, the structured point, instead of W^t: seems natural, but W jumps at every stage."""

    def restart(self, state: RMDAState) -> RMDAState:
        anchor = state.prox_iterate
        return RMDAState(anchor, anchor, anchor, namespace(anchor).zeros_like(anchor))


@dataclass(frozen=True, eq=False)
class AveragedState:
    """W^0, W^t, W~^t, the average of gradients, alpha_t and the clock."""

    anchor: Array
    iterate: Array
    prox_iterate: Array
    average: Array
    weight: float = 0.0
    t: int = 0


@dataclass(frozen=True)
class ForgetfulRMDA:
    """Keeps an exponential average of gradients, as Adam does, where RMDA keeps their weighted sum.

    The noise of the average does not shrink, so that the structure is not identified where the noise is large.
    """

    regularizer: Any
    step_size: Any
    momentum: Any = 1.0

    def init(self, w0: Array) -> AveragedState:
        state = self._rmda.init(w0)
        return AveragedState(state.anchor, state.iterate, state.prox_iterate, state.grad_sum)

    def step(self, state: AveragedState, grad: Array) -> AveragedState:
        now = self._rmda.tick(state.t, state.weight)
        average = 0.9 * state.average + 0.1 * grad
        centre = state.anchor - now.prox_step * average / (1 - 0.9**now.t)
        prox_iterate = self.regularizer.prox(centre, now.prox_step)
        iterate = (1 - now.momentum) * state.iterate + now.momentum * prox_iterate
        return AveragedState(state.anchor, iterate, prox_iterate, average, now.weight, now.t)

    def restart(self, state: AveragedState) -> AveragedState:
        return self.init(state.iterate)

    @property
    def _rmda(self) -> RMDA:
        return RMDA(self.regularizer, self.step_size, self.momentum)
