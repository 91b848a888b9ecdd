"""psi(w) = lam times the sum of all but the k largest magnitudes."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.trimmed_l1 import trimmed_l1
from rmda_ref.layout import Groups, Norms, Rows, Segments, Shape, Spectrum
from rmda_ref.namespace import Array
from rmda_ref.regularizers.row import FloatArray
from rmda_ref.regularizers.trimmed import Trimmed


@dataclass(frozen=True, eq=False)
class TrimmedL1(Trimmed):
    """psi(w) = lam sum_r (sum of all but the k largest magnitudes of row r), the trimmed lasso (Yun et al. 2019).

    It leaves the k largest unpenalised and so unbiased, and is zero exactly where there are at most k nonzeros. Of
    entries (``Rows(None)``), of each group (``Rows``, ``Groups``), of group norms (``Norms``) or singular values
    (``Spectrum``). The prox is a global minimiser for every step: the k largest stay, the rest is soft-thresholded; of
    equal ones those that come first stay. O(n) on average; one singular value decomposition for a spectrum. In a metric
    (of entries only) those k stay whose soft thresholding would cost most. Rows of k entries or fewer are free. Not
    convex; partly smooth where the k-th and the next largest differ, as at the prox of almost every point.

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 0
        0 is the lasso.
    layout : Rows, Groups, Segments, Norms or Spectrum

    >>> TrimmedL1(lam=1.0, k=1).prox(np.array([3.0, -2.5, 0.5]), step=1.0)
    array([ 3. , -1.5,  0. ])
    """

    lam: float
    k: int
    layout: Rows | Groups | Segments | Norms | Spectrum = Rows(None)
    homogeneity = 1.0
    slope_at_zero = 1.0
    kernel = trimmed_l1

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.nonnegative("lam", self.lam)
        checks.count("k", self.k, 0, "it is the number of magnitudes that are not penalised")

    @property
    def n_free(self) -> int:
        return self.k

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def penalty(self, z: Array) -> Array:
        return z

    def slope(self, z: FloatArray) -> FloatArray:
        return np.ones_like(z)
