"""The fused step of a regularizer: which driver, on which part of the buffers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rmda_ref.backends import drivers
from rmda_ref.backends.numba import PARALLEL_FROM, FloatArray, compiled, rows_arguments
from rmda_ref.layout import Entries, Shape, Spectrum
from rmda_ref.regularizers import Blocks, Regularizer

Centre = Callable[..., Any]
# (iterate, anchor, direction, grad, decay, weighted_step, scale, prox_step, momentum): flat arrays, updated in place
FusedStep = Callable[..., None]


def fused_step(regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any]) -> FusedStep:
    """V <- decay V + s g;  W <- (1 - c) W + c prox(centre), in one pass wherever the kernel allows."""
    if isinstance(regularizer, Blocks):
        return _blocks(regularizer, centre, dtype)
    if isinstance(regularizer.layout, Spectrum):
        return _unfused(regularizer, centre, shape)
    return _one_pass(regularizer, centre, shape, dtype)


def _one_pass(regularizer: Regularizer, centre: Centre, shape: Shape, dtype: np.dtype[Any]) -> FusedStep:
    kernel, layout, strengths = type(regularizer).kernel, regularizer.layout, regularizer.strengths(shape)
    parallel = int(np.prod(shape)) >= PARALLEL_FROM
    parameters = tuple(dtype.type(parameter) for parameter in regularizer.parameters)
    assert not isinstance(layout, Spectrum)
    tail: tuple[Any, ...]
    if isinstance(layout, Entries):
        driver = compiled(parallel, drivers.step_entrywise, kernel, centre)
        tail = (strengths, parameters)
    else:
        finders, where, longest = rows_arguments(layout, shape)
        if regularizer.driven == "radial":
            driver = compiled(parallel, drivers.step_radial, kernel, centre, *finders)
            tail = (strengths, regularizer.parameters, *where)
        else:
            driver = compiled(parallel, drivers.step_row, kernel, centre, *finders)
            tail = (strengths, parameters, *where, longest)

    def step(*arguments: Any) -> None:
        driver(*arguments, *tail)

    return step


def _blocks(regularizer: Blocks, centre: Centre, dtype: np.dtype[Any]) -> FusedStep:
    parts = []
    start = 0
    for block in regularizer.blocks:
        part = slice(start, start := start + block.size)
        parts.append((part, fused_step(block.regularizer, centre, block.shape, dtype)))

    def step(iterate: FloatArray, anchor: FloatArray, direction: FloatArray, grad: FloatArray, *scalars: float) -> None:
        for part, block_step in parts:
            block_step(iterate[part], anchor[part], direction[part], grad[part], *scalars)

    return step


def _unfused(regularizer: Regularizer, centre: Centre, shape: Shape) -> FusedStep:
    """In place, but in several passes: the prox needs the whole array (a singular value decomposition)."""

    def step(
        iterate: FloatArray,
        anchor: FloatArray,
        direction: FloatArray,
        grad: FloatArray,
        decay: float,
        weighted_step: float,
        scale: float,
        prox_step: float,
        momentum: float,
    ) -> None:
        direction *= decay
        direction += weighted_step * grad
        x = centre(iterate, anchor, direction, scale, ...)
        y = regularizer.prox(x.reshape(shape), prox_step).reshape(-1)
        iterate *= 1 - momentum
        iterate += momentum * y

    return step
