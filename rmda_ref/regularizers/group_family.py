"""Families of groups that may overlap: lists of indices, their radii, and arrays in float64."""

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.layout import Address, Entries, Shape
from rmda_ref.namespace import Array, NoEvaluation
from rmda_ref.regularizers.base import Regularizer

Vector = npt.NDArray[np.float64]


class GroupFamily(Regularizer):
    """A penalty of groups given as lists of indices in C order, which it may see only through the magnitudes |w_i|.

    For NumPy arrays; computed in float64, whatever the dtype of the parameter.
    """

    lam: float
    groups: Any
    weights: Any
    layout = Entries()
    driven = "whole"
    homogeneity = 1.0

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        if self.weights is not None:
            checks.weights("weights", self.weights)
        checks.one_each("weights", self.weights, self.address.n_groups, "groups")

    @cached_property
    def address(self) -> Address:
        """Where the groups lie."""
        lists = [np.asarray(group) for group in self.groups]
        if not lists or min(group.size for group in lists) == 0:
            raise ValueError("groups must be one or more lists of indices, none of them empty; leave empty groups out")
        for number, group in enumerate(lists):
            if group.dtype.kind not in "iu" or group.ndim != 1:
                raise TypeError(f"groups must be lists of integer indices, got {group.dtype} in group {number}")
            if group.min() < 0:
                raise ValueError(
                    f"group {number} has the negative index {group.min()}; count entries from 0, in C order"
                )
            if len(np.unique(group)) < len(group):
                raise ValueError(f"group {number} names an entry twice; name each entry once")
        starts = np.cumsum([0, *map(len, lists)])
        return Address(starts.astype(np.int64), np.concatenate(lists).astype(np.int64), strided=False)

    @cached_property
    def _largest(self) -> int:
        return int(self.address.members.max())

    def check(self, shape: Shape) -> None:
        n_entries = int(np.prod(shape))
        if self._largest >= n_entries:
            raise ValueError(
                f"groups name entry {self._largest}, but an array of shape {shape} has {n_entries}; "
                "indices count the entries in C order, from 0"
            )

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"signs"})

    @cached_property
    def radii(self) -> Vector:
        """lam weight_g for each group."""
        sizes = np.diff(self.address.starts)
        weights = np.sqrt(sizes) if self.weights is None else np.asarray(np.ravel(self.weights), dtype=np.float64)
        return self.lam * weights

    def strengths(self, shape: Shape) -> Array:
        return self.radii

    def group_norms(self, x: Vector) -> Vector:
        """||x_g|| of each group, without squares that leave the range."""
        starts, members, _ = self.address
        lengths = np.diff(starts)
        largest = np.maximum.reduceat(np.abs(x)[members], starts[:-1])
        scale = np.where(largest > 0, largest, 1.0)
        ratios = x[members] / np.repeat(scale, lengths)
        return np.asarray(largest * np.sqrt(np.add.reduceat(ratios * ratios, starts[:-1])))

    def flat(self, x: Array) -> Vector:
        """The entries in C order, in float64, of a NumPy array that fits."""
        if not isinstance(x, np.ndarray):
            raise NoEvaluation(type(self).__name__, x)
        self.check(x.shape)
        return np.ascontiguousarray(x, dtype=np.float64).reshape(-1)


def like(x: Vector, w: Array) -> Array:
    """A result in the shape and dtype of the parameter, without negative zeros."""
    return (x.reshape(w.shape) + 0.0).astype(w.dtype)
