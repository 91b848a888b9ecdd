"""Penalties of one number: the prox as a function, beside the minimiser found on a dense grid."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rmda_ref.regularizers import (
    L0,
    L1,
    MCP,
    SCAD,
    Box,
    CappedL1,
    DiscreteSet,
    ElasticNet,
    LHalf,
    LogSum,
    LTwoThirds,
    NonnegativeL1,
    Regularizer,
)
from validation.claim import Picture
from validation.gallery.naming import BY_ANOTHER_METHOD, line, points, titled
from validation.oracles.grid import scalar_minimiser

Array = NDArray[np.float64]
REACH = 3.03  # of w; odd, so that no point is a threshold, where two minimisers tie
LINE, EVERY = 241, 8  # points of the line, and which of them are shown as points
JUMP = 0.1  # a rise between neighbours that no slope below 4 explains


@dataclass(frozen=True)
class Line:
    """A panel: psi = regularizer of one number, ``phi`` the same written apart, or ``levels`` for a discrete set.

    The minimiser is sought between -REACH and REACH, where every one of them lies.
    """

    regularizer: Regularizer
    what: str
    phi: Callable[[Array], Array] | None = None
    step: float = 1.0
    levels: tuple[float, ...] = ()

    def picture(self) -> Picture:
        w = np.linspace(-REACH, REACH, LINE)
        found = np.array([self.minimiser(x) for x in w])
        x, y = broken(w, found)
        some = w[EVERY // 2 :: EVERY]
        return Picture(
            titled(self.regularizer, self.what),
            "w",
            "prox of w",
            (
                line("identity", (-REACH, REACH), (-REACH, REACH), "bar"),
                line(BY_ANOTHER_METHOD, x, y, "predicted"),
                points(some, self.regularizer.prox(some, self.step)),
            ),
            aspect="equal",
        )

    def minimiser(self, w: float) -> float:
        """By the grid, or by trying all levels."""
        if self.phi is None:
            return min(self.levels, key=lambda level: abs(level - w))
        return scalar_minimiser(self.phi, w, self.step, 1.0, -REACH, REACH)


def broken(x: Array, y: Array) -> tuple[Array, Array]:
    """The curve with NaN at its jumps."""
    jumps = np.flatnonzero(np.abs(np.diff(y)) > JUMP) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)


LINES = (
    Line(L1(1.0), "soft threshold", np.abs),
    Line(NonnegativeL1(1.0), "none below 0", lambda y: np.where(y < 0, np.inf, y)),
    Line(ElasticNet(2.0, 0.5), "shrunk in proportion, too", lambda y: np.abs(y) + y**2 / 2),
    Line(MCP(1.0, 2.0), "step below γ: firm", lambda y: mcp(y, 1.0, 2.0)),
    Line(MCP(1.0, 2.0), "step beyond γ: hard", lambda y: mcp(y, 1.0, 2.0), 3.0),
    Line(SCAD(0.8, 3.0), "step below a - 1", lambda y: scad(y, 0.8, 3.0)),
    Line(SCAD(0.6, 3.0), "step beyond a - 1", lambda y: scad(y, 0.6, 3.0), 3.0),
    Line(CappedL1(1.0, 1.0), "soft, or as it is", lambda y: np.minimum(np.abs(y), 1.0)),
    Line(LogSum(1.0, 0.5), "bias falls like 1/|w|", lambda y: np.log1p(np.abs(y) / 0.5)),
    Line(LTwoThirds(1.0), "between l1 and l1/2", lambda y: np.abs(y) ** (2 / 3)),
    Line(LHalf(1.0), "between l1 and l0", lambda y: np.sqrt(np.abs(y))),
    Line(L0(1.0), "hard threshold", lambda y: np.where(y == 0, 0.0, 1.0)),
    Line(Box(-1.0, 1.5), "projection", lambda y: np.where((y < -1.0) | (y > 1.5), np.inf, 0.0)),
    Line(DiscreteSet((-1.0, 1.0)), "binary", levels=(-1.0, 1.0)),
    Line(DiscreteSet.ternary(1.0), "ternary", levels=(-1.0, 0.0, 1.0)),
    Line(DiscreteSet.uniform(-2.0, 2.0, 5), "five levels", levels=(-2.0, -1.0, 0.0, 1.0, 2.0)),
)


def mcp(y: Array, lam: float, gamma: float) -> Array:
    z = np.minimum(np.abs(y), gamma * lam)
    return lam * z - z**2 / (2 * gamma)


def scad(y: Array, lam: float, a: float) -> Array:
    z = np.abs(y)
    middle = (2 * a * lam * z - z**2 - lam**2) / (2 * (a - 1))
    return np.where(z <= lam, lam * z, np.where(z <= a * lam, middle, lam**2 * (a + 1) / 2))
