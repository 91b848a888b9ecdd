"""The indicator of ||w_g||_1 <= radius for every group."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.l1_ball import l1_ball
from rmda_ref.layout import Groups, Norms, Rows, Shape, Spectrum
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty, row_max, row_norm, row_sum
from rmda_ref.regularizers.simplex import cone_distance

ULPS = 64  # of the radius, times the root of the length of a row: how far outside still counts as inside


@dataclass(frozen=True, eq=False)
class L1Ball(RowPenalty):
    """The indicator of sum z <= radius, with z the magnitudes that the layout gives.

    `Rows` and `Groups`: ||w_g||_1 <= radius for every group; `Norms`: sum_g ||w_g|| <= radius, the l1-l2 ball;
    `Spectrum`: the nuclear norm ball. The projection soft-thresholds at the root of a scalar equation, a Newton
    iteration without sorting (Duchi et al. 2008; Condat 2016). Exact in a metric for `Rows` and `Groups`; every step
    gives the same. Convex. Its structure is the support, or the rank, of points on the boundary (inside there is none).
    Points outside by rounding, 64 sqrt(n) units in the last place of the radius for n magnitudes, count as inside.

    Parameters
    ----------
    radius : float, at least 0
        0 makes every group 0.
    layout : Rows, Groups, Norms or Spectrum
        By default all entries are one group.

    >>> L1Ball(radius=2.0).prox(np.array([3.0, -2.0, 0.5]), step=1.0)
    array([ 1.5, -0.5,  0. ])
    """

    radius: float
    layout: Rows | Groups | Norms | Spectrum = Rows(None)
    indicator = True
    scratch_rows = 3
    kernel = l1_ball

    def __post_init__(self) -> None:
        checks.nonnegative("radius", self.radius)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.radius),)

    def strengths(self, shape: Shape) -> float:
        return 1.0

    def _rounding(self, z: Array) -> float:
        return float(ULPS * namespace(z).finfo(z.dtype).eps * np.sqrt(z.shape[1]) * self.radius)

    def row_value(self, z: Array) -> FloatArray:
        return np.where(row_sum(z) <= self.radius + self._rounding(z), 0.0, np.inf)

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """The normal cone is 0 inside, the multiples of the l1 norm's subdifferential on the boundary."""
        xp = namespace(z)
        if self.radius == 0:
            return np.where(on_host(xp.sum(z, axis=1)) > 0, np.inf, 0.0)
        total, allowed = row_sum(z), self._rounding(z)
        at_bound = cone_distance(z > 0, xp.where(z > 0, v, xp.abs(v)), 0.0)
        distance = np.where(total >= self.radius - allowed, at_bound, row_norm(v))
        return np.where(total <= self.radius + allowed, distance, np.inf)

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """radius ||v||_inf."""
        return np.asarray(self.radius * on_host(row_max(v)).astype(np.float64))
