"""Checks of arguments: each error names the argument, the value and the remedy."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np

from rmda_ref.namespace import Array, kind, namespace, together

DTYPES = ("float32", "float64")
FIND = "find what made them with isfinite"
SKIP = "nothing was changed: skip this step, or lower the step size if the gradients grow without bound"


def positive(name: str, value: float) -> float:
    """``value`` as a float if it is positive and finite."""
    return _real(name, value, low=0.0, low_is_allowed=False, high=math.inf, remedy="give a positive number")


def nonnegative(name: str, value: float) -> float:
    """``value`` as a float if it is finite and at least 0."""
    return _real(name, value, low=0.0, low_is_allowed=True, high=math.inf, remedy="give 0 or a positive number")


def fraction(name: str, value: float, remedy: str) -> float:
    """``value`` as a float if it lies in (0, 1]."""
    return _real(name, value, low=0.0, low_is_allowed=False, high=1.0, remedy=remedy)


def count(name: str, value: int, low: int, remedy: str) -> int:
    """``value`` if it is an integer of at least ``low``."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__} {value!r}; {remedy}")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value!r}; {remedy}")
    return int(value)


def weights(name: str, values: Any) -> None:
    """Raise unless ``values`` are finite numbers of at least 0."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or not (np.isfinite(array).all() and (array >= 0).all()):
        raise ValueError(f"{name} must be finite and at least 0, got {values!r}")


def one_each(name: str, values: Any, n: int, what: str) -> None:
    """Raise unless ``values`` is None or has ``n`` entries."""
    if values is not None and np.size(values) != n:
        raise ValueError(f"{name} has {np.size(values)} entries for {n} {what}; give one for each")


def _real(name: str, value: Any, *, low: float, low_is_allowed: bool, high: float, remedy: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__} {value!r}; {remedy}")
    number = float(value)
    above = number >= low if low_is_allowed else number > low
    if not (above and number <= high and math.isfinite(number)):
        interval = f"{'[' if low_is_allowed else '('}{low:g}, {high:g}{')' if math.isinf(high) else ']'}"
        raise ValueError(f"{name} must lie in {interval}, got {value!r}; {remedy}")
    return number


def floating(name: str, array: Array) -> Any:
    """The namespace of ``array`` if it holds float32 or float64."""
    xp = namespace(array)
    if array.dtype not in (xp.float32, xp.float64):
        raise TypeError(
            f"{name} has dtype {array.dtype}; use one of {', '.join(DTYPES)}, e.g. {name}.astype('float64')"
        )
    return xp


def finite(name: str, array: Array, remedy: str = FIND) -> None:
    """Raise if an entry of ``array`` is infinite or NaN, and say where the first is."""
    xp = namespace(array)
    good = xp.isfinite(array)
    if not bool(xp.all(good)):
        raise not_finite(name, array, remedy)


def not_finite(name: str, array: Array, remedy: str) -> ValueError:
    """The error for an array that holds an infinite or NaN entry."""
    xp = namespace(array)
    bad = ~xp.reshape(xp.isfinite(array), (-1,))
    first = int(xp.argmax(xp.astype(bad, xp.int8) if xp is not np else bad))
    where = tuple(int(i) for i in np.unravel_index(first, tuple(array.shape))) if array.ndim else ()
    count = int(xp.sum(xp.astype(bad, xp.int64)))
    return ValueError(f"{name} has {count} non-finite entries, the first at index {where}; {remedy}")


def start(name: str, w0: Array) -> Array:
    """A copy of a finite floating-point start."""
    xp = floating(name, w0)
    finite(name, w0)
    return xp.asarray(w0, copy=True)


def same_kind(name: str, array: Array, like: Array) -> None:
    """Raise unless ``array`` has the namespace, device, shape and dtype of ``like``."""
    if not together(array, like):
        raise TypeError(
            f"{name} is a {kind(array)}, the parameter a {kind(like)}; convert one, nothing is copied unasked"
        )
    if array.shape != like.shape:
        raise ValueError(f"{name} has shape {array.shape}, the parameter {like.shape}; they must be the same")
    if array.dtype != like.dtype:
        raise TypeError(
            f"{name} has dtype {array.dtype}, the parameter {like.dtype}; "
            f"use {name}.astype('{like.dtype}') or start from a w0 of the other dtype"
        )


def gradient(grad: Array, like: Array) -> None:
    """Raise unless ``grad`` is a finite gradient at a parameter like ``like``."""
    same_kind("grad", grad, like)
    finite("grad", grad, SKIP)
