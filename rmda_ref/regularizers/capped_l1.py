"""psi(w) = lam sum_i weight_i min(z_i, gamma)."""

from dataclasses import dataclass, field
from typing import Any

from rmda_ref import checks
from rmda_ref.kernels.capped_soft_threshold import capped_soft_threshold
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class CappedL1(ScalarPenalty):
    """psi(w) = lam sum_i weight_i min(z_i, gamma)  (Zhang 2010).

    Of entries, group norms or singular values, as the layout says. The prox thresholds softly or not at
    all, whichever is better: a global minimiser for every step; ties go to the smaller point. O(n). Not weakly convex:
    the kink at gamma is concave, and its limiting subdifferential is the two slopes lam weight_i and 0. Partly smooth
    except at that kink, where no prox lands.

    Parameters
    ----------
    lam : float, at least 0
    gamma : float, positive
        Where the penalty stops to grow.
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> CappedL1(lam=1.0, gamma=2.0).prox(np.array([0.5, 2.0, -3.0]), step=1.0)
    array([ 0.,  1., -3.])
    """

    lam: float
    gamma: float = 1.0
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    kernel = capped_soft_threshold

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive("gamma", self.gamma)

    @property
    def strength(self) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.lam), float(self.gamma))

    def penalty(self, z: Array) -> Array:
        return self.lam * namespace(z).where(z < self.gamma, z, namespace(z).full_like(z, self.gamma))

    def slope(self, z: Array) -> Array:
        xp = namespace(z)
        return xp.where(z < self.gamma, xp.full_like(z, self.lam), xp.zeros_like(z))

    @property
    def slope_at_zero(self) -> float:
        return float(self.lam)

    def slope_distance(self, z: Array, along: Array, strengths: Array) -> Array:
        """At the kink the nearer of the two slopes."""
        xp = namespace(z)
        below, beyond = xp.abs(along - strengths * self.lam), xp.abs(along)
        at_kink = xp.where(below < beyond, below, beyond)
        return xp.where(z == self.gamma, at_kink, super().slope_distance(z, along, strengths))
