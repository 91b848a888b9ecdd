"""The penalties of the optimizers' oracles: minimisers in a diagonal metric, found case by case and by bisection."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Penalty(Protocol):
    """A function psi, known by its minimisers."""

    def minimise(self, centre: Array, strength: float, metric: Array) -> Array:
        """argmin_x strength psi(x) + 1/2 sum metric (x - centre)^2.

        Parameters
        ----------
        centre : any shape that psi takes.
        strength : at least 0.
        metric : positive, shaped like ``centre``.
        """
        ...


@dataclass(frozen=True)
class Nothing:
    """psi = 0."""

    def minimise(self, centre: Array, strength: float, metric: Array) -> Array:
        return centre.copy()


@dataclass(frozen=True)
class AbsoluteValues:
    """psi(x) = lam sum |x_i|."""

    lam: float

    def minimise(self, centre: Array, strength: float, metric: Array) -> Array:
        """Number by number: the stationary point of a sign that has that sign, and 0 if there is none."""
        x = np.zeros_like(centre)
        for i in np.ndindex(centre.shape):
            for sign in (1.0, -1.0):
                stationary = centre[i] - sign * strength * self.lam / metric[i]  # of strength lam sign x + the distance
                if sign * stationary > 0:
                    x[i] = stationary
        return x


@dataclass(frozen=True)
class ColumnNorms:
    """psi(x) = lam sqrt(number of rows) sum_j |x_:j|, for a matrix x: a group lasso over its columns."""

    lam: float

    def minimise(self, centre: Array, strength: float, metric: Array) -> Array:
        """Column by column."""
        if centre.ndim != 2:
            raise ValueError(f"centre must be a matrix, has shape {centre.shape}; reshape the points and the gradients")
        level = strength * self.lam * float(np.sqrt(len(centre)))
        columns = [_column(c, d, level) for c, d in zip(centre.T, metric.T, strict=True)]
        return np.stack(columns, axis=1)


def _column(c: Array, d: Array, level: float) -> Array:
    """argmin_x level |x| + 1/2 sum d (x - c)^2.

    It is 0 iff |d c| <= level. Otherwise level x/|x| + d (x - c) = 0, so that x = |x| d c / (d |x| + level): the norm
    n = |x| is the root of sum (d c / (d n + level))^2 = 1, whose left side falls with n, from > 1 at 0 to <= 1 at |c|.
    """
    pull = d * c
    if np.linalg.norm(pull) <= level:
        return np.zeros_like(c)
    if level == 0:
        return c.copy()
    n = _falls_to_one(lambda n: float(np.linalg.norm(pull / (d * n + level))), float(np.linalg.norm(c)))
    return np.asarray(n * pull / (d * n + level))


def _falls_to_one(falling: Callable[[float], float], high: float) -> float:
    """Where the function falls to 1 between 0 and ``high``, by bisection until no float64 lies between."""
    low = 0.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if falling(middle) > 1 else (low, middle)
    return high
