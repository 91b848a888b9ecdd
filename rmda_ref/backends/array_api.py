"""Arrays of any other array-API namespace (CuPy, JAX, PyTorch, …): whole-array evaluation of branch-free kernels.

The kernel is not written again: its own code runs with ``abs``, ``min`` and ``max`` taken elementwise from the
namespace. Row kernels have no such evaluation and raise; nothing is copied to the host.
"""

from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

from rmda_ref.layout import Groups, Rows
from rmda_ref.namespace import Array, namespace

Kernel = Callable[..., Any]


@cache
def on_arrays(kernel: Kernel, xp: Any) -> Kernel:
    """The same code object, and those of the kernels it calls, reading the elementwise functions of ``xp``."""
    assert isinstance(kernel, FunctionType)
    names: dict[str, Any] = {"abs": xp.abs, "min": xp.minimum, "max": xp.maximum}
    for name in kernel.__code__.co_names:
        called = kernel.__globals__.get(name)
        if isinstance(called, FunctionType):
            names[name] = on_arrays(called, xp)
    return FunctionType(kernel.__code__, names, kernel.__name__)


def entrywise(
    kernel: Kernel,
    x: Array,
    prox_step: float,
    strengths: float | Array,
    metric: Array | None,
    parameters: tuple[float, ...],
) -> Array:
    return on_arrays(kernel, namespace(x))(x, prox_step * strengths, 1.0 if metric is None else metric, *parameters)


def radial(
    kernel: Kernel,
    x: Array,
    layout: Rows | Groups,
    prox_step: float,
    strengths: float | Array,
    parameters: tuple[float, ...],
) -> Array:
    xp = namespace(x)
    norms = layout.norms(x)
    norms = xp.where(norms > 0, norms, xp.ones_like(norms))  # a zero row stays zero by any factor
    if not isinstance(strengths, float):
        strengths = xp.reshape(xp.asarray(strengths, dtype=x.dtype), norms.shape)
    factors = on_arrays(kernel, xp)(norms, prox_step * strengths, *parameters)
    return x * layout.spread(factors, x.shape)


def row(kernel: Kernel, x: Array, *arguments: Any) -> Array:
    raise TypeError(
        f"the kernel {kernel.__name__} runs row by row and has no evaluation on {type(x).__name__} arrays; "
        "use NumPy arrays for this regularizer"
    )
