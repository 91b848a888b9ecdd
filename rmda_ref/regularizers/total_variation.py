"""psi(w) = lam sum |w_{i+1} - w_i| along an axis, and the fused lasso."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.total_variation import fused_lasso, total_variation
from rmda_ref.layout import Rows, Shape
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Levels
from rmda_ref.regularizers.row import FloatArray

FEASIBLE = 1e-10  # relative to the sum of magnitudes: a dual point is a quotient of rounded differences


@dataclass(frozen=True)
class TotalVariation(Regularizer):
    """psi(w) = lam sum_i |w_{i+1} - w_i| along one axis, for each row of the others (Rudin, Osher & Fatemi 1992, in
    1-D).

    The prox is exact and takes O(n), whatever the data (Johnson 2013), in a diagonal metric too; every step. Convex.
    Its structure is the partition of each row into constant pieces.

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
    scratch_rows = 8
    kernel = total_variation

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if not isinstance(self.axis, int):
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
    def _jump(self) -> float:
        """What a jump of 1 costs."""
        return float(self.lam)

    @property
    def _size(self) -> float:
        """What an entry of size 1 costs."""
        return 0.0

    def value(self, w: FloatArray) -> float:
        rows = self.layout.rows(w)[0]
        return self._jump * float(np.abs(np.diff(rows, axis=1)).sum()) + self._size * float(np.abs(rows).sum())

    def conjugate(self, v: FloatArray) -> float:
        """The indicator of |sum over i..j of v| <= lam times the number of ends of i..j that are inside the row.

        (By Hoffman's theorem, with a small room for rounding; for the fused lasso also its l1 strength times j - i +
        1.)
        """
        for row in self.layout.rows(v)[0]:
            sums = np.concatenate([[0.0], np.cumsum(row, dtype=np.float64)])
            places = np.arange(len(sums))
            ends = self._jump * ((places > 0) & (places < len(row)))
            room = FEASIBLE * float(np.abs(row).sum())
            for signed in (sums, -sums):  # signed_j - signed_i <= ends_i + ends_j + size (j - i) for all i < j
                start = np.minimum.accumulate(signed - self._size * places + ends)[:-1]
                if (signed[1:] - self._size * places[1:] - ends[1:] - start > room).any():
                    return np.inf
        return 0.0

    def subdiff_distance(self, w: FloatArray, v: FloatArray) -> float:
        """Piece by piece: what crosses its ends is known, what crosses inside it is free up to lam.

        The rest of v on a piece is spread as evenly as that allows, which is the prox of the piece at v by Moreau; it
        is simply the mean where the cumulative sums stay within lam.
        """
        square = 0.0
        for row, dual in zip(self.layout.rows(w)[0], self.layout.rows(v)[0], strict=True):
            cuts = np.flatnonzero(np.diff(row)) + 1
            signs = np.concatenate([[0.0], np.sign(np.diff(row)[cuts - 1]), [0.0]]) * self._jump
            for piece, level, before, after in zip(
                np.split(dual.astype(np.float64), cuts), row[np.append(0, cuts)], signs[:-1], signs[1:], strict=True
            ):
                piece[0] -= before
                piece[-1] += after
                square += self._piece(piece, float(level)) ** 2
        return float(np.sqrt(square))

    def _piece(self, v: FloatArray, level: float) -> float:
        """Distance of v from the subdifferential on a constant piece, its ends taken care of."""
        mean = v.mean() if len(v) else 0.0
        if level != 0 or self._size == 0:
            v = v - self._size * np.sign(level)
            mean = v.mean() if len(v) else 0.0
            if np.abs(np.cumsum(v - mean)).max(initial=0) <= self._jump:
                return float(np.abs(mean) * np.sqrt(len(v)))
            return float(np.linalg.norm(TotalVariation(self._jump).prox(v, 1.0)))
        spread = TotalVariation(self._jump).prox(v, 1.0)
        return float(np.linalg.norm(np.maximum(np.abs(spread) - self._size, 0)))

    def manifold(self, w: FloatArray) -> Levels:
        """The number of the piece of each entry, row by row."""
        rows = self.layout.rows(w)[0]
        return Levels.of(np.cumsum(np.diff(rows, axis=1, prepend=rows[:, :1]) != 0, axis=1))


@dataclass(frozen=True)
class FusedLasso(TotalVariation):
    """psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio) sum_i |w_{i+1} - w_i|) along one axis (Tibshirani et al. 2005).

    The prox is soft thresholding after that of the total variation (Friedman et al. 2007), O(n), every step; in a
    metric that is not constant this is not the prox, and a metric is refused. Convex. Its structure is the partition
    into constant pieces, and which of them are zero.

    Parameters
    ----------
    lam : float, at least 0
    axis : int
        Along which neighbours are compared.
    l1_ratio : float in (0, 1]

    >>> FusedLasso(lam=1.0).prox(np.array([0.0, 0.5, 0.0, 5.0, 6.0]), step=1.0)
    array([0. , 0. , 0. , 4.5, 5. ])
    """

    l1_ratio: float = 0.5
    exact_in_metric = False
    kernel = fused_lasso  # type: ignore[assignment]  # with one more parameter

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.fraction("l1_ratio", self.l1_ratio, "0 would be TotalVariation")

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.l1_ratio),)

    @property
    def _jump(self) -> float:
        return self.lam * (1 - self.l1_ratio)

    @property
    def _size(self) -> float:
        return self.lam * self.l1_ratio

    def manifold(self, w: FloatArray) -> Levels:
        """The number of the piece of each entry, row by row, counted from 1; minus that where it is zero."""
        pieces = super().manifold(w).codes + 1
        return Levels.of(np.where(self.layout.rows(w)[0] == 0, -pieces, pieces))
