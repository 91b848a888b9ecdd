"""Groups along axes."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from rmda_ref.layout import entries
from rmda_ref.layout.address import Address, Coordinates, Indices, Shape
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True)
class Rows:
    """Groups along axes: ``axis`` names the axes *within* a group, as in a NumPy reduction; None names all of them.

    >>> Rows(axis=0).norms(np.array([[3.0, 0.0], [4.0, 2.0]]))  # groups are columns
    array([5., 2.])
    """

    axis: int | tuple[int, ...] | None

    def axes(self, shape: Shape) -> tuple[int, ...]:
        """The axes within a group, sorted and non-negative."""
        if self.axis is None:
            return tuple(range(len(shape)))
        given = (self.axis,) if isinstance(self.axis, int) else self.axis
        for axis in given:
            if not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"axis={self.axis} is out of range for an array of shape {shape}; "
                    f"name axes between {-len(shape)} and {len(shape) - 1}"
                )
        axes = sorted({axis % len(shape) for axis in given})
        if len(axes) < len(given) or not axes:
            raise ValueError(f"axis={self.axis} must name at least one axis, and each only once")
        return tuple(axes)

    def check(self, shape: Shape) -> None:
        self.axes(shape)

    def address(self, shape: Shape) -> Address:
        return _address(shape, self.axes(shape))

    def sizes(self, shape: Shape) -> int:
        """Number of entries in a group (the same for all)."""
        return int(np.prod([shape[axis] for axis in self.axes(shape)]))

    def group_shape(self, shape: Shape) -> Shape:
        """Shape of an array with one number per group."""
        axes = self.axes(shape)
        return tuple(n for axis, n in enumerate(shape) if axis not in axes)

    def norms(self, w: Array) -> Array:
        """Euclidean norm of each group, in ``group_shape``."""
        xp, axes = namespace(w), self.axes(w.shape)
        if 0 in w.shape:
            return xp.sqrt(xp.sum(w * w, axis=axes))
        largest = xp.max(xp.abs(w), axis=axes, keepdims=True)  # squares of the quotients stay in range
        largest = xp.where(largest > 0, largest, xp.ones_like(largest))
        scaled = w / largest
        return xp.reshape(largest, self.group_shape(w.shape)) * xp.sqrt(xp.sum(scaled * scaled, axis=axes))

    def dots(self, v: Array, w: Array) -> Array:
        """<v_g, w_g> of each group, in ``group_shape``."""
        return namespace(w).sum(v * w, axis=self.axes(w.shape))

    def spread(self, per_group: Array, shape: Shape) -> Array:
        """One number per group -> an array that broadcasts against the entries."""
        axes = self.axes(shape)
        kept = tuple(1 if axis in axes else n for axis, n in enumerate(shape))
        return namespace(per_group).reshape(per_group, kept)

    def rows(self, x: Array) -> list[Array]:
        """The groups as the rows of one matrix."""
        xp, axes = namespace(x), self.axes(x.shape)
        between = tuple(axis for axis in range(x.ndim) if axis not in axes)
        n_groups = int(np.prod([x.shape[axis] for axis in between]))
        return [xp.reshape(xp.permute_dims(x, between + axes), (n_groups, self.sizes(x.shape)))]

    def batches(self, x: Array) -> list[tuple[Array, slice]]:
        """The groups as the rows of matrices, each with the places of its groups among all."""
        return [(self.rows(x)[0], slice(None))]

    def from_batches(self, matrices: list[Array], shape: Shape) -> Array:
        """The way back from `batches`: an array of this shape."""
        xp, axes = namespace(matrices[0]), self.axes(shape)
        order = (*(axis for axis in range(len(shape)) if axis not in axes), *axes)
        moved = xp.reshape(matrices[0], tuple(shape[axis] for axis in order))
        return xp.permute_dims(moved, tuple(order.index(axis) for axis in range(len(shape))))

    def magnitudes(self, w: Array) -> Array:
        """|w|: what a function of a row of magnitudes sees."""
        return entries.magnitudes(w)

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        return entries.coordinates(w, v)


@cache
def _address(shape: Shape, axes: tuple[int, ...]) -> Address:
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]  # in entries

    def offsets(of: tuple[int, ...]) -> Indices:
        result = np.zeros(1, dtype=np.int64)
        for axis in of:
            result = np.add.outer(result, np.arange(shape[axis]) * strides[axis]).ravel()
        return result

    between = tuple(axis for axis in range(len(shape)) if axis not in axes)
    return Address(offsets(between), offsets(axes), strided=True)
