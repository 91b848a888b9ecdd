"""A13. Each step of RDA, ProxSGD and RAMDA solves its subproblem, seen from outside as RMDA's in A9.

By the optimality of the three subproblems, what is asserted to be a subgradient of psi at the structured point is

    RDA:      -(G^t + gamma sqrt(t) (W^t - W^0)) / t,               G^t = sum g_i;
    ProxSGD:  -(W^t - W^{t-1})/eta_t - M^t,                         M^t = (1 - c_t) M^{t-1} + c_t g_t;
    RAMDA:    -(V^t + P^t (W~^t - W^0)) / alpha_t,  P^t = (sum s_i g_i^2)^{1/3} + epsilon,  s_i = eta_i sqrt(i),

with V^t = sum s_i g_i and alpha_t = sum s_i. The points where the oracle was asked, its answers and the structured
points are all that is used; also that the oracle is asked at W^t: for RDA and ProxSGD the structured point itself, for
RAMDA (1 - c_t) W^{t-1} + c_t W~^t.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from rmda_ref import L1, GroupLasso
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.noisy_quadratic import Array, NoisyQuadratic

BAR = 1e-12
N_SEEDS, N_STEPS, SHAPE = 4, 60, (4, 5)
GAMMA, EPSILON = 1.7, 1e-6
REGULARIZERS = (L1(lam=0.3), GroupLasso(lam=0.2, axis=1))
NAMES = ("RDA", "ProxSGD", "RAMDA")
_RAMDA_MUTANTS = ("ramda_sqrt", "ramda_unweighted", "ramda_no_eta", "ramda_alpha_prev")


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    runs = [(psi, setting.rng("A13", k, type(psi).__name__)) for psi in REGULARIZERS for k in range(N_SEEDS)]
    residuals = np.max([_residuals(implementation, rng, psi) for psi, rng in runs], axis=0)
    steps = range(1, N_STEPS + 1)
    curves = [Curve(name, steps, row.tolist()) for name, row in zip(NAMES, residuals, strict=True)]
    bar = Curve("bar", (1,), (BAR,), "bar")
    title = "RDA, ProxSGD and RAMDA solve their subproblems at every step, to rounding"
    checks = [
        Check.at_most(f"{name} solves its subproblem", row.max(), BAR)
        for name, row in zip(NAMES, residuals, strict=True)
    ]
    picture = Picture(title, "step t", "largest residual / size of the terms", (*curves, bar), yscale="log")
    return Measurement(tuple(checks), (picture,))


def _residuals(implementation: Implementation, rng: np.random.Generator, regularizer: Any) -> Array:
    """Of each algorithm, at each step."""
    problem, start = NoisyQuadratic.draw(rng, SHAPE, N_STEPS), 2 * rng.standard_normal(SHAPE)
    etas, momenta = rng.uniform(0.05, 0.5, N_STEPS).tolist(), rng.uniform(0.1, 1.0, N_STEPS).tolist()

    def at(values: list[float]) -> Any:
        return lambda t: values[t - 1]

    algorithms = {
        "RDA": implementation.RDA(regularizer, GAMMA),
        "ProxSGD": implementation.ProxSGD(regularizer, at(etas), at(momenta)),
        "RAMDA": implementation.RAMDA(regularizer, at(etas), at(momenta), epsilon=EPSILON),
    }
    rows = []
    for name, algorithm in algorithms.items():
        points, grads, found = _recorded(implementation, algorithm, start, problem)
        dual = DUALS[name](np.array([start, *found]), grads, etas, momenta)
        row = [regularizer.subdiff_distance(w, u) / size for w, (u, size) in zip(found, dual, strict=True)]
        averaging = momenta if name == "RAMDA" else [1.0] * N_STEPS
        row = list(np.maximum(row, _average_errors(start, points, found, averaging)))
        rows.append(row)
    return np.array(rows)


def _recorded(
    implementation: Implementation, algorithm: Any, start: Array, problem: NoisyQuadratic
) -> tuple[Array, Array, Array]:
    """Where the oracle was asked, its answers, and the structured point after each."""
    oracle, points, grads = problem.oracle(), [], []

    def gradient(w: Array) -> Array:
        points.append(w)
        grads.append(oracle(w))
        return grads[-1]

    states = list(implementation.steps(algorithm, algorithm.init(start), gradient, N_STEPS))
    return np.array(points), np.array(grads), np.array([state.prox_iterate for state in states])


Dual = tuple[Array, float]  # the subgradient, and the size of its terms


def _rda(w: Array, grads: Array, etas: list[float], momenta: list[float]) -> Iterator[Dual]:
    for t, total in enumerate(np.cumsum(grads, axis=0), 1):
        pull = GAMMA * math.sqrt(t)
        yield -(total + pull * (w[t] - w[0])) / t, _size(total, pull * w[t], pull * w[0]) / t


def _prox_sgd(w: Array, grads: Array, etas: list[float], momenta: list[float]) -> Iterator[Dual]:
    average = np.zeros(SHAPE)
    for t, grad in enumerate(grads, 1):
        average = (1 - momenta[t - 1]) * average + momenta[t - 1] * grad
        eta = etas[t - 1]
        yield -(w[t] - w[t - 1]) / eta - average, _size(w[t], w[t - 1]) / eta + _size(average)


def _ramda(w: Array, grads: Array, etas: list[float], momenta: list[float]) -> Iterator[Dual]:
    weights = np.array(etas) * np.sqrt(np.arange(1, N_STEPS + 1))
    sums = np.cumsum(weights[:, None, None] * grads, axis=0)
    squares = np.cumsum(weights[:, None, None] * grads**2, axis=0)
    for t, alpha in enumerate(np.cumsum(weights), 1):
        metric = np.cbrt(squares[t - 1]) + EPSILON
        yield -(sums[t - 1] + metric * (w[t] - w[0])) / alpha, _size(sums[t - 1], metric * w[t], metric * w[0]) / alpha


DUALS = {"RDA": _rda, "ProxSGD": _prox_sgd, "RAMDA": _ramda}


def _average_errors(start: Array, points: Array, found: Array, momenta: list[float]) -> list[float]:
    """How far each point of the oracle is from the start, or from the average of the last one and W~, "
    "relative to them."""
    errors = [float(np.abs(points[0] - start).max()) / _size(start)]  # the point after the last step is not asked for
    for t in range(1, N_STEPS):
        average = (1 - momenta[t - 1]) * points[t - 1] + momenta[t - 1] * found[t - 1]
        errors.append(float(np.abs(points[t] - average).max()) / _size(points[t - 1], found[t - 1]))
    return errors


def _size(*terms: Array) -> float:
    return float(sum(np.linalg.norm(term) for term in terms))


CLAIM = Claim(
    id="A13",
    title="Optimality of RDA, ProxSGD, RAMDA",
    statement=(
        "At every step -(G^t + gamma sqrt(t) (W^t - W^0))/t (RDA), -(W^t - W^{t-1})/eta_t - M^t (ProxSGD) and "
        "-(V^t + P^t (W~^t - W^0))/alpha_t (RAMDA, P^t the cube root of the weighted sum of squared "
        "gradients, plus epsilon) is a "
        "subgradient of psi at the structured point, and gradients are taken at W^t: l1 norm and group "
        "lasso, random step sizes and momenta."
    ),
    source="Xiao (JMLR 2010), Algorithm 1; Yang et al. (2020), ProxSGD; Huang & Lee (NeurIPS 2024), RAMDA",
    bar=(
        "A handful of roundings relative to the size of the terms, 1e-15; the metric prox of a group adds those of a "
        "scalar equation: a margin of 1000."
    ),
    measure=measure,
    kills=("rda_no_gamma", "proxsgd_thr_one", *_RAMDA_MUTANTS),
    theorems=("rda", "ramda", "no-identification"),
    failure_probability=0.0,
)
