"""Signals, spectra and blocks before and after a prox, beside what another method finds."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, lsq_linear, minimize_scalar

from rmda_ref.regularizers import Regularizer
from validation.claim import Picture
from validation.gallery.naming import BEFORE, BY_ANOTHER_METHOD, line, points, titled
from validation.oracles.grid import scalar_minimiser

Array = NDArray[np.float64]
Points = tuple[Array, Array]


@dataclass(frozen=True)
class Panel(ABC):
    """A panel: the numbers shown before, after the library's prox, and after another method's."""

    regularizer: Regularizer
    what: str

    xlabel: ClassVar[str]
    ylabel: ClassVar[str]

    @abstractmethod
    def shown(self) -> tuple[Points, Points, Points]:
        """Before; by another method; by the library."""

    def picture(self) -> Picture:
        before, found, prox = self.shown()
        return Picture(
            titled(self.regularizer, self.what),
            self.xlabel,
            self.ylabel,
            (
                line(BEFORE, before[0], before[1], "context"),
                line(BY_ANOTHER_METHOD, found[0], found[1], "predicted"),
                points(prox[0], prox[1]),
            ),
        )


@dataclass(frozen=True)
class OfSpectrum(Panel):
    """The singular values of a matrix; ``after`` finds those of its prox from those of the matrix."""

    after: Callable[[Array], Array]

    xlabel = "singular value, by size"
    ylabel = "its value"

    def shown(self) -> tuple[Points, Points, Points]:
        left, right = (np.linalg.qr(np.random.default_rng(seed).standard_normal((8, 8)))[0] for seed in (1, 2))
        before = np.array([3.0, 2.5, 1.9, 1.45, 0.9, 0.7, 0.4, 0.2])
        prox = np.linalg.svdvals(self.regularizer.prox((left * before) @ right.T, 1.0))
        place = np.arange(1.0, 9.0)
        return (place, before), (place, self.after(before)), (place, prox)


def each(phi: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Every singular value by itself, by the grid."""
    return lambda before: np.array([scalar_minimiser(phi, z, 1.0, 1.0, 0.0, z) for z in before])


def largest(rank: int) -> Callable[[Array], Array]:
    """The largest of them as they are."""
    return lambda before: np.where(np.arange(len(before)) < rank, before, 0.0)


@dataclass(frozen=True)
class OfRow(Panel):
    """The magnitudes of eight entries; ``after`` finds those of their prox."""

    after: Callable[[Array], Array]

    xlabel = "entry, by size"
    ylabel = "its magnitude"

    def shown(self) -> tuple[Points, Points, Points]:
        place, before = np.arange(1.0, 9.0), np.array([3.0, 2.6, 1.7, 1.45, 1.1, 0.7, 0.4, 0.2])
        return (place, before), (place, self.after(before)), (place, self.regularizer.prox(before, 1.0))


def envelope(k: int, lam: float) -> Callable[[Array], Array]:
    """Of min {lam/2 sum u_i^2/theta_i : theta in [0, 1], sum theta_i <= k}: theta by the root of its multiplier."""

    def after(z: Array) -> Array:
        shares = _shares(z, k, lam)
        return z * shares / (shares + lam)

    return after


def k_support(k: int, lam: float) -> Callable[[Array], Array]:
    """Of a norm that is the least of (norm^2/t + t)/2 over t: the envelope's at the best t."""

    def after(z: Array) -> Array:
        def objective(t: float) -> float:
            return lam * t / 2 + float(np.sum(lam / t * z**2 / (_shares(z, k, lam / t) + lam / t))) / 2

        best = minimize_scalar(objective, bounds=(1e-3, 2 * np.linalg.norm(z)), options={"xatol": 1e-11})
        return envelope(k, lam / best.x)(z)

    return after


def _shares(z: Array, k: int, lam: float) -> Array:
    level = brentq(lambda level: np.sum(np.clip(z / level - lam, 0, 1)) - k, 1e-9, z.max() / lam, xtol=1e-15)
    return np.asarray(np.clip(z / level - lam, 0, 1))


@dataclass(frozen=True)
class OfSignal(Panel):
    """A noisy signal with steps; psi(w) = differences sum |w_{i+1} - w_i| + entries sum |w_i|."""

    differences: float
    entries: float = 0.0

    xlabel = "entry"
    ylabel = "its value"

    def shown(self) -> tuple[Points, Points, Points]:
        levels = np.repeat([0.0, 2.0, 0.3, -1.2, 0.0], [12, 10, 8, 14, 12])
        before = levels + 0.35 * np.random.default_rng(3).standard_normal(len(levels))
        place = np.arange(1.0, len(before) + 1)
        return (place, before), (place, self.minimiser(before)), (place, self.regularizer.prox(before, 1.0))

    def minimiser(self, w: Array) -> Array:
        """By the dual: w - A'u, with u the bounded least-squares fit of w by A'."""
        n = len(w)
        rows = np.vstack([np.diff(np.eye(n), axis=0), np.eye(n)])
        bounds = np.repeat([self.differences, self.entries], [n - 1, n])
        rows, bounds = rows[bounds > 0], bounds[bounds > 0]
        fit = lsq_linear(rows.T, w, (-bounds, bounds), method="bvls", tol=1e-14)
        return np.asarray(w - rows.T @ fit.x)


@dataclass(frozen=True)
class OfBlocks(Panel):
    """Sixteen weights in blocks of four; ``after`` finds the prox of a block."""

    after: Callable[[Array], Array]

    xlabel = "entry, in its block"
    ylabel = "its magnitude"

    def shown(self) -> tuple[Points, Points, Points]:
        before = np.random.default_rng(5).uniform(0.1, 2.0, 16)
        place = np.arange(16.0) + np.arange(16) // 4  # a gap between blocks
        found = np.concatenate([self.after(block) for block in before.reshape(-1, 4)])
        return stems(place, before), stems(place, found), (place, np.abs(self.regularizer.prox(before, 1.0)))


def best_of(kept: int, factor: float = 0.0) -> Callable[[Array], Array]:
    """By trying all choices of entries that stay; the others are multiplied by ``factor``."""

    def after(block: Array) -> Array:
        masks = [np.isin(np.arange(4), chosen) for chosen in combinations(range(4), kept)]
        return max((np.where(mask, block, factor * block) for mask in masks), key=lambda x: float(np.sum(x**2)))

    return after


def by_grid(psi: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """On a grid of the four magnitudes, and on finer ones around its lowest point, for psi nondecreasing in each."""

    def after(block: Array) -> Array:
        z = np.abs(block)
        low, high = np.zeros(4), z
        for count in (17, *[9] * 12):  # after the first each halves the cells
            axes = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
            u = np.stack(np.meshgrid(*axes, indexing="ij"))
            values = psi(u) + np.sum((u - z.reshape(4, 1, 1, 1, 1)) ** 2, axis=0) / 2
            best = u.reshape(4, -1)[:, np.argmin(values)]
            width = 2 * (high - low) / (count - 1)
            low, high = np.maximum(best - width, 0), np.minimum(best + width, z)
        return np.asarray(np.sign(block) * best)

    return after


def stems(place: Array, w: Array) -> Points:
    """Vertical strokes from 0 to the magnitudes."""
    nothing = np.full(len(w), np.nan)
    return np.stack([place, place, nothing], axis=1).ravel(), np.stack([0 * w, abs(w), nothing], axis=1).ravel()
