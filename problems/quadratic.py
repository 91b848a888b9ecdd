"""f(w) = 1/2 <w - target, H (w - target)>, with Gaussian gradient noise."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A convex quadratic of any spectrum.

    Parameters
    ----------
    target : array of any shape, float64
        The minimiser.
    hessian : array, shape (n, n) with n = target.size, symmetric positive semidefinite
        Acts on the flattened target.
    noise : float, at least 0
        Standard deviation of each entry of the gradient noise, per step.

    Raises
    ------
    ValueError
        If the target is not finite; if the Hessian does not fit it, is not symmetric, or has a negative eigenvalue; if
        the noise is negative or not finite.

    Notes
    -----
    Every method takes ``w`` of shape (…, *target.shape): leading axes are independent copies (seeds), each with
    its own noise.

    >>> f = Quadratic(np.array([1.0, 2.0]), np.diag([1.0, 3.0]))
    >>> f.gradient(np.zeros(2)), f.lipschitz
    (array([-1., -6.]), 3.0)
    """

    target: Array
    hessian: Array
    noise: float = 0.0

    def __post_init__(self) -> None:
        n = self.target.size
        if not np.isfinite(self.target).all():
            raise ValueError(f"target must be finite, got {self.target}; it is the minimiser of f")
        if self.hessian.shape != (n, n):
            raise ValueError(f"hessian has shape {self.hessian.shape}; a target of {n} entries needs ({n}, {n})")
        if not np.array_equal(self.hessian, self.hessian.T):
            raise ValueError("hessian must be symmetric; use (hessian + hessian.T) / 2")
        if self._spectrum[0] < -1e-12 * self._spectrum[-1]:
            raise ValueError(f"hessian has the negative eigenvalue {self._spectrum[0]:g}; f must be convex")
        checks.nonnegative("noise", self.noise)

    @classmethod
    def correlated(cls, target: Array, correlation: float, noise: float = 0.0) -> "Quadratic":
        """H_ij = correlation^|i - j|: unit curvature along each axis, neighbours coupled (|correlation| < 1)."""
        distance = np.abs(np.subtract.outer(np.arange(target.size), np.arange(target.size)))
        return cls(target, correlation**distance, noise)

    @cached_property
    def _spectrum(self) -> Array:
        return np.linalg.eigvalsh(self.hessian)

    @property
    def lipschitz(self) -> float:
        """The largest eigenvalue of H."""
        return float(self._spectrum[-1])

    def value(self, w: Array) -> float:
        """f(w), summed over copies."""
        return float(np.sum((w - self.target) * self.gradient(w)) / 2)

    def gradient(self, w: Array) -> Array:
        """H (w - target), exact."""
        difference = w - self.target
        return np.asarray((difference.reshape(-1, self.target.size) @ self.hessian).reshape(w.shape))

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """The gradient plus independent Gaussian noise."""
        return self.gradient(w) + self.noise * rng.standard_normal(w.shape)
