"""The fused, in-place form of an algorithm on a device: the same steps, in buffers that it owns there."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from rmda_ref import checks
from rmda_ref.algorithms.device_step import Held, Scalars, device_phases
from rmda_ref.algorithms.stepper import Buffers, StateT, Stepper, Tick
from rmda_ref.backends import cuda_loops, drivers
from rmda_ref.backends.cuda import Loop, element, scalar_type
from rmda_ref.backends.cupy import prepare, upload
from rmda_ref.namespace import Array, beside, is_cupy, kind, namespace

if TYPE_CHECKING:
    from rmda_ref.algorithms.base import FusedAlgorithm

HALVES = ("float16", "bfloat16")


class DeviceStepper(Stepper[StateT]):
    """``algorithm.step`` in place on CuPy arrays; made by ``algorithm.stepper(w0)`` or ``algorithm.stepper(state)``.

    A step only starts loops on the device's current stream; it waits for nothing, so that the host can run ahead. The
    scalars of a step go along by value. What the device finds out is heard of when the host next waits for it: in
    `synchronize`, `state` and `restart`. A gradient that is not finite stops the device: neither that step nor a later
    one is taken, and the next of these three calls raises and goes back to the state before it.

    Parameters
    ----------
    algorithm : the algorithm
    state : where to start, with CuPy arrays; copied
    checked : bool
        Whether gradients are looked through for entries that are not finite, before each step: a read of the gradient.
        Otherwise such entries spoil the state. (They are looked through anyway where the prox is a pass of its own.)
    storage : "float16" or "bfloat16", optional
        In what W^t, W^0 and the gradients are held, for a float32 state: V stays float32, and so does all arithmetic.
        With momentum below 1, changes of W that are less than half a unit of this precision are lost.

    Attributes
    ----------
    iterate : W^t on the device, always current: where the next gradient is taken. Not to be written to.
    t : steps asked for in this stage

    Raises
    ------
    TypeError, ValueError
        If the arrays are not CuPy's, or ``storage`` is something else.
    MemoryError
        If the device has no room; the message says how much is needed.
    """

    def __init__(
        self, algorithm: "FusedAlgorithm[StateT]", state: StateT, *, checked: bool = True, storage: str | None = None
    ) -> None:
        if storage is not None and storage not in HALVES:
            raise ValueError(f"storage must be one of {', '.join(HALVES)}, or None, got {storage!r}")
        self._checked, self._storage = checked, storage
        self._load(algorithm, state)

    def _load(self, algorithm: "FusedAlgorithm[StateT]", state: StateT) -> None:
        given, centre = algorithm.unpack(state), type(algorithm).centre
        if not is_cupy(given.iterate):
            raise TypeError(
                f"a stepper on a device needs CuPy arrays, got a {kind(given.iterate)}; use cupy.asarray(w0)"
            )
        shape = tuple(given.iterate.shape)
        anchored = centre is drivers.from_anchor
        try:
            with beside(given.iterate):
                held = self._buffers_of(given, anchored)
                phases = device_phases(algorithm.regularizer, centre, shape, held)
                loop = Loop(cuda_loops.refuse, (element(held.grad_sum),))
                refuse = prepare(loop, -(-held.grad.shape[0] // cuda_loops.THREADS), held.grad, 0, held.status)
        except MemoryError as error:
            wide = np.dtype(scalar_type(given.direction)).itemsize
            needed = int(np.prod(shape)) * (wide + (1 + anchored) * (2 if self._storage else wide))
            raise MemoryError(
                f"a stepper for a {kind(given.iterate)} of shape {shape} needs at least {needed:,} bytes: {error}"
            ) from error
        # From here on nothing can fail.
        self.algorithm, self._held, self._phases, self._refuse = algorithm, held, phases, refuse
        # Kept where it is another array than W, for a state that is asked for before the first step.
        self._first_prox_iterate = None if given.prox_iterate is given.iterate else given.prox_iterate
        self._now = self._first = Tick(given.t, given.weight, 1.0, 0.0, 1.0, 0.0, 1.0)
        self.iterate = namespace(held.iterate).reshape(held.iterate, shape)

    def _buffers_of(self, given: Buffers, anchored: bool) -> Held:
        """Copies of the arrays, flat; W^0 only where it is read."""
        like = given.direction
        xp = namespace(like)
        if self._storage and like.dtype != xp.float32:
            raise TypeError(f"storage={self._storage!r} needs a float32 state, got {like.dtype}; convert w0")
        stored = half(self._storage, xp) if self._storage else like.dtype

        def copied(array: Array, dtype: Any) -> Array:
            return xp.reshape(xp.astype(array, dtype, copy=True), (-1,))

        iterate, direction = copied(given.iterate, stored), copied(like, like.dtype)
        anchor = copied(given.anchor, stored) if anchored else iterate
        return Held(iterate, anchor, direction, iterate, upload(np.zeros(1, np.int64), like))

    def step(self, grad: Array) -> None:
        """One step with ``grad``, a gradient at ``iterate`` (mean per sample), of its dtype and on its device.

        Raises ValueError or TypeError if ``grad`` has another shape, dtype or device; of entries that are not finite,
        see the class.
        """
        checks.same_kind("grad", grad, self.iterate)
        now = self.algorithm.tick(self._now.t, self._now.weight)
        real = scalar_type(self._held.grad_sum)
        scalars = Scalars(
            real(now.decay), real(now.weighted_step), real(now.scale), float(now.prox_step), real(1 - now.momentum),
            real(now.momentum),
        )  # fmt: skip
        with beside(grad):
            held = self._held._replace(grad=namespace(grad).reshape(grad, (-1,)))
            if self._checked or self._phases.prepare:
                self._refuse(held.grad, now.t, held.status)
            if self._phases.prepare:
                self._phases.prepare(held, scalars)
            self._phases.commit(held, scalars)
        self._now = now

    def synchronize(self) -> None:
        """Wait for the device, and raise if it has refused a gradient since the last time.

        Raises
        ------
        ValueError
            Then the state is that before the step with this gradient, and steps can be taken again.
        """
        refused = int(self._held.status[0])
        if refused:
            self._now = self._first
            while self._now.t < refused - 1:
                self._now = self.algorithm.tick(self._now.t, self._now.weight)
            self._held.status[0] = 0
            raise ValueError(f"grad of step {refused} has non-finite entries, no step was taken since; {checks.SKIP}")

    @property
    def state(self) -> StateT:
        """A snapshot (a copy, on the device) that the pure algorithm can go on with; raises as `synchronize` does."""
        self.synchronize()
        held, now, taken = self._held, self._now, self._now.t > self._first.t
        xp, shape, dtype = namespace(held.grad_sum), tuple(self.iterate.shape), held.grad_sum.dtype
        with beside(held.grad_sum):
            iterate, anchor, direction = (xp.reshape(xp.astype(array, dtype, copy=True), shape) for array in held[:3])
            prox_iterate = iterate
            if taken and now.momentum != 1:
                centre = type(self.algorithm).centre(iterate, anchor, direction, now.scale, ...)
                prox_iterate = self.algorithm.regularizer.prox(centre, now.prox_step)
            elif not taken and self._first_prox_iterate is not None:
                prox_iterate = self._first_prox_iterate
        return self.algorithm.pack(Buffers(iterate, prox_iterate, anchor, direction, now.weight, now.t))


def half(storage: str, xp: Any) -> Any:
    """The dtype of that name: of the namespace, or of ml_dtypes, whose bfloat16 is CuPy's."""
    return getattr(xp, storage, None) or np.dtype(getattr(import_module("ml_dtypes"), storage))
