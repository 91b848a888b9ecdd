"""NumPy arrays: the drivers compiled by numba, cached on disk, parallel above a size where that pays.

Under ``NUMBA_DISABLE_JIT=1`` the same functions run interpreted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cloudpickle, config, njit

import rmda_ref.kernels
from rmda_ref.backends import drivers
from rmda_ref.layout import Address, Groups, Rows, Segments

FloatArray = npt.NDArray[np.floating[Any]]
Kernel = Callable[..., Any]
PARALLEL_FROM = 1 << 18  # entries: below, starting the threads costs more than it saves

_INTERPRETED: ContextVar[bool] = ContextVar("interpreted", default=False)

# The disk cache is keyed by the pickled closure. Pickled by value, a kernel that was edited is another key; by
# reference (cloudpickle's choice for importable functions) a stale compilation would be found.
cloudpickle.register_pickle_by_value(rmda_ref.kernels)  # type: ignore[no-untyped-call]


# Squares may be summed in any order; a fused step may also contract products and sums, and divide by a reciprocal.
# Never "nsz", which makes negative zeros, nor "nnan".
FASTMATH = {drivers.prox_radial: {"reassoc"}, drivers.step_radial: {"reassoc", "contract", "arcp"}}


def compiled(parallel: bool, factory: Callable[..., Kernel], *functions: Kernel) -> Kernel:
    """The driver ``factory(*functions)``, compiled lazily for each signature."""
    if _INTERPRETED.get() or config.DISABLE_JIT:  # type: ignore[attr-defined]  # set while numba is imported
        return np.errstate(all="ignore")(factory(*functions))  # as compiled code is silent
    return _compiled(parallel, factory, *functions)


@contextmanager
def interpreted() -> Iterator[None]:
    """Within it the kernels run as plain Python: slow, and what the compiled ones must equal."""
    token = _INTERPRETED.set(True)
    try:
        yield
    finally:
        _INTERPRETED.reset(token)


@cache
def _compiled(parallel: bool, factory: Callable[..., Kernel], *functions: Kernel) -> Kernel:
    fastmath = FASTMATH.get(factory, False)
    compile_ = njit(parallel=parallel, cache=True, error_model="numpy", fastmath=fastmath)
    driver: Kernel = compile_(factory(*functions))
    return driver


@cache
def finite_check() -> Kernel:
    check: Kernel = njit(cache=True)(drivers.all_finite)
    return check


def flat(x: FloatArray) -> FloatArray:
    """The entries in C order, without a copy where they lie so; read-only, lest numba compile again for such arrays."""
    entries = np.ascontiguousarray(x).reshape(-1)
    entries.flags.writeable = False
    return entries


def finders(address: Address) -> tuple[Kernel, ...]:
    """How the radial drivers find a group: (begin_of, entry, length_of)."""
    if not address.strided:
        return drivers.begin_at_start, drivers.indexed_entry, drivers.own_length
    if address.contiguous:
        return drivers.contiguous_begin, drivers.contiguous_entry, drivers.same_length
    return drivers.begin_at_start, drivers.strided_entry, drivers.same_length


def typed(parameters: tuple[Any, ...], dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Numbers in the dtype of the parameter; integers and arrays stay as they are."""
    return tuple(p if isinstance(p, np.ndarray | int) else dtype.type(p) for p in parameters)


def entrywise(
    kernel: Kernel,
    x: FloatArray,
    prox_step: float,
    strengths: float | FloatArray,
    metric: FloatArray | None,
    parameters: tuple[Any, ...],
) -> FloatArray:
    out = np.empty(x.shape, x.dtype)
    driver = compiled(x.size >= PARALLEL_FROM, drivers.prox_entrywise, kernel)
    weights = 1.0 if metric is None else flat(metric)
    driver(flat(x), prox_step, strengths, weights, typed(parameters, x.dtype), out.reshape(-1))
    return out


def radial(
    kernel: Kernel,
    inner: Kernel,
    x: FloatArray,
    layout: Rows | Groups | Segments,
    prox_step: float,
    inner_strength: float,
    strengths: float | FloatArray,
    parameters: tuple[Any, ...],
) -> FloatArray:
    out = np.empty(x.shape, x.dtype)
    address = layout.address(x.shape)
    driver = compiled(x.size >= PARALLEL_FROM, drivers.prox_radial, kernel, inner, *finders(address))
    where = (address.starts, address.members, address.n_groups)
    driver(flat(x), prox_step, inner_strength, strengths, *where, parameters, out.reshape(-1))
    return out


def row(
    kernel: Kernel,
    x: FloatArray,
    layout: Rows | Groups | Segments,
    prox_step: float,
    strengths: float | FloatArray,
    metric: FloatArray | None,
    scratch_rows: int,
    parameters: tuple[Any, ...],
) -> FloatArray:
    """Rows are computed in float64, whatever the dtype: more accurate, and compiled once."""
    out = np.empty(x.shape, np.float64)
    if x.size == 0:
        return out.astype(x.dtype)
    starts, members, strided = address = layout.address(x.shape)
    driver = compiled(x.size >= PARALLEL_FROM and address.n_groups > 1, drivers.prox_row, kernel)
    entries = flat(x.astype(np.float64, copy=False))
    weights = flat(np.empty(0) if metric is None else metric.astype(np.float64, copy=False))
    where = (starts, members, address.n_groups, strided, scratch_rows, address.longest)
    strengths = np.atleast_1d(np.asarray(strengths, dtype=np.float64))
    driver(entries, prox_step, strengths, weights, *where, typed(parameters, out.dtype), out.reshape(-1))
    return out.astype(x.dtype, copy=False)
