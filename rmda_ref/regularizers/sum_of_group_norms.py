"""Sums of norms of groups that overlap: the tree-structured and the overlapping group lasso."""

from abc import abstractmethod

import numpy as np

from rmda_ref.namespace import Array, on_host
from rmda_ref.regularizers.group_family import GroupFamily, Vector
from rmda_ref.regularizers.manifold import Support

DUAL_STEPS = 100  # Newton's method on a convex function: fewer than ten are used


class SumOfGroupNorms(GroupFamily):
    """psi(w) = lam sum_g weight_g ||w_g||. A subclass knows its prox for any radii: `_shrunk`."""

    @abstractmethod
    def _shrunk(self, x: Vector, radii: Vector) -> Vector:
        """argmin_y  sum_g radius_g ||y_g|| + 1/2 ||y - x||^2."""

    def _nearly_shrunk(self, x: Vector, radii: Vector) -> Vector:
        """The same, as near as it can be come, without a certificate."""
        return self._shrunk(x, radii)

    def value(self, w: Array) -> float:
        return float(self.radii @ self.group_norms(self.flat(w)))

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """Euclidean distance from ``v`` to the subdifferential at ``w``.

        Groups that are not zero have a gradient. To those that are zero belongs the sum P of the balls of their
        radii, and by Moreau what remains of v is at the distance ||v - proj_P(v)|| = ||prox(v)|| from it, with the
        prox of the sum over these groups. As accurate as that prox. (The direction of a group counts whatever its size:
        groups of 1e-20, which a prox may have within its tolerance, can be far off where the prox is not.)
        """
        x, rest = self.flat(w), self.flat(v).copy()
        starts, members, _ = self.address
        norms = self.group_norms(x)
        slopes = np.repeat(self.radii, np.diff(starts))
        directions = x[members] / np.repeat(np.where(norms > 0, norms, 1.0), np.diff(starts))
        np.subtract.at(rest, members, slopes * directions)
        rest = self._shrunk(rest, np.where(norms > 0, 0.0, self.radii))
        return float(np.linalg.norm(rest))

    def dual_norm(self, v: Array) -> float:
        """sup {<v, w> : psi(w) <= 1}, infinite if v is not zero outside the groups with positive strength.

        The root s of the convex function ||prox_s(v)||, which is the distance of v from s times the dual ball, by
        Newton's method from below: s = <v, x>/psi(x) with x = prox_s(v) at the last s. Each s is a lower bound,
        whatever x; the last gives nothing more, to a few roundings.
        """
        y = self.flat(v)
        starts, members, _ = self.address
        covered = np.zeros(len(y), np.bool_)
        covered[members[np.repeat(self.radii > 0, np.diff(starts))]] = True
        if not y.any():
            return 0.0
        if y[~covered].any():
            return np.inf
        largest = np.abs(y).max()
        y = x = y / largest
        bound = 0.0
        for _ in range(DUAL_STEPS):
            cost = float(self.radii @ self.group_norms(x))
            higher = float(y @ x) / cost if cost > 0 else 0.0
            if higher <= bound * (1 + 4 * np.finfo(np.float64).eps):
                break
            bound = higher
            x = self._nearly_shrunk(y, bound * self.radii)
        return float(largest * bound)

    def manifold(self, w: Array) -> Support:
        """Which groups are not zero."""
        starts, members, _ = self.address
        return Support.of(np.logical_or.reduceat(self.flat(on_host(w))[members] != 0, starts[:-1]))
