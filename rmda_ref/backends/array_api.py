"""Arrays of any other array-API namespace (CuPy, JAX, PyTorch, …): whole-array evaluation of branch-free kernels.

The kernel is not written again: its own code runs with ``abs``, ``min``, ``max``, ``select`` and the functions of
``math`` taken elementwise from the namespace. Row kernels are evaluated by their forms on whole matrices of rows, and
raise where they have none; nothing is copied to the host.
"""

import builtins
import math
from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from rmda_ref.backends.whole_rows import FORMS
from rmda_ref.layout import Groups, Rows, Segments
from rmda_ref.namespace import Array, NoEvaluation, moved, namespace

Kernel = Callable[..., Any]


def _lift(on_numbers: Callable[..., Any], on_arrays: Callable[..., Any]) -> Callable[..., Any]:
    """The function of numbers where all arguments are numbers, else that of arrays, which takes numbers along."""

    def lifted(*arguments: Any) -> Any:
        some = any(hasattr(x, "shape") and not _is_boolean(x) for x in arguments)
        return (on_arrays if some else on_numbers)(*arguments)

    return lifted


def _is_boolean(x: Array) -> bool:
    return bool(x.dtype == namespace(x).bool)


@cache
def _elementwise(xp: Any) -> dict[str, Any]:
    """What a kernel may call, on whole arrays."""
    pairs = {"sqrt": "sqrt", "exp": "exp", "log": "log", "log1p": "log1p", "cos": "cos", "acos": "acos", "sinh": "sinh"}
    pairs |= {"cosh": "cosh", "acosh": "acosh", "asinh": "asinh", "hypot": "hypot", "floor": "floor"}
    functions = {name: _lift(getattr(math, name), getattr(xp, name)) for name in pairs}
    return {
        "abs": xp.abs,
        "min": _lift(min, xp.minimum),
        "max": _lift(max, xp.maximum),
        "math": SimpleNamespace(**functions, pi=math.pi, inf=math.inf),
        "select": _select(xp),
    }


def _select(xp: Any) -> Callable[..., Any]:
    def select_arrays(condition: Any, yes: Any, no: Any) -> Any:
        if isinstance(condition, bool | np.bool_):
            return yes if condition else no
        return xp.where(condition, yes, no)

    return select_arrays


@cache
def on_arrays(kernel: Kernel, xp: Any) -> Kernel:
    """The same code object, and those of the kernels it calls, reading the elementwise functions of ``xp``."""
    assert isinstance(kernel, FunctionType)
    names: dict[str, Any] = {"__builtins__": builtins} | _elementwise(xp)  # a namespace may import within the kernel
    for name in kernel.__code__.co_names:
        called = kernel.__globals__.get(name)
        if isinstance(called, FunctionType) and name not in names:
            names[name] = on_arrays(called, xp)
        elif isinstance(called, float | int):
            names[name] = called
    # A kernel made from another (``of_norm``) closes over it.
    cells = tuple(CellType(on_arrays(cell.cell_contents, xp)) for cell in kernel.__closure__ or ())
    return FunctionType(kernel.__code__, names, kernel.__name__, None, cells)


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
