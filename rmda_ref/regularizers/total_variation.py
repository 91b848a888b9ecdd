"""psi(w) = lam sum_i |w_{i+1} - w_i| along an axis, and the fused lasso."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.backends.array_api import widest
from rmda_ref.kernels.total_variation import fused_lasso, total_variation
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, NoEvaluation, namespace, on_host
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Levels

Matrix = npt.NDArray[np.float64]
ROOM = 1e-10  # of a sum of magnitudes: dual points are quotients of rounded differences of larger numbers
ROUNDS = 100  # of the dual norm's iteration, which ends by itself after a few


@dataclass(frozen=True)
class TotalVariation(Regularizer):
    """psi(w) = lam sum_i |w_{i+1} - w_i| along one axis, of each row of the others (Rudin, Osher & Fatemi 1992 in 1-D).

    The prox is a taut string (Davies & Kovac 2001), found in O(n) whatever the data; exact in a metric; every step.
    Convex, and a seminorm: it does not see constants. Its structure is the partition of each row into pieces, on which
    the prox is constant bit for bit.

    Parameters
    ----------
    lam : float, at least 0
    axis : int
        Along which neighbours are compared.

    >>> TotalVariation(lam=1.0).prox(np.array([0.0, 0.5, 0.0, 5.0, 6.0]), step=0.5)
    array([0.33333333, 0.33333333, 0.33333333, 5.        , 5.5       ])
    """

    lam: float
    axis: int = -1
    driven = "row"
    homogeneity = 1.0
    scratch_rows = 6
    kernel = total_variation

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if isinstance(self.axis, bool) or not isinstance(self.axis, int):
            raise TypeError(f"axis must be one integer, got {self.axis!r}; neighbours lie along one axis")

    @cached_property
    def layout(self) -> Rows:
        return Rows(self.axis)

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"sign", "reversal"})

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    @property
    def _per_jump(self) -> float:
        """What a jump of 1 costs."""
        return float(self.lam)

    @property
    def _per_entry(self) -> float:
        """What an entry of 1 costs."""
        return 0.0

    def _rows(self, w: Array) -> Matrix:
        """The rows of a NumPy array, in float64."""
        if not isinstance(w, np.ndarray):
            raise NoEvaluation(f"{type(self).__name__}, which runs along rows,", w)
        self.check(w.shape)
        return np.asarray(self.layout.rows(w)[0], dtype=np.float64)

    def value(self, w: Array) -> float:
        self.check(w.shape)
        xp = namespace(w)
        rows = xp.astype(self.layout.rows(w)[0], widest(w), copy=False)
        jumps = rows[:, 1:] - rows[:, :-1]
        return float(self._per_jump * xp.sum(xp.abs(jumps)) + self._per_entry * xp.sum(xp.abs(rows)))

    def dual_norm(self, v: Array) -> float:
        """max_j |v_1 + … + v_j|/lam if the rows sum to 0, up to rounding (`ROOM`); else infinite."""
        rows = self._rows(v)
        sums = np.cumsum(rows, axis=1)
        if (np.abs(sums[:, -1:]) > _room(v) * np.abs(rows).sum(axis=1, keepdims=True)).any():
            return np.inf
        largest = float(np.abs(sums[:, :-1]).max(initial=0))
        return largest / self.lam if self.lam > 0 else (np.inf if largest > 0 else 0.0)

    def conjugate(self, v: Array) -> float:
        """The indicator of the dual unit ball, up to rounding (`ROOM`)."""
        return 0.0 if self.dual_norm(v) <= 1 + _room(v) else np.inf

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """Piece by piece: v is lam times the difference of a path that is -1 or 1 at jumps, and free between.

        Take the ends of a piece off. If the cumulative sums of the rest, less its mean, stay within lam, then that mean
        is all that is not of this form. Else, by Moreau, it is the prox of lam times the total variation of the piece,
        at the rest.
        """
        points, rest = self._rows(w), self._rows(v).copy()
        jumps = self._per_jump * np.sign(np.diff(points, axis=1))
        rest[:, :-1] += jumps  # v = D^T z with z = sign of the jump: -z before it, +z behind
        rest[:, 1:] -= jumps
        starts = np.ones(points.shape, dtype=np.bool_)
        starts[:, 1:] = np.diff(points, axis=1) != 0
        pieces = np.cumsum(starts.reshape(-1)) - 1
        return float(np.linalg.norm(self._pieces_rest(points.reshape(-1), rest.reshape(-1), pieces)))

    def _pieces_rest(self, points: Matrix, rest: Matrix, pieces: npt.NDArray[np.int64]) -> Matrix:
        """What is left of ``rest`` when the nearest point of each piece's subdifferential is taken away."""
        if len(rest) == 0:
            return rest
        sizes = np.bincount(pieces)
        even = (np.bincount(pieces, rest) / sizes)[pieces]
        paths = np.cumsum(rest - even)
        ends = np.cumsum(sizes)
        paths = paths - np.append(0.0, paths[ends - 1])[pieces]  # each from its own start
        outside = np.bincount(pieces, np.abs(paths) > self._per_jump) > 0
        return np.asarray(np.where(outside[pieces], self._string(rest, pieces, outside), even))

    def _string(self, rest: Matrix, pieces: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> Matrix:
        """The prox of lam times the total variation of each chosen piece."""
        result = rest.copy()
        here = chosen[pieces]
        if here.any() and self._per_jump > 0:
            layout = Groups(pieces[here])
            arguments = (1.0, self._per_jump, None, TotalVariation.scratch_rows, ())
            result[here] = backend_of(rest).row(total_variation, rest[here], layout, *arguments)
        return result

    def manifold(self, w: Array) -> Levels:
        """The number of the piece of each entry, row by row, from 0."""
        rows = self._rows(on_host(w))
        return Levels.of(np.cumsum(np.diff(rows, axis=1, prepend=rows[:, :1]) != 0, axis=1))


@dataclass(frozen=True)
class FusedLasso(TotalVariation):
    """psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio) sum_i |w_{i+1} - w_i|) along one axis (Tibshirani et al. 2005).

    The prox is that of the total variation, then soft thresholding (Friedman et al. 2007), in O(n); every step. That is
    false in a metric that is not constant, which is refused. Convex, and a norm. Its structure is the partition of each
    row into pieces, and which of them are zero.

    Parameters
    ----------
    lam : float, at least 0
    axis : int
        Along which neighbours are compared.
    l1_ratio : float in (0, 1]
        1 is the lasso.

    >>> FusedLasso(lam=1.0).prox(np.array([0.0, 0.5, 0.0, 5.0, 6.0]), step=1.0)
    array([0. , 0. , 0. , 4.5, 5. ])
    """

    l1_ratio: float = 0.5
    exact_in_metric = False
    kernel = fused_lasso  # type: ignore[assignment]  # one more parameter

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.fraction("l1_ratio", self.l1_ratio, "0 would be TotalVariation")

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (float(self.l1_ratio),)

    @property
    def _per_jump(self) -> float:
        return float(self.lam * (1 - self.l1_ratio))

    @property
    def _per_entry(self) -> float:
        return float(self.lam * self.l1_ratio)

    def dual_norm(self, v: Array) -> float:
        """max over runs i..j of |v_i + … + v_j| over what the indicator of the run costs: lam l1_ratio for each entry,
        and lam (1 - l1_ratio) for each end inside the row.

        A path between bounds exists iff no run asks for more (as in a shortest path without negative cycles). The ratio
        is maximised by Dinkelbach's iteration (1967), each round of it in O(n).
        """
        rows = self._rows(v)
        if self.lam == 0 or rows.size == 0:
            return np.inf if rows.any() else 0.0
        unit = float(np.abs(rows).max()) or 1.0
        return unit * max(self._steepest(sign * row / unit) for row in rows for sign in (-1.0, 1.0))

    def _steepest(self, row: Matrix) -> float:
        """max over runs of (their sum)/(their cost), at least 0."""
        n = len(row)
        sums = np.append(0.0, np.cumsum(row))
        ends = np.full(n + 1, self._per_jump)
        ends[[0, n]] = 0.0
        lengths = self._per_entry * np.arange(n + 1)
        ratio = 0.0
        for _ in range(ROUNDS):
            before = sums - ratio * (lengths - ends)
            gains = (sums - ratio * (lengths + ends))[1:] - np.minimum.accumulate(before)[:-1]
            j = int(np.argmax(gains)) + 1
            i = int(np.argmin(before[:j]))
            higher = float((sums[j] - sums[i]) / (lengths[j] - lengths[i] + ends[i] + ends[j]))
            if not higher > ratio * (1 + np.finfo(np.float64).eps):
                break
            ratio = higher
        return ratio

    def _pieces_rest(self, points: Matrix, rest: Matrix, pieces: npt.NDArray[np.int64]) -> Matrix:
        """On a piece that is not zero the l1 norm has a gradient. On one that is, the nearest subgradient of the sum is
        left by the prox of both: total variation, then soft thresholding."""
        rest = rest - self._per_entry * np.sign(points)
        left = super()._pieces_rest(points, rest, pieces)
        zero = points == 0
        if zero.any():
            string = self._string(rest, pieces, np.bincount(pieces, zero) > 0)
            left[zero] = (np.sign(string) * np.maximum(np.abs(string) - self._per_entry, 0))[zero]
        return left

    def manifold(self, w: Array) -> Levels:
        """The number of the piece of each entry, row by row, from 1; minus that where it is zero."""
        pieces = super().manifold(w).codes + 1
        return Levels.of(np.where(self._rows(on_host(w)) == 0, -pieces, pieces))


def _room(v: Array) -> float:
    return max(ROOM, 64 * float(np.finfo(v.dtype).eps))
