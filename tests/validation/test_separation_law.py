"""The predicted curve of the S pictures: against independent coordinates, a run without noise, the Schur complement."""

import numpy as np
import pytest
from scipy.special import ndtr

from problems import Planted, Quadratic
from rmda_ref import L1, RMDA, steps
from validation.separation_law import N_DRAWS, DualLaw, coordinates

STEPS = np.array([3, 30, 300])


def inside(v):
    return (np.abs(v) <= 1).all(axis=-1)


def test_the_chance_of_uncoupled_coordinates_is_a_product():
    """Off by more than 5 binomial standard deviations with probability 2e-6 in all, at a fixed seed never."""
    w, slope = np.array([2.0, 0.0, 0.0]), np.array([-1.0, 0.7, -0.2])
    law = DualLaw(w, np.eye(3), slope, np.eye(3), coordinates(w == 0))
    roots = np.array([np.sqrt(np.arange(1, t + 1)).sum() for t in STEPS])
    deviation = np.sqrt(STEPS * (STEPS + 1) / 2) / roots
    each = [ndtr((1 - mean) / deviation) - ndtr((-1 - mean) / deviation) for mean in slope[1:]]
    expected = each[0] * each[1]
    found = law.chance(inside, STEPS, 0.1, np.random.default_rng(0))
    assert (np.abs(found - expected) <= 5 * np.sqrt(expected * (1 - expected) / N_DRAWS) + 1e-12).all()


def seen(law, t, step_size):
    """The dual averages that the law draws for step ``t``."""
    drawn = []

    def keep(v):
        drawn.append(v)
        return np.zeros(len(v), bool)

    law.chance(keep, np.array([t]), step_size, np.random.default_rng(1))
    return drawn[0]


def test_without_noise_it_is_the_dual_average_of_a_run():
    """Bias included; the law takes W* for W~^t, which is off by order 1/t."""
    w = np.array([2.0, -3.0, 0.0, 0.0])
    f = Quadratic.correlated(w, 0.4)
    problem = Planted.with_margin(f, L1(1.0), 0.5, np.random.default_rng(0))
    law = DualLaw(w, f.hessian, problem.gradient(w), np.zeros((4, 4)), coordinates(w == 0))
    algorithm, t = RMDA(L1(1.0), 0.2), 1000
    *_, state = steps(algorithm, algorithm.init(np.zeros(4)), problem.gradient, t)
    limit, drawn = problem.gradient(w)[2:], seen(law, t, 0.2)[:, 2:]
    bias = state.dual_average[2:] - limit
    assert np.abs(bias).max() > 1e-3  # there is something to see
    np.testing.assert_allclose(drawn - limit, np.tile(bias, (N_DRAWS, 1)), rtol=10 / t, atol=10 * abs(bias).max() / t)


def test_the_noise_is_that_of_the_schur_complement():
    """N of a rotated basis; a variance of 1000 draws is off by 25% with probability 2e-8, at a fixed seed never."""
    w, h = np.array([2.0, -3.0, 0.0, 0.0]), Quadratic.correlated(np.zeros(4), 0.4).hessian
    covariance = np.diag([4.0, 1.0, 0.5, 2.0])
    m = h[2:, :2] @ np.linalg.inv(h[:2, :2])
    exact = 6 / (1 + np.sqrt(2) + np.sqrt(3)) ** 2 * (covariance[2:, 2:] + m @ covariance[:2, :2] @ m.T)  # t = 3
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    law = DualLaw(w, h, np.zeros(4), covariance, coordinates(w == 0) @ turn)
    found = np.cov(seen(law, 3, 1.0)[:, 2:].T)
    assert np.diag(found) == pytest.approx(np.diag(exact), rel=0.25)
    assert found[0, 1] == pytest.approx(exact[0, 1], abs=0.25 * np.sqrt(exact[0, 0] * exact[1, 1]))
