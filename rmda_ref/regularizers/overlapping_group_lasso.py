"""psi(w) = lam sum_g weight_g ||w_g|| over groups that may overlap."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rmda_ref.regularizers.group_family import Vector
from rmda_ref.regularizers.group_solver import Solution
from rmda_ref.regularizers.iterative_groups import IterativeGroups
from rmda_ref.regularizers.sum_of_group_norms import SumOfGroupNorms


@dataclass(frozen=True, eq=False)
class OverlappingGroupLasso(IterativeGroups, SumOfGroupNorms):
    """psi(w) = lam sum_g weight_g ||w_g||, groups of any kind (Jenatton, Audibert & Bach 2011; Yuan, Liu & Ye 2011).

    Zero groups cover the zero entries, so that the support is an intersection of complements of groups. The prox is
    iterative and certified: a path of Newton steps on one multiplier a group (`rmda_ref.kernels.group_multipliers`),
    some fifty sweeps over the groups and a thousand near degeneracy, after groups that are zero at once are screened
    out. It returns only with a duality gap below the tolerance: the point is within 1e-12 ||w|| of the minimiser by
    default, and within 1e-15 ||w|| as a rule. Groups that are zero are so exactly. Every step; exact, to that
    tolerance, in a metric. Convex. Its structure is which groups are zero.

    Parameters
    ----------
    lam : float, at least 0
    groups : list of lists of int
        Indices of entries in C order. Groups may overlap, nest and repeat; entries in none are not penalised.
    weights : sequence of float, one per group, at least 0, optional
        sqrt(group size) by default.
    tolerance : float, positive
        On the duality gap of the prox, relative to 1/2 ||w||^2: the distance from the minimiser is at most
        sqrt(tolerance) ||w||. A ten-thousandth of it is aimed at, which float64 allows except where the solution is
        degenerate to about 1e-12.
    max_sweeps : int, at least 1
        Passes over the groups.

    Raises
    ------
    ValueError, TypeError
        If a group is empty, names an entry twice or an index that is no integer of at least 0; if ``lam``, a weight
        or the tolerance is out of range; when meeting an array: if it is too small.
    NotConverged
        By the prox, if the tolerance is not reached.

    >>> chain = OverlappingGroupLasso(lam=1.0, groups=[[0, 1], [1, 2], [2, 3]], weights=[1.0, 1.0, 1.0])
    >>> chain.prox(np.array([3.0, 4.0, 0.5, 0.5]), step=1.0)
    array([2.29289322, 2.29289322, 0.        , 0.        ])
    >>> chain.certified_prox(np.array([3.0, 4.0, 0.5, 0.5]), step=1.0).gap < 1e-27
    True
    """

    lam: float
    groups: Any = field(repr=False)
    weights: Any = field(default=None, repr=False)
    tolerance: float = 1e-24
    max_sweeps: int = 100_000

    def _solved(self, w: Vector, radii: Vector, metric: Vector | None) -> Solution:
        return self._solver.overlapping(w, radii, metric)

    def _shrunk(self, x: Vector, radii: Vector) -> Vector:
        return self._solver.overlapping(x, radii).x

    def _nearly_shrunk(self, x: Vector, radii: Vector) -> Vector:
        return replace(self._solver, tolerance=np.inf).overlapping(x, radii).x
