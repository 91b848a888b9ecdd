"""psi(w) = lam sum_i weight_i [z_i > 0]."""

from dataclasses import dataclass, field
from typing import Any

from rmda_ref.kernels.hard_threshold import hard_threshold
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class L0(ScalarPenalty):
    """psi(w) = lam sum_i weight_i [z_i > 0], the number of nonzero entries, groups or singular values.

    The prox is hard thresholding at sqrt(2 step lam weight_i / metric_i) (Blumensath & Davies 2008), a global minimiser
    for every step; ties go to 0. O(n). Not convex, nor weakly convex. Its limiting subdifferential leaves nonzero
    magnitudes flat and zero ones free.

    Parameters
    ----------
    lam : float, at least 0
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> L0(lam=0.5).prox(np.array([0.5, -1.5, 1.0]), step=1.0)
    array([ 0. , -1.5,  0. ])
    """

    lam: float
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    homogeneity = 0.0
    kernel = hard_threshold

    def penalty(self, z: Array) -> Array:
        return namespace(z).astype(z > 0, z.dtype)

    def slope(self, z: Array) -> Array:
        return namespace(z).zeros_like(z)

    @property
    def slope_at_zero(self) -> float:
        return float("inf")
