"""RAMDA: first steps by hand, the subproblem it solves, what it shares with RMDA, and what it refuses."""

import numpy as np
import pytest

from rmda_ref import L1, MCP, RAMDA, RMDA, GroupLasso, Nuclear, PowerDecay, Rows, Zero, steps
from rmda_ref.testing import check_algorithm


def test_first_steps_by_hand():
    """psi = |.|, W^0 = 0, eta = 1, c = 1/2, gradients -8 and -4, by arithmetic."""
    algorithm = RAMDA(L1(lam=1.0), step_size=1.0, momentum=0.5, epsilon=1e-300)  # epsilon is lost in rounding
    one = algorithm.step(algorithm.init(np.zeros(1)), np.array([-8.0]))
    # s = alpha = 1, V = -8, U = 64, P = 4, W~ = (8 - 1)/4, W = W~/2
    assert (one.weight, one.t, one.grad_sum[0], one.square_sum[0]) == (1.0, 1, -8.0, 64.0)
    assert one.prox_iterate[0] == pytest.approx(1.75, rel=1e-15)
    assert one.iterate[0] == pytest.approx(0.875, rel=1e-15)
    two = algorithm.step(one, np.array([-4.0]))
    # with r = sqrt 2: alpha = 1 + r, V = -(8 + 4r), U = 64 + 16r, W~ = (7 + 3r)/(64 + 16r)^(1/3)
    r = np.sqrt(2)
    assert two.prox_iterate[0] == pytest.approx((7 + 3 * r) / np.cbrt(64 + 16 * r), rel=1e-14)  # a few roundings
    assert two.iterate[0] == pytest.approx(0.4375 + two.prox_iterate[0] / 2, rel=1e-14)
    np.testing.assert_allclose(two.dual_average, -(8 + 4 * r) / (1 + r), rtol=1e-15)


@pytest.mark.parametrize("psi", [L1(lam=0.3), GroupLasso(lam=0.2, axis=-1)], ids=["l1", "groups"])
def test_each_step_solves_its_subproblem(psi):
    """No point near or far has a smaller objective than W~, computed from the gradients given."""
    rng = np.random.default_rng(0)
    start, grads, eta = rng.standard_normal((3, 4)), rng.standard_normal((15, 3, 4)), PowerDecay(0.4, 0.3)
    given = iter(grads)
    algorithm = RAMDA(psi, eta, momentum=0.3, epsilon=0.05)
    for t, state in enumerate(steps(algorithm, algorithm.init(start), lambda w: next(given), len(grads)), 1):
        weights = np.array([eta(i) * np.sqrt(i) for i in range(1, t + 1)])
        v, u = (np.tensordot(weights, power, 1) for power in (grads[:t], grads[:t] ** 2))
        metric, alpha = np.cbrt(u) + 0.05, weights.sum()

        def objective(w, v=v, metric=metric, alpha=alpha):
            return float((v * w).sum() + alpha * psi.value(w) + (metric * (w - start) ** 2).sum() / 2)

        least = objective(state.prox_iterate)
        for size in (1e-4, 1e-2, 1.0):
            for _ in range(10):
                other = state.prox_iterate + size * rng.standard_normal(start.shape)
                assert objective(other) > least
                assert objective(other * (state.prox_iterate != 0)) >= least


def test_gradients_of_one_size_make_it_rmda():
    """Where g^2 = m in all entries, P^t = (eta m H_t)^(1/3): the prox of RMDA in units of P^t."""
    rng = np.random.default_rng(1)
    grads, m, eta = 2 * rng.choice([-1.0, 1.0], (30, 5)), 4.0, 0.25
    given, again, psi = iter(grads), iter(grads), L1(lam=0.5)
    ramda, rmda = RAMDA(psi, eta, epsilon=1e-12), RMDA(psi, eta)
    pairs = zip(
        steps(ramda, ramda.init(np.zeros(5)), lambda w: next(given), 30),
        steps(rmda, rmda.init(np.zeros(5)), lambda w: next(again), 30),
        strict=True,
    )
    for t, (one, other) in enumerate(pairs, 1):
        metric = np.cbrt(eta * m * np.sqrt(np.arange(1, t + 1)).sum())
        np.testing.assert_allclose(one.prox_iterate * metric, other.prox_iterate * np.sqrt(t), atol=1e-11)  # epsilon


@pytest.mark.parametrize("psi", [L1(lam=0.1), GroupLasso(lam=0.1, groups=[0, 0, 1, 1, 2, 2]), Zero()], ids=repr)
def test_it_keeps_the_promises_of_an_algorithm(psi):
    check_algorithm(RAMDA(psi, 0.2, 0.3), np.linspace(-1, 1, 6))


def test_an_entry_without_gradients_stays_where_it_is():
    algorithm = RAMDA(Zero(), 0.5)
    state = algorithm.init(np.array([1.0, 1.0]))
    for _ in range(5):
        state = algorithm.step(state, np.array([0.0, 1.0]))
    assert state.iterate[0] == 1.0
    assert state.iterate[1] < 0.5


def test_what_is_not_convex_and_has_no_prox_in_a_metric_is_refused():
    with pytest.raises(TypeError, match=r"MCP has no exact prox in one, and as it is not convex .*; use RMDA"):
        RAMDA(MCP(lam=1.0, gamma=2.0, layout=Rows(0)), 0.1)


def test_an_inexact_step_meets_the_condition_of_the_authors():
    """-(V + P (W~ - W^0)) is within the tolerance of alpha d psi(W~), psi the nuclear norm, at each of 15 steps."""
    rng = np.random.default_rng(2)
    psi, start, tolerances = Nuclear(lam=0.4), rng.standard_normal((3, 4)), PowerDecay(1e-3, 1.0)
    algorithm = RAMDA(psi, 0.3, 0.5, epsilon=0.05, tolerance=tolerances)
    state, ranks = algorithm.init(start), set()
    for t in range(1, 16):
        before = state.prox_iterate
        state = algorithm.step(state, rng.standard_normal(start.shape) + 0.3 * state.iterate)
        metric = np.cbrt(state.square_sum) + 0.05

        def objective(w, state=state, metric=metric):
            return (state.grad_sum * w).sum() + state.weight * psi.value(w) + (metric * (w - start) ** 2).sum() / 2

        slope = state.grad_sum + metric * (state.prox_iterate - start)
        residual = state.weight * psi.subdiff_distance(state.prox_iterate, -slope / state.weight)
        assert residual <= tolerances(t) + 1e-12  # rounding of terms of size 10
        assert objective(state.prox_iterate) <= objective(before) + 1e-12
        ranks.add(int(np.linalg.matrix_rank(state.prox_iterate)))
    assert min(ranks) < 3  # the penalty was felt


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_bad_tolerance(bad):
    with pytest.raises(ValueError, match="tolerance must lie in"):
        RAMDA(Nuclear(lam=1.0), 0.1, tolerance=bad)
    state = RAMDA(Nuclear(lam=1.0), 0.1).init(np.ones((2, 2)))
    with pytest.raises(ValueError, match="tolerance at step 1 must lie in"):
        RAMDA(Nuclear(lam=1.0), 0.1, tolerance=lambda t: bad).step(state, np.ones((2, 2)))


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_bad_epsilon(bad):
    with pytest.raises(ValueError, match="epsilon must lie in"):
        RAMDA(Zero(), 0.1, epsilon=bad)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_gradient_whose_square_overflows_is_refused():
    algorithm = RAMDA(L1(lam=0.1), 0.1)
    with pytest.raises(ValueError, match="metric has 1 non-finite entries"):
        algorithm.step(algorithm.init(np.zeros(2)), np.array([1e200, 1.0]))


def test_a_restart_keeps_the_structured_point():
    algorithm = RAMDA(L1(lam=1.0), 0.5, 0.3)
    state = algorithm.step(algorithm.init(np.ones(2)), np.array([9.0, -3.0]))
    np.testing.assert_array_equal(algorithm.restart(state).prox_iterate, state.prox_iterate)
    np.testing.assert_array_equal(algorithm.restart(state).anchor, state.iterate)
