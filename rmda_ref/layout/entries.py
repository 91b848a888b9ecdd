"""Every entry by itself."""

from dataclasses import dataclass

from rmda_ref.layout.address import Coordinates, Shape
from rmda_ref.namespace import Array, namespace


def magnitudes(w: Array) -> Array:
    return namespace(w).abs(w)


def coordinates(w: Array, v: Array) -> Coordinates:
    """Of entries: every dual point lies along them."""
    xp = namespace(w)
    return Coordinates(xp.abs(w), xp.where(w != 0, v * xp.sign(w), xp.abs(v)), 0.0)


@dataclass(frozen=True)
class Entries:
    """Every entry by itself."""

    def check(self, shape: Shape) -> None:
        """Entries fit any shape."""

    def magnitudes(self, w: Array) -> Array:
        """|w|."""
        return magnitudes(w)

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        return coordinates(w, v)

    def sizes(self, shape: Shape) -> int:
        """Number of entries behind a magnitude."""
        return 1
