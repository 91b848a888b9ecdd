"""Sums of magnitudes: the norms behind the lasso, the group lasso and the nuclear norm."""

import numpy as np

from rmda_ref.layout import Entries, Norms, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty
from rmda_ref.regularizers.tangent import Tangent


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

    def tangent(self, w: Array) -> Tangent | None:
        """Signs of entries, directions of groups; the strength of a group bends it by strength/norm across."""
        xp, layout = namespace(w), self.layout
        if isinstance(layout, Spectrum | Norms):
            return None
        if isinstance(layout, Entries):
            strengths = self.strengths_like(w, w.shape) + xp.zeros_like(w)
            active, zero = (w != 0) | (strengths == 0), xp.zeros_like(w)
            kept = xp.where(strengths == 0, zero, w)
            gradient = strengths * xp.sign(w)
            return Tangent(active, gradient, zero, zero, xp.zeros_like, lambda new: xp.where(new * kept < 0, zero, new))
        norms = layout.norms(w)
        strengths = self.strengths_like(norms, w.shape) + xp.zeros_like(norms)
        alive = norms > 0
        bend = xp.where(alive, strengths / xp.where(alive, norms, xp.ones_like(norms)), xp.zeros_like(norms))
        bends = layout.spread(bend, w.shape) + xp.zeros_like(w)
        safe = layout.spread(xp.where(alive, norms, xp.ones_like(norms)), w.shape)
        unit = w / safe
        active = layout.spread(alive | (strengths == 0), w.shape) | xp.zeros(w.shape, dtype=xp.bool)

        def hessian(direction: Array) -> Array:
            return bends * (direction - unit * layout.spread(layout.dots(unit, direction), w.shape))

        def retract(new: Array) -> Array:
            back = (layout.dots(new, w) < 0) & (strengths > 0)
            return xp.where(layout.spread(back, w.shape), xp.zeros_like(new), new)

        return Tangent(active, bends * w, bends, unit, hessian, retract)

    def dual_norm(self, v: Array) -> float:
        """max_i of the magnitudes of v over lam weight_i; infinite if v is nonzero where that is 0."""
        z = self.seen.magnitudes(v)
        xp = namespace(v)
        if 0 in z.shape:
            return 0.0
        strengths = self.strengths_like(z, v.shape) + xp.zeros_like(z)
        free = xp.where(z > 0, xp.full_like(z, np.inf), z)  # of the magnitudes with weight 0
        safe = xp.where(strengths > 0, strengths, xp.ones_like(strengths))
        return float(xp.max(xp.where(strengths > 0, z / safe, free)))
