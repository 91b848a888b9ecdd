"""What every optimizer offers."""

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, ClassVar, Generic

from rmda_ref import checks
from rmda_ref.algorithms.stepper import Buffers, StateT, Stepper, Tick
from rmda_ref.algorithms.watch import Tracker
from rmda_ref.namespace import Array, is_cupy
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import step_size_at


class Algorithm(ABC, Generic[StateT]):
    """Frozen hyper-parameters, and pure functions on an explicit state."""

    regularizer: Regularizer

    @abstractmethod
    def init(self, w0: Array) -> StateT: ...

    @abstractmethod
    def step(self, state: StateT, grad: Array) -> StateT: ...

    @abstractmethod
    def restart(self, state: StateT) -> StateT: ...

    def prox_step(self, state: StateT) -> float:
        """The step of the prox in the step after ``state``: eta_t, unless the algorithm says otherwise."""
        return step_size_at(self.step_size, state.t + 1)  # type: ignore[attr-defined]  # RDA, without one, has a tick

    def _checked_start(self, w0: Array) -> Array:
        """A copy of ``w0``, or an error if it is no finite floating-point array that fits the regularizer."""
        w0 = checks.start("w0", w0)
        self.regularizer.check(tuple(w0.shape))
        return w0


class FusedAlgorithm(Algorithm[StateT]):
    """An algorithm whose step is a `Tick`, so that it can also be taken in one pass, in place.

    The scalars of a step are computed in `tick` alone, for the pure step and the fused one.
    """

    centre: ClassVar[Any]  # the point whose prox is taken, for the fused step: a function from `drivers`
    state_type: ClassVar[Any]

    @abstractmethod
    def tick(self, t: int, weight: float) -> Tick: ...

    def prox_step(self, state: StateT) -> float:
        now = self.unpack(state)
        return self.tick(now.t, now.weight).prox_step

    @abstractmethod
    def unpack(self, state: StateT) -> Buffers:
        """The arrays and counters of a state, for the stepper."""

    @abstractmethod
    def pack(self, buffers: Buffers) -> StateT:
        """The state with these arrays and counters."""

    def stepper(self, start: Any, tracker: Tracker | None = None) -> Stepper[StateT]:
        """The same algorithm in place, from an array ``w0`` or from a state, on the CPU or on a device of CuPy.

        Raises TypeError for arrays of other namespaces, or if a tracker is to watch a device.
        """
        state: StateT = start if isinstance(start, self.state_type) else self.init(start)
        if not is_cupy(self.unpack(state).iterate):
            return Stepper(self, state, tracker)
        if tracker is not None:
            raise TypeError(
                "a tracker looks at every step and would wait for the device each time; leave it out, and ask "
                "regularizer.manifold(stepper.state.prox_iterate) now and then"
            )
        # What compiles for devices is loaded where there are arrays of one.
        stepper: Stepper[StateT] = import_module("rmda_ref.algorithms.device_stepper").DeviceStepper(self, state)
        return stepper
