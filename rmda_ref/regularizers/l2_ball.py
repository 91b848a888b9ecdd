"""The indicator of ||w_g|| <= radius for every group."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.l2_ball import l2_ball, metric_l2_ball
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import Levels

ULPS = 64  # of the radius: how far outside still counts as inside


@dataclass(frozen=True, eq=False)
class L2Ball(Regularizer):
    """The indicator of ||w_g|| <= radius for every group g: max-norm regularization (Srebro et al. 2005).

    The projection scales groups that are too long, min(1, radius/||w_g||) w_g, in O(n); in a metric a scalar equation a
    group, O(n) a Newton step. Every step gives the same. Convex. Its structure is which groups lie on their sphere.
    Points outside by rounding, 64 units in the last place of the radius, count as inside.

    Parameters
    ----------
    radius : float, at least 0
        0 makes every group 0.
    layout : Rows or Groups
        By default all entries are one group.

    >>> L2Ball(radius=1.0, layout=Rows(axis=1)).prox(np.array([[3.0, 4.0], [0.3, 0.4]]), step=1.0)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """

    radius: float
    layout: Rows | Groups = Rows(None)
    indicator = True
    driven = "radial"
    scratch_rows = 1
    kernel = l2_ball
    metric_kernel = metric_l2_ball

    def __post_init__(self) -> None:
        checks.nonnegative("radius", self.radius)

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"rotation"})

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.radius),)

    def strengths(self, shape: Shape) -> float:
        return 1.0

    def value(self, w: Array) -> float:
        xp, norms = namespace(w), self.layout.norms(w)
        return 0.0 if bool(xp.all(norms <= self.radius * (1 + ULPS * xp.finfo(w.dtype).eps))) else np.inf

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """The normal cone is 0 inside, the ray outwards on the sphere, and empty outside."""
        xp, layout = namespace(w), self.layout
        if self.value(w) > 0:
            return np.inf
        if self.radius == 0:
            return 0.0
        norms = layout.norms(w)
        at_bound = norms >= self.radius * (1 - ULPS * xp.finfo(w.dtype).eps)
        direction = w / layout.spread(xp.where(at_bound, norms, xp.ones_like(norms)), w.shape)
        along = layout.dots(v, direction)
        outwards = xp.where(at_bound & (along > 0), along, xp.zeros_like(along))
        return norm(v - direction * layout.spread(outwards, w.shape))

    def conjugate(self, v: Array) -> float:
        """radius sum_g ||v_g||."""
        return float(self.radius) * float(namespace(v).sum(self.layout.norms(v)))

    def manifold(self, w: Array) -> Levels:
        """1 for groups on their sphere, up to the root of the rounding unit, else 0."""
        xp, norms = namespace(w), self.layout.norms(w)
        return Levels.of(on_host(norms >= self.radius * (1 - xp.finfo(w.dtype).eps ** 0.5)))
