"""psi(w) = lam sum_g weight_g ||w_g||."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array
from rmda_ref.regularizers.magnitude_sum import MagnitudeSum
from rmda_ref.regularizers.manifold import Support


def axis_or_groups(axis: Any, groups: Any) -> None:
    """Raise unless exactly one is given."""
    if (axis is None) == (groups is None):
        raise ValueError(
            f"give either axis or groups, got axis={axis!r} and groups={groups!r}; "
            "axis names the axes within a group, e.g. axis=0 for the columns of a matrix"
        )


@dataclass(frozen=True, eq=False)
class GroupLasso(MagnitudeSum):
    """psi(w) = lam sum_g weight_g ||w_g||  (Yuan & Lin 2006).

    prox_g = (1 - step lam weight_g / ||w_g||)_+ w_g in O(n); in a metric a scalar equation a group, O(n) a Newton step
    (Deleu & Bengio 2021). Every step. Convex.

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
        super().__post_init__()
        axis_or_groups(self.axis, self.groups)
        _ = self.layout

    @cached_property
    def layout(self) -> Rows | Groups:
        return Rows(self.axis) if self.axis is not None else Groups(self.groups)

    def default_weights(self, shape: Shape) -> float | Array:
        """sqrt(group size)."""
        return np.sqrt(self.layout.sizes(shape))

    def manifold(self, w: Array) -> Support:
        """Which groups are nonzero."""
        found = super().manifold(w)
        assert isinstance(found, Support)
        return found
