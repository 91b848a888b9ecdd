"""The fused step of a regularizer on a device: which loops, on which part of the buffers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rmda_ref.algorithms.watch import in_one_pass
from rmda_ref.backends import cuda_groups, cuda_loops
from rmda_ref.backends.cuda import Loop, element, scalar_type
from rmda_ref.backends.cupy import prepare, upload
from rmda_ref.backends.numba import finders, typed
from rmda_ref.backends.panel import Strips, Tiles, cut
from rmda_ref.layout import Address, Groups, Rows, Segments, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Blocks, Regularizer

Centre = Callable[..., Any]
THREADS = cuda_loops.THREADS


class Held(NamedTuple):
    """The arrays of a step, flat: W and W^0, V (of another dtype perhaps), the gradient, and the device's verdict."""

    iterate: Array
    anchor: Array
    grad_sum: Array
    grad: Array
    status: Array

    def part(self, part: slice) -> "Held":
        iterate, anchor, grad_sum, grad = (array[part] for array in self[:4])
        return Held(iterate, anchor, grad_sum, grad, self.status)


class Scalars(NamedTuple):
    """Those of a step, in the precision of V but for the step of the prox."""

    decay: Any
    weighted_step: Any
    scale: Any
    prox_step: float
    keep: Any
    momentum: Any


class Phases(NamedTuple):
    """A step in two: what may raise and changes nothing, then what changes the state."""

    prepare: Callable[[Held, Scalars], None] | None
    commit: Callable[[Held, Scalars], None]


def device_phases(regularizer: Regularizer, centre: Centre, shape: Shape, held: Held) -> Phases:
    """V <- decay V + s g;  W <- (1 - c) W + c prox(centre), of arrays like those of ``held``.

    One launch where a kernel sees an entry, or the norm of a group that fits on the chip; two for longer groups and
    groups that lie anywhere. Anything else takes a launch before and after its prox.
    """
    if isinstance(regularizer, Blocks):
        return _blocks(regularizer, centre, held)
    if not in_one_pass(regularizer):
        return _three_passes(regularizer, centre, shape, held)
    layout = regularizer.layout
    if not isinstance(layout, Rows | Groups | Segments):
        return Phases(None, _entrywise(regularizer, centre, shape, held))
    parts = cut(layout, shape)
    match parts:
        case Tiles():
            return Phases(None, _tiles(regularizer, centre, shape, held, parts))
        case Strips():
            return Phases(None, _strips(regularizer, centre, shape, held, parts))
        case None:
            return Phases(None, _groups(regularizer, centre, shape, held, layout.address(shape)))


def _example(held: Held) -> Scalars:
    """Scalars of the types of those of a step."""
    real = scalar_type(held.grad_sum)
    return Scalars(real(1), real(1), real(1), 1.0, real(1), real(1))


def _strengths(regularizer: Regularizer, shape: Shape, held: Held) -> Any:
    """A number, or one an entry or a group, on the device."""
    strengths = regularizer.strengths(shape)
    if np.ndim(strengths) == 0:
        return float(strengths)
    return upload(np.ravel(np.asarray(strengths, dtype=np.float64)), held.grad_sum)


def _start(
    loop: Loop, blocks: int, bind: Callable[[Held, Scalars], tuple[Any, ...]], held: Held
) -> Callable[..., None]:
    """What starts a loop with the arguments that ``bind`` makes of a step's."""
    start = prepare(loop, blocks, *bind(held, _example(held)))
    return lambda held, now: start(*bind(held, now))


def _blocks_for(n: int) -> int:
    """Of threads, one an entry."""
    return -(-n // THREADS)


def _entrywise(regularizer: Regularizer, centre: Centre, shape: Shape, held: Held) -> Callable[..., None]:
    strengths = _strengths(regularizer, shape, held)
    parameters = upload(typed(regularizer.parameters, np.dtype(scalar_type(held.grad_sum))), held.grad_sum)

    def bind(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (*held[:4], *now, strengths, parameters, held.status)

    loop = Loop(cuda_loops.step_entrywise, (type(regularizer).kernel, centre))
    return _start(loop, _blocks_for(held.iterate.shape[0]), bind, held)


def _tiles(
    regularizer: Regularizer, centre: Centre, shape: Shape, held: Held, tiles: Tiles
) -> Callable[[Held, Scalars], None]:
    inner_strength, strengths = regularizer.inner_strength, _strengths(regularizer, shape, held)
    parameters = upload(regularizer.parameters, held.grad_sum)

    def bind(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (*held[:4], *now, inner_strength, strengths, parameters, held.status)

    parts = (regularizer.radial_kernel, type(regularizer).inner_kernel, centre, tiles, element(held.grad_sum))
    return _start(Loop(cuda_groups.step_tiles, parts), tiles.blocks, bind, held)


def _strips(
    regularizer: Regularizer, centre: Centre, shape: Shape, held: Held, strips: Strips
) -> Callable[[Held, Scalars], None]:
    inner = type(regularizer).inner_kernel
    sums = upload(np.zeros(2 * strips.parts), held.grad_sum)  # and the norms, where squares may overflow
    square = Loop(cuda_groups.square_strips, (inner, centre, strips))
    settle = Loop(cuda_groups.settle_strips, (regularizer.radial_kernel, inner, centre, strips, element(held.grad_sum)))
    return _in_two(regularizer, shape, held, (square, strips.blocks, (sums,)), (settle, strips.blocks, (sums,)))


def _groups(
    regularizer: Regularizer, centre: Centre, shape: Shape, held: Held, address: Address
) -> Callable[[Held, Scalars], None]:
    inner, like = type(regularizer).inner_kernel, held.grad_sum
    starts, members, labels = upload((address.starts, address.members, labels_of(address)), like)
    norms = upload(np.zeros(address.n_groups), like)
    square = Loop(cuda_groups.square_groups, (inner, centre, *finders(address)))
    settle = Loop(cuda_groups.settle_groups, (regularizer.radial_kernel, inner, centre))
    blocks = _blocks_for(held.iterate.shape[0])
    return _in_two(
        regularizer,
        shape,
        held,
        (square, address.n_groups, (starts, members, norms)),
        (settle, blocks, (labels, norms)),
    )


def _in_two(
    regularizer: Regularizer,
    shape: Shape,
    held: Held,
    square: tuple[Loop, int, tuple[Any, ...]],
    settle: tuple[Loop, int, tuple[Any, ...]],
) -> Callable[[Held, Scalars], None]:
    """A launch for V and the sums of squares, and one for W; each with its blocks and what it is given beside."""
    inner_strength, strengths = regularizer.inner_strength, _strengths(regularizer, shape, held)
    parameters = upload(regularizer.parameters, held.grad_sum)

    def to_square(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (*held[:4], *now[:4], inner_strength, *square[2], held.status)

    def to_settle(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (*held[:3], *now[2:], inner_strength, strengths, parameters, *settle[2], held.status)

    first, second = _start(*square[:2], to_square, held), _start(*settle[:2], to_settle, held)

    def step(held: Held, now: Scalars) -> None:
        first(held, now)
        second(held, now)

    return step


def labels_of(address: Address) -> np.ndarray:
    """The group of each entry."""
    n_entries = len(address.members) * (address.n_groups if address.strided else 1)
    labels = np.empty(n_entries, np.int32)
    if address.strided:
        labels[address.starts[:, None] + address.members] = np.arange(address.n_groups, dtype=np.int32)[:, None]
    else:
        labels[address.members] = np.repeat(np.arange(address.n_groups, dtype=np.int32), np.diff(address.starts))
    return labels


def _blocks(regularizer: Blocks, centre: Centre, held: Held) -> Phases:
    parts = []
    start = 0
    for block in regularizer.blocks:
        part = slice(start, start := start + block.size)
        parts.append((part, device_phases(block.regularizer, centre, block.shape, held.part(part))))
    preparing = any(phases.prepare for _, phases in parts)

    def prepare_all(held: Held, now: Scalars) -> None:
        for part, phases in parts:
            if phases.prepare:
                phases.prepare(held.part(part), now)

    def commit(held: Held, now: Scalars) -> None:
        for part, phases in parts:
            phases.commit(held.part(part), now)

    return Phases(prepare_all if preparing else None, commit)


def _three_passes(regularizer: Regularizer, centre: Centre, shape: Shape, held: Held) -> Phases:
    """The centre and its prox, which may raise; then the update."""
    xp, n = namespace(held.grad_sum), held.iterate.shape[0]
    x = y = xp.empty_like(held.grad_sum)

    def to_centre(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (*held[:4], *now[:3], held.status, x)

    def to_settle(held: Held, now: Scalars) -> tuple[Any, ...]:
        return (held.iterate, held.grad_sum, held.grad, *now[:2], *now[4:], y, held.status)

    centres = _start(Loop(cuda_loops.centre_pass, (centre,)), _blocks_for(n), to_centre, held)
    settle = _start(Loop(cuda_loops.settle_pass, ()), _blocks_for(n), to_settle, held)

    def take_prox(held: Held, now: Scalars) -> None:
        nonlocal y
        centres(held, now)
        # Its arguments are known to be good, and to ask the device would be to wait for it.
        y = xp.reshape(regularizer._prox(xp.reshape(x, shape), now.prox_step, None), (-1,))

    return Phases(take_prox, settle)
