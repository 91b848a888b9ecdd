"""The indicator of finitely many levels for each entry."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.nearest_level import nearest_level
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, moved, namespace, on_host
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Levels


@dataclass(frozen=True)
class DiscreteSet(Regularizer):
    """0 where every entry is one of the levels, infinite elsewhere (Bai, Wang & Liberty 2019, with a hard constraint).

    The prox is the nearest level, for every step and metric, in O(n levels); a tie goes to the level of smaller
    magnitude, between opposite ones to the positive. Not convex. Each point of the set is a structure of its own, and
    every dual point is normal to it: partly smooth, with manifolds of dimension 0. In float32 the levels are rounded.

    Parameters
    ----------
    levels : tuple of distinct finite float

    Raises
    ------
    ValueError
        If there are no levels, or one is not finite or comes twice.

    >>> DiscreteSet.ternary(0.5).prox(np.array([0.3, 0.2, -7.0]), step=1.0)
    array([ 0.5,  0. , -0.5])
    >>> DiscreteSet.uniform(-1.0, 1.0, 5).levels
    (-1.0, -0.5, 0.0, 0.5, 1.0)
    """

    levels: tuple[float, ...]
    layout = Entries()
    convex = False
    separable = True
    indicator = True
    kernel = nearest_level

    def __post_init__(self) -> None:
        levels = tuple(self.levels)
        if not levels or not np.isfinite(levels).all() or len(set(levels)) < len(levels):
            raise ValueError(f"levels must be one or more distinct finite numbers, got {self.levels!r}")

    @classmethod
    def binary(cls, size: float = 1.0) -> "DiscreteSet":
        """-size and size."""
        checks.positive("size", size)
        return cls((-float(size), float(size)))

    @classmethod
    def ternary(cls, size: float = 1.0) -> "DiscreteSet":
        """-size, 0 and size."""
        checks.positive("size", size)
        return cls((-float(size), 0.0, float(size)))

    @classmethod
    def uniform(cls, lowest: float, highest: float, n_levels: int) -> "DiscreteSet":
        """Evenly spaced levels, both ends among them."""
        checks.count("n_levels", n_levels, 2, "give 2 or more")
        return cls(tuple(float(level) for level in np.linspace(lowest, highest, n_levels)))

    @property
    def symmetries(self) -> frozenset[str]:
        mirrored = {-level for level in self.levels} == set(self.levels)
        return frozenset({"signs", "entries"} if mirrored else {"entries"})

    def strengths(self, shape: Shape) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """The levels in order, and the middles between neighbours."""
        levels = np.array(sorted(self.levels), dtype=np.float64) + 0.0  # + 0: no negative zeros
        return levels, levels[:-1] / 2 + levels[1:] / 2

    def _index(self, w: Array) -> np.ndarray:
        """Which level each entry is, in the dtype of the parameter; -1 for none."""
        match = on_host(self._match(w))
        return np.where(match.any(axis=-1), match.argmax(axis=-1), -1)

    def _match(self, w: Array) -> Array:
        """Whether each entry is each of the levels, these along a last axis."""
        return w[..., None] == moved([float(level) for level in self.levels], w, w.dtype)

    def value(self, w: Array) -> float:
        xp = namespace(w)
        return 0.0 if bool(xp.all(xp.any(self._match(w), axis=-1))) else np.inf

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """0 in the set, from its limiting normal cone, which is everything; infinite outside."""
        return self.value(w)

    def manifold(self, w: Array) -> Levels:
        """The place of each entry among the levels as given; -1 off them."""
        return Levels.of(self._index(w))
