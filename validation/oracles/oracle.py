"""What an oracle is: another method for the same prox, and psi written apart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class NoAnswer(ArithmeticError):
    """The other method failed: a solver gave up."""


@dataclass(frozen=True)
class Oracle:
    """Another method for the prox of one example of the registry, in float64.

    Parameters
    ----------
    method : "grid", "enumeration", "bisection", "convex program", "conjugate" (Moreau), ...
    value : (regularizer, w) -> psi(w), written apart; infinite outside the domain, but not for rounding.
    minimiser : (regularizer, w, step, metric or None) -> a minimiser of the prox objective, by the other method;
        raises NoAnswer where that fails.
    resolution : how far its objective may lie above the minimum, relative to 1 + the size of the terms.
    """

    method: str
    value: Callable[[Any, Array], float]
    minimiser: Callable[[Any, Array, float, Array | None], Array]
    resolution: float


@dataclass(frozen=True)
class Comparison:
    """Relative to 1 + the size of the terms.

    Attributes
    ----------
    excess : how far the objective of the library's prox lies above the oracle's (negative: below).
    value_error : difference between the library's psi and the oracle's, at the library's prox.
    """

    excess: float
    value_error: float


def compare(oracle: Oracle, regularizer: Any, w: Array, step: float, metric: Array | None = None) -> Comparison:
    """The library's prox beside the oracle's, by the oracle's psi."""
    u = regularizer.prox(w, step) if metric is None else regularizer.prox(w, step, metric)
    best = oracle.minimiser(regularizer, w, step, metric)
    weights = np.ones_like(w) if metric is None else metric

    def objective(x: Array) -> float:
        return step * oracle.value(regularizer, x) + float(np.sum(weights * (x - w) ** 2)) / 2

    size = 1 + float(np.sum(weights * w**2)) / 2
    ours, value = oracle.value(regularizer, u), regularizer.value(u)
    return Comparison((objective(u) - objective(best)) / size, abs(ours - value) * step / size)
