"""Runs of a fixed number of consecutive entries along an axis."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.layout import entries
from rmda_ref.layout.address import Address, Coordinates, Shape
from rmda_ref.layout.rows import Rows
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True)
class Segments:
    """Groups of ``m`` consecutive entries along an axis, which must hold a multiple of m; in C order of their starts.

    >>> import numpy as np
    >>> Segments(2).norms(np.array([3.0, 4.0, 0.0, 1.0]))
    array([5., 1.])
    >>> Segments(2, axis=0).group_shape((4, 3))
    (2, 3)
    """

    m: int
    axis: int = -1

    def __post_init__(self) -> None:
        checks.count("m", self.m, 1, "it is the length of a segment")

    def split(self, shape: Shape) -> tuple[Shape, Rows]:
        """The shape with the axis in two, segments by entries of a segment, and the second as an axis of rows."""
        if not -len(shape) <= self.axis < len(shape):
            raise ValueError(
                f"axis={self.axis} is out of range for an array of shape {shape}; "
                f"name an axis between {-len(shape)} and {len(shape) - 1}"
            )
        axis = self.axis % len(shape)
        if shape[axis] % self.m:
            raise ValueError(
                f"axis {self.axis} of shape {shape} has {shape[axis]} entries, not a multiple of m={self.m}; "
                "choose another axis or m, or pad the parameter"
            )
        return (*shape[:axis], shape[axis] // self.m, self.m, *shape[axis + 1 :]), Rows(axis + 1)

    def check(self, shape: Shape) -> None:
        self.split(shape)

    def address(self, shape: Shape) -> Address:
        split, rows = self.split(shape)
        return rows.address(split)

    def sizes(self, shape: Shape) -> int:
        """Number of entries in a group (the same for all)."""
        return self.m

    def group_shape(self, shape: Shape) -> Shape:
        """Shape of an array with one number per group."""
        split, rows = self.split(shape)
        return rows.group_shape(split)

    def norms(self, w: Array) -> Array:
        """Euclidean norm of each group, in ``group_shape``."""
        split, rows = self.split(tuple(w.shape))
        return rows.norms(namespace(w).reshape(w, split))

    def dots(self, v: Array, w: Array) -> Array:
        """<v_g, w_g> of each group, in ``group_shape``."""
        split, rows = self.split(tuple(w.shape))
        return rows.dots(namespace(v).reshape(v, split), namespace(w).reshape(w, split))

    def spread(self, per_group: Array, shape: Shape) -> Array:
        """One number per group -> its value at every entry."""
        xp = namespace(per_group)
        per_group = xp.reshape(per_group, self.group_shape(tuple(shape)))
        return xp.repeat(per_group, self.m, axis=self.axis % len(shape))

    def rows(self, x: Array) -> list[Array]:
        """The groups as the rows of one matrix."""
        split, rows = self.split(tuple(x.shape))
        return rows.rows(namespace(x).reshape(x, split))

    def batches(self, x: Array) -> list[tuple[Array, slice]]:
        """The groups as the rows of matrices, each with the places of its groups among all."""
        return [(self.rows(x)[0], slice(None))]

    def from_batches(self, matrices: list[Array], shape: Shape) -> Array:
        """The way back from `batches`: an array of this shape."""
        split, rows = self.split(shape)
        return namespace(matrices[0]).reshape(rows.from_batches(matrices, split), shape)

    def magnitudes(self, w: Array) -> Array:
        """|w|: what a function of a row of magnitudes sees."""
        return entries.magnitudes(w)

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        return entries.coordinates(w, v)
