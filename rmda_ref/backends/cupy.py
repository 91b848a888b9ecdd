"""CuPy arrays: everything stays on their device, and what has no evaluation there raises.

How a prox is evaluated:

- entrywise kernels, and those of norms, as array expressions (`rmda_ref.backends.array_api`). Each operation of a
  kernel is then a launch that reads and writes memory, which suits the pure step: it is read for what it says. The
  fused step compiles the kernel itself and touches each entry once (`rmda_ref.algorithms.device_step`).
- row kernels compiled as they are, a row a thread, where rows are short: one launch, in which a thread takes some
  thousand dependent operations for 64 entries, where an array expression is dozens of launches, or hundreds if it
  iterates.
- row kernels of longer rows by their whole-row forms (`rmda_ref.backends.whole_rows`), with the device's sort: a single
  row may be the whole parameter. What has no form is a row a thread up to 1024 entries, and raises beyond.

This choice counts launches, traffic and operations; no device was at hand to measure it.
"""

from importlib import import_module
from typing import Any

import numpy as np

from rmda_ref.backends import array_api, whole_rows
from rmda_ref.backends.array_api import entrywise, radial
from rmda_ref.backends.on_arrays import Kernel
from rmda_ref.kernels.slope import slope
from rmda_ref.layout import Groups, Rows, Segments
from rmda_ref.namespace import Array, NoEvaluation, beside, moved, namespace

__all__ = ["device_name", "entrywise", "prepare", "radial", "row", "upload"]

SHORT_ROW = 64  # of a thread rather than a form
LONGEST_ROW = 1024  # of a thread where there is no form
NOT_BY_THREADS = {slope}  # it keeps arrays that it has cast, which numba's CUDA target refuses
ROWS_AT_ONCE = 1 << 14  # threads, each with scratch for a row
ROWS_OF_BLOCK = 64


def device_name() -> str:
    """The name of the current device; RuntimeError or ImportError, saying what to do, where there is none."""
    name: str = import_module("rmda_ref.backends.launch").device_name()
    return name


def prepare(*arguments: Any, **options: Any) -> Any:
    """`rmda_ref.backends.launch.prepare`, with CuPy imported when it is first asked for."""
    return import_module("rmda_ref.backends.launch").prepare(*arguments, **options)


def upload(values: Any, like: Array) -> Array:
    """Numbers of the host on the device of ``like``; tuples part by part, single numbers as they are."""
    if isinstance(values, tuple):
        return tuple(upload(value, like) for value in values)
    if not isinstance(values, np.ndarray):
        return values
    return moved(np.ascontiguousarray(values), like)


def row(
    kernel: Kernel,
    x: Array,
    layout: Rows | Groups | Segments,
    prox_step: float,
    strengths: float | Array,
    metric: Array | None,
    scratch_rows: int,
    parameters: tuple[Any, ...],
) -> Array:
    xp, shape = namespace(x), tuple(x.shape)
    address = layout.address(shape)
    if kernel in whole_rows.FORMS and (address.longest > SHORT_ROW or kernel in NOT_BY_THREADS):
        return array_api.row(kernel, x, layout, prox_step, strengths, metric, scratch_rows, parameters)
    if address.longest > LONGEST_ROW:
        raise NoEvaluation(
            f"the kernel {kernel.__name__}, which takes a row entry by entry, for rows of {address.longest} (more than "
            f"{LONGEST_ROW})",
            x,
        )
    from rmda_ref.backends import cuda, cuda_loops  # numba's CUDA target takes a while to load

    def of_row(array: Array) -> Array:
        return xp.reshape(xp.astype(array, xp.float64), (-1,))

    blocks = -(-min(address.n_groups, ROWS_AT_ONCE) // ROWS_OF_BLOCK)
    longest = (blocks * ROWS_OF_BLOCK, address.longest)
    with beside(x):
        out = xp.empty((int(np.prod(shape)),), dtype=xp.float64)
        arguments = (
            of_row(x),
            float(prox_step),
            upload(np.atleast_1d(np.asarray(strengths, dtype=np.float64)), x),
            xp.empty((0,), dtype=xp.float64) if metric is None else of_row(metric),
            upload(address.starts, x),
            upload(address.members, x),
            address.n_groups,
            int(address.strided),
            xp.empty(longest, dtype=xp.float64),
            xp.empty(longest, dtype=xp.float64),
            xp.empty((longest[0], max(scratch_rows, 1), longest[1]), dtype=xp.float64),
            upload(parameters, x),
            out,
        )
        loop = cuda.Loop(cuda_loops.prox_rows, (kernel,))
        prepare(loop, blocks, *arguments, threads=ROWS_OF_BLOCK)(*arguments)
        return xp.reshape(xp.astype(out, x.dtype), shape)
