"""The claims on identification times: they hold, kill what they say, and predict what other computations find."""

import dataclasses
import math
from functools import cache

import numpy as np
import pytest
from scipy.special import chdtr, ndtr

from rmda_ref.certificates import rmda_law
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import c1_rda_time_law as c1
from validation.claims import c1d_rmda_time_law as c1d
from validation.claims import c3c_bias_limited_time as c3c
from validation.claims import c5_degenerate_margin_probability as c5
from validation.claims import c6_lost_sign_rate as c6
from validation.claims import c8_restart_resets as c8
from validation.claims import c9_prediction_limits as c9
from validation.identification_times import OVERSHOOT, dkw, frequencies, rda_cdf, rmda_cdf
from validation.recurrences import quadratic_recurrence
from validation.trial import attempt

MODULES = {module.CLAIM.id: module for module in (c1, c1d, c3c, c5, c6, c8, c9)}
KILLS = [(name, mutant) for name, module in MODULES.items() for mutant in module.CLAIM.kills]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Fewer seeds where the quick profile takes a second: bars are those of these seeds."""
    monkeypatch.setattr(c1d, "N_SEEDS", (2000, 0))
    monkeypatch.setattr(c5, "N_SEEDS", (5000, 0))
    monkeypatch.setattr(c6, "N_SEEDS", (5000, 0))
    monkeypatch.setattr(c6, "N_STEPS", (400, 0))
    monkeypatch.setattr(c8, "N_SEEDS", (2000, 0))
    monkeypatch.setattr(c9, "N_SEEDS", (3000, 0))


@cache
def tried(claim, implementation):
    return attempt(MODULES[claim].CLAIM, implementation, Setting())


@pytest.mark.parametrize("claim", MODULES)
def test_holds_on_the_reference(claim):
    trial = tried(claim, "reference")
    assert trial.holds, trial.failure


@pytest.mark.parametrize(("claim", "mutant"), KILLS)
def test_kills(claim, mutant):
    assert not tried(claim, mutant).holds


@pytest.mark.parametrize("claim", MODULES)
def test_failure_probability_is_small(claim):
    assert 0 <= MODULES[claim].CLAIM.failure_probability <= 1e-6


@pytest.mark.parametrize("claim", ["C1d", "C5", "C9"])
def test_rda_in_the_place_of_rmda_fails(claim):
    def rda(regularizer, step_size, momentum=1.0):
        return REFERENCE.RDA(regularizer, 1 / step_size)

    assert not MODULES[claim].measure(dataclasses.replace(REFERENCE, RMDA=rda), Setting()).holds


@pytest.mark.parametrize("claim", ["C3c", "C5", "C8"])
def test_prox_sgd_in_the_place_of_rmda_fails(claim):
    wrong = dataclasses.replace(REFERENCE, RMDA=REFERENCE.ProxSGD)
    assert not MODULES[claim].measure(wrong, Setting()).holds


def test_rda_claim_rejects_the_law_of_rmda(monkeypatch):
    monkeypatch.setattr(c1, "rda_cdf", rmda_cdf)
    assert not c1.measure(REFERENCE, Setting()).holds


def test_overshoot_is_chernoffs_constant():
    assert pytest.approx(0.5825971579, abs=1e-9) == OVERSHOOT  # ten digits from the literature


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.3])
def test_never_positive_has_spitzers_probability(margin):
    # P(S_k <= 0 for all k) = exp(-sum P(S_k > 0)/k) for a walk of drift -margin; the correction is O(margin^2).
    k = np.arange(1, 40_000)
    exact = math.exp(-np.sum(ndtr(-margin * np.sqrt(k)) / k))
    assert rda_cdf(margin, 1)[0] == pytest.approx(exact, abs=c1.REMAINDER * margin)


def test_discrete_laws_tend_to_the_continuous_ones():
    margin, n_steps = 3e-3, 500_000
    at = np.array([1000, 50_000, 300_000])
    # P(T0 = 0), 1.2 and .5 margin, is how far they may be off.
    assert rda_cdf(margin, n_steps)[at] == pytest.approx(chdtr(1, at * margin**2), abs=2 * margin)
    assert rmda_cdf(0.01, 60_000)[[100, 9000, 37_000]] == pytest.approx([0.0119, 0.5, 0.9], abs=6e-3)


def test_the_two_laws_are_far_apart():
    x = np.geomspace(1e-3, 20, 2000)
    assert np.abs(chdtr(1, x) - rmda_law().cdf(x)).max() == pytest.approx(0.18, abs=5e-3)


def test_frequencies_and_dkw():
    assert frequencies(np.array([0, 2, 2, 5]), 4).tolist() == [0.25, 0.25, 0.75, 0.75]
    n = 200
    samples = np.sort(np.random.default_rng(0).random((4000, n)), axis=1)
    distance = np.maximum(np.arange(1, n + 1) / n - samples, samples - np.arange(n) / n).max(axis=1)
    share = np.mean(distance > dkw(n, 0.1))
    assert 0.05 < share < 0.1 + 3 * 0.005  # a bound, tight for large n; 3 binomial deviations


@pytest.mark.parametrize("momentum", c3c.MOMENTA)
def test_series_time_is_the_crossing_of_the_recurrence(momentum):
    values, vectors = np.linalg.eigh(c3c.HESSIAN)
    unit = np.eye(3)[c3c.INACTIVE]
    margin = 0.003
    sign = np.sign((np.linalg.inv(c3c.HESSIAN) @ -c3c.SOLUTION) @ unit)
    minimiser = c3c.SOLUTION - sign * margin * np.linalg.inv(c3c.HESSIAN) @ unit
    modes = vectors.T @ -minimiser
    inactive = [
        sign * (vectors @ (y * modes) + minimiser)[c3c.INACTIVE]
        for _, y in quadratic_recurrence(c3c.STEP_SIZE * values, momentum, 3000)
    ]
    last = int(np.flatnonzero(np.array(inactive) > 0)[-1]) + 1  # with c = .1 the first steps oscillate
    assert last == pytest.approx(c3c.series_time(margin, momentum), abs=c3c.STEPS - 1)  # an integer of O(delta)


@pytest.mark.parametrize("x", [0.1, 0.5, 0.9])
def test_bound_for_discrete_time_tends_to_the_arcsine_law(x):
    assert c5.farther(x, 10**12) == pytest.approx(math.asin(x) / math.pi, abs=1e-5)  # distance O(1/sqrt(n))
    assert c5.farther(x, 1000) > math.asin(x) / math.pi


def test_arcsine_law_is_that_of_brownian_motion():
    rng = np.random.default_rng(0)
    early = math.sqrt(0.01) * rng.standard_normal(400_000)  # W at x^2, x = .1; then no zero up to 1: reflection
    stays = np.where(early < 0, 1 - 2 * ndtr(early / math.sqrt(0.99)), 0)
    assert stays.mean() == pytest.approx(float(c5.arcsine(np.array(0.1))), abs=6e-4)  # 4 deviations


def test_deviation_is_the_known_floor():
    a, sigma = c6.STEP_SIZE, c6.SIGMA
    assert c6.deviation(1.0) == pytest.approx(sigma * math.sqrt(a / (2 - a)))  # c = 1: an AR(1)
    c = 0.05  # (eta sigma^2/2h)(1 + eta h/c), to O(eta h)
    assert c6.deviation(c) ** 2 == pytest.approx(a / 2 * sigma**2 * (1 + a / c), rel=0.05)


@pytest.mark.parametrize("height", c6.HEIGHTS)
def test_exact_rate_is_that_of_the_simulated_chain(height):
    rng = np.random.default_rng(1)
    optimum = height * c6.deviation(1.0)
    z, lost = np.zeros(20_000), []
    for step in range(300):
        z = z - c6.STEP_SIZE * np.maximum(z, -optimum) + c6.STEP_SIZE * c6.SIGMA * rng.standard_normal(z.size)
        if step >= 60:
            lost.append(np.mean(z <= -optimum))
    # 4.8e6 samples, correlated over about 10 steps: 4 deviations are 4 sqrt(10 p/4.8e6) < .0025 sqrt(p) * 3.
    rate = c6.exact_rate(optimum)
    assert np.mean(lost) == pytest.approx(rate, abs=0.006 * math.sqrt(rate))
    assert rate > ndtr(-height)  # what is cut off comes back late


def test_noise_and_distance_of_the_correlated_lasso():
    r = 0.5
    _, _, noise, distance = c9.problem(r)
    m = r / (1 + r * r)
    assert (noise, distance) == pytest.approx((math.sqrt(1 + 2 * m * m), 2 * m * c9.ACTIVE_SIZE))
