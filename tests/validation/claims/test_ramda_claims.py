"""RAMDA's claims and the remaining claims of separation: they hold, kill, and predict what other formulas give."""

import dataclasses

import numpy as np
import pytest

from problems import MLP, PopulationLogistic, TeacherStudent
from rmda_ref import L1, RAMDA
from rmda_ref.crosscheck.mutants import RAMDA_MUTANTS, REFERENCE
from validation.claim import Setting
from validation.claims import (
    g1_ramda_constant,
    g2_ramda_support,
    g3_ramda_floor,
    n5_proxsgd_identifies,
    n6_flicker_misleads,
    p1_metric_group_prox,
    s4r_network_random_start,
    s5_logistic_support,
    s6_finite_sum_support,
)
from validation.planted_network import PlantedNetworks
from validation.trial import attempt

QUICK = (g1_ramda_constant, g2_ramda_support, g3_ramda_floor, p1_metric_group_prox, n5_proxsgd_identifies)
CLAIMS = {module.CLAIM.id: module.CLAIM for module in QUICK}


@pytest.mark.parametrize("id_", CLAIMS)
def test_it_holds(id_):
    trial = attempt(CLAIMS[id_], "reference", Setting())
    assert trial.holds, trial.failure
    assert all(picture.title and picture.curves for picture in trial.measurement.pictures)


@pytest.mark.parametrize(("id_", "mutant"), [(claim.id, name) for claim in CLAIMS.values() for name in claim.kills])
def test_it_kills(id_, mutant):
    assert not attempt(CLAIMS[id_], mutant, Setting()).holds


def test_g1_is_asked_to_kill_every_mutant_of_ramda():
    assert set(g1_ramda_constant.CLAIM.kills) == set(RAMDA_MUTANTS)
    assert len(RAMDA_MUTANTS) == 4


@pytest.mark.parametrize("module", [n6_flicker_misleads, s4r_network_random_start], ids=["N6", "S4r"])
def test_networks_tell_the_algorithms_apart(module, monkeypatch):
    """Few seeds and steps: with ProxSGD in the place of RMDA the claims must fail."""
    monkeypatch.setattr(module, "N_SEEDS", (2, 2))
    monkeypatch.setattr(module, "N_STEPS", (400, 400))
    wrong = dataclasses.replace(REFERENCE, RMDA=REFERENCE.ProxSGD)
    failed = [check.quantity for check in module.measure(wrong, Setting()).checks if not check.holds]
    assert any("RMDA" in quantity for quantity in failed)


def test_n6_holds(monkeypatch):
    monkeypatch.setattr(n6_flicker_misleads, "N_SEEDS", (2, 2))
    monkeypatch.setattr(n6_flicker_misleads, "N_STEPS", (1500, 1500))
    measurement = n6_flicker_misleads.measure(REFERENCE, Setting())
    assert measurement.holds, [check for check in measurement.checks if not check.holds]


def test_s4r_holds(monkeypatch):
    """One seed that is right within 150 steps; the claim's own sizes wait for the slowest."""
    monkeypatch.setattr(s4r_network_random_start, "N_SEEDS", (1, 1))
    monkeypatch.setattr(s4r_network_random_start, "N_STEPS", (1500, 1500))
    measurement = s4r_network_random_start.measure(REFERENCE, Setting())
    assert measurement.holds, [check for check in measurement.checks if not check.holds]


def test_the_series_of_g1_is_that_of_the_recurrence_it_is_derived_from():
    """q_t = P_t (x_0 - y_t) with U_t summed directly: no V, alpha, or prox."""
    m = g1_ramda_constant
    h, x = m.RATES * m.KAPPA / m.STEP_SIZE, m.START * np.ones_like(m.RATES)
    q = u = np.zeros_like(x)
    n_steps = 20_000
    for t in range(1, n_steps + 1):
        s = m.STEP_SIZE * np.sqrt(t)
        q, u = q + s * h * x, u + s * (h * x - m.SIGNS * m.LAM) ** 2
        x = m.START - q / np.cbrt(u)
    off = 2 * m.RATES * n_steps * x / m.START - 1
    # The next term is of order t^(-3/2): 4 / sqrt(2e4) = 0.03 of off times t.
    np.testing.assert_allclose(off * n_steps, m.PREDICTED, atol=0.05)


@pytest.mark.parametrize("momentum", [1.0, 0.3])
def test_the_floor_of_g3_is_the_lyapunov_solution(momentum):
    """Against the stationary covariance of (x, y), iterated, at the kappa that the formula names."""
    h = 1.0
    variance, kappa = g3_ramda_floor.floor(h, momentum)
    rate, noise = g3_ramda_floor.STEP_SIZE / kappa * h, g3_ramda_floor.STEP_SIZE / kappa * g3_ramda_floor.SIGMA
    to_y = np.array([-rate, 1.0])
    step = np.array([(1 - momentum) * np.array([1.0, 0.0]) + momentum * to_y, to_y])
    kick = noise**2 * np.outer([momentum, 1.0], [momentum, 1.0])
    covariance = np.zeros((2, 2))
    for _ in range(2000):
        covariance = step @ covariance @ step.T + kick
    assert covariance[0, 0] == pytest.approx(variance, rel=1e-10)
    mean_square = g3_ramda_floor.SIGMA**2 + h**2 * variance
    assert kappa**3 == pytest.approx(2 / 3 * g3_ramda_floor.STEP_SIZE * mean_square, rel=1e-10)


def test_supports_differ_from_another_start():
    """G2's condition is W^0 = 0: elsewhere the metric decides, so that the claim says something."""
    rng = np.random.default_rng(0)
    grads, start = rng.standard_normal((20, 50)) * rng.uniform(0.3, 3, 50), 2 * rng.standard_normal(50)
    states = []
    for algorithm in (RAMDA(L1(1.0), 0.3), REFERENCE.RMDA(L1(1.0), 0.3)):
        state = algorithm.init(start)
        for grad in grads:
            state = algorithm.step(state, grad)
        states.append(state.prox_iterate != 0)
    assert (states[0] != states[1]).any()


def test_a_group_prox_that_is_a_little_off_is_rejected():
    def shrunk(lam, axis):
        psi = REFERENCE.GroupLasso(lam, axis=axis)
        return type("Off", (), {"prox": lambda self, x, step, metric: psi.prox(x, step, metric) * (1 + 1e-11)})()

    wrong = dataclasses.replace(REFERENCE, GroupLasso=shrunk)
    failed = [check.quantity for check in p1_metric_group_prox.measure(wrong, Setting()).checks if not check.holds]
    assert failed == [f"groups of {size}: KKT residual" for size in p1_metric_group_prox.SIZES]


def test_the_noise_of_s5():
    """A sample's gradient has mean the population's and, inactive, the deviation that the margin is set to."""
    problem = s5_logistic_support.planted(Setting())
    rng, w = np.random.default_rng(0), np.tile(problem.solution, (200_000, 1))
    found = problem.smooth.noisy_gradient(w, rng)
    inactive = problem.solution == 0
    sigma = s5_logistic_support.deviation(problem.smooth)
    # 200,000 samples: means within 5 of sigma/450, deviations within 1%.
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=5 * 0.5 / 450)
    np.testing.assert_allclose(found[:, inactive].std(axis=0), sigma, rtol=0.01)
    assert isinstance(problem.smooth, PopulationLogistic)
    assert problem.margin == pytest.approx(sigma, rel=1e-12)


def test_the_solutions_of_s6_are_those_that_descent_finds():
    problem = s6_finite_sum_support.FiniteSums.draw(np.random.default_rng(3), 4)
    w = np.zeros_like(problem.solution)
    for _ in range(600):  # well conditioned: contracts by 0.9 a step or so
        w = problem.regularizer.prox(w - 0.4 * problem.gradient(w), 0.4)
    np.testing.assert_allclose(w, problem.solution, atol=1e-10)
    assert problem.kkt_residual() < s6_finite_sum_support.BAR
    moved = dataclasses.replace(problem, targets=problem.targets + 1e-6)
    assert moved.kkt_residual() > 1e-9


def test_the_bound_of_n5_is_reached_by_the_worst_noise():
    """An adversary that pushes outwards with all its .9 delta: zero is reached at the derived step, not before."""
    m = n5_proxsgd_identifies
    h, w, t = m.CURVATURE, np.full(m.DIMENSION, m.START), 0
    pull = m.LAM - m.MARGIN + m.BELOW * m.MARGIN
    while w.any():
        w, t = np.maximum(w - m.STEP_SIZE * (h * w - pull) - m.STEP_SIZE * m.LAM, 0), t + 1
    assert t == m.LIMIT


def test_many_teachers_are_teachers_one_by_one():
    """Values and gradients against problems.mlp, seed by seed, on the same inputs."""
    networks = PlantedNetworks.draw(np.random.default_rng(0), 3)
    smooth, network = networks.smooth, MLP((10, 8, 3), "tanh", "squared")
    w = networks.random_start(np.random.default_rng(1))
    x, y = smooth._evaluation
    value, gradient = 0.0, smooth.parts(smooth.gradient(w))
    for seed in range(3):
        one = np.concatenate([part[seed].reshape(-1) for part in smooth.parts(w)])
        value += network.value(one, x[seed], y[seed])
        expected = network.gradient(one, x[seed], y[seed])
        np.testing.assert_allclose(np.concatenate([part[seed].reshape(-1) for part in gradient]), expected, atol=1e-14)
        teacher = np.concatenate([part[seed].reshape(-1) for part in smooth.parts(smooth.target)])
        assert TeacherStudent(network, teacher).value(teacher) == 0
    assert smooth.value(w) == pytest.approx(value, rel=1e-13)
    noisy = [smooth.noisy_gradient(smooth.target, np.random.default_rng(k)) for k in range(2000)]
    scatter = np.std(noisy, axis=0)
    # At the teacher the noise alone is left, with mean 0: within 6 of its deviation over sqrt(2000).
    assert np.abs(np.mean(noisy, axis=0)).max() <= 6 * scatter.max() / np.sqrt(2000)
    assert networks.is_right(smooth.target).all()
    assert not networks.is_right(w).any()
