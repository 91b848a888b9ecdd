"""The indicator of lower <= w <= upper."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from rmda_ref.kernels.clip import clip
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, moved, namespace, on_host
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Levels

ULPS = 64  # of a bound: how far outside still counts as inside


@dataclass(frozen=True)
class Box(Regularizer):
    """0 where lower <= w_i <= upper for every entry, infinite elsewhere.

    The prox is the projection, for every step and metric, in O(n). Convex. Its structure is which entries lie at which
    bound. Points outside by rounding, 64 units in the last place of the bound, count as inside and at the bound.

    Parameters
    ----------
    lower, upper : float, lower <= upper
        Either may be infinite.

    Raises
    ------
    ValueError
        If the interval is empty, or a bound is NaN.
    TypeError
        If a bound is not a number.

    >>> Box(-1.0, 1.0).prox(np.array([3.0, 0.5, -2.0]), step=1.0)
    array([ 1. ,  0.5, -1. ])
    >>> Box.nonnegative().prox(np.array([3.0, -2.0]), step=1.0)
    array([3., 0.])
    """

    lower: float
    upper: float
    layout = Entries()
    separable = True
    indicator = True
    kernel = clip

    def __post_init__(self) -> None:
        for name, bound in (("lower", self.lower), ("upper", self.upper)):
            if isinstance(bound, bool) or not isinstance(bound, Real):
                raise TypeError(f"{name} must be a number, got {type(bound).__name__} {bound!r}; give one number")
        if not (self.lower <= self.upper and self.lower < np.inf and self.upper > -np.inf):
            raise ValueError(
                f"lower must be at most upper, got lower={self.lower!r}, upper={self.upper!r}; give an interval with a "
                "real number in it"
            )

    @classmethod
    def nonnegative(cls) -> "Box":
        """The nonnegative orthant."""
        return cls(0.0, np.inf)

    @property
    def homogeneity(self) -> float | None:  # type: ignore[override]  # depends on the bounds
        """A cone is the same in every unit."""
        return 1.0 if {abs(self.lower), abs(self.upper)} <= {0.0, np.inf} else None

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"signs", "entries"} if self.lower == -self.upper else {"entries"})

    def strengths(self, shape: Shape) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.lower), float(self.upper))

    def _bounds(self, w: Array) -> tuple[Array, Array]:
        """In the dtype of the parameter, where the projection puts them."""
        return moved(self.lower, w, w.dtype), moved(self.upper, w, w.dtype)

    def _contains(self, w: Array) -> bool:
        xp, (lower, upper) = namespace(w), self._bounds(w)
        rounding = ULPS * xp.finfo(w.dtype).eps
        return bool(xp.all((w >= lower - rounding * xp.abs(lower)) & (w <= upper + rounding * xp.abs(upper))))

    def value(self, w: Array) -> float:
        return 0.0 if self._contains(w) else np.inf

    def conjugate(self, v: Array) -> float:
        """The support function sum_i max(lower v_i, upper v_i)."""
        return self._support(-v, -self.lower) + self._support(v, self.upper)

    @staticmethod
    def _support(v: Array, bound: float) -> float:
        """sum of bound v_i over the positive v_i."""
        xp = namespace(v)
        if np.isinf(bound):
            return np.inf if bool(xp.any(v > 0)) else 0.0
        return bound * float(xp.sum(xp.where(v > 0, v, xp.zeros_like(v))))

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """From the normal cone; infinite outside the box."""
        if not self._contains(w):
            return np.inf
        xp, (lower, upper) = namespace(w), self._bounds(w)
        zero = xp.zeros_like(v)
        free = ((v < 0) & (w <= lower)) | ((v > 0) & (w >= upper))
        return norm(xp.where(free, zero, v))

    def manifold(self, w: Array) -> Levels:
        """1 at the lower bound, 2 at the upper one, 0 between."""
        lower, upper = self._bounds(w)
        return Levels.of(np.where(on_host(w <= lower), 1, np.where(on_host(w >= upper), 2, 0)))
