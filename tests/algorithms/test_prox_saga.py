"""SAGA: steps by hand, the subproblem, unbiased gradients, linear convergence, the mean's drift, refusals."""

import dataclasses

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref import L1, GroupLasso, ProxSGD, Zero
from rmda_ref.algorithms.prox_saga import ProxSAGA, ProxSAGAState
from rmda_ref.testing import check_algorithm

# f_j(w) = log(1 + exp(-a_j w)) + ||w||^2/8 with ||a_j|| = 1: each is 1/4-strongly convex with L = 1/2.
N, CONVEXITY, LIPSCHITZ = 10, 0.25, 0.5
RNG = np.random.default_rng(0)
A = RNG.standard_normal((N, 4))
A /= np.linalg.norm(A, axis=1, keepdims=True)
W0, PSI = RNG.standard_normal(4), GroupLasso(lam=0.02, groups=[0, 0, 1, 1])


def gradient(j, w):
    return -A[j] / (1 + np.exp(A[j] @ w)) + CONVEXITY * w


def full_table(w):
    return np.stack([gradient(j, w) for j in range(N)])


def optimum():
    """Full proximal gradient steps halve the distance at least: 200 of them leave rounding."""
    w = W0
    for _ in range(200):
        w = PSI.prox(w - full_table(w).mean(0) / LIPSCHITZ, 1 / LIPSCHITZ)
    return w


def test_three_steps_by_hand():
    """psi = |.|, eta = 1/2, n = 2, by arithmetic; the step is taken with the old table and its mean."""
    algorithm = ProxSAGA(L1(lam=1.0), step_size=0.5)
    state = algorithm.init(np.zeros(1), np.array([[-4.0], [0.0]]))
    assert state.mean[0] == -2.0
    state = algorithm.step(state, np.array([-6.0]), 0)  # v = -6 + 4 - 2, soft(2, 1/2)
    assert [state.iterate[0], *state.table[:, 0], state.mean[0], state.t] == [1.5, -6.0, 0.0, -3.0, 1]
    state = algorithm.step(state, np.array([2.0]), 1)  # v = 2 - 0 - 3, soft(2, 1/2)
    assert [state.iterate[0], *state.table[:, 0], state.mean[0], state.t] == [1.5, -6.0, 2.0, -2.0, 2]
    state = algorithm.step(state, np.array([-2.0]), np.int64(0))  # v = -2 + 6 - 2, soft(1/2, 1/2)
    assert [state.iterate[0], *state.table[:, 0], state.mean[0], state.t] == [0.0, -2.0, 2.0, 0.0, 3]
    assert state.prox_iterate is state.iterate
    again = algorithm.restart(state)
    assert [again.iterate[0], *again.table[:, 0], again.mean[0], again.t] == [0.0, -2.0, 2.0, 0.0, 0]


@pytest.mark.parametrize("psi", [L1(lam=0.3), GroupLasso(lam=0.4, groups=[0, 0, 1, 1])], ids=repr)
def test_each_step_solves_its_subproblem(psi):
    """(x - eta v - x+)/eta is a subgradient at x+, v from the mean of the table; at most a rounding a step."""
    rng, algorithm = np.random.default_rng(1), ProxSAGA(psi, step_size=0.1)
    state = algorithm.init(W0, full_table(W0))
    for j in rng.integers(N, size=30):
        following = algorithm.step(state, grad := gradient(j, state.iterate), j)
        v = grad - state.table[j] + state.table.mean(0)
        slope = (state.iterate - 0.1 * v - following.iterate) / 0.1
        assert psi.subdiff_distance(following.iterate, slope) <= 30 * 10 / 0.1 * 2**-53  # numbers below 10
        state = following


class NewMean(ProxSAGA):
    """The table is updated before the step: v = grad - old + new mean."""

    def step(self, state, grad, index):
        after = super().step(state, grad, index)
        v = grad - state.table[index] + after.mean
        return dataclasses.replace(
            after, iterate=self.regularizer.prox(state.iterate - self.step_size * v, self.step_size)
        )


class Gradient(ProxSAGA):
    """v = grad f_j, stochastic gradient."""

    def step(self, state, grad, index):
        return super().step(dataclasses.replace(state, mean=state.table[index]), grad, index)


class StaleMean(ProxSAGA):
    """The mean stays that of the first table."""

    def step(self, state, grad, index):
        return dataclasses.replace(super().step(state, grad, index), mean=state.mean)


class OtherRow(ProxSAGA):
    """The gradient is put in the row of the next component."""

    def step(self, state, grad, index):
        after = super().step(state, grad, index)
        table = state.table.copy()
        table[(index + 1) % len(table)] = grad
        return dataclasses.replace(after, table=table, mean=table.mean(0))


def assert_unbiased(kind):
    """The mean step over all components is the full gradient step, whatever is in the table."""
    algorithm = kind(Zero(), step_size=0.1)
    state = algorithm.init(W0, np.random.default_rng(3).standard_normal((N, 4)))
    after = [algorithm.step(state, gradient(j, W0), j).iterate for j in range(N)]
    expected = W0 - 0.1 * full_table(W0).mean(0)
    np.testing.assert_allclose(np.mean(after, 0), expected, rtol=0, atol=10 * N * 2**-53)  # sums of N numbers below 10


def test_the_reduced_gradient_is_unbiased():
    assert_unbiased(ProxSAGA)


def test_with_the_new_mean_it_is_not():
    with pytest.raises(AssertionError):
        assert_unbiased(NewMean)


def run(algorithm, n_steps=2000):
    """||x^t - W*||^2 at the first and the last step."""
    rng, best = np.random.default_rng(2), optimum()
    state = algorithm.init(W0, full_table(W0))
    for j in rng.integers(N, size=n_steps):
        state = algorithm.step(state, gradient(j, state.iterate), j)
    return np.sum((W0 - best) ** 2), np.sum((state.iterate - best) ** 2)


# Section 2 of the paper, eta = 1/(3 L): E||x^t - x*||^2 <= (1 - min(1/(4n), mu/(3L)))^t (||x^0 - x*||^2 + 2n/(3L) D),
# and D, the Bregman distance of f, is at most L/2 ||x^0 - x*||^2. By Markov:
BAR = 1e-16
CHANCE = (1 - min(1 / (4 * N), CONVEXITY / (3 * LIPSCHITZ))) ** 2000 * (1 + N / 3) / BAR


def test_it_converges_linearly():
    assert CHANCE < 1e-5
    first, last = run(ProxSAGA(PSI, 1 / (3 * LIPSCHITZ)))
    assert last <= BAR * first


@pytest.mark.parametrize("wrong", [Gradient, StaleMean, OtherRow])
def test_wrong_variants_do_not(wrong):
    first, last = run(wrong(PSI, 1 / (3 * LIPSCHITZ)))
    assert last > 1e6 * BAR * first


def test_prox_sgd_does_not_converge():
    """The step T_j of component j is nonexpansive: if w and T_j w are within d of W*, T_j moves W* by at most 4 d."""
    best, eta, rng = optimum(), 1 / (3 * LIPSCHITZ), np.random.default_rng(2)
    moves = [np.linalg.norm(PSI.prox(best - eta * gradient(j, best), eta) - best) for j in range(N)]
    algorithm, distances = ProxSGD(PSI, eta), []
    state = algorithm.init(W0)
    for j in rng.integers(N, size=2000):
        state = algorithm.step(state, gradient(j, state.iterate))
        distances.append(np.linalg.norm(state.iterate - best))
    assert max(moves) > 1e-2
    assert max(distances[-20 * N :]) >= max(moves) / 4  # (1 - 1/N)^(20 N) = 7e-10: the worst component has come


def test_the_drift_of_the_mean():
    """At most u (|mean| + 3 |change|/n) a step, and the mean of the first table errs by n u max|table|; float32."""
    rng, u = np.random.default_rng(4), 2.0**-24
    algorithm, n = ProxSAGA(Zero(), 1e-3), 7
    state = algorithm.init(np.zeros(3, np.float32), rng.standard_normal((n, 3)).astype(np.float32))
    bound = n * u * np.abs(state.table).max()
    for j in rng.integers(n, size=500):
        grad = rng.standard_normal(3).astype(np.float32)
        bound += u * (np.abs(state.mean) + 3 * np.abs(grad - state.table[j]) / n)
        state = algorithm.step(state, grad, j)
    exact = state.table.astype(float).mean(0)
    assert state.mean.dtype == np.float32
    assert (np.abs(state.mean - exact) <= bound).all()
    anew = algorithm.init(state.iterate, state.table)
    np.testing.assert_allclose(anew.mean, exact, rtol=0, atol=n * u * np.abs(state.table).max())


class ByTurns:
    """SAGA as an algorithm of one gradient a step, components by turns, a table of zeros; a restart is a new run."""

    def __init__(self, algorithm):
        self.algorithm, self.regularizer = algorithm, algorithm.regularizer

    def init(self, w0):
        return self.algorithm.init(w0, np.zeros((3, *w0.shape), w0.dtype))

    def step(self, state, grad):
        return self.algorithm.step(state, grad, state.t % 3)

    def restart(self, state):
        return self.init(state.iterate)


def test_it_keeps_the_promises_of_an_algorithm():
    check_algorithm(ByTurns(ProxSAGA(L1(lam=0.1), 0.2)), np.linspace(-1, 1, 6))


@pytest.mark.parametrize("shape", [(), (4,), (2, 2)])
def test_it_runs_on_another_namespace(shape):
    algorithm, states, rng = ProxSAGA(L1(lam=0.1), lambda t: 0.2 / t), [], np.random.default_rng(5)
    w0, table, grads = rng.standard_normal(shape), rng.standard_normal((3, *shape)), rng.standard_normal((9, *shape))
    for asarray in (np.asarray, strict.asarray):
        state = algorithm.init(asarray(w0), asarray(table))
        for t, grad in enumerate(grads):
            state = algorithm.step(state, asarray(grad), t % 3)
        states.append(state)
    for name in ("iterate", "table", "mean"):
        mine, theirs = (np.asarray(getattr(state, name)) for state in states)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-14)  # 9 steps of numbers below 10
    np.testing.assert_array_equal(states[0].table, grads[6:])


def test_a_restart_sets_back_the_clock_of_the_schedule():
    algorithm = ProxSAGA(Zero(), step_size=lambda t: 1 / t)
    one = np.ones(1)
    state = algorithm.step(algorithm.init(np.zeros(1), np.ones((1, 1))), one, 0)
    assert algorithm.step(state, one, 0).iterate[0] == -1.5
    assert algorithm.step(algorithm.restart(state), one, 0).iterate[0] == -2.0


def arrays(state):
    return [np.copy(getattr(state, field.name)) for field in dataclasses.fields(ProxSAGAState)]


@pytest.mark.parametrize(
    ("grad", "index", "error", "message"),
    [
        (np.array([1.0, np.nan]), 0, ValueError, "grad has 1 non-finite entries"),
        (np.zeros(3), 0, ValueError, r"grad has shape \(3,\), the parameter \(2,\)"),
        (np.zeros(2, np.float32), 0, TypeError, "grad has dtype float32, the parameter float64"),
        (np.zeros(2), 3, ValueError, "index must be below 3, the number of components, got 3; it is the component"),
        (np.zeros(2), -1, ValueError, "index must be at least 0, got -1"),
        (np.zeros(2), 1.0, TypeError, "index must be an integer, got float 1.0"),
        (np.zeros(2), True, TypeError, "index must be an integer, got bool True"),
    ],
)
def test_a_bad_step_is_refused_and_changes_nothing(grad, index, error, message):
    algorithm, good = ProxSAGA(L1(lam=0.1), 0.1), np.ones(2)
    state = algorithm.step(algorithm.init(good, np.ones((3, 2))), good, 1)
    before = arrays(state)
    with pytest.raises(error, match=message):
        algorithm.step(state, grad, index)
    for now, then in zip(arrays(state), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        (
            np.zeros(2),
            ValueError,
            r"table has shape \(2,\), the parameter \(2,\); give one gradient for each component",
        ),
        (np.zeros((0, 2)), ValueError, r"table has shape \(0, 2\)"),
        (np.zeros((3, 4)), ValueError, r"each gradient of the table has shape \(4,\), the parameter \(2,\)"),
        (
            np.zeros((3, 2), np.float32),
            TypeError,
            "each gradient of the table has dtype float32, the parameter float64",
        ),
        (np.full((3, 2), np.nan), ValueError, "table has 6 non-finite entries"),
        ([[0.0, 0.0]], TypeError, "expected an array, got list"),
    ],
)
def test_bad_tables(table, error, message):
    with pytest.raises(error, match=message):
        ProxSAGA(Zero(), 0.1).init(np.zeros(2), table)


def test_bad_starts_and_step_sizes():
    with pytest.raises(ValueError, match="w0 has 1 non-finite entries"):
        ProxSAGA(Zero(), 0.1).init(np.array([np.inf]), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="axis=2 is out of range"):
        ProxSAGA(GroupLasso(lam=1.0, axis=2), 0.1).init(np.zeros((4, 3)), np.zeros((1, 4, 3)))
    with pytest.raises(ValueError, match=r"step_size must lie in \(0, inf\), got 0.0"):
        ProxSAGA(Zero(), 0.0)
    state = (algorithm := ProxSAGA(Zero(), lambda t: -1.0)).init(np.zeros(1), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="step_size at step 1 must lie"):
        algorithm.step(state, np.zeros(1), 0)


def test_what_is_given_is_copied():
    w0, table, grad = np.ones(2), np.ones((1, 2)), np.ones(2)
    state = (algorithm := ProxSAGA(Zero(), 0.1)).init(w0, table)
    following = algorithm.step(state, grad, 0)
    w0[:], table[:], grad[:] = 7.0, 7.0, 7.0
    np.testing.assert_array_equal(state.iterate, [1.0, 1.0])
    np.testing.assert_array_equal(state.table, [[1.0, 1.0]])
    np.testing.assert_array_equal(following.table, [[1.0, 1.0]])
