"""psi(w) = lam sum_g weight_g ||w_g|| over nested or disjoint groups."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from rmda_ref.backends import drivers
from rmda_ref.backends.numba import compiled
from rmda_ref.kernels.tree_soft_threshold import tree_soft_threshold
from rmda_ref.layout import Address, Indices
from rmda_ref.namespace import Array
from rmda_ref.regularizers.group_family import Vector, like
from rmda_ref.regularizers.sum_of_group_norms import SumOfGroupNorms


@dataclass(frozen=True, eq=False)
class TreeGroupLasso(SumOfGroupNorms):
    """psi(w) = lam sum_g weight_g ||w_g||, any two groups nested or disjoint (Zhao, Rocha & Yu 2009).

    A group can be nonzero only if all groups that contain it are. The prox composes the group soft thresholds from
    the leaves to the roots (Jenatton et al. 2011): exact, every step, O(sum of the group sizes) = O(n depth). In a
    diagonal metric that composition is no prox, and none is offered: `OverlappingGroupLasso` has one for these groups
    too. Convex. Its structure is which groups are zero.

    Parameters
    ----------
    lam : float, at least 0
    groups : list of lists of int
        Indices of entries in C order. Entries in no group are not penalised.
    weights : sequence of float, one per group, at least 0, optional
        sqrt(group size) by default.

    Raises
    ------
    ValueError, TypeError
        If two groups overlap and neither contains the other; if a group is empty, names an entry twice or an index
        that is no integer of at least 0; if ``lam`` or a weight is negative or not finite; when meeting an array: if
        it is too small.

    >>> tree = TreeGroupLasso(lam=1.0, groups=[[0, 1, 2], [1, 2], [2]], weights=[1.0, 1.0, 1.0])
    >>> tree.prox(np.array([5.0, 4.0, 4.0]), step=1.0)
    array([4.21913119, 2.70024396, 2.02518297])
    >>> tree.prox(np.array([5.0, 1.0, 1.5]), step=1.0)
    array([4.00027852, 0.08446413, 0.04223206])
    """

    lam: float
    groups: Any = field(repr=False)
    weights: Any = field(default=None, repr=False)
    exact_in_metric = False

    def __post_init__(self) -> None:
        super().__post_init__()
        require_nested(self.address)

    @cached_property
    def _upwards(self) -> tuple[Address, Indices]:
        """The groups with those inside a group before it, and the places of these."""
        sizes = np.diff(self.address.starts)
        order = np.argsort(sizes, kind="stable")
        lists = self.address.lists()
        ordered = np.concatenate([lists[g] for g in order])
        return Address(np.cumsum([0, *sizes[order]]), ordered, strided=False), order

    def _shrunk(self, x: Vector, radii: Vector) -> Vector:
        (starts, members, _), order = self._upwards
        y = x.copy()
        compiled(False, drivers.whole, tree_soft_threshold)(y, starts, members, radii[order])
        return y

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        return like(self._shrunk(self.flat(w), step * self.radii), w)


def require_nested(address: Address) -> None:
    """Raise ValueError unless any two groups are nested or disjoint: largest first, each must lie inside one owner."""
    lists = address.lists()
    owner = np.full(int(address.members.max()) + 1, -1)
    for g in sorted(range(len(lists)), key=lambda g: -len(lists[g])):
        owners = np.unique(owner[lists[g]])
        if len(owners) > 1:  # an owner of some entries only: of any two, one lacks entries of the other
            other = next(h for h in owners if h >= 0 and not np.isin(lists[g], lists[h]).all())
            first, second = sorted((g, int(other)))
            common = np.intersect1d(lists[g], lists[other])[0]
            raise ValueError(
                f"groups {first} and {second} overlap (in entry {common}) and neither contains the other; "
                "split them, or use OverlappingGroupLasso"
            )
        owner[lists[g]] = g
