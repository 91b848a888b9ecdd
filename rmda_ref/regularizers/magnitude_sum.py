"""Sums of magnitudes: the norms behind the lasso, the group lasso and the nuclear norm."""

import numpy as np

from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


class MagnitudeSum(ScalarPenalty):
    """psi(w) = lam sum_i weight_i z_i, with z the magnitudes that the layout gives: phi(z) = z."""

    homogeneity = 1.0

    def penalty(self, z: Array) -> Array:
        return z

    def slope(self, z: Array) -> Array:
        return namespace(z).ones_like(z)

    @property
    def slope_at_zero(self) -> float:
        return 1.0

    def dual_norm(self, v: Array) -> float:
        """max_i of the magnitudes of v over lam weight_i; infinite if v is nonzero where that is 0."""
        z = self.seen.magnitudes(v)
        xp = namespace(v)
        if z.shape[0] == 0:
            return 0.0
        strengths = self.strengths_like(z, v.shape) + xp.zeros_like(z)
        free = xp.where(z > 0, xp.full_like(z, np.inf), z)  # of the magnitudes with weight 0
        safe = xp.where(strengths > 0, strengths, xp.ones_like(strengths))
        return float(xp.max(xp.where(strengths > 0, z / safe, free)))
