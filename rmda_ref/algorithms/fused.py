"""The fused step of a regularizer: which driver, on which part of the buffers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from rmda_ref.algorithms.watch import Eyes, in_one_pass
from rmda_ref.backends import drivers
from rmda_ref.backends.numba import PARALLEL_FROM, compiled, finders, typed
from rmda_ref.layout import Groups, Rows, Segments, Shape
from rmda_ref.regularizers import Blocks, Regularizer

Centre = Callable[..., Any]
# (iterate, anchor, direction, grad, decay, weighted_step, scale, prox_step, momentum): flat arrays, updated in place
FusedStep = Callable[..., None]


class Phases(NamedTuple):
    """A step in two: what may raise and changes nothing, then what changes the state."""

    prepare: FusedStep | None
    commit: FusedStep


def fused_step(regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any], eyes: Eyes) -> FusedStep:
    """V <- decay V + s g;  W <- (1 - c) W + c prox(centre), in one pass where a kernel sees no more than a norm."""
    prepare, commit = _phases(regularizer, centre, shape, dtype, eyes)
    if prepare is None:
        return commit

    def step(*arguments: Any) -> None:
        prepare(*arguments)
        commit(*arguments)

    return step


def _phases(regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any], eyes: Eyes) -> Phases:
    if isinstance(regularizer, Blocks):
        return _blocks(regularizer, centre, dtype, eyes)
    parallel = int(np.prod(shape)) >= PARALLEL_FROM
    if in_one_pass(regularizer):
        return Phases(None, _one_pass(regularizer, centre, shape, dtype, eyes, parallel))
    return _three_passes(regularizer, centre, shape, dtype, eyes, parallel)


def _one_pass(
    regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any], eyes: Eyes, parallel: bool
) -> FusedStep:
    layout, strengths, parameters = regularizer.layout, regularizer.strengths(shape), regularizer.parameters
    tail: tuple[Any, ...]
    if isinstance(layout, Rows | Groups | Segments):
        address, inner = layout.address(shape), type(regularizer).inner_kernel
        kernels = (regularizer.radial_kernel, inner, centre, *finders(address), eyes.look, eyes.note)
        driver = compiled(parallel, drivers.step_radial, *kernels)
        where = (address.starts, address.members, address.n_groups)
        tail = (regularizer.inner_strength, strengths, parameters, *where)
    else:
        driver = compiled(parallel, drivers.step_entrywise, type(regularizer).kernel, centre, eyes.look)
        tail = (strengths, typed(parameters, dtype))

    def step(*arguments: Any) -> None:
        driver(*arguments, *tail, eyes.seen)

    return step


def _blocks(regularizer: Blocks, centre: Centre, dtype: np.dtype[Any], eyes: Eyes) -> Phases:
    parts = []
    start = 0
    for number, block in enumerate(regularizer.blocks):
        part = slice(start, start := start + block.size)
        parts.append((part, _phases(block.regularizer, centre, block.shape, dtype, eyes.of_block(number))))
    preparing = any(phases.prepare for _, phases in parts)

    def prepare(*arguments: Any) -> None:
        arrays, scalars = arguments[:4], arguments[4:]
        for part, phases in parts:
            if phases.prepare:
                phases.prepare(*(array[part] for array in arrays), *scalars)

    def commit(*arguments: Any) -> None:
        arrays, scalars = arguments[:4], arguments[4:]
        for part, phases in parts:
            phases.commit(*(array[part] for array in arrays), *scalars)

    return Phases(prepare if preparing else None, commit)


def _three_passes(
    regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any], eyes: Eyes, parallel: bool
) -> Phases:
    """The centre and its prox, which may raise; then the update."""
    centres, settle = compiled(parallel, drivers.centre_pass, centre), compiled(parallel, drivers.settle_pass)
    x = y = np.empty(shape, dtype)

    def prepare(*arguments: Any) -> None:
        nonlocal y
        iterate, anchor, direction, grad, decay, weighted_step, scale, prox_step, _ = arguments
        centres(iterate, anchor, direction, grad, decay, weighted_step, scale, x.reshape(-1))
        y = regularizer.prox(x, prox_step)

    def commit(*arguments: Any) -> None:
        iterate, _, direction, grad, decay, weighted_step, _, _, momentum = arguments
        settle(iterate, direction, grad, decay, weighted_step, momentum, y.reshape(-1))
        eyes.show(y)

    return Phases(prepare, commit)
