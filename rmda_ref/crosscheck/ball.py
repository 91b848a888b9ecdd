"""Numbers that carry a bound on what rounding may have done to them: running error analysis (Wilkinson 1963).

A `Ball` is an array of values in the widest precision at hand, and beside each a bound on how far a *correct*
implementation in a given dtype may be from it. The algorithms of this library run on balls as they stand, so the bound
of a step is derived by taking the step: no formula is written twice.

The model: an implementation does the operations of the algorithm, sums in any order, and where the reference rounds
once rounds at most `ROUNDINGS` times (x / b may be x * (1/b), a number may be rounded when it becomes a tensor, a
factor may be formed from two others). Each rounding of x is off by u |x|, with u the unit roundoff of the dtype; where
it underflows, by the smallest normal number, as XLA and GPUs flush subnormals to zero (float16 alone is taken to keep
them). Bounds are of first order in the arithmetic of the bound itself, which is float64.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

ROUNDINGS = 4
Wide = np.longdouble

_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}  # of the significand, the hidden one included
_UNDERFLOW = {"float16": 2.0**-24, "bfloat16": 2.0**-126, "float32": 2.0**-126, "float64": 2.0**-1022}
DTYPES = tuple(_BITS)


@dataclass(frozen=True)
class Rounding:
    """What one operation of an implementation in ``dtype`` may do."""

    dtype: str

    @property
    def relative(self) -> float:
        """Of the value: the implementation's roundings, and the reference's own."""
        return ROUNDINGS * 2.0 ** -_BITS[self.dtype] + float(np.finfo(Wide).eps)

    @property
    def absolute(self) -> float:
        """Of a product or a quotient that underflows."""
        return ROUNDINGS * _UNDERFLOW[self.dtype]

    def holds(self, number: float) -> bool:
        """Whether the dtype holds the number exactly (exponents aside)."""
        return bool((math.frexp(number)[0] * 2 ** _BITS[self.dtype]).is_integer())

    def exact(self, values: npt.ArrayLike) -> "Ball":
        """Values that every implementation has: starts and gradients."""
        value = np.asarray(values, dtype=Wide)
        return Ball(value, np.zeros(value.shape), self)

    def number(self, number: float) -> "Ball":
        """A hyper-parameter, which an implementation may round to its dtype."""
        return Ball(Wide(number), 0.0 if self.holds(number) else self.relative * abs(number), self)


class Ball:
    """Values, and for each a bound on the error of a correct implementation.

    Attributes
    ----------
    value : array of longdouble
    error : array of float64, at least 0; 0 where every implementation has the value to the last bit
    rounding : what one more operation adds
    """

    __slots__ = ("error", "rounding", "value")
    __array_ufunc__ = None  # NumPy arrays leave operations to the ball

    def __init__(self, value: Any, error: Any, rounding: Rounding) -> None:
        self.value, self.error, self.rounding = value, error, rounding

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def dtype(self) -> str:
        """What the algorithms take it for."""
        return _NAMESPACE.float64

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def _of(self, other: Any) -> "Ball":
        return other if isinstance(other, Ball) else self.rounding.number(other)

    def _sum(self, value: Any, error: Any) -> "Ball":
        return Ball(value, error + self.rounding.relative * (np.abs(value).astype(float) + error), self.rounding)

    def _product(self, value: Any, error: Any) -> "Ball":
        size = np.abs(value).astype(float) + error
        underflow = np.where(size > 0, self.rounding.absolute, 0.0)
        return Ball(value, error + self.rounding.relative * size + underflow, self.rounding)

    def __add__(self, other: Any) -> "Ball":
        other = self._of(other)
        return self._sum(self.value + other.value, self.error + other.error)

    __radd__ = __add__

    def __neg__(self) -> "Ball":
        return Ball(-self.value, self.error, self.rounding)

    def __sub__(self, other: Any) -> "Ball":
        return self + (-self._of(other))

    def __rsub__(self, other: Any) -> "Ball":
        return self._of(other) - self

    def __mul__(self, other: Any) -> "Ball":
        other = self._of(other)
        x, y = np.abs(self.value).astype(float), np.abs(other.value).astype(float)
        return self._product(self.value * other.value, x * other.error + y * self.error + self.error * other.error)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Ball":
        """By a number away from 0."""
        other = self._of(other)
        value = self.value / other.value
        nearest = np.abs(other.value).astype(float) - other.error
        return self._product(value, (self.error + np.abs(value).astype(float) * other.error) / nearest)

    def __rtruediv__(self, other: Any) -> "Ball":
        return self._of(other) / self

    def astype(self, dtype: str) -> "Ball":
        """As stored in a narrower dtype that NumPy has; back in the dtype of the run it stays as it is."""
        if Rounding(dtype).relative <= self.rounding.relative:
            return self
        size = np.abs(self.value).astype(float) + self.error
        return Ball(self.value.astype(dtype).astype(Wide), self.error + Rounding(dtype).relative * size, self.rounding)

    def low(self) -> Any:
        return self.value - self.error

    def high(self) -> Any:
        return self.value + self.error

    @staticmethod
    def between(low: Any, high: Any, rounding: Rounding) -> "Ball":
        """The ball of an interval; a single point has error 0."""
        value = np.where(low == high, low, (low + high) / 2)
        return Ball(value, np.maximum(high - value, value - low).astype(float), rounding)

    def rounded(self) -> "Ball":
        """After one more operation."""
        return self._product(self.value, self.error)

    def zero_for_sure(self) -> Any:
        """Where every correct implementation has exactly 0."""
        return (self.value == 0) & (self.error == 0)

    def nonzero_for_sure(self) -> Any:
        """Where none has 0."""
        return np.abs(self.value) > self.error


class _Namespace:
    """What the algorithms ask of an array namespace, for balls."""

    float32, float64 = "float32", "float64"

    @staticmethod
    def asarray(ball: Ball, copy: bool) -> Ball:
        return ball  # never changed in place

    @staticmethod
    def zeros_like(ball: Ball) -> Ball:
        return ball.rounding.exact(np.zeros(ball.shape))

    @staticmethod
    def isfinite(ball: Ball) -> Any:
        return np.isfinite(ball.value)

    all = staticmethod(np.all)


_NAMESPACE = _Namespace()
