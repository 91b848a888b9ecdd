"""Two lassos whose active part feeds back, and the condition of `SchurCertificate` on them, written a second time.

*mild*: twenty correlated coordinates. *stiff*: an inactive entry that sees a fast and a slow active one (claim D2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from problems import Planted, Quadratic
from rmda_ref import L1
from rmda_ref.certificates import SchurCertificate, anytime_radius, best_rho
from validation.claim import Setting

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EPS, LAM, MOMENTUM = 0.001, 1.0, 0.5
TOLERANCE = 0.15  # of the predicted step
ROUNDING = 1e-10  # of sums of some thousand weights


@dataclass(frozen=True, eq=False)
class Problem:
    """A lasso with a certificate whose reach is ``reach`` times |M W*_A|, plus what noise may add."""

    planted: Planted
    step_size: float
    reach: float
    spread: float
    horizon: int
    n_steps: int

    @property
    def quadratic(self) -> Quadratic:
        assert isinstance(self.planted.smooth, Quadratic)
        return self.planted.smooth

    @cached_property
    def active(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.planted.solution != 0)

    @cached_property
    def map(self) -> Vector:
        """M."""
        h, a = self.quadratic.hessian, self.active
        return np.asarray(h[np.ix_(~a, a)] @ np.linalg.inv(h[np.ix_(a, a)]))

    @cached_property
    def bias(self) -> Vector:
        """B."""
        return np.asarray(self.reach * np.abs(self.map @ self.planted.solution[self.active]) + self.spread)

    @property
    def means(self) -> Vector:
        """mu = grad_I f(W*)."""
        return np.asarray(self.planted.gradient(self.planted.solution)[~self.active])

    def certificate(self) -> SchurCertificate:
        h, signs = self.quadratic.hessian, np.sign(self.planted.solution)
        return SchurCertificate(
            L1(LAM), h, signs, self.quadratic.noise, self.bias, MOMENTUM, eps=EPS, horizon=self.horizon
        )

    @cached_property
    def gaps(self) -> tuple[Vector, Vector]:
        """delta - 2 r_t - (beta_t/alpha_t) B, and the deviation of Y_t; per step and entry."""
        weights, squares = sums(self.n_steps)
        pull = np.sqrt(np.arange(1, self.n_steps + 1)) / (self.step_size * weights)
        deviations = self.quadratic.noise * np.sqrt(1 + (self.map**2).sum(axis=1))
        gaps = LAM - np.abs(self.means) - 2 * self.radii() - np.outer(pull, self.bias)
        return gaps, np.outer(np.sqrt(squares) / weights, deviations)

    def predicted(self) -> int:
        """The first t at which no gap is negative."""
        return int(np.argmax((self.gaps[0] >= 0).all(axis=1))) + 1

    def too_early(self) -> float:
        """A bound on P(certified before the tolerance), signs being right, by reflection in blocks of steps.

        To be certified at t, alpha_t Y_t has to cross alpha_t times the gap, which it does before the end of the block
        with at most twice the probability that it is beyond then. Feedback makes it later.
        """
        gaps, sds = self.gaps
        early = int(self.predicted() * (1 - TOLERANCE)) - 1
        scales = sums(early)[0][:, None]
        barrier, scale = -gaps[:early] * scales, sds[:early] * scales
        ends = np.unique(np.geomspace(1, early, 100).astype(int))
        blocks = zip([0, *ends[:-1]], ends, strict=True)
        crossings = [2 * ndtr(-barrier[begin:end].min(axis=0) / scale[end - 1]) for begin, end in blocks]
        return float(np.sum(crossings, axis=0).min())

    def radii(self) -> Vector:
        """r_t per step and inactive entry."""
        each = unit_radii(self.n_steps, self.horizon, len(self.means))
        return np.asarray(np.outer(each, self.quadratic.noise * np.sqrt(1 + (self.map**2).sum(axis=1))))


def sums(n_steps: int) -> tuple[Vector, Vector]:
    """H_t, and the sum of i, up to t."""
    t = np.arange(1.0, n_steps + 1)
    return np.asarray(np.cumsum(np.sqrt(t))), t * (t + 1) / 2


def unit_radii(n_steps: int, horizon: int, m: int) -> Vector:
    """r_t for noise of deviation 1."""
    weights, squares = sums(n_steps)
    rho = best_rho(horizon * (horizon + 1) / 2, 1, m / EPS)
    return np.asarray(anytime_radius(squares, rho, 1, m / EPS) / weights)


def mild() -> Problem:
    rng = Setting().rng("D2", "mild")
    target = np.zeros(20)
    target[rng.permutation(20)[:6]] = 3 * rng.choice([-1.0, 1.0], 6)
    smooth = Quadratic.correlated(target, 0.7, noise=0.25)
    return Problem(Planted.with_margin(smooth, L1(LAM), 0.25, rng), 0.1, 1.5, 0.5, 100, 1500)


def stiff() -> Problem:
    """The inactive entry sees the fast active entry and the slow one with opposite signs."""
    hessian = np.array([[1.0, 0.0, 0.5], [0.0, 0.02, 0.1], [0.5, 0.1, 1.0]])
    smooth = Quadratic(np.array([2.4, -6.0, 0.0]), hessian, noise=0.1)
    return Problem(Planted(smooth, L1(LAM), np.array([LAM, -LAM, -0.75])), 0.5, 1.0, 5.0, 300, 2200)


PROBLEMS: dict[str, Callable[[], Problem]] = {"mild": mild, "stiff": stiff}


@dataclass(frozen=True, eq=False)
class Condition:
    """At one step, per run: what decides, from V, alpha, W and W~ alone.

    Attributes
    ----------
    residual : Y_t, shape (runs, inactive)
    room : lam - |Y| - 2 r - (beta/alpha) B - f/alpha, the least over entries
    plain_room : the same with |V_I/alpha| for |Y|, and (beta/alpha) B and f/alpha twice
    premise, premise_at_most : whether signs are right and the reach kept; where rounding decides, False and True
    """

    residual: Vector
    room: Vector
    plain_room: Vector
    premise: Flags
    premise_at_most: Flags


class Watched:
    """The conditions of a run of many from W^0 = 0, step by step."""

    def __init__(self, problem: Problem, n_runs: int) -> None:
        h, inactive = problem.quadratic.hessian, ~problem.active
        self.problem, self.radii = problem, problem.radii()
        self.schur = h[np.ix_(inactive, inactive)] - problem.map @ h[np.ix_(problem.active, inactive)]
        self.feedback = self.before = np.zeros((n_runs, int(inactive.sum())))

    def step(self, t: int, weight: float, total: Vector, iterate: Vector, prox_iterate: Vector) -> Condition:
        """After step ``t``, with alpha_t = ``weight`` and V_t = ``total``."""
        problem, active, c = self.problem, self.problem.active, MOMENTUM
        eta = problem.step_size
        self.feedback = self.feedback + eta * math.sqrt(t) * self.before @ self.schur.T
        self.before = iterate[:, ~active]
        moved = prox_iterate[:, active] @ problem.map.T
        pull, dual = math.sqrt(t) / weight, total[:, ~active] / weight
        residual = dual + pull * moved - self.feedback / weight
        fading = eta * math.sqrt(t + 1) * (1 / c + (1 - c) / (2 * (t + 1) * c**2))
        bound = (np.abs(self.feedback) + fading * np.abs(self.before @ self.schur.T)) / weight + pull * problem.bias
        room = LAM - np.abs(residual) - 2 * self.radii[t - 1] - bound
        plain_room = LAM - np.abs(dual) - 2 * self.radii[t - 1] - 2 * bound
        signs = (np.sign(prox_iterate) == np.sign(problem.planted.solution))[:, active].all(axis=1)
        within = [signs & (np.abs(moved) <= problem.bias + side * ROUNDING).all(axis=1) for side in (-1, 1)]
        return Condition(residual, room.min(axis=1), plain_room.min(axis=1), *within)
