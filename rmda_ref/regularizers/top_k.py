"""The indicator of at most k nonzeros."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.top_k import top_k
from rmda_ref.layout import Groups, Norms, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.row import FloatArray
from rmda_ref.regularizers.trimmed import Trimmed


@dataclass(frozen=True, eq=False)
class TopK(Trimmed):
    """psi(w) = 0 where each row of magnitudes has at most k nonzeros, else infinite.

    =========================== ======================================================================
    layout                      at most k nonzero
    =========================== ======================================================================
    ``Rows(None)``              entries (hard thresholding: Blumensath & Davies 2008)
    ``Rows(axis)``, ``Groups``  entries of each group
    ``Norms(Rows(axis))``       groups
    ``Spectrum()``              singular values: matrices of rank at most k (Eckart & Young 1936)
    =========================== ======================================================================

    The prox is the projection, for every step: the k largest stay bit for bit (singular values: to rounding), the rest
    is zero; of equal ones those that come first stay. O(n) on average; one singular value decomposition for a spectrum.
    A diagonal metric is exact, but for a spectrum: entries are ranked by metric w^2, groups by the sum of these. Rows
    of k entries or fewer are free. Not convex; partly smooth where exactly k are nonzero, as at the prox of almost
    every point. A spectrum counts the singular values above rounding.

    Parameters
    ----------
    k : int, at least 0
    layout : Rows, Groups, Segments, Norms or Spectrum

    >>> TopK(2).prox(np.array([0.5, -3.0, 2.0]), step=1.0)
    array([ 0., -3.,  2.])
    >>> TopK(1, Norms(Rows(axis=0))).prox(np.array([[3.0, 0.0], [4.0, 2.0]]), step=1.0)
    array([[3., 0.],
           [4., 0.]])
    >>> TopK(1, Spectrum()).prox(np.diag([3.0, 2.0]), step=1.0)
    array([[3., 0.],
           [0., 0.]])
    """

    k: int
    layout: Rows | Groups | Segments | Norms | Spectrum = Rows(None)
    indicator = True
    homogeneity = 1.0
    slope_at_zero = np.inf
    kernel = top_k

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.count("k", self.k, 0, "it is the number of nonzeros that are allowed")

    @property
    def n_free(self) -> int:
        return self.k

    @property
    def metric_prox(self) -> Literal["exact"] | None:
        return None if isinstance(self.layout, Spectrum) else "exact"

    def penalty(self, z: Array) -> Array:
        return namespace(z).where(z > 0, np.inf, namespace(z).zeros_like(z))

    def slope(self, z: FloatArray) -> FloatArray:
        return np.full_like(z, np.inf)

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        xp = namespace(w)
        if isinstance(self.layout, Spectrum) and self.k >= min(self.layout.matrix(w).shape):
            return xp.asarray(w, copy=True)
        if not isinstance(self.layout, Norms):
            return super()._prox(w, step, metric)
        norms = self.layout.magnitudes(w if metric is None else xp.sqrt(metric) * w)
        kept = xp.reshape(self._prox_row(norms, step), self.layout.of.group_shape(tuple(w.shape)))
        return xp.where(self.layout.of.spread(kept, tuple(w.shape)) > 0, w, xp.zeros_like(w))
