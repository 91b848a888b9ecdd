"""The chance that the inactive part of RMDA is right at a step: a Gaussian law of the dual average, for pictures.

Let T and N be orthonormal bases of the tangent and normal space of the manifold at W*, W^0 = 0. While W~ is on the
manifold, near W*, the optimality of W~ along T (claim A9) gives, with M = N'HT (T'HT)^{-1},

    N'V/alpha_t = N' grad f(W*) + sum_i s_i (N - T M')'zeta_i/alpha_t - (beta_t/alpha_t) M T'W*,

a Gaussian whose covariance is that of claim B1, t (t + 1)/(2 H_t^2) times that of one gradient at W*, and a bias that
forgets the start like 3/(2 eta t). W~ is on the manifold iff N'V/alpha lies in the unit ball of psi's dual norm. Left
out are the feedback that pulls a wrong W~ back (so that RMDA is right earlier), the active part, which may have to come
up first (later: S5), how the noise differs away from W*, and the curvature of manifold and psi. The chance is a mean
over draws, the same ones for every step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from problems import Planted, Quadratic
from validation.claim import Curve
from validation.separation import shown_steps

N_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class DualLaw:
    """Of the dual average along N, at a solution with this Hessian, gradient and covariance of one noisy gradient.

    All are of the flat parameter of n entries: matrices (n, n), vectors of n, ``normal`` (n, dimension of N).
    """

    solution: np.ndarray
    hessian: np.ndarray
    slope: np.ndarray
    covariance: np.ndarray
    normal: np.ndarray

    def chance(
        self, inside: Callable[[np.ndarray], np.ndarray], t: np.ndarray, step_size: float, rng: np.random.Generator
    ) -> np.ndarray:
        """That the inactive part of W~^t is 0, at steps ``t``; ``inside`` says it of rows of n entries, 0 along T."""
        tangent = null_space(self.normal.T)
        across = self.normal.T @ self.hessian @ tangent
        m = np.linalg.solve(tangent.T @ self.hessian @ tangent, across.T).T
        values, vectors = np.linalg.eigh(self.covariance)
        draws = rng.standard_normal((N_DRAWS, len(values))) * np.sqrt(np.maximum(values, 0))
        noise = draws @ vectors.T @ (self.normal - tangent @ m.T)
        roots = np.cumsum(np.sqrt(np.arange(1, t.max() + 1)))[t - 1]  # H_t
        mean, pull = self.normal.T @ self.slope, m @ tangent.T @ self.solution
        return np.array(
            [
                inside(
                    (mean + np.sqrt(n * (n + 1) / 2) / h * noise - np.sqrt(n) / (step_size * h) * pull) @ self.normal.T
                ).mean()
                for n, h in zip(t, roots, strict=True)
            ]
        )


def predicted(
    laws: Sequence[DualLaw],
    inside: Callable[[np.ndarray], np.ndarray],
    n_steps: int,
    step_size: float,
    rng: np.random.Generator,
) -> Curve:
    """The mean chance over problems, for a picture."""
    t = np.array(shown_steps(n_steps))
    chance = np.mean([law.chance(inside, t, step_size, rng) for law in laws], axis=0)
    return Curve("RMDA's inactive part, predicted without feedback", t.tolist(), chance.tolist(), "predicted")


def of_quadratic(problem: Planted, normal: np.ndarray) -> DualLaw:
    """The law where f is a quadratic with independent noise in each entry."""
    assert isinstance(problem.smooth, Quadratic)
    w, covariance = problem.solution, problem.smooth.noise**2 * np.eye(problem.solution.size)
    return DualLaw(w.ravel(), problem.smooth.hessian, problem.gradient(w).ravel(), covariance, normal)


def coordinates(inactive: np.ndarray) -> np.ndarray:
    """N where the manifold is a subspace of coordinates: the unit vectors of the others."""
    return np.eye(inactive.size)[:, inactive.reshape(-1)]
