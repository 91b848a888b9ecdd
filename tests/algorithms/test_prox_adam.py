"""ProxAdam, ProxAdamW, ProxGen and MSGD: first steps by hand, their subproblems, what they share, what they refuse."""

import math

import numpy as np
import pytest

from rmda_ref import L1, MSGD, GroupLasso, Nuclear, PowerDecay, ProxAdam, ProxGen, ProxSGD, Zero, steps

ETA = PowerDecay(0.3, 0.4)
PSIS = [L1(lam=0.3), GroupLasso(lam=0.2, axis=-1), Nuclear(lam=0.4)]


def test_first_step_of_proxadamw_by_hand():
    """W^0 = 2, g = -4, eta = 1/2, weight decay 1/10: W' = 1.9, m^/D = -1, and the prox takes eta lam/D = 1/8."""
    algorithm = ProxAdam(L1(lam=1.0), step_size=0.5, epsilon=1e-300, weight_decay=0.1)
    one = algorithm.step(algorithm.init(np.array([2.0])), np.array([-4.0]))
    assert one.iterate[0] == pytest.approx(1.9 + 0.5 - 0.125, rel=1e-14)
    assert one.grad_average[0] == pytest.approx(-0.4, rel=1e-15)
    assert one.square_average[0] == pytest.approx(0.016, rel=1e-15)


def test_first_step_of_proxgen_by_hand():
    """m = -0.4 and C = sqrt(0.016), without corrections."""
    algorithm = ProxGen(L1(lam=0.1), step_size=0.5, epsilon=1e-300)
    one = algorithm.step(algorithm.init(np.array([2.0])), np.array([-4.0]))
    assert one.iterate[0] == pytest.approx(2.0 + 0.5 * (0.4 - 0.1) / math.sqrt(0.016), rel=1e-14)


def run(algorithm, n_steps=15, shape=(3, 4)):
    """The start, the gradients and the states."""
    rng = np.random.default_rng(0)
    start, grads = rng.standard_normal(shape), rng.standard_normal((n_steps, *shape))
    given = iter(grads)
    return start, grads, list(steps(algorithm, algorithm.init(start), lambda w: next(given), n_steps))


@pytest.mark.parametrize("psi", PSIS, ids=repr)
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_each_step_of_proxadam_solves_its_subproblem(psi, decay):
    """-(m^ + D (W - W')/eta) is a subgradient of psi, m^ and v^ as weighted means of the gradients given."""
    algorithm = ProxAdam(psi, ETA, momentum=0.3, square_momentum=0.1, epsilon=0.05, weight_decay=decay, tolerance=1e-10)
    before, grads, states = run(algorithm)
    for t, state in enumerate(states, 1):
        mean, square = (
            np.average(power[:t], axis=0, weights=beta ** np.arange(t - 1, -1, -1.0))
            for power, beta in ((grads, 0.7), (grads**2, 0.9))
        )
        metric, eta = np.sqrt(square) + 0.05, ETA(t)
        pull = -(mean + metric * (state.iterate - (1 - eta * decay) * before) / eta)
        assert psi.subdiff_distance(state.iterate, pull) <= 1e-9  # the tolerance over eta
        before = state.iterate


@pytest.mark.parametrize("psi", PSIS, ids=repr)
def test_each_step_of_proxgen_solves_its_subproblem(psi):
    algorithm = ProxGen(psi, ETA, momentum=0.3, square_momentum=0.1, epsilon=0.05, tolerance=1e-10)
    before, grads, states = run(algorithm)
    for t, state in enumerate(states, 1):
        mean, square = (
            np.tensordot((1 - beta) * beta ** np.arange(t - 1, -1, -1.0), power[:t], 1)
            for power, beta in ((grads, 0.7), (grads**2, 0.9))
        )
        pull = -(mean + (np.sqrt(square) + 0.05) * (state.iterate - before) / ETA(t))
        assert psi.subdiff_distance(state.iterate, pull) <= 1e-9
        before = state.iterate


def test_a_metric_of_ones_makes_proxgen_proxsgd():
    """Gradients of size 1 and square_momentum 1: C = 1 + epsilon."""
    grads = np.random.default_rng(1).choice([-1.0, 1.0], (20, 5))
    found = []
    for algorithm in (ProxGen(L1(0.2), 0.3, 0.4, 1.0, epsilon=1e-12), ProxSGD(L1(0.2), 0.3, 0.4)):
        given = iter(grads)
        found.append([s.iterate for s in steps(algorithm, algorithm.init(np.ones(5)), lambda w, g=given: next(g), 20)])
    np.testing.assert_allclose(*found, atol=1e-10)  # 20 steps, each off by epsilon


def test_msgd_is_the_momentum_of_proxsgd_in_other_units():
    """Its velocity is the average over c: eta for MSGD is eta c for ProxSGD."""
    grads = np.random.default_rng(2).standard_normal((20, 5))
    found = []
    for algorithm in (MSGD(0.03, 0.3), ProxSGD(Zero(), 0.1, 0.3)):
        given = iter(grads)
        found.append([s.iterate for s in steps(algorithm, algorithm.init(np.ones(5)), lambda w, g=given: next(g), 20)])
    np.testing.assert_allclose(*found, atol=1e-13)  # 20 steps of a few roundings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"momentum": 0.0}, r"momentum must lie in \(0, 1\], got 0.0; .*1 means no momentum"),
        ({"square_momentum": 1.5}, r"square_momentum must lie in \(0, 1\], got 1.5"),
        ({"epsilon": 0.0}, "epsilon must lie in"),
        ({"weight_decay": -0.1}, "weight_decay must lie in"),
        ({"tolerance": 0.0}, "tolerance must lie in"),
    ],
)
def test_bad_hyper_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        ProxAdam(L1(0.1), 0.1, **changes)
    if "weight_decay" not in changes:
        with pytest.raises(ValueError, match=message):
            ProxGen(L1(0.1), 0.1, **changes)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("kind", [ProxAdam, ProxGen])
def test_a_gradient_whose_square_overflows_is_refused(kind):
    algorithm = kind(L1(0.1), 0.1)
    with pytest.raises(ValueError, match="metric has 1 non-finite entries"):
        algorithm.step(algorithm.init(np.zeros(2)), np.array([1e200, 1.0]))
