"""One quadratic on which the envelope for k groups has exactly k, whatever k is: the problem of experiment X7d.

f(w) = 1/2 <w, H w> - <c, w>, twelve correlated groups of four, the norms of c over the groups being 1, …, 12; psi is
the group sparse envelope for k groups. Let A be the k groups of the largest ||c_g||, and suppose that

    w_A = (H_AA + lam I)^{-1} c_A,    w_I = 0,    u = c - H w,    max over I of ||u_g|| < lam min over A of ||w_g||.

Then u_A = lam w_A, so that <u, w> = psi(w) + psi*(u) (psi is lam/2 ||w||^2 on k groups, psi*(u) half the sum of the k
largest ||u_g||^2, over lam): u is a subgradient of psi, w is the solution, and it has exactly k groups. The difference
in the last formula is the margin. For lam -> infinity it tends to the difference of the k-th and the next ||c_g||, here
1: *one lam serves every k*. For a small lam there may be more groups than k: the envelope does not forbid them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from problems import Planted, Quadratic
from rmda_ref import GroupLasso, GroupSparseEnvelope

__all__ = ["LEAST_MARGIN", "N_GROUPS", "SIGMA", "SIZE", "SWEEP", "Landscape", "Search", "search", "sweep"]

N_GROUPS, SIZE, CORRELATION = 12, 4, 0.3
SIGMA = 1.0  # of each entry of a gradient
LEAST_MARGIN = 0.6  # directions of c are drawn until all margins lie between this and sigma: nearly every draw
SWEEP = np.geomspace(400.0, 0.05, 30)  # values of lam
SOLVED = 1e-9  # largest change in the last step of a solve


@dataclass(frozen=True, eq=False)
class Landscape:
    """f: the Hessian, (n, n) with n = 48, and c, the negative gradient at 0, (groups, size)."""

    hessian: np.ndarray
    pull: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, asked: tuple[int, ...], lam: float) -> "Landscape":
        """Until the margin lies in [`LEAST_MARGIN`, `SIGMA`] for every k that is asked for."""
        hessian = Quadratic.correlated(np.zeros((N_GROUPS, SIZE)), CORRELATION).hessian
        while True:
            pull = rng.standard_normal((N_GROUPS, SIZE))
            pull *= (rng.permutation(np.arange(1.0, N_GROUPS + 1)) / np.linalg.norm(pull, axis=1))[:, None]
            drawn = cls(hessian, pull)
            if all(LEAST_MARGIN <= drawn.margin(k, lam) <= SIGMA for k in asked):
                return drawn

    def active(self, k: int) -> np.ndarray:
        """A, one boolean a group."""
        return np.asarray(np.linalg.norm(self.pull, axis=1) > N_GROUPS - k + 0.5)

    def candidate(self, k: int, lam: float) -> np.ndarray:
        """The point that is the solution if it has a margin."""
        entries = np.repeat(self.active(k), SIZE)
        w = np.zeros(self.pull.size)
        inside = self.hessian[np.ix_(entries, entries)] + lam * np.eye(entries.sum())
        w[entries] = np.linalg.solve(inside, self.pull.reshape(-1)[entries])
        return w.reshape(self.pull.shape)

    def slope(self, w: np.ndarray) -> np.ndarray:
        """The gradient of f."""
        return np.asarray((self.hessian @ w.reshape(-1)).reshape(w.shape) - self.pull)

    def margin(self, k: int, lam: float) -> float:
        w, active = self.candidate(k, lam), self.active(k)
        u = -self.slope(w)
        return float(lam * np.linalg.norm(w[active], axis=1).min() - np.linalg.norm(u[~active], axis=1).max())

    def threshold(self, k: int) -> float:
        """The lam at which the margin vanishes, by bisection."""
        low, high = float(SWEEP[-1]), float(SWEEP[0])
        while high > (1 + 1e-9) * low:
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self.margin(k, middle) > 0 else (middle, high)
        return high

    def planted(self, k: int, lam: float) -> Planted:
        """f + psi: the gradient of the smooth part is that of f, and the solution is proved when this is made."""
        w = self.candidate(k, lam)
        return Planted(Quadratic(w, self.hessian, SIGMA), GroupSparseEnvelope(lam, k, axis=-1), -self.slope(w))

    def minimiser(self, psi: Any, start: np.ndarray) -> np.ndarray:
        """Of f + psi, by proximal gradient steps."""
        w, step = start, 1 / np.linalg.eigvalsh(self.hessian)[-1]
        while True:
            before = w
            w = psi.prox(w - step * self.slope(w), step)
            if np.abs(w - before).max() <= SOLVED:
                return np.asarray(w)


@dataclass(frozen=True)
class Search:
    """A lam at which a group lasso has k groups (NaN if none was found), and how many problems were solved for it."""

    lam: float
    solves: int


def search(landscape: Landscape, k: int, most: int = 50) -> Search:
    """Halving the interval from 0 to the least lam at which no group is left."""
    low, high, w = 0.0, N_GROUPS / np.sqrt(SIZE), np.zeros_like(landscape.pull)
    for solves in range(1, most + 1):
        lam = float(low + high) / 2
        w = landscape.minimiser(GroupLasso(lam, axis=-1), w)
        found = n_groups(w)
        if found == k:
            return Search(lam, solves)
        low, high = (lam, high) if found > k else (low, lam)
    return Search(np.nan, most)


def sweep(landscape: Landscape, psi_at: Callable[[float], Any]) -> list[int]:
    """The number of groups of the minimiser at each lam of `SWEEP`, from the largest on."""
    counts, w = [], np.zeros_like(landscape.pull)
    for lam in SWEEP:
        w = landscape.minimiser(psi_at(float(lam)), w)
        counts.append(n_groups(w))
    return counts


def n_groups(w: np.ndarray) -> int:
    return int(w.any(axis=-1).sum())
