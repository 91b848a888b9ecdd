"""Where a law is tried, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[Any]
KINDS = ("generic", "sparse", "tied", "zero")


@dataclass(frozen=True, eq=False)
class Case:
    """Two points, a step and a metric.

    Attributes
    ----------
    w, other : arrays of the same shape and dtype
    step : float, positive
    metric : array like ``w`` with positive entries
    seed : for whatever else a law draws
    """

    w: FloatArray
    other: FloatArray
    step: float
    metric: FloatArray
    seed: int

    @classmethod
    def draw(cls, seed: int, shape: tuple[int, ...], dtype: Any, step: float, kind: str = "generic") -> "Case":
        """A random case: ``kind`` says whether ``w`` has zeros, ties, or is 0; sizes span four decades."""
        rng = np.random.default_rng(seed)
        size = 1.0 if kind == "tied" else 10.0 ** rng.uniform(-2, 2)
        w = rng.standard_normal(shape) * size
        if kind == "sparse":
            w = w * (rng.random(shape) < 0.5)
        elif kind == "tied":
            w = rng.integers(-4, 5, shape) / 2
        elif kind == "zero":
            w = np.zeros(shape)
        other = rng.standard_normal(shape) * 10.0 ** rng.uniform(-2, 2)
        metric = rng.uniform(0.2, 5.0, shape)
        return cls(w.astype(dtype), other.astype(dtype), step, metric.astype(dtype), seed)

    def at(self, **changes: Any) -> "Case":
        return replace(self, **changes)

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, 1])

    @property
    def eps(self) -> float:
        return float(np.finfo(self.w.dtype).eps)


@dataclass(frozen=True)
class Outcome:
    """How far a law was from failing: it holds up to 1 (in units of its allowance for rounding)."""

    excess: float
    said: Callable[[], str] = lambda: ""

    @property
    def holds(self) -> bool:
        return bool(self.excess <= 1)  # False for NaN


def size_of(x: FloatArray) -> float:
    """Euclidean norm that neither overflows nor underflows; NaN if there is one."""
    largest = float(np.abs(x).max(initial=0))
    return largest and largest * float(np.linalg.norm(x.astype(np.float64) / largest))


def dot(x: FloatArray, y: FloatArray) -> float:
    return float(np.sum(x.astype(np.float64) * y.astype(np.float64)))


def worst(*outcomes: Outcome) -> Outcome:
    """The one nearest to failing, or failed worst; NaN is the worst of all."""
    return max(outcomes, key=lambda outcome: np.inf if np.isnan(outcome.excess) else outcome.excess)
