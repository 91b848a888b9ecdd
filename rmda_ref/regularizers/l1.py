"""psi(w) = lam ||w||_1."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels import soft_threshold
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Support


@dataclass(frozen=True)
class L1(Regularizer):
    """psi(w) = lam ||w||_1, the lasso penalty.

    Parameters
    ----------
    lam : float, at least 0

    >>> L1(lam=1.0).prox(np.array([3.0, -0.5, -2.0]), step=1.0)
    array([ 2.,  0., -1.])
    """

    lam: float
    layout = Entries()
    separable = True
    kernel = soft_threshold

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def value(self, w: Array) -> float:
        xp = namespace(w)
        return self.lam * float(xp.sum(xp.abs(w)))

    def dual_norm(self, v: Array) -> float:
        """||v||_inf / lam."""
        xp = namespace(v)
        largest = float(xp.max(xp.abs(v)))
        return largest / self.lam if self.lam > 0 else (np.inf if largest > 0 else 0.0)

    def subdiff_distance(self, w: Array, v: Array) -> float:
        xp = namespace(w)
        outside = xp.abs(v) - self.lam
        at_zero = xp.where(outside > 0, outside, xp.zeros_like(v))
        return norm(xp.where(w != 0, v - self.lam * xp.sign(w), at_zero))

    def manifold(self, w: Array) -> Support:
        return Support.of(np.asarray(w != 0))
