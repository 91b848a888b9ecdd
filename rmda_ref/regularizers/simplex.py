"""The indicator of w_g >= 0 with sum w_g = radius for every group."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.backends.array_api import widest
from rmda_ref.kernels.simplex import simplex
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Support
from rmda_ref.regularizers.row import FloatArray, row_norm, row_sum

ULPS = 64  # of the radius: how far outside still counts as inside


@dataclass(frozen=True, eq=False)
class Simplex(Regularizer):
    """The indicator of w_g >= 0 with sum w_g = radius for every group g: mixtures, attention, convex combinations.

    The projection is (w_i - tau_g/metric_i)_+, with tau_g the root of a scalar equation: a Newton iteration without
    sorting (Michelot 1986; Condat 2016). Exact in a metric; every step gives the same. Convex. Points outside by
    rounding, 64 units in the last place of the radius, count as inside.

    Parameters
    ----------
    radius : float, positive
    layout : Rows or Groups
        By default all entries are one group.

    >>> Simplex(radius=1.0).prox(np.array([0.75, 0.5, -3.0]), step=1.0)
    array([0.625, 0.375, 0.   ])
    """

    radius: float = 1.0
    layout: Rows | Groups = Rows(None)
    indicator = True
    driven = "row"
    scratch_rows = 2
    kernel = simplex

    def __post_init__(self) -> None:
        checks.positive("radius", self.radius)

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"within"})

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.radius),)

    def strengths(self, shape: Shape) -> float:
        return 1.0

    def value(self, w: Array) -> float:
        return 0.0 if all(map(self._inside, self.layout.rows(w))) else np.inf

    def _inside(self, rows: Array) -> bool:
        xp = namespace(rows)
        allowed = ULPS * float(xp.finfo(rows.dtype).eps) * self.radius
        off = np.abs(row_sum(rows) - self.radius)
        return bool(xp.all(rows >= -allowed)) and bool((off <= allowed).all())

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """The normal cone: one number on the support, no more than it elsewhere."""
        if self.value(w) > 0:
            return np.inf
        rows = zip(self.layout.rows(w), self.layout.rows(v), strict=True)
        return float(np.linalg.norm(np.concatenate([cone_distance(a > 0, b, -np.inf) for a, b in rows])))

    def conjugate(self, v: Array) -> float:
        """radius sum_g max v_g."""
        xp = namespace(v)
        return float(self.radius * sum(xp.sum(xp.max(rows, axis=1)) for rows in self.layout.rows(v)))

    def manifold(self, w: Array) -> Support:
        """Which entries are nonzero."""
        return Support.of(on_host(w != 0))


def cone_distance(active: Array, v: Array, least: float) -> FloatArray:
    """Distance of each row of v from {x : x = c where active, x <= c elsewhere, c >= least}, on the host.

    The best c is the largest mean of the active entries and some of the others: of all that lie above it. It minimises
    a convex function of one number, so a bound only cuts it off.
    """
    xp = namespace(v)
    if v.shape[1] == 0:
        return row_norm(v)
    order = xp.argsort(xp.where(active, -np.inf, -v), axis=1, stable=True)
    ordered = xp.astype(xp.take_along_axis(v, order, axis=1), widest(v))
    counts = xp.cumulative_sum(xp.ones_like(ordered[:1, :]), axis=1)
    means = xp.cumulative_sum(ordered, axis=1) / counts
    n_active = xp.sum(xp.astype(active, ordered.dtype), axis=1, keepdims=True)
    means = xp.where(counts >= n_active, means, -np.inf)
    c = xp.maximum(xp.max(means, axis=1, keepdims=True), least)
    return row_norm(xp.where(active, v - c, xp.maximum(v - c, 0.0)))
