"""psi(w) = lam sum_i sigma_i(w)."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels import soft_threshold
from rmda_ref.layout import Shape, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Rank


@dataclass(frozen=True)
class Nuclear(Regularizer):
    """psi(w) = lam times the sum of the singular values: the l1 norm of the spectrum (Cai, Candes & Shen 2010).

    A parameter with more than two axes is seen as a matrix: its first axis by all the others.

    Parameters
    ----------
    lam : float, at least 0

    >>> Nuclear(lam=1.0).prox(np.diag([3.0, 0.5]), step=1.0)
    array([[2., 0.],
           [0., 0.]])
    """

    lam: float
    layout = Spectrum()
    metric_prox = None
    kernel = soft_threshold

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def _spectrum(self, w: Array) -> Array:
        return namespace(w).linalg.svdvals(self.layout.matrix(w))

    def _rank(self, s: Array, shape: Shape) -> int:
        """Singular values above the rounding of an SVD: numpy.linalg.matrix_rank's convention."""
        xp = namespace(s)
        rows, columns = shape[0], int(np.prod(shape[1:]))
        return int(xp.sum(xp.astype(s > xp.max(s) * max(rows, columns) * float(xp.finfo(s.dtype).eps), xp.int64)))

    def value(self, w: Array) -> float:
        return self.lam * float(namespace(w).sum(self._spectrum(w)))

    def dual_norm(self, v: Array) -> float:
        """The largest singular value over lam."""
        largest = float(namespace(v).max(self._spectrum(v)))
        return largest / self.lam if self.lam > 0 else (np.inf if largest > 0 else 0.0)

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """From the subdifferential lam {U V^T + Z : U^T Z = 0, Z V = 0, ||Z|| <= 1} at w = U diag(s) V^T."""
        xp = namespace(w)
        u, s, vt = self.layout.factors(w)
        rank = self._rank(s, w.shape)
        u, vt = u[:, :rank], vt[:rank, :]
        error = self.layout.matrix(v) - self.lam * (u @ vt)
        rest = error - u @ (u.T @ error)
        normal = rest - (rest @ vt.T) @ vt  # the part that Z may cancel
        excess = xp.linalg.svdvals(normal) - self.lam
        excess = xp.where(excess > 0, excess, xp.zeros_like(excess))
        return float(np.hypot(norm(error - normal), norm(excess)))

    def manifold(self, w: Array) -> Rank:
        return Rank(self._rank(self._spectrum(w), w.shape))
