"""psi(w) = lam sum_i weight_i z_i^(2/3)."""

from dataclasses import dataclass, field
from typing import Any

from rmda_ref.kernels.l_two_thirds import l_two_thirds
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class LTwoThirds(ScalarPenalty):
    """psi(w) = lam sum_i weight_i z_i^(2/3)  (Cao, Sun & Xu 2013).

    Of entries, group norms or singular values, as the layout says. The prox is 0 up to 2 (2/3 step lam)^(3/4) and the
    largest stationary point beyond: a global minimiser for every step; ties go to 0. O(n). Not weakly convex: the slope
    at 0 is infinite, so that 0 is stationary whatever the gradient.

    Parameters
    ----------
    lam : float, at least 0
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> np.round(LTwoThirds(lam=1.0).prox(np.array([1.4, -1.6, 4.0]), step=1.0), 6)
    array([ 0.      , -0.912729,  3.563536])
    """

    lam: float
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    homogeneity = 2 / 3
    kernel = l_two_thirds

    def penalty(self, z: Array) -> Array:
        return z ** (2 / 3)

    def slope(self, z: Array) -> Array:
        return 2 / 3 / z ** (1 / 3)

    @property
    def slope_at_zero(self) -> float:
        return float("inf")
