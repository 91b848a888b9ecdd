"""Logistic regression on a population: the minimiser is the truth, and every expectation is one-dimensional.

With x ~ N(0, I) and P(y = 1 | x) = sigma(<x, w*>),

    f(w) = E[log(1 + e^{<x, w>}) - y <x, w>].

The model is well specified, so f is minimal at w*. By Stein's identity E[x h(<x, w>)] = E[h'(<x, w>)] w,

    f(w) = E[softplus(|w| z)] - k(|w*|) <w*, w>,     grad f(w) = k(|w|) w - k(|w*|) w*,     k(r) = E sigma'(r z),

with z ~ N(0, 1), computed by Gauss-Hermite quadrature.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[Any]
N_NODES = 150  # for |w| up to about 10 the quadrature is exact to rounding
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(N_NODES)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def _curvature(radius: float) -> float:
    """k(r) = E sigma'(r z)."""
    p = expit(radius * NODES)
    return float(WEIGHTS @ (p * (1 - p)))


@dataclass(frozen=True, eq=False)
class PopulationLogistic:
    """Logistic loss over a Gaussian population in which the model is right.

    Parameters
    ----------
    target : array, shape (d,), float64
        w*, the truth and the minimiser.
    batch_size : int, at least 1
        Fresh samples per noisy gradient.

    >>> f = PopulationLogistic(np.array([1.0, -2.0]))
    >>> np.abs(f.gradient(f.target)).max()
    np.float64(0.0)
    """

    target: Array
    batch_size: int = 1

    def __post_init__(self) -> None:
        if self.target.ndim != 1:
            raise ValueError(f"target has shape {self.target.shape}; it must be a vector")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {self.batch_size}")

    lipschitz = 0.25  # sigma' <= 1/4 and E x x^T = I

    @cached_property
    def _pull(self) -> Array:
        return _curvature(float(np.linalg.norm(self.target))) * self.target

    def value(self, w: Array) -> float:
        """f(w), mean per sample."""
        radius = float(np.linalg.norm(w))
        return float(WEIGHTS @ np.logaddexp(0, radius * NODES) - self._pull @ w)

    def gradient(self, w: Array) -> Array:
        """The exact gradient, mean per sample."""
        return np.asarray(_curvature(float(np.linalg.norm(w))) * w - self._pull)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """The mean gradient of ``batch_size`` fresh samples."""
        x = rng.standard_normal((self.batch_size, self.target.size))
        y = rng.random(self.batch_size) < expit(x @ self.target)
        return np.asarray((expit(x @ w) - y) @ x / self.batch_size)
