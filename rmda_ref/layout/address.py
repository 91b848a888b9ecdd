"""Where the entries of groups lie, and how a dual point lies to magnitudes."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rmda_ref.namespace import Array

Shape = tuple[int, ...]
Indices = npt.NDArray[np.int64]


class Address(NamedTuple):
    """Where the entries of group a lie: ``members[starts[a] + j]``, or ``starts[a] + members[j]``, with members that
    increase from 0, if ``strided``."""

    starts: Indices  # (n_groups,) if strided, else (n_groups + 1,)
    members: Indices
    strided: bool

    @property
    def n_groups(self) -> int:
        return len(self.starts) - (not self.strided)

    @property
    def longest(self) -> int:
        """Number of entries of the longest group."""
        return len(self.members) if self.strided else int(np.diff(self.starts).max())

    @property
    def contiguous(self) -> bool:
        """Whether each group is one run of memory, so that its size alone tells where it lies."""
        return self.strided and (len(self.members) == 0 or int(self.members[-1]) == len(self.members) - 1)

    def lists(self) -> list[Indices]:
        """The entries of each group, as indices in C order."""
        if self.strided:
            return [start + self.members for start in self.starts]
        return np.split(self.members, self.starts[1:-1])


class Coordinates(NamedTuple):
    """A dual point v seen from a point w whose magnitudes a function depends on.

    Attributes
    ----------
    magnitudes : z, at least 0
    along : like ``magnitudes``; <v, direction of w> where z > 0, the magnitude of v where z = 0
    across : Euclidean norm of what is left of v; no subgradient at w has such a part
    """

    magnitudes: Array
    along: Array
    across: float
