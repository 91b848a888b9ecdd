"""What each operator does, drawn: its prox in one dimension, in the plane, and on signals and matrices.

The points are the library's prox. The lines are another method's: grids over psi written apart, nearest points of
drawn sets, and for signals what the last note says. To show another operator add a line to `LINES`, `PLANES` or
`SIGNALS`.
"""

from validation.claim import Gallery
from validation.gallery.lines import LINES
from validation.gallery.planes import PLANES
from validation.gallery.signals import SIGNALS

__all__ = ["galleries"]


def galleries() -> tuple[Gallery, ...]:
    """The galleries, the same on every call."""
    return (
        Gallery(
            "In one dimension: what a prox shrinks, keeps and sets to zero",
            tuple(line.picture() for line in LINES),
            "Each panel: w on the horizontal axis, the minimiser u of step ψ(u) + (u - w)²/2 on the vertical one. "
            "Where the line is broken the minimiser jumps, as only a ψ that is not convex makes it.",
        ),
        Gallery(
            "In the plane: level sets of ψ, and where its prox sends a circle",
            tuple(plane.picture() for plane in PLANES),
            "Thin lines are level sets of ψ, or the set itself where ψ is an indicator. The prox is taken of points "
            "evenly spread on the dashed circle: where their images gather is the structure that ψ favours.",
        ),
        Gallery(
            "On signals, spectra and blocks: before and after",
            tuple(panel.picture() for panel in SIGNALS),
            "The other method: bounded least squares on the dual of a signal; the root of a multiplier for the "
            "envelope and the k-support norm; a grid for each singular value by itself; all choices, or a grid, in "
            "each block.",
        ),
    )
