"""Minima of functions of one number by dense grids: they see every valley, convex or not."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmda_ref.layout import Entries, Groups, Rows, Spectrum

Array = NDArray[np.float64]
Scalar = Callable[[Array], Array]
POINTS = 2001
ROUNDS = 4  # each zooms in about a hundredfold


def scalar_minimiser(phi: Scalar, x: float, step: float, metric: float, low: float, high: float) -> float:
    """argmin over [low, high] of step phi(y) + metric/2 (y - x)^2, to about 1e-10 of the interval.

    Around each of the three lowest points of a grid another grid, four times; 0, x and the ends are tried as they are.
    """

    def objective(y: Array) -> Array:
        return step * phi(y) + metric / 2 * (y - x) ** 2

    candidates = [low, high, *(y for y in (0.0, x) if low <= y <= high)]
    grid = np.linspace(low, high, POINTS)
    values = objective(grid)
    valleys = np.flatnonzero((values <= np.append(values[1:], np.inf)) & (values <= np.append(np.inf, values[:-1])))
    for start in grid[valleys[np.argsort(values[valleys])[:3]]]:
        width, centre = (high - low) / (POINTS - 1), float(start)
        for _ in range(ROUNDS):
            fine = np.linspace(max(low, centre - width), min(high, centre + width), 201)
            centre, width = float(fine[np.argmin(objective(fine))]), width / 100
        candidates.append(centre)
    tried = np.array(candidates)
    return float(tried[np.argmin(objective(tried))])


def magnitudes_minimiser(
    phi: Callable[[Any, Array], Array],
) -> Callable[[Any, Array, float, Array | None], Array]:
    """Of sum_i weight_i phi(z_i) for phi nondecreasing on [0, inf): each magnitude is sought between 0 and itself.

    ``phi(regularizer, z)`` is written apart from the library. Entries keep their sign, groups their direction, matrices
    their singular vectors: no metric for the last two.
    """

    def minimiser(regularizer: Any, w: Array, step: float, metric: Array | None) -> Array:
        layout = regularizer.layout
        u, s, vt = np.linalg.svd(layout.matrix(w), full_matrices=False) if isinstance(layout, Spectrum) else (0, w, 0)
        if isinstance(layout, Rows | Groups):
            lists = [g for matrix in layout.rows(np.arange(w.size).reshape(w.shape)) for g in matrix]
            z = np.array([np.linalg.norm(w.reshape(-1)[group]) for group in lists])
        else:
            z = np.abs(np.ravel(s))
        weights = np.ones(len(z)) if getattr(regularizer, "weights", None) is None else np.ravel(regularizer.weights)
        metrics = np.ones(len(z)) if metric is None else np.ravel(metric)
        found = np.array(
            [
                scalar_minimiser(lambda y: phi(regularizer, y), x, step * weight, m, 0.0, x) if x > 0 else 0.0
                for x, weight, m in zip(z, weights, metrics, strict=True)
            ]
        )
        factor = np.divide(found, z, out=np.zeros_like(z), where=z > 0)
        if isinstance(layout, Spectrum):
            return np.asarray((u * found) @ vt).reshape(w.shape)
        if isinstance(layout, Rows | Groups):
            result = w.reshape(-1).copy()
            for group, scale in zip(lists, factor, strict=True):
                result[group] *= scale
            return result.reshape(w.shape)
        assert isinstance(layout, Entries)
        return np.asarray(w * factor.reshape(w.shape))

    return minimiser


def magnitudes_value(phi: Callable[[Any, Array], Array]) -> Callable[[Any, Array], float]:
    """sum_i weight_i phi(z_i), with the magnitudes taken by NumPy."""

    def value(regularizer: Any, w: Array) -> float:
        layout = regularizer.layout
        if isinstance(layout, Spectrum):
            z = np.linalg.svdvals(layout.matrix(w))
            z = np.where(z > 1e-12 * z.max(initial=0), z, 0)  # a decomposition of rank r has zeros to rounding only
        elif isinstance(layout, Rows | Groups):
            lists = [g for matrix in layout.rows(np.arange(w.size).reshape(w.shape)) for g in matrix]
            z = np.array([np.linalg.norm(w.reshape(-1)[group]) for group in lists])
        else:
            z = np.abs(w.reshape(-1))
        weights = np.ones(len(z)) if getattr(regularizer, "weights", None) is None else np.ravel(regularizer.weights)
        return float(np.sum(weights * phi(regularizer, z)))

    return value
