"""psi(w) = lam sum_i weight_i sqrt(z_i)."""

from dataclasses import dataclass, field
from typing import Any

from rmda_ref.kernels.l_half import l_half
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class LHalf(ScalarPenalty):
    """psi(w) = lam sum_i weight_i sqrt(z_i)  (Xu et al. 2012).

    Of entries, group norms or singular values, as the layout says. The prox is 0 up to 3/2 (step lam)^(2/3) and the
    largest stationary point beyond: a global minimiser for every step; ties go to 0. O(n). Not weakly convex: the slope
    at 0 is infinite, so that 0 is stationary whatever the gradient.

    Parameters
    ----------
    lam : float, at least 0
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> np.round(LHalf(lam=1.0).prox(np.array([1.4, -1.6, 4.0]), step=1.0), 6)
    array([ 0.      , -1.129545,  3.741508])
    """

    lam: float
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    homogeneity = 0.5
    kernel = l_half

    def penalty(self, z: Array) -> Array:
        return namespace(z).sqrt(z)

    def slope(self, z: Array) -> Array:
        return 0.5 / namespace(z).sqrt(z)

    @property
    def slope_at_zero(self) -> float:
        return float("inf")
