"""psi(w) = lam min sum_g weight_g ||v^g|| over decompositions of w into parts supported in groups."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rmda_ref.layout import Shape
from rmda_ref.namespace import Array, on_host
from rmda_ref.regularizers.certified import CertifiedValue
from rmda_ref.regularizers.group_family import Vector
from rmda_ref.regularizers.group_solver import Solution
from rmda_ref.regularizers.iterative_groups import IterativeGroups
from rmda_ref.regularizers.manifold import Support


@dataclass(frozen=True, eq=False)
class LatentGroupLasso(IterativeGroups):
    """psi(w) = lam min {sum_g weight_g ||v^g|| : sum_g v^g = w, v^g supported in g}   [Jacob, Obozinski & Vert 2009].

    Supports are unions of groups, where `OverlappingGroupLasso` has complements of unions. The dual ball is the
    intersection of the cylinders ||u_g|| <= lam weight_g, and the prox is w minus its projection on step times that.
    Both it and the value are iterative and certified: a path of Newton steps on one multiplier a group
    (`rmda_ref.kernels.group_multipliers`), some hundred sweeps over the groups, after groups that do not bind are
    screened out. They are returned only with a duality gap below the tolerance. Entries outside the groups in use are
    exactly zero. Every step; exact, to the tolerance, in a metric. Convex.

    The gap bounds the distance from the minimiser by sqrt(tolerance) ||w|| only, 1e-5 ||w|| by default: points of
    float64 meet the cylinders to rounding, which is where a gap ends, while the objective is flat to second order
    there. The solution itself is computed to rounding: the norms of the groups in use are within 1e-14 of their radii,
    except where it is degenerate.

    Its structure is the support. Near a point whose groups in use stay the same psi is smooth on the vectors with that
    support; several sets of groups may make one support, so that the groups themselves would be no function of w.

    Parameters
    ----------
    lam : float, at least 0
    groups : list of lists of int
        Indices of entries in C order; each entry must be in some group.
    weights : sequence of float, one per group, at least 0, optional
        sqrt(group size) by default.
    tolerance : float, positive
        On the duality gap, relative to 1/2 ||w||^2 for the prox, and to the value for the value. A ten-thousandth of
        it is aimed at.
    max_sweeps : int, at least 1
        Passes over the groups.

    Raises
    ------
    ValueError, TypeError
        If an entry is in no group, a group is empty, names an entry twice or an index that is no integer of at least
        0; if ``lam``, a weight or the tolerance is out of range; when meeting an array: if its size does not fit.
    NotConverged
        By the prox, the value and the subdifferential distance, if the tolerance is not reached.

    >>> chain = LatentGroupLasso(lam=1.0, groups=[[0, 1], [1, 2], [2, 3]], weights=[1.0, 1.0, 1.0])
    >>> chain.value(np.array([3.0, 4.0, 0.0, 0.0]))
    5.0
    >>> chain.prox(np.array([3.0, 4.0, 0.5, 0.5]), step=1.0)
    array([2.4, 3.2, 0. , 0. ])
    """

    lam: float
    groups: Any = field(repr=False)
    weights: Any = field(default=None, repr=False)
    tolerance: float = 1e-10
    max_sweeps: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        missing = np.setdiff1d(np.arange(self._size), self.address.members)
        if len(missing):
            raise ValueError(
                f"entry {missing[0]} is in no group, so that only zero could be there; put every entry in a group "
                "(weight 0 leaves a group unpenalised)"
            )

    @cached_property
    def _size(self) -> int:
        return int(self.address.members.max()) + 1

    def check(self, shape: Shape) -> None:
        if int(np.prod(shape)) != self._size:
            raise ValueError(
                f"groups cover {self._size} entries, but an array of shape {shape} has {int(np.prod(shape))}; "
                "give groups for every entry, in C order"
            )

    def _solved(self, w: Vector, radii: Vector, metric: Vector | None) -> Solution:
        return self._solver.latent(w, radii, metric)

    def certified_value(self, w: Array) -> CertifiedValue:
        """psi(w) as the cost of a decomposition, with its excess over a dual value <u, w>."""
        found = self._solver.latent_value(self.flat(w), self.radii)
        return CertifiedValue(found.value, found.gap, found.sweeps)

    def value(self, w: Array) -> float:
        return self.certified_value(w).value

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """Euclidean distance from ``v`` to the subdifferential at ``w``.

        That is the face {u : ||u_g|| <= radius_g, <u, w> = psi(w)} of the dual ball. On the support of w all its points
        agree (there u_i = radius_g v^g_i/||v^g|| for each v^g_i that is not 0), and it takes what it leaves of each
        radius for the entries outside: nothing in a group in use. Both are found by the certified iteration; the
        radii left are accurate to rounding but for groups out of use that are tight, where they are to its root.
        """
        x, y, radii = self.flat(w), self.flat(v), self.radii
        found = self._solver.latent_value(x, radii)
        inside = np.where(x != 0, found.u, 0.0)
        norms = self.group_norms(inside)
        left = np.sqrt(np.maximum((radii - norms) * (radii + norms), 0.0))
        outside = self._solver.latent(np.where(x != 0, 0.0, y), np.where(found.active, 0.0, left))
        return float(np.hypot(np.linalg.norm(np.where(x != 0, y - inside, 0.0)), np.linalg.norm(outside.x)))

    def dual_norm(self, v: Array) -> float:
        """max_g ||v_g||/(lam weight_g); infinite if v is not zero in a group where that is 0."""
        norms, radii = self.group_norms(self.flat(v)), self.radii
        free = np.where(norms > 0, np.inf, 0.0)
        return float(np.divide(norms, radii, out=free, where=radii > 0).max())

    def manifold(self, w: Array) -> Support:
        """Which entries are not zero."""
        return Support.of(on_host(w != 0))
