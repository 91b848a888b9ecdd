"""The norms of groups, as one row."""

from dataclasses import dataclass

import numpy as np

from rmda_ref.layout.address import Coordinates, Shape
from rmda_ref.layout.groups import Groups
from rmda_ref.layout.rows import Rows
from rmda_ref.layout.segments import Segments
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class Norms:
    """The Euclidean norms of the groups of another layout, seen as one row of magnitudes.

    >>> Norms(Rows(axis=0)).magnitudes(np.array([[3.0, 0.0], [4.0, 2.0]]))
    array([5., 2.])
    """

    of: Rows | Groups | Segments

    def check(self, shape: Shape) -> None:
        self.of.check(shape)

    def sizes(self, shape: Shape) -> int | np.ndarray:
        """Number of entries behind a magnitude."""
        return self.of.sizes(shape)

    def magnitudes(self, w: Array) -> Array:
        """The norm of each group."""
        return namespace(w).reshape(self.of.norms(w), (-1,))

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        xp, of = namespace(w), self.of
        norms = of.norms(w)
        active = norms > 0
        safe = xp.where(active, norms, xp.ones_like(norms))
        direction = w / of.spread(safe, w.shape)
        along = xp.where(active, of.dots(v, direction), of.norms(v))
        rest = v - direction * of.spread(xp.where(active, along, xp.zeros_like(along)), w.shape)
        across = xp.where(active, of.norms(rest), xp.zeros_like(norms))
        return Coordinates(xp.reshape(norms, (-1,)), xp.reshape(along, (-1,)), float(xp.sqrt(xp.sum(across * across))))

    def rows(self, z: Array) -> list[Array]:
        """The one row."""
        return [namespace(z).reshape(z, (1, -1))]

    def rebuild(self, w: Array, before: Array, after: Array) -> Array:
        """``w`` with its groups scaled from norms ``before`` to ``after``; a zero group has no direction and stays."""
        xp = namespace(w)
        factor = xp.where(before > 0, after / xp.where(before > 0, before, xp.ones_like(before)), 0 * before)
        zeros = xp.zeros_like(w)  # + 0: no negative zeros
        shape = self.of.group_shape(tuple(w.shape))
        return w * self.of.spread(xp.reshape(factor, shape), w.shape) + zeros
