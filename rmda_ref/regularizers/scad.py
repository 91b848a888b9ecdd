"""psi(w) = sum_i weight_i phi(z_i), the smoothly clipped absolute deviation of magnitudes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.scad import scad
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class SCAD(ScalarPenalty):
    """psi(w) = sum_i weight_i phi(z_i), phi'(z) = lam up to lam, (a lam - z)_+ / (a - 1) beyond (Fan & Li 2001).

    Of entries, group norms (group SCAD) or singular values, as the layout says. The prox is a global minimiser for
    every step: three pieces for steps below (a - 1) / weight, from there soft thresholding or nothing; ties go to the
    smaller point. O(n). Weakly convex with rho = max weight / (a - 1). Partly smooth except at z = lam and z = a lam,
    where phi has no second derivative.

    Parameters
    ----------
    lam : float, at least 0
        Slope at 0.
    a : float, above 2
        The penalty is constant beyond a lam.
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> SCAD(lam=1.0).prox(np.array([0.5, 1.5, 3.0, -5.0]), step=1.0)
    array([ 0.        ,  0.5       ,  2.58823529, -5.        ])
    >>> SCAD(lam=1.0, a=3.0).prox(np.array([1.5, 3.0, -5.0]), step=2.5)  # beyond a - 1: a jump
    array([ 0. ,  0.5, -5. ])
    """

    lam: float
    a: float = 3.7
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    kernel = scad

    def __post_init__(self) -> None:
        super().__post_init__()
        if not checks.positive("a", self.a) > 2:
            raise ValueError(f"a must be above 2, got {self.a!r}; Fan & Li take 3.7")

    @property
    def weak_convexity(self) -> float:
        largest = 1.0 if self.weights is None else float(np.max(self.weights))
        return largest / (self.a - 1) if self.lam > 0 else 0.0

    @property
    def strength(self) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.lam), float(self.a))

    def penalty(self, z: Array) -> Array:
        xp, lam, a = namespace(z), self.lam, self.a
        middle = (2 * a * lam * z - z * z - lam * lam) / (2 * (a - 1))
        return xp.where(z <= lam, lam * z, xp.where(z <= a * lam, middle, xp.full_like(z, lam * lam * (a + 1) / 2)))

    def slope(self, z: Array) -> Array:
        xp, lam = namespace(z), self.lam
        middle = (self.a * lam - z) / (self.a - 1)
        falling = xp.where(middle > 0, middle, xp.zeros_like(z))
        return xp.where(z <= lam, xp.full_like(z, lam), falling)

    @property
    def slope_at_zero(self) -> float:
        return float(self.lam)
