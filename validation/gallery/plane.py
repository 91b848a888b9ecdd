"""Functions of two numbers: level sets, and the prox of points on a circle beside minimisers found on grids."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import contourpy
import numpy as np
from numpy.typing import NDArray

from rmda_ref.regularizers import Regularizer
from validation.claim import Picture
from validation.gallery.naming import BY_ANOTHER_METHOD, START, STRUCTURE, line, points, titled

Array = NDArray[np.float64]
RADIUS, REACH = 2.0, 2.4  # of the circle, and of what is drawn
ANGLES, EVERY = 144, 4  # points of the circle, and which of them are shown as points
JUMP = 0.3  # neighbours on the circle are 0.09 apart
LEVELS = 7
CELL = 0.03  # of the grid that sees every valley
VALLEYS, ZOOM, ROUNDS = 3, 4, 6  # each round makes the cells four times smaller: 7e-6 at last


@dataclass(frozen=True)
class Plane(ABC):
    """A panel: the regularizer of two numbers, and how its prox is found by another method."""

    regularizer: Regularizer
    what: str

    step = 1.0

    @abstractmethod
    def minimiser(self, w: Array) -> Array:
        """The prox of ``w``, by another method."""

    @abstractmethod
    def lines(self) -> list[Array]:
        """Level sets, or the set: each line a matrix of two columns."""

    def picture(self) -> Picture:
        circle, lines = starts(), joined(self.lines())
        found = np.array([self.minimiser(w) for w in circle])
        found = np.vstack([found, found[:1]])
        jumps = np.flatnonzero(np.linalg.norm(np.diff(found, axis=0), axis=1) > JUMP) + 1
        found = np.insert(found, jumps, np.nan, axis=0)
        prox = np.array([self.regularizer.prox(w, self.step) for w in circle[::EVERY]])
        circle = np.vstack([circle, circle[:1]])
        return Picture(
            titled(self.regularizer, self.what),
            "w₁",
            "w₂",
            (
                line(STRUCTURE, lines[:, 0], lines[:, 1], "context"),
                line(START, circle[:, 0], circle[:, 1], "bar"),
                line(BY_ANOTHER_METHOD, found[:, 0], found[:, 1], "predicted"),
                points(prox[:, 0], prox[:, 1]),
            ),
            aspect="equal",
        )


@dataclass(frozen=True)
class Penalty(Plane):
    """``psi`` of the two coordinates is written apart from the library; its minimisers are found on grids."""

    psi: Callable[[Array, Array], Array]
    step: float = 1.0

    @cached_property
    def _coarse(self) -> tuple[Array, Array, Array]:
        axis = CELL * np.arange(-round(REACH / CELL), round(REACH / CELL) + 1)
        x, y = np.meshgrid(axis, axis)
        return x, y, self.psi(x, y)

    def lines(self) -> list[Array]:
        x, y, values = self._coarse
        contours = contourpy.contour_generator(x, y, values)
        levels = values.max() * np.arange(1, LEVELS) / LEVELS
        return [np.asarray(found) for level in levels for found in contours.lines(level)]

    def minimiser(self, w: Array) -> Array:
        """Around each of the three lowest points of a grid of the plane, finer and finer ones."""
        x, y, psi = self._coarse
        values = self.step * psi + ((x - w[0]) ** 2 + (y - w[1]) ** 2) / 2
        inner = values[1:-1, 1:-1]
        lowest = np.ones(inner.shape, dtype=bool)
        for rows in (slice(None, -2), slice(1, -1), slice(2, None)):
            for columns in (slice(None, -2), slice(1, -1), slice(2, None)):
                lowest &= inner <= values[rows, columns]
        valleys = np.argwhere(lowest) + 1
        order = np.argsort(values[tuple(valleys.T)], kind="stable")[:VALLEYS]
        tried = [self._descended(x[i, j], y[i, j], w) for i, j in valleys[order]]
        return min(tried)[1]

    def _descended(self, x: float, y: float, w: Array) -> tuple[float, Array]:
        """The least objective near a point of the grid, and where. Lines of grids pass through the axes."""
        near, cell = np.arange(-2 * ZOOM, 2 * ZOOM + 1), CELL
        value = np.inf
        for _ in range(ROUNDS):
            cell /= ZOOM
            across, up = x + cell * near, y + cell * near
            across[np.abs(across) < cell / 2], up[np.abs(up) < cell / 2] = 0.0, 0.0
            a, b = np.meshgrid(across, up)
            values = self.step * self.psi(a, b) + ((a - w[0]) ** 2 + (b - w[1]) ** 2) / 2
            best = np.argmin(values)
            x, y, value = float(a.flat[best]), float(b.flat[best]), float(values.flat[best])
        return value, np.array([x, y])


@dataclass(frozen=True)
class Set(Plane):
    """The indicator of a set, given by its ``outline`` and which points are ``inside``: minimisers are nearest ones."""

    outline: tuple[Array, ...]
    inside: Callable[[float, float], bool] = lambda x, y: False

    def lines(self) -> list[Array]:
        return list(self.outline)

    def minimiser(self, w: Array) -> Array:
        """The nearest point of the sides of the outline."""
        if self.inside(*w):
            return w
        found = []
        for piece in self.outline:
            start, side = piece[:-1], np.diff(piece, axis=0)
            along = np.clip(np.sum((w - start) * side, axis=1) / np.sum(side * side, axis=1), 0, 1)
            found.append(start + along[:, None] * side)
        nearest = np.vstack(found)
        return np.asarray(nearest[np.argmin(np.linalg.norm(nearest - w, axis=1))])


def starts() -> Array:
    """The points of the circle; none lies on an axis or a diagonal, where two minimisers tie."""
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    return RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def joined(lines: list[Array]) -> Array:
    """Lines as one, with NaN between them."""
    gap = np.full((1, 2), np.nan)
    return np.vstack([part for piece in lines for part in (piece, gap)][:-1]) if lines else gap
