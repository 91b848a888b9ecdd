"""psi(w) = lam sum_k weight_k z_(k), with z_(1) >= z_(2) >= … the magnitudes in order."""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.backends.array_api import widest
from rmda_ref.kernels.slope import slope
from rmda_ref.layout import Groups, Norms, Rows, Shape, Spectrum
from rmda_ref.namespace import Array, moved, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty

ULPS = 16  # magnitudes that are as near as that count as equal, where they are computed (norms, singular values)


@dataclass(frozen=True, eq=False)
class Slope(RowPenalty):
    """psi(w) = lam sum_k weight_k z_(k), with z_(1) >= z_(2) >= … the magnitudes of a row in order and nonincreasing
    weights: SLOPE (Bogdan et al. 2015), or the ordered weighted l1 norm, OWL (Zeng & Figueiredo 2014).

    The prox sorts, pools adjacent violators and cuts off at 0: O(n log n) or better, every step. Convex; no exact prox
    in a metric. `Rows` and `Groups` penalise each group by itself; on `Norms` it is the group OWL, on `Spectrum` a
    function of the singular values. Entries of equal magnitude stay equal. Its structure for `Rows` and `Groups` is
    which magnitudes of a row are equal, in their order, and which are zero; for `Norms` and `Spectrum`, whose equal
    magnitudes are so up to rounding only, the coarser support and rank.

    Parameters
    ----------
    lam : float, at least 0
    weights : sequence of float, at least 0, nonincreasing
        One for each magnitude of a row: of the longest row where `Groups` differ in length; shorter ones use the first.
    layout : Rows, Groups, Norms or Spectrum
        By default all entries are one row.

    Raises
    ------
    ValueError
        If ``lam`` is negative, if weights are negative or increase, or when meeting an array that has another number
        of magnitudes.

    >>> Slope(lam=1.0, weights=[3.0, 2.0, 1.0]).prox(np.array([6.0, -5.5, 0.5]), step=1.0)
    array([ 3.25, -3.25,  0.  ])
    """

    lam: float
    weights: Any = field(repr=False)
    layout: Rows | Groups | Norms | Spectrum = Rows(None)
    homogeneity = 1.0
    exact_in_metric = False
    scratch_rows = 4
    kernel = slope

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        checks.weights("weights", self.weights)
        increases = np.flatnonzero(np.diff(self._weights) > 0)
        if len(increases):
            raise ValueError(
                f"weights must not increase, but weights[{increases[0] + 1}] > weights[{increases[0]}]; sort them"
            )

    @classmethod
    def oscar(
        cls, n: int, l1: float, pairwise: float, layout: Rows | Groups | Norms | Spectrum = Rows(None)
    ) -> "Slope":
        """l1 sum_i z_i + pairwise sum_{i<j} max(z_i, z_j) of rows of n (Bondell & Reich 2008): weight_k = l1 + pairwise
        (n - k)."""
        n = checks.count("n", n, 1, "give the number of magnitudes of a row")
        l1, pairwise = checks.nonnegative("l1", l1), checks.nonnegative("pairwise", pairwise)
        return cls(1.0, l1 + pairwise * np.arange(n - 1, -1, -1, dtype=np.float64), layout)

    @classmethod
    def benjamini_hochberg(
        cls, n: int, lam: float, q: float, layout: Rows | Groups | Norms | Spectrum = Rows(None)
    ) -> "Slope":
        """Weights Phi^-1(1 - k q/(2 n)), for a false discovery rate q of rows of n (Bogdan et al. 2015)."""
        n = checks.count("n", n, 1, "give the number of magnitudes of a row")
        q = checks.fraction("q", q, "it is the false discovery rate aimed at")
        quantile = NormalDist().inv_cdf
        return cls(lam, [-quantile(k * q / (2 * n)) for k in range(1, n + 1)], layout)

    @cached_property
    def _weights(self) -> FloatArray:
        return np.array(self.weights, dtype=np.float64).reshape(-1)

    @property
    def parameters(self) -> tuple[FloatArray]:
        return (self._weights,)

    def check(self, shape: Shape) -> None:
        layout = self.layout
        layout.check(shape)
        match layout:
            case Norms():
                n = prod(layout.of.group_shape(shape))
            case Spectrum():
                n = min(shape[0], prod(shape[1:]))
            case _:
                n = layout.address(shape).longest
        checks.one_each("weights", self.weights, n, "magnitudes of a row")

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def row_value(self, z: Array) -> FloatArray:
        xp = namespace(z)
        weights = moved(self._weights[: z.shape[1]], z, widest(z))
        return np.asarray(on_host(xp.matmul(xp.flip(xp.sort(z, axis=1), axis=1), weights)))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """Cluster by cluster of equal magnitudes: the weights in their places, in any order, span a permutahedron.

        The subdifferential of its support function at 0 is the permutahedron itself, so by Moreau the distance is the
        norm of that function's prox: isotonic regression of sorted v minus weights (Negrinho & Martins 2014). For the
        cluster of zeros signs are free too: the prox is cut off at 0.
        """
        self._only_numpy(z)
        from scipy.optimize import isotonic_regression  # slow to import, and seldom needed

        out = np.empty(len(z))
        for r, (magnitudes, dual, s) in enumerate(zip(z, v, strength, strict=True)):
            order = np.argsort(-magnitudes, kind="stable")
            ordered, along, weights = magnitudes[order], dual[order].astype(np.float64), s * self._weights[: len(order)]
            apart = ordered[:-1] - ordered[1:] > ULPS * np.finfo(z.dtype).eps * ordered[:-1]
            squares = 0.0
            for cluster in np.split(np.arange(len(order)), np.flatnonzero(apart) + 1):
                at_zero = len(cluster) > 0 and ordered[cluster[0]] == 0
                pulls = np.abs(along[cluster]) if at_zero else along[cluster]
                excess = np.sort(pulls)[::-1] - weights[cluster]
                fitted = isotonic_regression(excess, increasing=False).x if len(cluster) else excess
                squares += float(np.sum((np.maximum(fitted, 0) if at_zero else fitted) ** 2))
            out[r] = np.sqrt(squares)
        return out

    def _partial_sums(self, v: Array) -> tuple[FloatArray, FloatArray]:
        """Of the largest magnitudes, and of as many weights."""
        self._only_numpy(v)
        sums = np.cumsum(np.sort(v, axis=1)[:, ::-1], axis=1, dtype=np.float64)
        return sums, np.cumsum(self._weights[: v.shape[1]])

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """The indicator of sums of the k largest that are at most s times that of k weights, for every k."""
        sums, bounds = self._partial_sums(v)
        return np.where((sums <= strength[:, None] * bounds).all(axis=1), 0.0, np.inf)

    def dual_norm(self, v: Array) -> float:
        """max_k of the sum of the k largest magnitudes of a row over lam times that of k weights."""
        largest = 0.0
        for rows, _ in self._rows(self.layout.magnitudes(v)):
            sums, bounds = self._partial_sums(rows)
            bounds = self.lam * bounds
            free = np.where(sums > 0, np.inf, 0.0)  # without strength
            quotients = np.where(bounds > 0, sums / np.where(bounds > 0, bounds, 1), free)
            largest = max(largest, float(quotients.max(initial=0)))
        return largest

    def row_levels(self, z: FloatArray) -> npt.NDArray[np.int64] | None:
        """0 for zeros, 1 for the smallest other magnitude of the row, and so on; None where ties are not exact."""
        if isinstance(self.layout, Norms | Spectrum):
            return None
        ordered = np.sort(z, axis=1)
        rank = np.cumsum(np.diff(ordered, axis=1, prepend=0) > 0, axis=1)
        places = np.argsort(np.argsort(z, axis=1, kind="stable"), axis=1, kind="stable")
        return np.asarray(np.take_along_axis(rank, places, axis=1))
