"""`LazyStepper` is `RMDA.step` on the dense gradients, bit for bit, and touches what it is given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmda_ref import L1, MCP, RMDA, SCAD, Block, Blocks, ElasticNet, GroupLasso, NonnegativeL1, PowerDecay, Slope, Zero
from rmda_ref.algorithms.lazy import LazyStepper

N = 12
SERVED = {
    "L1": L1(0.3),
    "L1 with weights": L1(0.3, weights=np.arange(N) / 4),
    "L1 without strength": L1(0.0),
    "elastic net": ElasticNet(0.3, 0.4),
    "MCP": MCP(0.3, 3.0),
    "SCAD": SCAD(0.3, 3.7),
    "NonnegativeL1": NonnegativeL1(0.3),
    "Zero": Zero(),
}


def sequence(seed, n_steps, at_most=N):
    """Gradients given by some entries each, none now and then."""
    rng = np.random.default_rng(seed)
    for _ in range(n_steps):
        index = rng.permutation(N)[: rng.integers(0, at_most + 1)]
        yield index, rng.standard_normal(index.size) * 10.0 ** rng.integers(-3, 3)


def dense(index, grad, dtype=np.float64):
    full = np.zeros(N, dtype)
    full[index] = grad
    return full


def start(seed):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(N) * (rng.random(N) < 0.5)


def assert_same(one, other):
    for name in ("anchor", "iterate", "prox_iterate", "grad_sum", "weight", "t"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("psi", SERVED.values(), ids=SERVED)
@given(
    seed=st.integers(0, 2**32 - 1), n_steps=st.integers(0, 12), schedule=st.sampled_from([0.5, PowerDecay(2.0, 0.5)])
)
def test_it_is_the_dense_step_bit_for_bit(psi, seed, n_steps, schedule):
    algorithm = RMDA(psi, schedule)
    state = algorithm.init(start(seed))
    lazy = LazyStepper(algorithm, state)
    for index, grad in sequence(seed, n_steps):
        lazy.step(index, grad)
        state = algorithm.step(state, dense(index, grad))
        some = np.array([3, 0, 11])
        np.testing.assert_array_equal(lazy.read(some), state.prox_iterate[some])
    assert lazy.t == state.t == n_steps
    assert_same(lazy.state, state)


@given(seed=st.integers(0, 2**32 - 1), before=st.integers(1, 6))
def test_it_goes_on_from_a_state_and_back(seed, before):
    algorithm = RMDA(L1(0.3), PowerDecay(1.0, 0.5))
    state = algorithm.init(start(seed))
    steps = list(sequence(seed, 2 * before))
    for index, grad in steps[:before]:
        state = algorithm.step(state, dense(index, grad))
    lazy = LazyStepper(algorithm, state)
    assert_same(lazy.state, state)
    for index, grad in steps[before:]:
        lazy.step(index, grad)
        state = algorithm.step(state, dense(index, grad))
    assert_same(algorithm.step(lazy.state, np.ones(N)), algorithm.step(state, np.ones(N)))


def test_float32_stays_float32():
    algorithm = RMDA(L1(0.3), 0.5)
    state = algorithm.init(start(1).astype(np.float32))
    lazy = LazyStepper(algorithm, state)
    for index, grad in sequence(1, 5):
        lazy.step(index, grad.astype(np.float32))
        state = algorithm.step(state, dense(index, grad, np.float32))
    assert lazy.read(np.arange(N)).dtype == np.float32
    assert_same(lazy.state, state)


def test_the_state_it_was_given_is_not_touched():
    algorithm = RMDA(L1(0.3), 0.5)
    state = algorithm.step(algorithm.init(start(0)), np.ones(N))
    before = {name: np.copy(getattr(state, name)) for name in ("anchor", "iterate", "grad_sum")}
    lazy = LazyStepper(algorithm, state)
    lazy.step(np.arange(3), np.ones(3))
    snapshot = lazy.state
    lazy.step(np.arange(3), np.ones(3))
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(state, name), value)
    assert snapshot.t == 2
    assert (snapshot.grad_sum != lazy.state.grad_sum).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_changes_nothing(bad):
    algorithm = RMDA(L1(0.3), 0.5)
    lazy = LazyStepper(algorithm, algorithm.init(start(0)))
    lazy.step(np.arange(3), np.ones(3))
    before = lazy.state
    with pytest.raises(
        ValueError, match=r"grad has 1 non-finite entries, the first at index \(1,\); nothing was changed"
    ):
        lazy.step(np.array([4, 5]), np.array([1.0, bad]))
    assert_same(lazy.state, before)


REFUSED = {
    "momentum": RMDA(L1(0.3), 0.5, momentum=0.9),
    "a schedule of momentum": RMDA(L1(0.3), 0.5, momentum=lambda t: 1.0),
    "groups": RMDA(GroupLasso(0.3, groups=np.arange(N) // 3), 0.5),
    "a row": RMDA(Slope(0.3, np.linspace(1, 0, N)), 0.5),
    "blocks": RMDA(Blocks((Block("all", (N,), L1(0.3)),)), 0.5),
}


@pytest.mark.parametrize("algorithm", REFUSED.values(), ids=REFUSED)
def test_what_it_does_not_serve_is_refused(algorithm):
    assert not LazyStepper.serves(algorithm)
    with pytest.raises(TypeError, match=r"needs momentum=1 and an entrywise regularizer; use algorithm\.stepper"):
        LazyStepper(algorithm, algorithm.init(np.zeros(N)))


def test_a_matrix_is_refused():
    algorithm = RMDA(L1(0.3), 0.5)
    with pytest.raises(ValueError, match=r"flat parameter, got shape \(3, 4\); use w\.ravel"):
        LazyStepper(algorithm, algorithm.init(np.zeros((3, 4))))
