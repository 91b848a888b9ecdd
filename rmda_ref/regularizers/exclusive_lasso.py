"""psi(w) = lam/2 sum_g ||w_g||_1^2."""

from dataclasses import dataclass

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.exclusive_lasso import exclusive_lasso
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty, column, row_max, row_norm, row_sum


@dataclass(frozen=True, eq=False)
class ExclusiveLasso(RowPenalty):
    """psi(w) = lam/2 sum_g ||w_g||_1^2, which lets the entries of a group compete (Zhou, Jin & Hoi 2010).

    prox_i = sign(w_i) (|w_i| - step lam T/metric_i)_+ with T = ||prox_g||_1, a scalar equation a group (Kowalski 2009);
    no sorting: a few passes over ever fewer entries. Exact in a metric; every step. Convex. A group becomes zero only
    if it is zero already.

    Parameters
    ----------
    lam : float, at least 0
    layout : Rows or Groups

    >>> ExclusiveLasso(lam=1.0, layout=Rows(axis=1)).prox(np.array([[3.0, -1.0], [2.0, -2.0]]), step=1.0)
    array([[ 1.5       ,  0.        ],
           [ 0.66666667, -0.66666667]])
    """

    lam: float
    layout: Rows | Groups = Rows(None)
    homogeneity = 2.0
    scratch_rows = 2
    kernel = exclusive_lasso

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def row_value(self, z: Array) -> FloatArray:
        return np.asarray(row_sum(z) ** 2 / 2)

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """From s ||z||_1 times the subdifferential of the l1 norm."""
        xp = namespace(z)
        slope = column(strength * on_host(xp.sum(z, axis=1)), z)
        return row_norm(xp.where(z > 0, v - slope, xp.maximum(xp.abs(v) - slope, 0.0)))

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """||v||_inf^2/(2 s); for s = 0 the indicator of 0."""
        largest = on_host(row_max(v)).astype(np.float64)
        free = np.where(largest > 0, np.inf, 0.0)
        return np.where(strength > 0, largest**2 / np.where(strength > 0, 2 * strength, 1), free)
