"""Many independent runs on a noisy scalar quadratic, the coordinates of one long vector, and how they are scored."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from scipy.special import chdtr, chdtrc, ndtr

from rmda_ref import Stage, Zero
from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.schedules import step_size_at
from validation.moments import UNIFORM, WEIGHTED, Moments, X, Y

BAR = 5.5  # standard deviations
NAMES = {X: "W", Y: "W~", WEIGHTED: "weighted average", UNIFORM: "uniform average"}


def beyond_bar(n: int, *, means: int = 0, squares: int = 0, products: int = 0) -> float:
    """A bound on the probability that one of so many scores, each of n Gaussian replicates, is beyond the bar.

    A mean is Gaussian, a mean of squares about the mean chi-square. A product of two components with correlation r is
    ((1 + r) U^2 - (1 - r) V^2)/2 in standard normal U, V. Its cumulants, in units of its deviation, are at most those
    of a square, as |a|^k + |b|^k <= (a^2 + b^2)^{k/2}; so are those of a square about another point than the mean, as
    1 + k m^2 <= (1 + m^2)^k. Chernoff's bound of chi-square therefore holds for both, on either side:
    exp(-n (u - ln(1 + u))/2), u = BAR sqrt(2/n).
    """
    u = BAR * math.sqrt(2 / n)
    chi_square = chdtrc(n, n * (1 + u)) + chdtr(n, n * (1 - u))
    chernoff = 2 * math.exp(-n * (u - math.log1p(u)) / 2)
    return float(means * 2 * ndtr(-BAR) + squares * chi_square + products * chernoff)


@dataclass(frozen=True)
class Noisy:
    """The gradient h w + sigma N(0, 1), the minimiser being 0, from w = ``start``."""

    curvature: float
    sigma: float = 1.0
    start: float = 1.0


def replicates(
    implementation: Implementation, problem: Noisy, stages: Sequence[Stage], n: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """After each step of all stages the samples of W, W~, anchor and both averages, (5, n), as `validation.moments`.

    The averages are of the points where the gradients of the stage were taken.
    """
    lengths = iter([stage.n_steps for stage in stages])
    schedule = iter([stage.step_size for stage in stages])
    anchor, left, t, eta = np.full(n, problem.start), 0, 0, stages[0].step_size
    weighted = uniform = np.zeros(n)
    weight = 0.0

    def gradient(w: np.ndarray) -> np.ndarray:
        nonlocal anchor, left, t, eta, weighted, uniform, weight
        if left == 0:  # a stage begins
            left, eta = next(lengths), next(schedule)
            anchor, t, weighted, uniform, weight = w, 0, np.zeros(n), np.zeros(n), 0.0
        left, t = left - 1, t + 1
        s = step_size_at(eta, t) * math.sqrt(t)
        weighted, uniform, weight = weighted + s * w, uniform + w, weight + s
        return np.asarray(problem.curvature * w + problem.sigma * rng.standard_normal(n))

    algorithm = implementation.RMDA(Zero(), stages[0].step_size, stages[0].momentum)
    for state in implementation.staged_steps(algorithm, anchor, gradient, stages):
        yield np.array((state.iterate, state.prox_iterate, anchor, weighted / weight, uniform / t))


def z_scores(samples: np.ndarray, expected: Moments, among: tuple[int, ...]) -> dict[str, float]:
    """By how many standard deviations the sample means, and products about the mean, are off, for these components.

    They are Gaussian with covariance P, so that a product of two about the mean has the variance P_ii P_jj + P_ij^2.
    """
    n, away = samples.shape[1], samples - expected.mean[:, None]
    covariance = expected.covariance
    scores = {f"mean of {NAMES[i]}": float(away[i].mean() / np.sqrt(covariance[i, i] / n)) for i in among}
    for i, j in combinations_with_replacement(among, 2):
        spread = np.sqrt((covariance[i, i] * covariance[j, j] + covariance[i, j] ** 2) / n)
        name = f"variance of {NAMES[i]}" if i == j else f"covariance of {NAMES[i]} and {NAMES[j]}"
        scores[name] = float((np.mean(away[i] * away[j]) - covariance[i, j]) / spread)
    return scores
