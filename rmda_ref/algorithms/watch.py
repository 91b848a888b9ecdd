"""What a fused step tells of the structure of W~, which it holds for a moment and, with momentum, does not store."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rmda_ref.backends import drivers
from rmda_ref.backends.numba import FloatArray
from rmda_ref.layout import Entries, Norms, Spectrum
from rmda_ref.regularizers import Blocks, Levels, Manifold, Regularizer, Support

Hook = Callable[..., None]
Bytes = npt.NDArray[np.uint8]


class Tracker(Protocol):
    """Whom a stepper tells, after every step, how the manifold of W~^t compares."""

    @property
    def target(self) -> Manifold | None: ...

    def observe(self, t: int, changed: bool, wrong: bool, manifold: Callable[[], Manifold]) -> None:
        """``changed``: it is not that of the step before; ``wrong``: it is not the target, where there is one.

        ``manifold`` gives the one of the last step of the stage, whenever it is called.
        """


class Glance(NamedTuple):
    changed: bool
    wrong: bool


class Eyes:
    """What a driver looks with (see `rmda_ref.backends.drivers`), and the array it fills; these see nothing."""

    look: Hook = staticmethod(drivers.look_away)
    note: Hook = staticmethod(drivers.note_nothing)
    seen: npt.NDArray[Any] = np.empty(0, np.uint8)

    def of_block(self, number: int) -> "Eyes":
        """Those for a block of `Blocks`."""
        return self

    def show(self, point: FloatArray) -> None:
        """W~, from a step that has it as an array."""


class Watch(Eyes, ABC):
    @abstractmethod
    def glance(self) -> Glance:
        """How the manifold of the last step compares; once after every step."""

    @abstractmethod
    def manifold(self) -> Manifold:
        """The manifold of the last step."""


class SupportWatch(Watch):
    """A support, in bytes as the driver leaves them: two comparisons of them a step."""

    def __init__(self, start: Support, target: Manifold | None) -> None:
        self._shape = start.shape
        self._now = bytearray(self.packed(start))  # compared and copied as memory
        self._before = bytearray(self._now)
        self._target = self.packed(target) if isinstance(target, Support) else None
        self.seen = np.frombuffer(self._now, np.uint8)

    def glance(self) -> Glance:
        changed = self._now != self._before
        if changed:
            self._before[:] = self._now
        return Glance(changed, self._target is not None and self._now != self._target)

    def manifold(self) -> Support:
        return Support.of(self.unpacked(self.seen).reshape(self._shape))

    @abstractmethod
    def packed(self, support: Support) -> bytes:
        """The bytes of a support."""

    @abstractmethod
    def unpacked(self, seen: Bytes) -> npt.NDArray[np.bool_]:
        """The entries of its mask."""


class EntriesWatch(SupportWatch):
    """Which entries are nonzero: a bit an entry, in blocks of eight runs."""

    look = staticmethod(drivers.look_for_nonzero)

    def packed(self, support: Support) -> bytes:
        mask = support.mask.reshape(-1)
        blocks = np.zeros((-(-mask.size // (8 * drivers.RUN)), 8, drivers.RUN), bool)
        blocks.reshape(-1)[: mask.size] = mask
        return np.packbits(blocks, axis=1, bitorder="little").tobytes()

    def unpacked(self, seen: Bytes) -> npt.NDArray[np.bool_]:
        blocks = np.unpackbits(seen.reshape(-1, 1, drivers.RUN), axis=1, bitorder="little")
        return blocks.reshape(-1)[: prod(self._shape)].astype(bool)


class GroupsWatch(SupportWatch):
    """Which groups are nonzero: a byte a group."""

    note = staticmethod(drivers.note_active)

    def packed(self, support: Support) -> bytes:
        return support.mask.tobytes()

    def unpacked(self, seen: Bytes) -> npt.NDArray[np.bool_]:
        return seen.astype(bool)


class PointWatch(Watch):
    """Any other structure: the point is kept, and asked after every step."""

    look = staticmethod(drivers.look_and_keep)

    def __init__(self, regularizer: Regularizer, start: FloatArray, target: Manifold | None) -> None:
        self._regularizer, self._target = regularizer, target
        self._manifold = regularizer.manifold(start)
        self.show(start.copy())

    def show(self, point: FloatArray) -> None:
        self._point, self.seen = point, point.reshape(-1)

    def glance(self) -> Glance:
        before, self._manifold = self._manifold, self._regularizer.manifold(self._point)
        return Glance(self._manifold != before, self._manifold != self._target)

    def manifold(self) -> Manifold:
        return self._manifold


class BlocksWatch(Watch):
    """Block by block."""

    def __init__(self, parts: Sequence[tuple[str, Watch]]) -> None:
        self._parts = parts

    def of_block(self, number: int) -> Watch:
        return self._parts[number][1]

    def glance(self) -> Glance:
        glances = [part.glance() for _, part in self._parts]
        return Glance(any(glance.changed for glance in glances), any(glance.wrong for glance in glances))

    def manifold(self) -> Manifold:
        return tuple((name, part.manifold()) for name, part in self._parts)


def in_one_pass(regularizer: Regularizer) -> bool:
    """Whether its kernel sees no more than an entry or the norm of a group."""
    return regularizer.driven not in ("row", "whole") and not isinstance(regularizer.layout, Norms | Spectrum)


def watch(regularizer: Regularizer, start: FloatArray, target: Manifold | None) -> Watch:
    """The cheapest watch that is exact, from W~ = ``start`` on; raises if the target is no manifold of its kind."""
    found = regularizer.manifold(start)
    if target is not None:
        check_target(target, found)
    if isinstance(regularizer, Blocks):
        targets = dict(target) if isinstance(target, tuple) else {}
        names = {block.name: block.regularizer for block in regularizer.blocks}
        parts = regularizer.split(start)
        return BlocksWatch([(name, watch(psi, parts[name], targets.get(name))) for name, psi in names.items()])
    if isinstance(found, Support) and in_one_pass(regularizer):
        layout = regularizer.layout
        if isinstance(layout, Entries):
            return EntriesWatch(found, target)
        assert not isinstance(layout, Norms | Spectrum)
        if prod(found.shape) == layout.address(start.shape).n_groups < start.size:  # if equal, it could be of entries
            return GroupsWatch(found, target)
    return PointWatch(regularizer, start, target)


def check_target(target: Manifold, found: Manifold) -> None:
    """Raise unless ``target`` is of the kind and shape of ``found``, a manifold of the regularizer."""
    if type(target) is not type(found):
        raise TypeError(
            f"target is {type(target).__name__}, the manifolds of the regularizer are {type(found).__name__}; "
            "make it by regularizer.manifold(solution)"
        )
    if isinstance(target, tuple) and isinstance(found, tuple):
        names, others = [name for name, _ in target], [name for name, _ in found]
        if names != others:
            raise ValueError(f"target has the blocks {names}, the regularizer {others}; they must be the same")
        for (_, part), (_, other) in zip(target, found, strict=True):
            check_target(part, other)
    elif isinstance(target, Support | Levels) and isinstance(found, Support | Levels) and target.shape != found.shape:
        raise ValueError(
            f"target has shape {target.shape}, the manifold of the parameter {found.shape}; they must be the same"
        )
