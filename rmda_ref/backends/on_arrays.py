"""A branch-free kernel on whole arrays of any array-API namespace: its own code, with the namespace's functions.

It is not written again: the kernel runs with ``abs``, ``min``, ``max``, ``select`` and the functions of ``math`` taken
elementwise from the namespace.
"""

import builtins
import math
from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from rmda_ref.namespace import Array, namespace

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
