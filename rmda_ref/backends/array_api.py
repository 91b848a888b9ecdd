"""Arrays of any other array-API namespace (CuPy, JAX, PyTorch, …): whole-array evaluation of kernels.

Those without branches run as they are (`rmda_ref.backends.on_arrays`). Row kernels are evaluated by their forms on
whole matrices of rows (`rmda_ref.backends.whole_rows`), and raise where they have none; nothing is copied to the host.
"""

from typing import Any

import numpy as np

from rmda_ref.backends.on_arrays import Kernel, on_arrays
from rmda_ref.backends.whole_rows import FORMS
from rmda_ref.layout import Groups, Rows, Segments
from rmda_ref.namespace import Array, NoEvaluation, moved, namespace


def entrywise(
    kernel: Kernel,
    x: Array,
    prox_step: float,
    strengths: float | Array,
    metric: Array | None,
    parameters: tuple[Any, ...],
) -> Array:
    xp = namespace(x)
    if not isinstance(strengths, float):
        strengths = xp.reshape(moved(strengths, x, x.dtype), x.shape)
    return on_arrays(kernel, xp)(x, prox_step * strengths, 1.0 if metric is None else metric, *parameters)


def radial(
    kernel: Kernel,
    inner: Kernel,
    x: Array,
    layout: Rows | Groups | Segments,
    prox_step: float,
    inner_strength: float,
    strengths: float | Array,
    parameters: tuple[Any, ...],
) -> Array:
    xp = namespace(x)
    x = on_arrays(inner, xp)(x, prox_step * inner_strength, 1.0)
    norms = layout.norms(x)
    norms = xp.where(norms > 0, norms, xp.ones_like(norms))  # a zero row stays zero by any factor
    if not isinstance(strengths, float):
        strengths = xp.reshape(moved(strengths, x, x.dtype), norms.shape)
    factors = on_arrays(kernel, xp)(norms, prox_step * strengths, *parameters)
    return x * layout.spread(factors, x.shape) + 0.0  # no negative zeros


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
    """By the kernel's form on whole matrices of rows (`rmda_ref.backends.whole_rows`), in float64 where there is one.

    Raises NoEvaluation where the kernel has none.
    """
    form = FORMS.get(kernel)
    if form is None:
        raise NoEvaluation(f"the kernel {kernel.__name__}, which takes a row entry by entry,", x)
    xp, shape = namespace(x), tuple(x.shape)
    if 0 in shape:
        return xp.asarray(x, copy=True)
    wide = widest(x)
    batches = layout.batches(xp.astype(x, wide))
    metrics = [None] * len(batches) if metric is None else [m for m, _ in layout.batches(xp.astype(metric, wide))]
    results = []
    for (rows, places), weights in zip(batches, metrics, strict=True):
        strength = strengths if isinstance(strengths, float) else moved(_one_each(strengths, places), rows, rows.dtype)
        results.append(form(rows, prox_step * strength, weights, *parameters))
    result = layout.from_batches(results, shape)
    return xp.astype(xp.where(result == 0, 0.0, result), x.dtype)  # no negative zeros


def widest(x: Array) -> Any:
    """float64, or the dtype of ``x`` where its namespace has none."""
    xp = namespace(x)
    if xp is np:
        return np.float64
    return xp.__array_namespace_info__().dtypes(kind="real floating").get("float64", x.dtype)


def _one_each(strengths: Array, places: Any) -> Array:
    """The strengths of the rows at these places, as a column."""
    column = np.asarray(strengths, dtype=np.float64).reshape(-1, 1)
    return column if len(column) == 1 else column[places]
