"""The panels of the plane: add an operator of two numbers here, with psi or the set written apart."""

import numpy as np

from rmda_ref.layout import Rows
from rmda_ref.regularizers import (
    L1,
    MCP,
    ExclusiveLasso,
    FusedLasso,
    GroupLasso,
    GroupMax,
    GroupSparseEnvelope,
    L1Ball,
    L2Ball,
    LatentGroupLasso,
    OverlappingGroupLasso,
    Simplex,
    Slope,
    SparseGroupLasso,
    TopK,
    TotalVariation,
    TreeGroupLasso,
    TrimmedL1,
)
from validation.gallery.lines import mcp
from validation.gallery.plane import Array, Penalty, Plane, Set

CORNERS = 1.5 * np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0], [1.0, 0.0]])
ANGLES = np.linspace(0, 2 * np.pi, 1001)  # a polygon that leaves its circle by 7e-6
CIRCLE = 1.5 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
AXES = 2.4 * np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])

PLANES: tuple[Plane, ...] = (
    Penalty(L1(1.0), "corners on the axes", lambda x, y: abs(x) + abs(y)),
    Penalty(GroupLasso(1.0, axis=0, weights=[1.0]), "one corner, at 0", np.hypot),
    Penalty(GroupMax(1.0), "edges where |w₁| = |w₂|", lambda x, y: np.maximum(abs(x), abs(y))),
    Penalty(
        SparseGroupLasso(1.4, 0.5, axis=0, weights=[1.0]),
        "corners, and one at 0",
        lambda x, y: 0.7 * (abs(x) + abs(y) + np.hypot(x, y)),
    ),
    Penalty(
        Slope(1.0, [1.0, 0.4]),
        "corners on diagonals too",
        lambda x, y: np.maximum(abs(x), abs(y)) + 0.4 * np.minimum(abs(x), abs(y)),
    ),
    Penalty(ExclusiveLasso(0.7), "the larger one wins", lambda x, y: 0.35 * (abs(x) + abs(y)) ** 2),
    Penalty(
        GroupSparseEnvelope(0.7, 1, groups=[[0], [1]], weights=[1.0, 4.0]),
        "w₂ costs four times w₁",
        lambda x, y: 0.35 * (abs(x) + 2 * abs(y)) ** 2,
    ),
    Penalty(MCP(1.0, 1.5), "no pull on large entries", lambda x, y: mcp(x, 1.0, 1.5) + mcp(y, 1.0, 1.5)),
    Penalty(MCP(1.0, 1.5, layout=Rows(None)), "of the norm, as one group", lambda x, y: mcp(np.hypot(x, y), 1.0, 1.5)),
    Penalty(
        TreeGroupLasso(1.0, [[0], [0, 1]], [0.7, 0.7]),
        "w₁ only with w₂",
        lambda x, y: 0.7 * abs(x) + 0.7 * np.hypot(x, y),
    ),
    Penalty(
        OverlappingGroupLasso(1.0, [[0], [1], [0, 1]], [0.5, 0.5, 0.5]),
        "both, one, or none",
        lambda x, y: (abs(x) + abs(y) + np.hypot(x, y)) / 2,
    ),
    Penalty(
        LatentGroupLasso(1.0, [[0], [1], [0, 1]], [1.0, 1.0, 1.2]),
        "a pair costs less than two",
        lambda x, y: square_and_disc(x, y, 1.2),
    ),
    Penalty(TotalVariation(0.5), "equal neighbours", lambda x, y: abs(y - x) / 2),
    Penalty(
        FusedLasso(1.0, l1_ratio=0.5),
        "equal neighbours, or 0",
        lambda x, y: (abs(x) + abs(y) + abs(y - x)) / 2,
    ),
    Penalty(TrimmedL1(1.0, 1), "the larger one is free", lambda x, y: np.minimum(abs(x), abs(y))),
    Set(TopK(1), "the larger one stays", (AXES[:2], AXES[2:])),
    Set(L1Ball(1.5), "often a corner", (CORNERS,), lambda x, y: abs(x) + abs(y) <= 1.5),
    Set(L2Ball(1.5), "no point is favoured", (CIRCLE,), lambda x, y: x * x + y * y <= 1.5**2),
    Set(Simplex(1.5), "shares of a whole", (CORNERS[:2],)),
)


def square_and_disc(x: Array, y: Array, radius: float) -> Array:
    """The support function of [-1, 1]^2 cut by a disc: on its arc, or at the corner where that meets a side."""
    norm, larger, smaller = np.hypot(x, y), np.maximum(abs(x), abs(y)), np.minimum(abs(x), abs(y))
    on_the_arc = radius * larger <= norm
    return np.where(on_the_arc, radius * norm, larger + np.sqrt(radius**2 - 1) * smaller)
