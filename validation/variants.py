"""Variants of RMDA that look plausible and are wrong, to see which claims notice: ``run --algorithm module:name``."""

from dataclasses import dataclass
from typing import Any

from rmda_ref import RMDA, RMDAState
from rmda_ref.namespace import Array, namespace
from rmda_ref.schedules import momentum_at


@dataclass(frozen=True)
class RestartAtProx(RMDA):
    """Restarts from W~^t, the structured point, instead of W^t: seems natural, but W jumps at every stage."""

    def restart(self, state: RMDAState) -> RMDAState:
        anchor = state.prox_iterate
        return RMDAState(anchor, anchor, anchor, namespace(anchor).zeros_like(anchor))


@dataclass(frozen=True, eq=False)
class VelocityState(RMDAState):
    """With the average of the gradients that takes the place of momentum."""

    velocity: Array = None


@dataclass(frozen=True)
class GradientMomentum:
    """Averages the gradients, as SGD with momentum does, where RMDA averages the iterates; equal without momentum."""

    regularizer: Any
    step_size: Any
    momentum: Any = 1.0

    def init(self, w0: Array) -> VelocityState:
        return self._at_rest(self._plain.init(w0))

    def step(self, state: VelocityState, grad: Array) -> VelocityState:
        c = momentum_at(self.momentum, state.t + 1)
        velocity = (1 - c) * state.velocity + c * grad
        return VelocityState(**vars(self._plain.step(state, velocity)), velocity=velocity)

    def restart(self, state: VelocityState) -> VelocityState:
        return self._at_rest(self._plain.restart(state))

    @property
    def _plain(self) -> RMDA:
        return RMDA(self.regularizer, self.step_size)

    @staticmethod
    def _at_rest(state: RMDAState) -> VelocityState:
        return VelocityState(**vars(state), velocity=namespace(state.anchor).zeros_like(state.anchor))
