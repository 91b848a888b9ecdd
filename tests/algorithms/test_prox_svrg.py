"""Prox-SVRG: steps by hand, the subproblem, unbiased gradients, linear convergence, and what it refuses."""

import dataclasses

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref import L1, GroupLasso, ProxSGD, Zero
from rmda_ref.algorithms.prox_svrg import ProxSVRG, ProxSVRGState
from rmda_ref.testing import check_algorithm

# f_i(w) = (a_i w - b_i)^2/2 + ||w||^2/2 with ||a_i|| = 1: each L_i = 2, f at least 1-strongly convex.
N, LIPSCHITZ = 12, 2.0
RNG = np.random.default_rng(0)
A = RNG.standard_normal((N, 4))
A /= np.linalg.norm(A, axis=1, keepdims=True)
B, W0, PSI = RNG.standard_normal(N), RNG.standard_normal(4), L1(lam=0.05)


def gradient(i, w):
    return A[i] * (A[i] @ w - B[i]) + w


def full_gradient(w):
    return A.T @ (A @ w - B) / N + w


def objective(w):
    return float(((A @ w - B) ** 2).mean() / 2 + w @ w / 2 + PSI.value(w))


def optimum():
    """Full proximal gradient steps halve the distance at least: 200 of them leave rounding."""
    w = W0
    for _ in range(200):
        w = PSI.prox(w - full_gradient(w) / LIPSCHITZ, 1 / LIPSCHITZ)
    return w


def test_two_epochs_by_hand():
    """psi = |.|, eta = 1/2, f = (f_1 + f_2)/2, f_1 = 2 w^2, f_2 = -6 w, so f' = 2w - 3: by arithmetic."""
    algorithm = ProxSVRG(L1(lam=1.0), step_size=0.5)
    state = algorithm.init(np.array([2.0]), np.array([1.0]))
    assert (state.average[0], state.iterate[0], state.t) == (2.0, 2.0, 0)
    state = algorithm.step(state, np.array([8.0]), np.array([8.0]))  # f_1 at 2: v = 1, soft(2 - 1/2, 1/2)
    assert (state.iterate[0], state.snapshot[0], state.full_grad[0], state.t) == (1.0, 2.0, 1.0, 1)
    state = algorithm.step(state, np.array([4.0]), np.array([8.0]))  # f_1 at 1: v = 4 - 8 + 1, soft(1 + 3/2, 1/2)
    assert (state.iterate[0], state.iterate_sum[0], state.average[0]) == (2.0, 3.0, 1.5)
    assert state.prox_iterate is state.iterate
    state = algorithm.restart(state, np.array([0.0]))
    assert (state.iterate[0], state.snapshot[0], state.average[0], state.full_grad[0], state.t) == (1.5, 1.5, 1.5, 0, 0)
    state = algorithm.step(state, np.array([-6.0]), np.array([-6.0]))  # f_2: v = 0, soft(3/2, 1/2)
    assert (state.iterate[0], state.average[0]) == (1.0, 1.0)


@pytest.mark.parametrize("psi", [L1(lam=0.3), GroupLasso(lam=0.4, groups=[0, 0, 1, 1])], ids=repr)
def test_each_step_solves_its_subproblem(psi):
    """(x - eta v - x+)/eta is a subgradient at x+; numbers below 10 divided by eta = 0.1, a few roundings each."""
    rng = np.random.default_rng(1)
    algorithm = ProxSVRG(psi, step_size=0.1)
    state = algorithm.init(W0, full_grad := full_gradient(W0))
    for i in rng.integers(N, size=30):
        following = algorithm.step(state, gradient(i, state.iterate), gradient(i, W0))
        v = gradient(i, state.iterate) - gradient(i, W0) + full_grad
        slope = (state.iterate - 0.1 * v - following.iterate) / 0.1
        assert psi.subdiff_distance(following.iterate, slope) <= 10 * 10 / 0.1 * 2**-53
        state = following


class NoFullGradient(ProxSVRG):
    """v without its last term."""

    def step(self, state, grad, grad_at_snapshot):
        none = dataclasses.replace(state, full_grad=np.zeros_like(state.full_grad))
        return dataclasses.replace(super().step(none, grad, grad_at_snapshot), full_grad=state.full_grad)


class Plain(ProxSVRG):
    """v = grad f_i: stochastic gradient."""

    def step(self, state, grad, grad_at_snapshot):
        return super().step(state, grad, state.full_grad)


class OldFullGradient(ProxSVRG):
    """A restart that keeps the full gradient of the first snapshot."""

    def restart(self, state, full_grad):
        return super().restart(state, state.full_grad)


class OldSnapshot(ProxSVRG):
    """A restart that keeps the snapshot."""

    def restart(self, state, full_grad):
        return dataclasses.replace(super().restart(state, full_grad), snapshot=state.snapshot)


def assert_unbiased(kind):
    """The mean step over all components is the full gradient step; and its variance vanishes at the snapshot."""
    algorithm = kind(Zero(), step_size=0.1)
    state = algorithm.init(W0, full_gradient(W0))
    at_snapshot = [algorithm.step(state, gradient(i, W0), gradient(i, W0)).iterate for i in range(N)]
    rounding = 10 * N * 2**-53  # sums of at most N numbers below 10
    np.testing.assert_allclose(at_snapshot, [W0 - 0.1 * full_gradient(W0)] * N, rtol=0, atol=rounding)
    x = W0 + 1
    state = dataclasses.replace(state, iterate=x)
    after = [algorithm.step(state, gradient(i, x), gradient(i, W0)).iterate for i in range(N)]
    np.testing.assert_allclose(np.mean(after, 0), x - 0.1 * full_gradient(x), rtol=0, atol=rounding)


def test_the_reduced_gradient_is_unbiased():
    assert_unbiased(ProxSVRG)


@pytest.mark.parametrize("wrong", [NoFullGradient, Plain])
def test_wrong_reductions_are_not(wrong):
    with pytest.raises(AssertionError):
        assert_unbiased(wrong)


def run(algorithm, n_epochs, m):
    """F - F* at the snapshots."""
    rng, least = np.random.default_rng(2), objective(optimum())
    state = algorithm.init(W0, full_gradient(W0))
    for _ in range(n_epochs):
        yield objective(state.snapshot) - least
        for i in rng.integers(N, size=m):
            state = algorithm.step(state, gradient(i, state.iterate), gradient(i, state.snapshot))
        state = algorithm.restart(state, full_gradient(state.average))
    yield objective(state.snapshot) - least


EPOCHS, M, ETA = 50, 200, 0.05 / LIPSCHITZ
# Theorem 3.1: rho = 1/(mu eta (1 - 4 L eta) m) + 4 L eta (m + 1)/((1 - 4 L eta) m), with mu = 1.
RHO = 1 / (ETA * 0.8 * M) + 0.2 * (M + 1) / (0.8 * M)
BAR = 1e-10  # by Markov the gap is above BAR times the first with probability at most RHO^EPOCHS/BAR


def test_it_converges_linearly():
    assert RHO**EPOCHS / BAR < 3e-5
    gaps = list(run(ProxSVRG(PSI, ETA), EPOCHS, M))
    assert gaps[-1] <= BAR * gaps[0]


@pytest.mark.parametrize("wrong", [NoFullGradient, Plain, OldFullGradient, OldSnapshot])
def test_wrong_variants_do_not_converge(wrong):
    gaps = list(run(wrong(PSI, ETA), EPOCHS, M))
    assert gaps[-1] > 1e3 * BAR * gaps[0]


def test_prox_sgd_does_not_converge():
    """The step T_i of component i is nonexpansive: if w and T_i w are within d of W*, T_i moves W* by at most 4 d."""
    best, algorithm, rng = optimum(), ProxSGD(PSI, ETA), np.random.default_rng(2)
    moves = [np.linalg.norm(PSI.prox(best - ETA * gradient(i, best), ETA) - best) for i in range(N)]
    state, distances = algorithm.init(W0), []
    for i in rng.integers(N, size=EPOCHS * M):
        state = algorithm.step(state, gradient(i, state.iterate))
        distances.append(np.linalg.norm(state.iterate - best))
    assert max(moves) > 1e-2
    assert max(distances[-20 * N :]) >= max(moves) / 4  # (1 - 1/N)^(20 N) = 2e-9: the worst component has come


class OneGradient:
    """Prox-SVRG as an algorithm of one gradient a step, with snapshot gradients 0; a restart is a new run."""

    def __init__(self, algorithm):
        self.algorithm, self.regularizer = algorithm, algorithm.regularizer

    def init(self, w0):
        return self.algorithm.init(w0, np.zeros_like(w0))

    def step(self, state, grad):
        return self.algorithm.step(state, grad, np.zeros_like(state.iterate))

    def restart(self, state):
        return self.init(state.iterate)


class OtherGradient(OneGradient):
    """The same of the gradient at the snapshot."""

    def step(self, state, grad):
        return self.algorithm.step(state, np.zeros_like(state.iterate), grad)


@pytest.mark.parametrize("adapted", [OneGradient, OtherGradient])
def test_it_keeps_the_promises_of_an_algorithm(adapted):
    check_algorithm(adapted(ProxSVRG(L1(lam=0.1), 0.2)), np.linspace(-1, 1, 6))


def test_it_runs_on_another_namespace():
    algorithm, states = ProxSVRG(L1(lam=0.1), lambda t: 0.2 / t), []
    for asarray in (np.asarray, strict.asarray):
        state = algorithm.init(asarray(W0), asarray(full_gradient(W0)))
        for _ in range(2):
            for i in range(N):
                state = algorithm.step(state, asarray(gradient(i, W0 / 2)), asarray(gradient(i, W0)))
            state = algorithm.restart(state, asarray(full_gradient(W0)))
        states.append(np.asarray(state.iterate))
    np.testing.assert_allclose(*states, rtol=0, atol=1e-14)  # 24 steps of numbers below 10


def test_a_schedule_counts_within_the_epoch():
    algorithm = ProxSVRG(Zero(), step_size=lambda t: 1 / t)
    zero, one = np.zeros(1), np.ones(1)
    state = algorithm.step(algorithm.step(algorithm.init(zero, zero), one, zero), one, zero)
    assert state.iterate[0] == -1.5
    state = algorithm.restart(state, zero)
    assert algorithm.step(state, one, zero).iterate[0] == state.iterate[0] - 1


def arrays(state):
    return [np.copy(getattr(state, field.name)) for field in dataclasses.fields(ProxSVRGState)]


BAD = [
    (np.array([1.0, np.nan]), ValueError, "has 1 non-finite entries"),
    (np.zeros(3), ValueError, r"has shape \(3,\), the parameter \(2,\)"),
    (np.zeros(2, np.float32), TypeError, "has dtype float32, the parameter float64"),
    ([0.0, 0.0], TypeError, "list"),
]


@pytest.mark.parametrize(("bad", "error", "message"), BAD)
def test_bad_gradients_are_refused_and_change_nothing(bad, error, message):
    algorithm, good = ProxSVRG(L1(lam=0.1), 0.1), np.ones(2)
    state = algorithm.step(algorithm.init(good, good), good, good)
    before = arrays(state)
    with pytest.raises(error, match="grad.*" + message if isinstance(bad, np.ndarray) else message):
        algorithm.step(state, bad, good)
    with pytest.raises(error, match="grad_at_snapshot.*" + message if isinstance(bad, np.ndarray) else message):
        algorithm.step(state, good, bad)
    with pytest.raises(error, match="full_grad.*" + message if isinstance(bad, np.ndarray) else message):
        algorithm.restart(state, bad)
    with pytest.raises(error, match="full_grad.*" + message if isinstance(bad, np.ndarray) else message):
        algorithm.init(good, bad)
    for now, then in zip(arrays(state), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_bad_starts_and_step_sizes():
    with pytest.raises(ValueError, match="w0 has 1 non-finite entries"):
        ProxSVRG(Zero(), 0.1).init(np.array([np.inf]), np.zeros(1))
    with pytest.raises(ValueError, match="axis=2 is out of range"):
        ProxSVRG(GroupLasso(lam=1.0, axis=2), 0.1).init(np.zeros((4, 3)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"step_size must lie in \(0, inf\), got 0.0"):
        ProxSVRG(Zero(), 0.0)
    state = (algorithm := ProxSVRG(Zero(), lambda t: -1.0)).init(np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="step_size at step 1 must lie"):
        algorithm.step(state, np.zeros(1), np.zeros(1))


def test_what_is_given_is_copied():
    algorithm, w0, full_grad = ProxSVRG(Zero(), 0.1), np.ones(2), np.ones(2)
    state = algorithm.init(w0, full_grad)
    again = algorithm.restart(state, full_grad)
    w0[:], full_grad[:] = 7.0, 7.0
    for array in (state.iterate, state.snapshot, state.full_grad, again.full_grad):
        np.testing.assert_array_equal(array, [1.0, 1.0])
