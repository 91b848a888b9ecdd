"""Penalties that count or sort: all supports are tried; ranks by another decomposition; 2:4 on a grid of four axes."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from rmda_ref.layout import Norms, Spectrum
from validation.oracles.oracle import Oracle

Array = NDArray[np.float64]
Minimiser = Callable[[Any, Array, float, Array | None], Array]
# (regularizer, w, step, metric) -> what entries become that are penalised
Penalised = Callable[[Any, Array, float, Array], Array]


def lists_of(layout: Any, shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """The entries of each row."""
    return [row for matrix in layout.rows(np.arange(int(np.prod(shape))).reshape(shape)) for row in matrix]


def free_of(regularizer: Any) -> int:
    return int(regularizer.n if hasattr(regularizer, "n") else regularizer.k)


# What is left of psi: the sum of phi over all but k magnitudes, at its least.


def trimmed_value(phi: Callable[[Any, Array], Array]) -> Callable[[Any, Array], float]:
    """The least sum of phi over the magnitudes left when k are taken away: all choices are tried."""

    def value(regularizer: Any, w: Array) -> float:
        layout = regularizer.layout
        if isinstance(layout, Spectrum):
            diagonal = np.abs(np.diag(scipy.linalg.qr(w.reshape(len(w), -1), mode="r", pivoting=True)[0]))
            rank = int(np.sum(diagonal > 1e-10 * diagonal.max(initial=1e-300)))
            s = np.sqrt(np.maximum(np.linalg.eigvalsh(w.reshape(len(w), -1).T @ w.reshape(len(w), -1))[::-1], 0))
            rows = [np.where(np.arange(len(s)) < rank, s, 0)]
        elif isinstance(layout, Norms):
            rows = [np.array([np.sqrt(sum(w.reshape(-1)[g] ** 2)) for g in lists_of(layout.of, w.shape)])]
        else:
            rows = [np.abs(w.reshape(-1)[row]) for row in lists_of(layout, w.shape)]
        total, k = 0.0, free_of(regularizer)
        for z in rows:
            choices = itertools.combinations(range(len(z)), max(len(z) - k, 0))
            terms = phi(regularizer, z)
            total += min(sum(terms[i] for i in left) for left in choices)
        return float(total)

    return value


def trimmed_minimiser(penalised: Penalised, phi: Callable[[Any, Array], Array]) -> Minimiser:
    """Every choice of k free magnitudes of a row is tried; the others are moved to ``penalised``."""

    def enumerated(regularizer: Any, w: Array, step: float, metric: Array, groups: list[Any]) -> Array:
        """The groups among which k are free, as one row; a group keeps its direction."""
        moved, costs = np.zeros_like(w), []
        for g in groups:
            size = np.sqrt(np.sum(w[g] ** 2))
            # Of several entries only 0 is asked in a metric.
            new = penalised(regularizer, np.array([size]), step, metric[g][:1])
            if size > 0:
                moved[g] = w[g] * (new[0] / size)
            penalty = step * float(phi(regularizer, new)[0])
            costs.append(penalty + float(np.sum(metric[g] * (moved[g] - w[g]) ** 2)) / 2)
        choices = itertools.combinations(range(len(groups)), min(free_of(regularizer), len(groups)))
        for i in max(choices, key=lambda free: sum(costs[i] for i in free)):
            moved[groups[i]] = w[groups[i]]
        return moved

    def minimiser(regularizer: Any, w: Array, step: float, metric: Array | None) -> Array:
        layout, flat = regularizer.layout, w.reshape(-1)
        weights = np.ones(w.size) if metric is None else metric.reshape(-1)
        if isinstance(layout, Spectrum):
            return spectral(regularizer, w, step)
        if isinstance(layout, Norms):
            return enumerated(regularizer, flat, step, weights, lists_of(layout.of, w.shape)).reshape(w.shape)
        result = np.empty_like(flat)
        for row in lists_of(layout, w.shape):
            result[row] = enumerated(regularizer, flat[row], step, weights[row], entries(len(row)))
        return result.reshape(w.shape)

    def spectral(regularizer: Any, w: Array, step: float) -> Array:
        """By the eigenvectors U of W W^T: U diag(new / old) U^T W."""
        matrix = w.reshape(len(w), -1)
        values, vectors = np.linalg.eigh(matrix @ matrix.T)
        n = min(matrix.shape)
        sizes, vectors = np.sqrt(np.maximum(values[::-1], 0))[:n], vectors[:, ::-1][:, :n]
        new = enumerated(regularizer, sizes, step, np.ones(n), entries(n))
        factor = np.divide(new, sizes, out=np.zeros(n), where=sizes > 0)
        return np.asarray(((vectors * factor) @ vectors.T) @ matrix).reshape(w.shape)

    return minimiser


def entries(n: int) -> list[Array]:
    return [np.array([i]) for i in range(n)]


def nothing(regularizer: Any, w: Array, step: float, metric: Array) -> Array:
    return np.zeros_like(w)


def nonzero(regularizer: Any, z: Array) -> Array:
    return np.where(z > 0, np.inf, 0.0)


def shrunk(regularizer: Any, w: Array, step: float, metric: Array) -> Array:
    """argmin step lam |x| + metric/2 (x - w)^2 among 0 and the stationary points of either sign."""
    move = step * regularizer.lam / metric
    candidates = np.stack([np.zeros_like(w), np.maximum(w - move, 0), np.minimum(w + move, 0)])
    objective = step * regularizer.lam * np.abs(candidates) + metric / 2 * (candidates - w) ** 2
    return np.asarray(np.take_along_axis(candidates, objective.argmin(axis=0)[None], axis=0)[0])


def absolute(regularizer: Any, z: Array) -> Array:
    return np.asarray(regularizer.lam * np.abs(z))


def damped(regularizer: Any, w: Array, step: float, metric: Array) -> Array:
    """argmin step lam/2 x^2 + metric/2 (x - w)^2, or 0 where lam is infinite."""
    return np.asarray(w - w / (1 + metric / (step * regularizer.lam)))


def square(regularizer: Any, z: Array) -> Array:
    return np.asarray(regularizer.lam / 2 * z**2)


TOP_K = Oracle("enumeration", trimmed_value(nonzero), trimmed_minimiser(nothing, nonzero), 1e-12)
TRIMMED_L1 = Oracle("enumeration", trimmed_value(absolute), trimmed_minimiser(shrunk, absolute), 1e-12)
SOFT_NM = Oracle("enumeration", trimmed_value(square), trimmed_minimiser(damped, square), 1e-12)
RANK = Oracle("eigenvectors", TOP_K.value, TOP_K.minimiser, 1e-10)
TRIMMED_SPECTRUM = Oracle("eigenvectors", TRIMMED_L1.value, TRIMMED_L1.minimiser, 1e-10)

# The 2:4 regularizer

GRID = 11  # points an axis
STARTS = 30  # points of the grid that are refined
SWEEPS = 400


def products(y: Array) -> Array:
    """The sum of |products| of three of four, along the last axis."""
    size = np.abs(y)
    return np.asarray(sum(np.prod(size[..., list(three)], axis=-1) for three in itertools.combinations(range(4), 3)))


def two_four_value(regularizer: Any, w: Array) -> float:
    rows = lists_of(regularizer.layout, w.shape)
    return float(regularizer.lam * sum(float(products(w.reshape(-1)[row])) for row in rows))


def two_four_minimiser(regularizer: Any, w: Array, step: float, metric: Array | None) -> Array:
    """Each block on a grid over [0, |w|]^4, and the lowest points of it descended one coordinate after the other.

    Along a coordinate the objective is a parabola. Besides the lowest points of all, the lowest with each support are
    taken: different supports are different valleys.
    """
    result = w.reshape(-1).copy()
    for row in lists_of(regularizer.layout, w.shape):
        size, strength = np.abs(result[row]), step * regularizer.lam
        axes = [np.linspace(0, x, GRID) for x in size]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 4)
        values = strength * products(grid) + np.sum((grid - size) ** 2, axis=1) / 2
        order = np.argsort(values)
        support = (grid > 0) @ [1, 2, 4, 8]
        each = [order[support[order] == code][:3] for code in range(16)]
        y = grid[np.concatenate([order[:STARTS], *each])]
        for _ in range(SWEEPS):
            for i in range(4):
                a, b, c = (y[:, j] for j in range(4) if j != i)
                y[:, i] = np.maximum(size[i] - strength * (a * b + a * c + b * c), 0)
        values = strength * products(y) + np.sum((y - size) ** 2, axis=1) / 2
        result[row] = np.sign(result[row]) * y[np.argmin(values)]
    return result.reshape(w.shape)


TWO_FOUR = Oracle("grid", two_four_value, two_four_minimiser, 1e-9)

ORACLES: dict[str, Oracle] = {
    "top-k": TOP_K,
    "top-k, rows": TOP_K,
    "top-k, groups": TOP_K,
    "top-k, norms": TOP_K,
    "top-k, spectrum": RANK,
    "trimmed l1": TRIMMED_L1,
    "trimmed l1, rows": TRIMMED_L1,
    "trimmed l1, groups": TRIMMED_L1,
    "trimmed l1, norms": TRIMMED_L1,
    "trimmed l1, spectrum": TRIMMED_SPECTRUM,
    "N:M, 2:4": TOP_K,
    "N:M, 1:3 along columns": TOP_K,
    "N:M, 2:4 with a decaying mask": SOFT_NM,
    "2:4 regularizer": TWO_FOUR,
    "2:4 regularizer along columns": TWO_FOUR,
}
