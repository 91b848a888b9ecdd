"""How a parameter becomes rows (groups of entries) and back.

A layout knows where the entries of each group lie in the C-ordered array: the drivers of `rmda_ref.backends` ask
`Layout.address` for that, everything else asks for group norms and for spreading a number per group over entries.
"""

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rmda_ref.namespace import Array, namespace

Shape = tuple[int, ...]
Indices = npt.NDArray[np.int64]


class Address(NamedTuple):
    """Where the entries of group a lie: ``members[starts[a] + j]``, or ``starts[a] + members[j]`` if ``strided``."""

    starts: Indices  # (n_groups,) if strided, else (n_groups + 1,)
    members: Indices
    strided: bool

    @property
    def n_groups(self) -> int:
        return len(self.starts) - (not self.strided)

    @property
    def contiguous(self) -> bool:
        """Whether each group is one run of memory, so that its size alone tells where it lies."""
        return self.strided and bool((np.diff(self.members) == 1).all())


@dataclass(frozen=True)
class Entries:
    """Every entry by itself."""

    def check(self, shape: Shape) -> None:
        """Entries fit any shape."""


@dataclass(frozen=True)
class Rows:
    """Groups along axes: ``axis`` names the axes *within* a group, as in a NumPy reduction.

    >>> Rows(axis=0).norms(np.array([[3.0, 0.0], [4.0, 2.0]]))  # groups are columns
    array([5., 2.])
    """

    axis: int | tuple[int, ...]

    def axes(self, shape: Shape) -> tuple[int, ...]:
        """The axes within a group, sorted and non-negative."""
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
        return _rows_address(shape, self.axes(shape))

    def sizes(self, shape: Shape) -> int:
        """Number of entries in a group (the same for all)."""
        return int(np.prod([shape[axis] for axis in self.axes(shape)]))

    def group_shape(self, shape: Shape) -> Shape:
        """Shape of an array with one number per group."""
        axes = self.axes(shape)
        return tuple(n for axis, n in enumerate(shape) if axis not in axes)

    def norms(self, w: Array) -> Array:
        """Euclidean norm of each group, in ``group_shape``."""
        xp = namespace(w)
        return xp.sqrt(xp.sum(w * w, axis=self.axes(w.shape)))

    def spread(self, per_group: Array, shape: Shape) -> Array:
        """One number per group -> an array that broadcasts against the entries."""
        axes = self.axes(shape)
        kept = tuple(1 if axis in axes else n for axis, n in enumerate(shape))
        return namespace(per_group).reshape(per_group, kept)


@cache
def _rows_address(shape: Shape, axes: tuple[int, ...]) -> Address:
    strides = np.cumprod((1, *shape[:0:-1]))[::-1]  # in entries

    def offsets(of: tuple[int, ...]) -> Indices:
        result = np.zeros(1, dtype=np.int64)
        for axis in of:
            result = np.add.outer(result, np.arange(shape[axis]) * strides[axis]).ravel()
        return result

    between = tuple(axis for axis in range(len(shape)) if axis not in axes)
    return Address(offsets(between), offsets(axes), strided=True)


@dataclass(frozen=True, eq=False)
class Groups:
    """Any partition of the entries (in C order) into groups.

    Parameters
    ----------
    groups : array of int labels, one per entry, or list of lists of int indices
        Group g of labels is the g-th smallest label; lists keep their order.

    Raises
    ------
    ValueError
        If the lists overlap or leave out an entry, if a group is empty, or if there are none.
    TypeError
        If labels or indices are not integers.

    >>> Groups([[0, 3], [1, 2]]).norms(np.array([3.0, 1.0, 0.0, 4.0]))
    array([5., 1.])
    """

    groups: Any = field(repr=False)

    def __post_init__(self) -> None:
        _ = self._address  # bad groups are refused when they are given

    @cached_property
    def _address(self) -> Address:
        rows = _rows_of(self.groups)
        members = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        if not rows or min(map(len, rows)) == 0:
            raise ValueError("groups must be one or more groups, none of them empty; leave empty groups out")
        if members.dtype.kind not in "iu":
            raise TypeError(f"groups must hold integer indices or labels, got dtype {members.dtype}")
        order = np.sort(members)
        if (order[1:] == order[:-1]).any():
            twice = order[1:][order[1:] == order[:-1]][0]
            raise ValueError(f"groups overlap: entry {twice} is in more than one; put each entry in one group")
        if order[0] != 0 or order[-1] != len(order) - 1:
            missing = np.setdiff1d(np.arange(max(len(order), order[-1] + 1)), order)
            gap = f"entry {missing[0]} is in none" if order[0] >= 0 else f"entry {order[0]} is negative"
            raise ValueError(
                f"groups are incomplete: {gap}; put every entry in a group (weight 0 leaves a group unpenalised)"
            )
        starts = np.cumsum([0, *map(len, rows)])
        return Address(starts.astype(np.int64), members.astype(np.int64), strided=False)

    def check(self, shape: Shape) -> None:
        n_entries = int(np.prod(shape))
        if n_entries != len(self._address.members):
            raise ValueError(
                f"groups cover {len(self._address.members)} entries, but the array of shape {shape} has "
                f"{n_entries}; give groups for every entry, in C order"
            )

    def address(self, shape: Shape) -> Address:
        self.check(shape)
        return self._address

    def sizes(self, shape: Shape) -> Indices:
        """Number of entries in each group."""
        return np.diff(self._address.starts)

    def group_shape(self, shape: Shape) -> Shape:
        """Shape of an array with one number per group."""
        return (self._address.n_groups,)

    def norms(self, w: Array) -> Array:
        """Euclidean norm of each group."""
        starts, members, _ = self.address(tuple(w.shape))
        xp = namespace(w)
        squares = xp.reshape(w * w, (-1,))
        if xp is np:
            return np.asarray(np.sqrt(np.add.reduceat(squares[members], starts[:-1])))
        # The array API has no sum over segments: gather the groups as rows, filled up with a zero.
        squares = xp.concat([squares, xp.zeros_like(squares[:1])])
        rows = xp.reshape(xp.take(squares, xp.asarray(self._padded.reshape(-1))), self._padded.shape)
        return xp.sqrt(xp.sum(rows, axis=1))

    def spread(self, per_group: Array, shape: Shape) -> Array:
        """One number per group -> its value at every entry."""
        xp = namespace(per_group)
        return xp.reshape(xp.take(per_group, xp.asarray(self._labels)), shape)

    @cached_property
    def _labels(self) -> Indices:
        """The group of each entry."""
        starts, members, _ = self._address
        labels = np.empty(len(members), dtype=np.int64)
        labels[members] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        return labels

    @cached_property
    def _padded(self) -> Indices:
        """The members of each group as a row, filled up with the index one past the last entry."""
        starts, members, _ = self._address
        sizes = np.diff(starts)
        filled = np.arange(sizes.max()) < sizes[:, None]
        rows = np.full(filled.shape, len(members), dtype=np.int64)
        rows[filled] = members
        return rows


def _rows_of(groups: Any) -> list[npt.NDArray[Any]]:
    """Labels or lists of indices -> one index array per group."""
    if isinstance(groups, np.ndarray) or (len(groups) > 0 and all(np.ndim(group) == 0 for group in groups)):
        labels = np.asarray(groups).reshape(-1)
        if labels.dtype.kind not in "iu":
            raise TypeError(f"groups as labels must be integers, got dtype {labels.dtype}")
        order = np.argsort(labels, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [np.asarray(group) for group in groups]


@dataclass(frozen=True)
class Spectrum:
    """The singular values of the parameter seen as a matrix: first axis by all the others."""

    def check(self, shape: Shape) -> None:
        if len(shape) < 2:
            raise ValueError(f"a spectrum needs a matrix, got shape {shape}; reshape the parameter to two axes")

    def matrix(self, w: Array) -> Array:
        self.check(w.shape)
        return namespace(w).reshape(w, (w.shape[0], -1))

    def factors(self, w: Array) -> tuple[Array, Array, Array]:
        """Thin singular value decomposition U, s, V^T."""
        u, s, vt = namespace(w).linalg.svd(self.matrix(w), full_matrices=False)
        return u, s, vt


Layout = Entries | Rows | Groups | Spectrum
