"""f(w) = 1/2 <w - target, H (w - target)>, with Gaussian gradient noise."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rmda_ref import checks
from rmda_ref.losses.design import matching
from rmda_ref.namespace import Array, moved, namespace


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A convex quadratic of any spectrum.

    Parameters
    ----------
    target : array of any shape, float64, of any array-API namespace
        The minimiser. Its namespace and device are those of the problem: weights are taken and gradients returned
        there. Noise is drawn by NumPy everywhere, so that runs compare.
    hessian : array like the target, shape (n, n) for its n entries, symmetric positive semidefinite
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
        xp, n = namespace(self.target), math.prod(self.target.shape)
        if not xp.all(xp.isfinite(self.target)):
            raise ValueError(f"target must be finite, got {self.target}; it is the minimiser of f")
        if matching("hessian", self.hessian, self.target, "target").shape != (n, n):
            raise ValueError(f"hessian has shape {tuple(self.hessian.shape)}; a target of {n} entries needs ({n}, {n})")
        if not xp.all(self.hessian == self.hessian.T):
            raise ValueError("hessian must be symmetric; use (hessian + hessian.T) / 2")
        if self._spectrum[0] < -1e-12 * self._spectrum[-1]:
            raise ValueError(f"hessian has the negative eigenvalue {float(self._spectrum[0]):g}; f must be convex")
        checks.nonnegative("noise", self.noise)

    @classmethod
    def correlated(cls, target: Array, correlation: float, noise: float = 0.0) -> "Quadratic":
        """H_ij = correlation^|i - j|: unit curvature along each axis, neighbours coupled (|correlation| < 1)."""
        index = np.arange(math.prod(target.shape))
        hessian = correlation ** np.abs(np.subtract.outer(index, index))
        return cls(target, moved(hessian, target), noise)

    @cached_property
    def _spectrum(self) -> Array:
        return namespace(self.hessian).linalg.eigvalsh(self.hessian)

    @property
    def lipschitz(self) -> float:
        """The largest eigenvalue of H."""
        return float(self._spectrum[-1])

    def value(self, w: Array) -> float:
        """f(w), summed over copies."""
        return float(namespace(w).sum((w - self.target) * self.gradient(w))) / 2

    def gradient(self, w: Array) -> Array:
        """H (w - target), exact."""
        xp, difference = namespace(self.target), w - self.target
        return xp.reshape(xp.reshape(difference, (-1, self.hessian.shape[0])) @ self.hessian, w.shape)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """The gradient plus independent Gaussian noise."""
        noise = rng.standard_normal(tuple(w.shape))
        return self.gradient(w) + self.noise * moved(noise, w)
