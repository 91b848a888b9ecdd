"""NumPy arrays: the drivers compiled by numba, cached on disk, parallel above a size where that pays.

Under ``NUMBA_DISABLE_JIT=1`` the same functions run interpreted.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cloudpickle, njit

import rmda_ref.kernels
from rmda_ref.backends import drivers
from rmda_ref.layout import Groups, Rows, Shape

FloatArray = npt.NDArray[np.floating[Any]]
Kernel = Callable[..., Any]
PARALLEL_FROM = 1 << 18  # entries: below, starting the threads costs more than it saves

# The disk cache is keyed by the pickled closure. Pickled by value, a kernel that was edited is another key; by
# reference (cloudpickle's choice for importable functions) a stale compilation would be found.
cloudpickle.register_pickle_by_value(rmda_ref.kernels)  # type: ignore[no-untyped-call]


# Squares may be summed in any order; a fused step may also contract products and sums, and divide by a reciprocal.
# Never "nsz", which makes negative zeros, nor "nnan".
FASTMATH = {drivers.prox_radial: {"reassoc"}, drivers.step_radial: {"reassoc", "contract", "arcp"}}


@cache
def compiled(parallel: bool, factory: Callable[..., Kernel], *functions: Kernel) -> Kernel:
    """The driver ``factory(*functions)``, compiled lazily for each signature."""
    fastmath = FASTMATH.get(factory, False)
    compile_ = njit(parallel=parallel, cache=True, error_model="numpy", fastmath=fastmath)
    driver: Kernel = compile_(factory(*functions))
    return driver


@cache
def finite_check() -> Kernel:
    check: Kernel = njit(cache=True)(drivers.all_finite)
    return check


def flat(x: FloatArray) -> FloatArray:
    """The entries in C order, without a copy where they lie so."""
    return np.ascontiguousarray(x).reshape(-1)


def rows_arguments(layout: Rows | Groups, shape: Shape) -> tuple[tuple[Kernel, ...], tuple[Any, ...], int]:
    """How the drivers find the groups: (begin_of, entry, length_of), (starts, members, n_groups), longest group."""
    address = layout.address(shape)
    arguments = (address.starts, address.members, address.n_groups)
    if not address.strided:
        finders = (drivers.begin_at_start, drivers.indexed_entry, drivers.own_length)
        return finders, arguments, int(np.diff(address.starts).max())
    if address.contiguous:
        finders = (drivers.contiguous_begin, drivers.contiguous_entry, drivers.same_length)
    else:
        finders = (drivers.begin_at_start, drivers.strided_entry, drivers.same_length)
    return finders, arguments, len(address.members)


def _typed(parameters: tuple[float, ...], x: FloatArray) -> tuple[Any, ...]:
    return tuple(x.dtype.type(parameter) for parameter in parameters)


def _metric(metric: FloatArray | None) -> FloatArray | float:
    return 1.0 if metric is None else flat(metric)


def entrywise(
    kernel: Kernel,
    x: FloatArray,
    prox_step: float,
    strengths: float | FloatArray,
    metric: FloatArray | None,
    parameters: tuple[float, ...],
) -> FloatArray:
    out = np.empty(x.shape, x.dtype)
    driver = compiled(x.size >= PARALLEL_FROM, drivers.prox_entrywise, kernel)
    driver(flat(x), prox_step, strengths, _metric(metric), _typed(parameters, x), out.reshape(-1))
    return out


def radial(
    kernel: Kernel,
    x: FloatArray,
    layout: Rows | Groups,
    prox_step: float,
    strengths: float | FloatArray,
    parameters: tuple[float, ...],
) -> FloatArray:
    out = np.empty(x.shape, x.dtype)
    finders, where, _ = rows_arguments(layout, x.shape)
    driver = compiled(x.size >= PARALLEL_FROM, drivers.prox_radial, kernel, *finders)
    driver(flat(x), prox_step, strengths, *where, parameters, out.reshape(-1))
    return out


def row(
    kernel: Kernel,
    x: FloatArray,
    layout: Rows | Groups,
    prox_step: float,
    strengths: float | FloatArray,
    metric: FloatArray | None,
    parameters: tuple[float, ...],
) -> FloatArray:
    out = np.empty(x.shape, x.dtype)
    finders, where, longest = rows_arguments(layout, x.shape)
    driver = compiled(x.size >= PARALLEL_FROM, drivers.prox_row, kernel, *finders)
    parameters = _typed(parameters, x)
    driver(flat(x), prox_step, strengths, _metric(metric), *where, longest, parameters, out.reshape(-1))
    return out
