"""psi(w) = lam sum_i weight_i w_i for w >= 0, infinite elsewhere."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.nonnegative_soft_threshold import nonnegative_soft_threshold
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, moved, namespace, on_host
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Support
from rmda_ref.regularizers.tangent import Tangent


@dataclass(frozen=True, eq=False)
class NonnegativeL1(Regularizer):
    """psi(w) = lam sum_i weight_i w_i where w >= 0, infinite elsewhere.

    prox_i = (w_i - step lam weight_i / metric_i)_+ in O(n), for every step; with step or lam 0 the projection onto the
    nonnegative orthant. Convex.

    Parameters
    ----------
    lam : float, at least 0
    weights : array like the parameter, at least 0, optional
        1 by default.

    >>> NonnegativeL1(lam=1.0).prox(np.array([3.0, 0.5, -2.0]), step=1.0)
    array([2., 0., 0.])
    """

    lam: float
    weights: Any = field(default=None, repr=False)
    layout = Entries()
    separable = True
    homogeneity = 1.0
    kernel = nonnegative_soft_threshold

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if self.weights is not None:
            checks.weights("weights", self.weights)

    def check(self, shape: Shape) -> None:
        checks.one_each("weights", self.weights, prod(shape), "entries")

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"entries"} if self.weights is None else ())

    def strengths(self, shape: Shape) -> float | Array:
        return float(self.lam) if self.weights is None else self.lam * np.ravel(self.weights).astype(np.float64)

    def _strengths_like(self, w: Array) -> Array:
        strengths = self.strengths(w.shape)
        return strengths if isinstance(strengths, float) else moved(strengths.reshape(w.shape), w, w.dtype)

    def value(self, w: Array) -> float:
        xp = namespace(w)
        return float(xp.sum(self._strengths_like(w) * w)) if bool(xp.all(w >= 0)) else np.inf

    def conjugate(self, v: Array) -> float:
        """The indicator of v <= lam weight."""
        return 0.0 if bool(namespace(v).all(v <= self._strengths_like(v))) else np.inf

    def dual_norm(self, v: Array) -> float:
        """The polar of psi, no norm: max_i of (v_i)_+ over lam weight_i; infinite if v_i > 0 where that is 0."""
        xp = namespace(v)
        strengths = self._strengths_like(v) + xp.zeros_like(v)
        positive = xp.where(v > 0, v, xp.zeros_like(v))
        free = xp.where(positive > 0, xp.full_like(v, np.inf), positive)
        safe = xp.where(strengths > 0, strengths, xp.ones_like(v))
        return float(xp.max(xp.where(strengths > 0, positive / safe, free))) if 0 not in v.shape else 0.0

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """Infinite outside the domain, where there is no subgradient."""
        xp = namespace(w)
        if not bool(xp.all(w >= 0)):
            return np.inf
        beyond = v - self._strengths_like(w)
        return norm(xp.where((w > 0) | (beyond > 0), beyond, xp.zeros_like(w)))

    def tangent(self, w: Array) -> Tangent:
        xp = namespace(w)
        zero, active = xp.zeros_like(w), w > 0
        gradient = xp.where(active, self._strengths_like(w) + zero, zero)
        return Tangent(active, gradient, zero, zero, xp.zeros_like, lambda new: xp.where(new < 0, zero, new))

    def manifold(self, w: Array) -> Support:
        return Support.of(on_host(w != 0))
