"""psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio) sum_g weight_g ||w_g||)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.group_lasso import GroupLasso
from rmda_ref.regularizers.l1 import L1
from rmda_ref.regularizers.manifold import Support
from rmda_ref.regularizers.tangent import Tangent

NEWTON_STEPS = 100  # of the dual norm: as many as distinct magnitudes at worst, seldom more than ten


@dataclass(frozen=True, eq=False)
class SparseGroupLasso(Regularizer):
    """psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio) sum_g weight_g ||w_g||)  (Simon et al. 2013).

    The prox is the soft threshold, then the group soft threshold (Yu 2013), in O(n), for every step; in a metric D too,
    both taken in D. Convex.

    Why the composition is exact in a metric: let a = step lam l1_ratio, b_g = step lam (1 - l1_ratio) weight_g, u the
    soft threshold of w in D and y_g the group soft threshold of u_g in D. Then D (w - u) is in a subdiff ||u||_1 and
    D (u_g - y_g) in b_g subdiff ||y_g||. In a group that stays, y_i = u_i r/(r + b_g/d_i) with r > 0 has the sign of
    u_i, zeros included; in a zero group the subdifferential of the l1 norm is the whole cube. So subdiff ||u||_1 lies
    in subdiff ||y||_1, and D (w - y) = D (w - u) + D (u - y) in a subdiff psi_1(y) + b subdiff psi_2(y), which is
    optimality of y.

    Parameters
    ----------
    lam : float, at least 0
    l1_ratio : float in [0, 1]
        1 is the lasso, 0 the group lasso.
    axis : int or tuple of int, optional
        The axes *within* a group, as in a NumPy reduction.
    groups : array of int labels, one per entry, or list of lists of int, optional
        Any partition of the entries (in C order), instead of ``axis``.
    weights : sequence of float, one per group (in C order), at least 0, optional
        sqrt(group size) by default.

    Raises
    ------
    ValueError, TypeError
        As `GroupLasso`, and if ``l1_ratio`` is not in [0, 1].

    >>> sparse_group = SparseGroupLasso(lam=2.0, l1_ratio=0.5, axis=1, weights=[1.0, 1.0])
    >>> sparse_group.prox(np.array([[4.0, -5.0, 0.5], [1.25, 1.25, 0.0]]), step=1.0)
    array([[ 2.4, -3.2,  0. ],
           [ 0. ,  0. ,  0. ]])
    """

    lam: float
    l1_ratio: float = 0.5
    axis: int | tuple[int, ...] | None = None
    groups: Any = field(default=None, repr=False)
    weights: Any = field(default=None, repr=False)
    homogeneity = 1.0
    driven = "radial"
    kernel = group_soft_threshold
    metric_kernel = metric_group_soft_threshold
    inner_kernel = soft_threshold

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if checks.nonnegative("l1_ratio", self.l1_ratio) > 1:
            raise ValueError(f"l1_ratio must lie in [0, 1], got {self.l1_ratio!r}; 1 is the lasso, 0 the group lasso")
        _ = self._by_group

    @cached_property
    def _by_entry(self) -> L1:
        return L1(self.lam * self.l1_ratio)

    @cached_property
    def _by_group(self) -> GroupLasso:
        return GroupLasso(self.lam * (1 - self.l1_ratio), self.axis, self.groups, self.weights)

    @property
    def layout(self) -> Rows | Groups:
        return self._by_group.layout

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"signs", "within"} if self.l1_ratio > 0 else {"signs", "within", "rotation"})

    @property
    def inner_strength(self) -> float:
        return float(self._by_entry.lam)

    def check(self, shape: Shape) -> None:
        self._by_group.check(shape)

    def strengths(self, shape: Shape) -> float | Array:
        return self._by_group.strengths(shape)

    def value(self, w: Array) -> float:
        return self._by_entry.value(w) + self._by_group.value(w)

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """At a zero group the subdifferential is a cube plus a ball: the excess of the soft threshold's norm."""
        xp, layout = namespace(w), self.layout
        a, b = self.inner_strength, self._by_group.strengths_like(layout.norms(w), w.shape)
        norms = layout.norms(w)
        active = norms > 0
        slope = xp.where(active, b / xp.where(active, norms, xp.ones_like(norms)), xp.zeros_like(norms))
        # Where an entry is zero, so is w times the slope.
        rest = v - a * xp.sign(w) - w * layout.spread(slope, w.shape)
        rest = xp.where(w != 0, rest, soft_thresholded(v, a))
        distances = layout.norms(rest)
        excess = distances - b
        at_zero = xp.where(excess > 0, excess, xp.zeros_like(excess))
        return norm(xp.where(active, distances, at_zero))

    def conjugate(self, v: Array) -> float:
        """0 where the soft threshold of every group is no longer than the strength of its norm, else infinite."""
        norms = self.layout.norms(soft_thresholded(v, self.inner_strength))
        return 0.0 if bool(namespace(v).all(norms <= self._by_group.strengths_like(norms, v.shape))) else np.inf

    def dual_norm(self, v: Array) -> float:
        """The largest root t over groups of ||(|v_g| - t a)_+|| = t b_g, the epsilon-norm (Ndiaye et al. 2016).

        The left side is convex and decreasing in t, so Newton's method increases to the root from t = 0.
        """
        xp, layout = namespace(v), self.layout
        a, t = self.inner_strength, xp.zeros_like(layout.norms(v))
        b = self._by_group.strengths_like(t, v.shape)
        if a == 0:
            return self._by_group.dual_norm(v)
        for _ in range(NEWTON_STEPS):
            left = soft_thresholded(v, a * layout.spread(t, v.shape))
            norms = layout.norms(left)
            some = norms > 0
            direction = left / layout.spread(xp.where(some, norms, xp.ones_like(norms)), v.shape)
            decrease = a * layout.dots(xp.abs(direction), xp.ones_like(v)) + b
            step = xp.where(some, (norms - t * b) / xp.where(some, decrease, xp.ones_like(norms)), xp.zeros_like(norms))
            if not bool(xp.any(t + step > t)):
                break
            t = xp.where(step > 0, t + step, t)
        return float(xp.max(t)) if 0 not in t.shape else 0.0

    def tangent(self, w: Array) -> Tangent | None:
        by_entry, by_group = self._by_entry.tangent(w), self._by_group.tangent(w)
        if by_entry is None or by_group is None:
            return None
        xp = namespace(w)

        def hessian(direction: Array) -> Array:
            bent = by_group.hessian(direction)
            return xp.where(by_entry.active, bent, xp.zeros_like(bent))

        def retract(new: Array) -> Array:
            return by_group.retract(by_entry.retract(new))

        gradient = by_entry.gradient + by_group.gradient
        active = by_entry.active & by_group.active
        return Tangent(active, gradient, by_group.bend, by_group.unit, hessian, retract)

    def manifold(self, w: Array) -> Support:
        """Which entries are nonzero; for ``l1_ratio`` 0, which groups."""
        return self._by_entry.manifold(w) if self.l1_ratio > 0 else self._by_group.manifold(w)  # type: ignore[return-value]

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        if metric is not None:
            w = backend_of(w).entrywise(soft_threshold, w, step, self.inner_strength, metric, ())
        return super()._prox(w, step, metric)


def soft_thresholded(v: Array, threshold: Any) -> Array:
    """sign(v) (|v| - threshold)_+."""
    xp = namespace(v)
    excess = xp.abs(v) - threshold
    return xp.where(excess > 0, xp.sign(v) * excess, xp.zeros_like(v))
