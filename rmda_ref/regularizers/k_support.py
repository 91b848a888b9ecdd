"""psi(w) = lam times the k-support norm."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.kernels.k_support import k_support
from rmda_ref.layout import Groups, Norms, Rows, Segments, Shape, Spectrum
from rmda_ref.namespace import Array, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty, column, row_max
from rmda_ref.regularizers.sparse_envelope import half_square, largest_norm, shares, slope_distance


@dataclass(frozen=True, eq=False)
class KSupport(RowPenalty):
    """psi(w) = lam ||z||_sp, the norm whose unit ball is the convex hull of {||z|| <= 1, at most k nonzeros}.

    The k-support norm (Argyriou, Foygel & Srebro 2012); of a `Spectrum` the spectral k-support norm (McDonald, Pontil &
    Stamos 2014). k = 1 is the l1 norm, k = n the Euclidean norm. The prox is of the norm itself, not of its square: it
    is that of `SparseEnvelope` at a strength found by Newton's method in one to five rounds, each a few passes over the
    entries; no sorting. Exact in a metric; every step. Convex.

    Its structure is the support. psi is partly smooth relative to it at 0, and where at least k are nonzero, as they
    are at a prox, if that is not 0, of a point with as many; at other points nothing holds the zeros.

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 1
    layout : Rows, Groups, Segments, Norms or Spectrum
        By default all entries are one row.

    >>> KSupport(lam=1.0, k=1).prox(np.array([3.0, 1.5, -0.5]), step=1.0)
    array([2. , 0.5, 0. ])
    >>> KSupport(lam=1.0, k=2).prox(np.array([3.0, 4.0, 0.5]), step=1.0)
    array([2.4, 3.2, 0. ])
    """

    lam: float
    k: int
    layout: Rows | Groups | Segments | Norms | Spectrum = Rows(None)
    homogeneity = 1.0
    scratch_rows = 4
    kernel = k_support

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        checks.count("k", self.k, 1, "it is how many magnitudes may be nonzero at no extra cost")

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    @property
    def parameters(self) -> tuple[int]:
        return (int(self.k),)

    def row_value(self, z: Array) -> FloatArray:
        unit, scaled = _scaled(z)
        return np.asarray(unit * np.sqrt(2 * half_square(scaled, self.k, *shares(scaled, self.k))))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """From s/||z||_sp times the subdifferential of half the square; at 0 from s times the dual unit ball: what
        sticks out of that is the prox of v, by Moreau."""
        self._only_numpy(z)
        _, scaled = _scaled(z)
        full, level = shares(scaled, self.k)
        norms = np.sqrt(2 * half_square(scaled, self.k, full, level))
        factor = strength / np.where(norms > 0, norms, 1)
        out = slope_distance(scaled, v, factor[:, None], level)
        sticks_out = (norms == 0) & (largest_norm(v, self.k) > strength)
        out[norms == 0] = 0
        if sticks_out.any():
            rows = np.abs(v[sticks_out]).astype(np.float64)
            arguments = (strength[sticks_out].copy(), None, self.scratch_rows, self.parameters)
            out[sticks_out] = np.linalg.norm(backend_of(rows).row(k_support, rows, Rows(1), 1.0, *arguments), axis=1)
        return out

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """The indicator of s times the unit ball of the dual norm."""
        return np.where(largest_norm(v, self.k) <= strength, 0.0, np.inf)

    def dual_norm(self, v: Array) -> float:
        """The Euclidean norm of the k largest magnitudes, over lam; the largest of the rows."""
        rows = self._rows(self.layout.magnitudes(v))
        largest = max(float(largest_norm(z, self.k).max(initial=0)) for z, _ in rows)
        return largest / self.lam if self.lam > 0 else (np.inf if largest > 0 else 0.0)


def _scaled(z: Array) -> tuple[FloatArray, Array]:
    """The largest magnitude of each row, on the host, and the rows divided by it."""
    unit = on_host(row_max(z)).astype(np.float64)
    return unit, z / column(np.where(unit > 0, unit, 1), z)
