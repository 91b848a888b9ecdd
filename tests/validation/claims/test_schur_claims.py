"""B5 and B6: they hold, kill their mutants, and their predictions agree with other ways to compute them."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from scipy.special import expit

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.claims import b5_schur_noise as b5
from validation.claims import b6_nonquadratic_bias as b6
from validation.trial import Trial, attempt

CLAIMS = {module.CLAIM.id: module.CLAIM for module in (b5, b6)}
KILLS = [(claim.id, mutant) for claim in CLAIMS.values() for mutant in claim.kills]


@cache
def trial(claim: str, implementation: str) -> Trial:
    return attempt(CLAIMS[claim], implementation, Setting())


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_reference_holds(claim):
    found = trial(claim, REFERENCE.name)
    assert found.holds, found.failure


@pytest.mark.parametrize(("claim", "mutant"), KILLS)
def test_a_mutant_is_killed_far_beyond_the_bar(claim, mutant):
    measurement = trial(claim, mutant).measurement
    assert measurement is not None
    # twice the room: a bar is about six standard errors, so that chance does not come near
    assert any(not check.holds and abs(check.measured - 1) > 2 * (check.high - 1) for check in measurement.checks)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_failure_is_improbable_and_the_bar_says_how_much(claim):
    probability = CLAIMS[claim].failure_probability
    assert 0 < probability < 1e-6
    assert f"{probability:.0e}" in CLAIMS[claim].bar


def test_a_bar_too_tight_for_its_seeds_would_fail_often():
    assert b5._failure(4000, 0.08, 300) > 1e-4 > b5._failure(4000, 0.15, 300)
    assert b6._failure(100, 1000, b6.STEP_SIZES[0], 0.1, 0.1) > 0.1


def responses(n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """W~ and V_I/alpha at the last step, for a unit of noise at each (step, coordinate): the reference, by brute force.

    The run is linear while signs and zeros hold, and a noise of 1e-3 does not change them.
    """
    problem, small = b5.PROBLEM, 1e-3
    dimension = len(problem.solution)
    units = small * np.eye(n_steps * dimension).reshape(n_steps, dimension, -1).transpose(0, 2, 1)
    given: list[np.ndarray] = []

    def gradient(w: np.ndarray) -> np.ndarray:
        given.append((w - problem.solution) @ problem.hessian + problem.slope + units[len(given)])
        return given[-1]

    algorithm = REFERENCE.RMDA(L1(b5.LAM), b5.STEP_SIZE, b5.MOMENTUM)
    start = np.tile(problem.solution, (n_steps * dimension, 1))
    *_, last = REFERENCE.steps(algorithm, algorithm.init(start), gradient, n_steps)
    weights = np.sqrt(np.arange(1, n_steps + 1))
    average = np.tensordot(weights, np.array(given), axes=1) / weights.sum()
    scale = (n_steps, dimension, -1)
    moved = (last.prox_iterate - problem.solution)[:, : b5.N_ACTIVE].reshape(scale) / small
    return moved, (average - problem.slope)[:, b5.N_ACTIVE :].reshape(scale) / small


def test_the_exact_variances_are_those_of_the_responses_to_every_single_noise():
    found = b5.variances(b5.PROBLEM, 12)
    for variances, response in zip(found, reversed(responses(12)), strict=True):
        brute = np.einsum("tdi,de,tei->i", response, b5.PROBLEM.covariance, response)
        # rounding of 1 beside responses of 1e-3 times their size
        np.testing.assert_allclose(variances[-1], brute, rtol=1e-9)


def test_the_exact_variance_tends_to_nine_eighths_of_the_schur_variance():
    t = b5.N_STEPS[1]
    excess = t * b5.PREDICTED[t - 1] / (9 / 8 * b5.PROBLEM.schur_variances) - 1
    earlier = b5.PREDICTED[t // 4 - 1] * (t // 4) / (9 / 8 * b5.PROBLEM.schur_variances) - 1
    assert np.abs(excess).max() < 0.02  # O(1/t), with a constant of about ten
    np.testing.assert_allclose(excess / earlier, 0.25, atol=0.05)  # 1/t, and 1/t^2 of it


def test_the_schur_variance_is_that_of_the_residual_where_the_noise_has_the_hessian_for_covariance():
    h, k = b5.PROBLEM.hessian, b5.N_ACTIVE
    problem = dataclasses.replace(b5.PROBLEM, covariance=h)
    # the diagonal of the Schur complement, by the inverse of the block of the inverse
    np.testing.assert_allclose(problem.schur_variances, np.diag(np.linalg.inv(np.linalg.inv(h)[k:, k:])), rtol=1e-12)


@pytest.mark.parametrize("scale", [0.7, 1.4])
def test_a_wrong_schur_variance_is_rejected(monkeypatch, scale):
    monkeypatch.setattr(b5, "PREDICTED", scale * b5.PREDICTED)
    assert not b5.measure(REFERENCE, Setting()).holds


def loss(w: np.ndarray) -> float:
    """The tilted population logistic loss, from its definition."""
    problem = b6.PROBLEM
    margins, p = problem.points @ w, expit(problem.points @ problem.solution)
    return float(np.mean(np.logaddexp(0, margins) - p * margins) + problem.slope @ w)


def along(direction: np.ndarray) -> np.ndarray:
    """Values of the loss around W*, at -2, ..., 2 times the direction."""
    return np.array([loss(b6.PROBLEM.solution + k * direction) for k in range(-2, 3)])


def test_gradient_and_hessian_are_the_differences_of_the_loss():
    problem = b6.PROBLEM
    for j, unit in enumerate(np.eye(len(problem.solution))):
        values = along(1e-3 * unit)
        assert (values[3] - values[1]) / 2e-3 == pytest.approx(problem.gradient(problem.solution)[j], abs=1e-6)
        # h^2 times the fourth derivative, and rounding 1e-16/h^2
        assert (values[3] - 2 * values[2] + values[1]) / 1e-6 == pytest.approx(problem.hessian[j, j], abs=1e-6)


def test_the_third_derivative_is_a_difference_of_gradients():
    problem, small = b6.PROBLEM, 1e-3
    factor = np.linalg.cholesky(b6.stationary_covariance(problem, 1.0))
    total = np.zeros_like(problem.solution)
    for column in factor.T:  # sum_k d^2 grad f [l_k, l_k], for P = sum_k l_k l_k^T
        step = small * np.pad(column, (0, b6.N_INACTIVE))
        ahead, here, behind = (problem.gradient(problem.solution + k * step) for k in (1, 0, -1))
        total += (ahead - 2 * here + behind) / small**2
    # of second order in a step of 1e-3
    np.testing.assert_allclose(b6.third_derivative(problem, factor @ factor.T), total, rtol=1e-4, atol=1e-8)


def test_without_momentum_the_covariance_has_a_closed_form(monkeypatch):
    monkeypatch.setattr(b6, "MOMENTUM", 1.0)
    h = b6.PROBLEM.hessian[: b6.N_ACTIVE, : b6.N_ACTIVE]
    # x' = (1 - eta h) x - eta zeta with Sigma = h/batch, in the eigenbasis of h: eta/(batch (2 - eta h))
    exact = 2.0 / b6.BATCH * np.linalg.inv(2 * np.eye(len(h)) - 2.0 * h)
    np.testing.assert_allclose(b6.stationary_covariance(b6.PROBLEM, 2.0), exact, rtol=1e-12)


def test_sampled_gradients_have_the_mean_and_covariance_that_are_stated():
    problem, n = b6.PROBLEM, 40_000
    drawn = problem.sampled(np.tile(problem.solution, (n, 1)), np.random.default_rng(3)) - problem.slope
    k = b6.N_ACTIVE
    expected = problem.hessian / b6.BATCH
    assert np.abs(drawn.mean(axis=0) / np.sqrt(np.diag(expected) / n)).max() < 5  # standard errors
    # an entry has relative standard error about 1/sqrt(n) = 0.5%
    np.testing.assert_allclose(
        np.cov(drawn, rowvar=False)[:k, :k], expected[:k, :k], atol=0.03 * expected[:k, :k].max()
    )


def test_where_all_labels_are_even_there_is_no_bias():
    # p = 1/2 everywhere, so that the third derivative vanishes
    problem = dataclasses.replace(b6.PROBLEM, solution=np.zeros_like(b6.PROBLEM.solution))
    np.testing.assert_allclose(b6.predicted_bias(problem, 1.0, 1000), 0, atol=1e-17)


def test_an_inactive_part_linear_in_the_active_one_has_no_bias():
    points = b6.PROBLEM.points.copy()
    points[:, b6.N_ACTIVE :] = points[:, : b6.N_ACTIVE] @ np.arange(1.0, 1 + b6.N_ACTIVE * b6.N_INACTIVE).reshape(
        b6.N_ACTIVE, b6.N_INACTIVE
    )
    problem = dataclasses.replace(b6.PROBLEM, points=points)
    bias = b6.predicted_bias(problem, 1.0, 10**6)
    assert np.abs(bias).max() < 1e-5 < np.abs(b6.predicted_bias(b6.PROBLEM, 1.0, 10**6)).max()  # 1/t is left


def test_the_solution_is_certified_and_another_is_not():
    problem = b6.PROBLEM
    assert problem.kkt_residual() <= b6.KKT_BAR
    moved = dataclasses.replace(problem, slope=1.1 * problem.slope)
    assert moved.kkt_residual() > 0.05


def test_the_bias_without_the_projection_is_rejected(monkeypatch):
    def unprojected(problem: b6.PlantedLogistic, step_size: float, t: int) -> np.ndarray:
        return b6.third_derivative(problem, b6.stationary_covariance(problem, step_size))[b6.N_ACTIVE :] / 2

    monkeypatch.setattr(b6, "predicted_bias", unprojected)
    assert not b6.measure(REFERENCE, Setting()).holds
