"""The fused, in-place form of an algorithm: the same steps, in buffers that it owns."""

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from rmda_ref import checks
from rmda_ref.algorithms.fused import fused_step
from rmda_ref.algorithms.watch import Eyes, Tracker, watch
from rmda_ref.backends.numba import FloatArray, finite_check, flat
from rmda_ref.namespace import NoEvaluation

if TYPE_CHECKING:
    from rmda_ref.algorithms.base import FusedAlgorithm

StateT = TypeVar("StateT")


class Tick(NamedTuple):
    """The scalars of one step:  V <- decay V + weighted_step g;  y = prox(centre, prox_step);  W <- (1-c) W + c y."""

    t: int
    weight: float
    decay: float
    weighted_step: float
    scale: float
    prox_step: float
    momentum: float


class Buffers(NamedTuple):
    """The arrays and counters of a state."""

    iterate: FloatArray
    prox_iterate: FloatArray
    anchor: FloatArray
    direction: FloatArray
    weight: float
    t: int

    def copy(self) -> "Buffers":
        """Copies of the arrays, in C order."""
        iterate, prox_iterate, anchor, direction = (np.array(array, order="C") for array in self[:4])
        return Buffers(iterate, prox_iterate, anchor, direction, self.weight, self.t)


class Stepper(Generic[StateT]):
    """``algorithm.step`` in place on NumPy arrays: one pass over the parameter, nothing allocated.

    Made by ``algorithm.stepper(w0)`` or ``algorithm.stepper(state)``; with a tracker, it is told of the manifold of W~
    after every step (see `rmda_ref.certificates.IdentificationTracker`). Entrywise kernels give the numbers of the pure
    step to the last bit or two; group norms may be summed in another order.

    Attributes
    ----------
    algorithm : the algorithm with its present hyper-parameters
    iterate : read-only view of W^t, always current: where the next gradient is taken
    t : steps taken in this stage

    >>> import numpy as np
    >>> from rmda_ref import L1, RMDA
    >>> stepper = RMDA(L1(lam=1.0), step_size=0.5).stepper(np.zeros(2))
    >>> stepper.step(np.array([-3.0, 0.5]))
    >>> stepper.iterate
    array([1., 0.])
    """

    def __init__(self, algorithm: "FusedAlgorithm[StateT]", state: StateT, tracker: Tracker | None = None) -> None:
        self._tracker = tracker
        self._all_finite = finite_check()
        self._load(algorithm, state)

    def _load(self, algorithm: "FusedAlgorithm[StateT]", state: StateT) -> None:
        given = algorithm.unpack(state)
        if not isinstance(given.iterate, np.ndarray):
            raise NoEvaluation("the fused stepper, unlike step,", given.iterate)
        self.algorithm = algorithm
        self._buffers = given.copy()
        self._flat = tuple(
            array.reshape(-1) for array in (self._buffers.iterate, self._buffers.anchor, self._buffers.direction)
        )
        self._now = Tick(given.t, given.weight, 1.0, 0.0, 1.0, 0.0, 1.0)
        self.iterate = self._buffers.iterate.view()
        self.iterate.flags.writeable = False
        psi, shape, dtype = self.algorithm.regularizer, self.iterate.shape, self.iterate.dtype
        # A watch for each stage: the tracker may still ask that of the last one.
        self._watch = watch(psi, self._buffers.prox_iterate, self._tracker.target) if self._tracker else None
        self._step = fused_step(psi, type(self.algorithm).centre, shape, dtype, self._watch or Eyes())

    @property
    def t(self) -> int:
        return self._now.t

    def step(self, grad: FloatArray) -> None:
        """One step with ``grad``, a gradient at ``iterate`` (mean per sample).

        Raises ValueError or TypeError if ``grad`` has non-finite entries or another shape or dtype; nothing has
        changed then.
        """
        like = self._buffers.iterate
        if type(grad) is not np.ndarray or grad.shape != like.shape or grad.dtype != like.dtype:
            checks.same_kind("grad", grad, like)
        entries = flat(grad)
        if not self._all_finite(entries):
            raise checks.not_finite("grad", grad, checks.SKIP)
        now = self.algorithm.tick(self._now.t, self._now.weight)
        self._step(*self._flat, entries, *now[2:])
        self._now = now
        if self._tracker and self._watch:
            self._tracker.observe(now.t, *self._watch.glance(), self._watch.manifold)

    @property
    def state(self) -> StateT:
        """A snapshot (a copy) that the pure algorithm can go on with, or that can be saved."""
        iterate, prox_iterate, anchor, direction, _, t0 = self._buffers
        now = self._now
        if now.t > t0:
            if now.momentum == 1:
                prox_iterate = iterate
            else:
                scale = iterate.dtype.type(now.scale)
                centre = type(self.algorithm).centre(iterate, anchor, direction, scale, ...)
                prox_iterate = self.algorithm.regularizer.prox(centre, now.prox_step)
        return self.algorithm.pack(Buffers(iterate, prox_iterate, anchor, direction, now.weight, now.t).copy())

    def restart(self, **changes: Any) -> None:
        """A new stage from W^t, with changed hyper-parameters if any are given (``step_size=…, momentum=…``)."""
        algorithm = dataclasses.replace(self.algorithm, **changes)  # type: ignore[type-var]
        self._load(algorithm, self.algorithm.restart(self.state))
