"""Regularized problems whose global minimiser is chosen beforehand.

Take any f with a known global minimiser w* and a subgradient u of psi at w*. Then

    F(w) = f(w) - <u, w> + psi(w)

is minimal at w*, be f convex or not: f(w) >= f(w*), and psi(w) - <u, w> >= psi(w*) - <u, w*> by the definition of u.
The structure of w* is the structure of the solution, and the choice of u sets the margin with which it is identified.

Where psi is not convex there may be no such u. A prox gives one with a defect: at w* = prox_{s psi}(x) and
u = (x - w*)/s, psi(w) >= psi(w*) + <u, w - w*> - ||w - w*||^2/(2s), because w* minimises the objective of the prox. A
term ||w - w*||^2/(2s) makes up for it, and w* is the minimiser again, whatever f is.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from problems.tilt import subgradient
from rmda_ref import checks
from rmda_ref.certificates.margin import margin
from rmda_ref.regularizers import Manifold, Regularizer

Array = npt.NDArray[Any]


class Smooth(Protocol):
    """A smooth f with a known global minimiser and a stochastic oracle of its gradient."""

    @property
    def target(self) -> Array: ...
    def value(self, w: Array) -> float: ...
    def gradient(self, w: Array) -> Array: ...
    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array: ...


@dataclass(frozen=True, eq=False)
class Planted:
    """F(w) = f(w) - <tilt, w> + curvature/2 ||w - f.target||^2 + psi(w), minimal at ``f.target``.

    Parameters
    ----------
    smooth : f
    regularizer : psi
    tilt : array like ``smooth.target``
        u, a subgradient of psi at the target.
    curvature : float, at least 0
        1/s where psi is not convex, else 0.
    noise : float, at least 0
        Standard deviation, per entry and step, of Gaussian noise that is added to the stochastic gradients of f.

    Raises
    ------
    ValueError
        If ``tilt`` is no finite array like the target, or no subgradient there: the problem proves its solution when
        it is made.

    >>> from problems.quadratic import Quadratic
    >>> from rmda_ref import L1
    >>> f = Quadratic(np.array([2.0, 0.0]), np.eye(2), noise=0.5)
    >>> problem = Planted.with_margin(f, L1(lam=1.0), margin=0.25, rng=np.random.default_rng(0))
    >>> problem.manifold.mask, np.abs(problem.gradient(problem.solution))
    (array([ True, False]), array([1.  , 0.75]))
    """

    smooth: Smooth
    regularizer: Regularizer
    tilt: Array
    curvature: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        checks.nonnegative("curvature", self.curvature)
        checks.nonnegative("noise", self.noise)
        if self.tilt.shape != self.solution.shape:
            raise ValueError(
                f"tilt has shape {self.tilt.shape}, the target {self.solution.shape}; they must be the same"
            )
        if not np.isfinite(self.tilt).all():  # a NaN on the inactive part would pass for a subgradient
            raise ValueError("tilt must be finite; use problems.tilt.subgradient")
        size = np.linalg.norm(self.tilt) + np.linalg.norm(self.gradient(self.solution))
        size += self.curvature * np.linalg.norm(self.solution)  # the tilt is a difference of such terms
        if not self.kkt_residual <= 1e-12 * size:  # a few roundings of the terms
            raise ValueError(
                f"tilt is no subgradient of psi at the target: off by {self.kkt_residual:.3g}; "
                "use problems.tilt.subgradient"
            )

    @classmethod
    def with_margin(
        cls, smooth: Smooth, regularizer: Regularizer, margin: float, rng: np.random.Generator
    ) -> "Planted":
        """The problem whose inactive part is identified with this margin (units of the gradient)."""
        return cls(smooth, regularizer, subgradient(regularizer, smooth.target, margin, rng))

    @property
    def solution(self) -> Array:
        """W*, a global minimiser of F."""
        return self.smooth.target

    @property
    def manifold(self) -> Manifold:
        """The structure of the solution."""
        return self.regularizer.manifold(self.solution)

    @property
    def margin(self) -> float:
        """Distance of the negative gradient at the solution from the relative boundary of d psi."""
        return margin(self.regularizer, self.solution, -self.gradient(self.solution))

    @property
    def kkt_residual(self) -> float:
        """Distance of 0 from the subdifferential of F at the solution."""
        return self.regularizer.subdiff_distance(self.solution, -self.gradient(self.solution))

    @property
    def optimal_value(self) -> float:
        """F(W*)."""
        return self.objective(self.solution)

    def objective(self, w: Array) -> float:
        """F(w)."""
        away = self.curvature / 2 * float(np.sum((w - self.solution) ** 2))
        return self.smooth.value(w) - float(np.sum(self.tilt * w)) + away + self.regularizer.value(w)

    def gradient(self, w: Array) -> Array:
        """The gradient of the smooth part, f - <tilt, .> + curvature/2 ||. - target||^2."""
        return self.smooth.gradient(w) + self._shift(w)

    def noisy_gradient(self, w: Array, rng: np.random.Generator) -> Array:
        """A stochastic gradient of the smooth part."""
        grad = self.smooth.noisy_gradient(w, rng) + self._shift(w)
        return grad + self.noise * rng.standard_normal(w.shape) if self.noise else grad

    def _shift(self, w: Array) -> Array:
        return np.asarray(self.curvature * (w - self.solution) - self.tilt if self.curvature else -self.tilt)
