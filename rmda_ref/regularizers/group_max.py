"""psi(w) = lam sum_g weight_g max |w_g|."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.kernels.group_max import group_max
from rmda_ref.layout import Groups, Rows, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty, row_max, row_sum, row_weights


@dataclass(frozen=True, eq=False)
class GroupMax(RowPenalty):
    """psi(w) = lam sum_g weight_g max_{i in g} |w_i|, the l1-inf group norm (Quattoni et al. 2009).

    The prox cuts the magnitudes of each group at a level, a Newton iteration without sorting (Duchi et al. 2008 by
    Moreau); exact in a metric; every step. Convex. Its structure is which groups are zero, and which entries of the
    others are at their group's largest magnitude.

    Parameters
    ----------
    lam : float, at least 0
    layout : Rows or Groups
    weights : array, one number at least 0 per group, optional
        1 by default.

    >>> GroupMax(lam=1.0, layout=Rows(axis=1)).prox(np.array([[3.0, -2.5, 1.0], [0.5, 0.25, 0.0]]), step=1.5)
    array([[ 2., -2.,  1.],
           [ 0.,  0.,  0.]])
    """

    lam: float
    layout: Rows | Groups = Rows(None)
    weights: Any = field(default=None, repr=False)
    homogeneity = 1.0
    scratch_rows = 2
    kernel = group_max

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if self.weights is not None:
            checks.weights("weights", self.weights)

    def check(self, shape: Shape) -> None:
        self.layout.check(shape)
        checks.one_each("weights", self.weights, self.layout.address(shape).n_groups, "groups")

    def strengths(self, shape: Shape) -> float | Array:
        return row_weights(self.lam, self.weights)

    def row_value(self, z: Array) -> FloatArray:
        return np.asarray(on_host(row_max(z)))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """At z = 0 the l1 ball of radius s; else the simplex of size s on the entries at the largest magnitude."""
        self._only_numpy(z)
        out = np.empty(len(z))
        for r, (magnitudes, dual, s) in enumerate(zip(z, v, strength, strict=True)):
            top = magnitudes == magnitudes.max(initial=0)
            if magnitudes.max(initial=0) == 0:
                out[r] = np.linalg.norm(dual - project_simplex(np.abs(dual), s, inside=True))
            else:
                out[r] = np.hypot(
                    np.linalg.norm(dual[~top]), np.linalg.norm(dual[top] - project_simplex(dual[top], s, inside=False))
                )
        return out

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """The indicator of the l1 ball of radius s."""
        return np.where(on_host(namespace(v).sum(v, axis=1)) <= strength, 0.0, np.inf)

    def dual_norm(self, v: Array) -> float:
        """max_g ||v_g||_1/(lam weight_g); infinite if v is nonzero where that is 0."""
        rows = self._rows(self.layout.magnitudes(v))
        strengths = self._strengths(v.shape, rows[-1][1].stop)
        sums = np.concatenate([row_sum(z) for z, _ in rows])
        free = np.where(sums > 0, np.inf, 0.0)
        quotients = np.where(strengths > 0, sums / np.where(strengths > 0, strengths, 1), free)
        return float(quotients.max(initial=0))

    def row_levels(self, z: FloatArray) -> npt.NDArray[np.int64]:
        """0 in zero groups, 2 at the largest magnitude of a group, else 1."""
        largest = z.max(axis=1, keepdims=True, initial=0)
        return np.where(largest == 0, 0, np.where(z == largest, 2, 1))


def project_simplex(x: FloatArray, radius: float, inside: bool) -> FloatArray:
    """The nearest point with nonnegative entries whose sum is ``radius``, or at most that if ``inside``."""
    if inside and np.maximum(x, 0).sum() <= radius:
        return np.asarray(np.maximum(x, 0))
    ordered = np.sort(x)[::-1]
    levels = (np.cumsum(ordered) - radius) / np.arange(1, len(x) + 1)
    above = np.flatnonzero(ordered > levels)  # none where the radius is 0, or lost in rounding
    return np.asarray(np.maximum(x - (levels[above[-1]] if len(above) else ordered[0]), 0))
