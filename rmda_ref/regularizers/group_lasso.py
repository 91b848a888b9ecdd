"""psi(w) = lam sum_g weight_g ||w_g||."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.kernels import group_soft_threshold, metric_group_soft_threshold
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Support


@dataclass(frozen=True, eq=False)
class GroupLasso(Regularizer):
    """psi(w) = lam sum_g weight_g ||w_g||  (Yuan & Lin 2006).

    Parameters
    ----------
    lam : float, at least 0
    axis : int or tuple of int, optional
        The axes *within* a group, as in a NumPy reduction: 0 for the outgoing weights of an input of an (out, in)
        layer, (0, 2, 3) for an input channel of an (out, in, height, width) convolution.
    groups : array of int labels, one per entry, or list of lists of int, optional
        Any partition of the entries (in C order), instead of ``axis``.
    weights : sequence of float, one per group (in C order), at least 0, optional
        sqrt(group size) by default.

    Raises
    ------
    ValueError, TypeError
        If not exactly one of ``axis`` and ``groups`` is given, if groups overlap or leave out entries, if ``lam`` or
        a weight is negative or not finite; when meeting an array: if its shape does not fit.

    >>> GroupLasso(lam=1.0, axis=0, weights=[1.0, 1.0]).prox(np.array([[3.0, 0.1], [4.0, 0.2]]), step=1.0)
    array([[2.4, 0. ],
           [3.2, 0. ]])
    """

    lam: float
    axis: int | tuple[int, ...] | None = None
    groups: Any = field(default=None, repr=False)
    weights: Any = field(default=None, repr=False)
    driven = "radial"
    kernel = group_soft_threshold
    metric_kernel = metric_group_soft_threshold

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if (self.axis is None) == (self.groups is None):
            raise ValueError(
                f"give either axis or groups, got axis={self.axis!r} and groups={self.groups!r}; "
                "axis names the axes within a group, e.g. axis=0 for the columns of a matrix"
            )
        if self.weights is not None:
            weights = np.asarray(self.weights)
            if weights.dtype.kind not in "fiu" or not (np.isfinite(weights).all() and (weights >= 0).all()):
                raise ValueError(f"weights must be finite and at least 0, got {self.weights!r}")
        _ = self.layout

    @cached_property
    def layout(self) -> Rows | Groups:
        return Rows(self.axis) if self.axis is not None else Groups(self.groups)

    def check(self, shape: Shape) -> None:
        self.layout.check(shape)
        n_groups = int(np.prod(self.layout.group_shape(shape)))
        if self.weights is not None and np.size(self.weights) != n_groups:
            raise ValueError(f"weights has {np.size(self.weights)} entries for {n_groups} groups; give one per group")

    def strengths(self, shape: Shape) -> float | npt.NDArray[Any]:
        """lam weight_g: a number where all are the same, else one per group."""
        weights = np.sqrt(self.layout.sizes(shape)) if self.weights is None else np.ravel(self.weights)
        return float(self.lam * weights) if np.ndim(weights) == 0 else self.lam * weights.astype(np.float64)

    def _strengths_like(self, norms: Array, shape: Shape) -> float | Array:
        strengths = self.strengths(shape)
        if isinstance(strengths, float):
            return strengths
        xp = namespace(norms)
        return xp.asarray(strengths.reshape(norms.shape), dtype=norms.dtype)

    def value(self, w: Array) -> float:
        norms = self.layout.norms(w)
        return float(namespace(w).sum(self._strengths_like(norms, w.shape) * norms))

    def dual_norm(self, v: Array) -> float:
        """max_g ||v_g|| / (lam weight_g)."""
        xp = namespace(v)
        norms = self.layout.norms(v)
        strengths = self._strengths_like(norms, v.shape) + xp.zeros_like(norms)
        free = xp.where(norms > 0, xp.full_like(norms, np.inf), norms)  # of the groups with weight 0
        safe = xp.where(strengths > 0, strengths, xp.ones_like(strengths))
        return float(xp.max(xp.where(strengths > 0, norms / safe, free)))

    def subdiff_distance(self, w: Array, v: Array) -> float:
        xp = namespace(w)
        norms = self.layout.norms(w)
        strengths = self._strengths_like(norms, w.shape)
        active = norms > 0
        direction = w * self.layout.spread(strengths / xp.where(active, norms, xp.ones_like(norms)), w.shape)
        at_active = self.layout.norms(v - direction)
        at_zero = self.layout.norms(v) - strengths
        at_zero = xp.where(at_zero > 0, at_zero, xp.zeros_like(at_zero))
        return norm(xp.where(active, at_active, at_zero))

    def manifold(self, w: Array) -> Support:
        nonzero = w != 0
        return Support.of(np.asarray(self.layout.norms(namespace(w).astype(nonzero, w.dtype)) > 0))
