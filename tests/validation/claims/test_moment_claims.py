"""Claims on means and variances: they hold, kill what they promise, and their recursion agrees with other methods."""

import numpy as np
import pytest

from rmda_ref import PowerDecay, Stage
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import (
    b2_noise_floor,
    b3_average_rates,
    b4_exact_moments,
    r2_constant_step_floor,
    r4_stage_floors,
    r5_decaying_steps,
)
from validation.moments import ANCHOR, UNIFORM, WEIGHTED, X, Y, floor, moments
from validation.recurrences import quadratic_recurrence
from validation.replicates import BAR, Noisy, replicates, z_scores
from validation.trial import attempt

MODULES = (
    b2_noise_floor,
    b3_average_rates,
    b4_exact_moments,
    r2_constant_step_floor,
    r4_stage_floors,
    r5_decaying_steps,
)
CLAIMS = {module.CLAIM.id: module.CLAIM for module in MODULES}
STAGES = [Stage(7, 0.4, 0.3), Stage(9, PowerDecay(0.5, 0.4), 0.8)]


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_reference_holds(claim):
    found = attempt(CLAIMS[claim], REFERENCE.name, Setting())
    assert found.holds, found.failure


@pytest.mark.parametrize(("claim", "mutant"), [(claim.id, name) for claim in CLAIMS.values() for name in claim.kills])
def test_a_mutant_is_killed(claim, mutant):
    assert not attempt(CLAIMS[claim], mutant, Setting()).holds


def test_the_mean_is_the_scalar_recurrence():
    """Without noise, one stage: the numbers of another file, to rounding."""
    found = np.array([m.mean[[X, Y]] for m in moments(0.7, 0.0, 2.0, [Stage(50, 0.6, 0.4)])])
    expected = 2.0 * np.array(list(quadratic_recurrence(np.array([0.42]), 0.4, 50)))[:, :, 0]
    assert np.abs(found - expected).max() < 1e-13  # some 50 roundings of 2


def linear_map(curvature, start, stages):
    """The last (x, y, anchor, averages) of RMDA: its mean, and its response to the noise of each step alone."""
    n_steps = sum(stage.n_steps for stage in stages)

    def last(noise, start):
        problem = Noisy(curvature, 1.0, start)
        drawn = iter(noise)

        class Given:
            def standard_normal(self, n):
                return np.full(n, next(drawn))

        *_, found = replicates(REFERENCE, problem, stages, 1, Given())
        return found[:, 0]

    mean = last(np.zeros(n_steps), start)
    return mean, np.array([last(unit, start) - mean for unit in np.eye(n_steps)]).T


def test_the_covariance_is_that_of_the_linear_map_from_noise_to_iterates():
    """The algorithm itself, fed one unit of noise at a time, with a restart: B B^T of that matrix, to rounding."""
    *_, found = moments(0.7, 1.0, 2.0, STAGES)
    mean, matrix = linear_map(0.7, 2.0, STAGES)
    assert np.abs(found.mean - mean).max() < 1e-13  # 16 steps of values of about 2
    assert np.abs(found.covariance - matrix @ matrix.T).max() < 1e-13
    assert found.covariance[ANCHOR, ANCHOR] > 0.01  # the anchor of the second stage is random
    assert found.covariance[WEIGHTED, UNIFORM] > 0


@pytest.mark.parametrize("c", [1.0, 0.3, 0.05])
def test_the_floor_is_the_limit_of_the_recursion_and_has_the_closed_form(c):
    """The formula solves Lyapunov's equation; at t = 20,000 the recursion is there but for terms of order 1/t."""
    limit = floor(0.8, 1.5, 0.9, c)
    assert np.allclose(np.diag(limit), b2_noise_floor.closed_form(0.8, 1.5, 0.9, c), rtol=1e-12)
    *_, late = moments(0.8, 1.5, 1.0, [Stage(20_000, 0.9, c)])
    assert np.allclose(late.covariance[:2, :2], limit, rtol=2e-3)


def test_scores_are_standard_normal_for_the_right_moments_and_large_for_others():
    """100 batches of 1000 samples: mean squares of scores near 1; a variance that is 20% off is seen."""
    *_, expected = moments(0.7, 1.0, 2.0, STAGES)
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(100):
        samples = rng.multivariate_normal(expected.mean, expected.covariance, 1000, method="eigh").T
        scores.append(list(z_scores(samples, expected, (X, Y)).values()))
    assert np.all(np.abs(np.mean(np.square(scores), axis=0) - 1) < 0.8)  # sd sqrt(2/100): 5.6 deviations
    wide = rng.multivariate_normal(expected.mean, 1.2 * expected.covariance, 20_000, method="eigh").T
    assert abs(z_scores(wide, expected, (X, Y))["variance of W"]) > BAR


def test_the_best_power_is_two_thirds_for_other_constants_too(monkeypatch):
    monkeypatch.setattr(r5_decaying_steps, "PROBLEM", Noisy(curvature=3.0, sigma=0.2, start=5.0))
    # They shift it by log(ratio of the two terms) / (3 log t): log(4000)/415 = 0.02.
    assert abs(r5_decaying_steps._best() - 2 / 3) < 0.02
