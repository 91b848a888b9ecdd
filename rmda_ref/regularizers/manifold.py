"""What structure a point has: small hashable values, equal when the structures are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Support:
    """Which entries or groups are nonzero.

    >>> support = Support.of(np.array([True, False, True]))
    >>> support.n_active, support == Support.of(np.array([1.0, 0.0, -2.0]) != 0)
    (2, True)
    """

    packed: bytes
    shape: tuple[int, ...]

    @classmethod
    def of(cls, mask: npt.NDArray[np.bool_]) -> "Support":
        return cls(np.packbits(mask).tobytes(), mask.shape)

    @property
    def mask(self) -> npt.NDArray[Any]:
        """Boolean array, True where active."""
        size = int(np.prod(self.shape))
        bits = np.unpackbits(np.frombuffer(self.packed, dtype=np.uint8), count=size)
        return bits.astype(bool).reshape(self.shape)

    @property
    def n_active(self) -> int:
        return int(self.mask.sum())


@dataclass(frozen=True)
class Rank:
    """Matrices of this rank."""

    rank: int


@dataclass(frozen=True)
class Levels:
    """Which level set each entry lies on: a small integer an entry, as the regularizer numbers its levels.

    >>> Levels.of(np.array([0, 2, 2])) == Levels.of(np.array([0, 2, 2])), Levels.of(np.array([0, 1])).codes
    (True, array([0, 1]))
    """

    packed: bytes
    shape: tuple[int, ...]

    @classmethod
    def of(cls, codes: npt.NDArray[Any]) -> "Levels":
        return cls(codes.astype(np.int64).tobytes(), codes.shape)

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Integer array."""
        return np.frombuffer(self.packed, dtype=np.int64).reshape(self.shape)


@dataclass(frozen=True)
class WholeSpace:
    """No structure: every point is alike."""


Manifold = Support | Rank | Levels | WholeSpace | tuple[tuple[str, "Manifold"], ...]
