"""Any partition of the entries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.layout import entries
from rmda_ref.layout.address import Address, Coordinates, Indices, Shape
from rmda_ref.namespace import Array, moved, namespace


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
        xp = namespace(w)
        largest = self._reduced(xp.abs(w), np.maximum, xp.max)  # squares of the quotients stay in range
        scaled = w / self.spread(xp.where(largest > 0, largest, xp.ones_like(largest)), w.shape)
        return largest * xp.sqrt(self.dots(scaled, scaled))

    def dots(self, v: Array, w: Array) -> Array:
        """<v_g, w_g> of each group."""
        return self._reduced(v * w, np.add, namespace(w).sum)

    def _reduced(self, x: Array, ufunc: np.ufunc, reduction: Callable[..., Array]) -> Array:
        """A reduction of each group, of numbers at least 0 or a sum."""
        starts, members, _ = self.address(tuple(x.shape))
        xp = namespace(x)
        flat = xp.reshape(x, (-1,))
        if xp is np:
            return np.asarray(ufunc.reduceat(flat[members], starts[:-1]))
        # The array API has no reduction over segments: gather the groups as rows, filled up with a zero.
        flat = xp.concat([flat, xp.zeros_like(flat[:1])])
        rows = xp.reshape(xp.take(flat, moved(self._padded.reshape(-1), x)), self._padded.shape)
        return reduction(rows, axis=1)

    def spread(self, per_group: Array, shape: Shape) -> Array:
        """One number per group -> its value at every entry."""
        xp = namespace(per_group)
        return xp.reshape(xp.take(per_group, moved(self._labels, per_group)), shape)

    def rows(self, x: Array) -> list[Array]:
        """Each group as a matrix of one row."""
        xp = namespace(x)
        flat = xp.reshape(x, (-1,))
        return [xp.reshape(xp.take(flat, moved(group, x)), (1, -1)) for group in self._address.lists()]

    def batches(self, x: Array) -> list[tuple[Array, Indices]]:
        """Groups of one length as the rows of a matrix, each with the places of its groups among all."""
        xp = namespace(x)
        flat = xp.reshape(x, (-1,))
        taken = [(xp.take(flat, moved(m.reshape(-1), x)), m.shape, numbers) for m, numbers in self._by_length]
        return [(xp.reshape(entries, shape), numbers) for entries, shape, numbers in taken]

    def from_batches(self, matrices: list[Array], shape: Shape) -> Array:
        """The way back from `batches`: an array of this shape."""
        xp = namespace(matrices[0])
        flat = xp.concat([xp.reshape(matrix, (-1,)) for matrix in matrices])
        return xp.reshape(xp.take(flat, moved(self._way_back, flat)), shape)

    def magnitudes(self, w: Array) -> Array:
        """|w|: what a function of a row of magnitudes sees."""
        return entries.magnitudes(w)

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        return entries.coordinates(w, v)

    @cached_property
    def _labels(self) -> Indices:
        """The group of each entry."""
        starts, members, _ = self._address
        labels = np.empty(len(members), dtype=np.int64)
        labels[members] = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        return labels

    @cached_property
    def _by_length(self) -> list[tuple[Indices, Indices]]:
        """For each length, the entries of the groups of that length as rows, and the places of these groups."""
        starts, members, _ = self._address
        sizes = np.diff(starts)
        places = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
        return [(members[starts[where, None] + np.arange(sizes[where[0]])], where) for where in places]

    @cached_property
    def _way_back(self) -> Indices:
        """Where each entry stands among those of `_by_length`."""
        return np.argsort(np.concatenate([members.reshape(-1) for members, _ in self._by_length]))

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
