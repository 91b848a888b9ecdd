"""What all algorithms promise: pure steps on explicit states, and errors that leave the state as it was."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import (
    GRDA,
    L1,
    MDA,
    MSGD,
    NM,
    RAMDA,
    RDA,
    RMDA,
    GroupLasso,
    GrowingStrength,
    MaskDecay,
    Nuclear,
    PowerDecay,
    ProxAdam,
    ProxGen,
    ProxSGD,
    Stage,
    Zero,
    scheduled_steps,
    staged_steps,
    steps,
)
from rmda_ref.testing import check_algorithm

ALGORITHMS = [
    pytest.param(RMDA(L1(lam=0.3), step_size=0.5, momentum=0.4), id="RMDA"),
    pytest.param(RAMDA(L1(lam=0.3), step_size=0.5, momentum=0.4), id="RAMDA"),
    pytest.param(RDA(L1(lam=0.3), gamma=2.0), id="RDA"),
    pytest.param(ProxSGD(L1(lam=0.3), step_size=0.5, momentum=0.4), id="ProxSGD"),
    pytest.param(MSGD(step_size=0.5, momentum=0.4), id="MSGD"),
    pytest.param(MDA(step_size=0.5, momentum=0.4), id="MDA"),
    pytest.param(GRDA(L1(lam=0.3), step_size=0.5, strength=0.4, power=0.6), id="gRDA"),
    pytest.param(ProxAdam(L1(lam=0.3), step_size=0.5, momentum=0.4), id="ProxAdam"),
    pytest.param(ProxGen(L1(lam=0.3), step_size=0.5, momentum=0.4), id="ProxGen"),
]
FUSED = [each for each in ALGORITHMS if hasattr(each.values[0], "stepper")]


def arrays(state):
    return {f.name: np.copy(getattr(state, f.name)) for f in dataclasses.fields(state)}


def assert_same(state, before):
    for name, value in arrays(state).items():
        np.testing.assert_array_equal(value, before[name])


def test_rmda_first_steps_by_hand():
    """Algorithm 1 with psi = |.|, W^0 = 0, eta = 1/2, c = 1/2 and gradients -3, -1, by arithmetic."""
    algorithm = RMDA(L1(lam=1.0), step_size=0.5, momentum=0.5)
    one = algorithm.step(algorithm.init(np.zeros(1)), np.array([-3.0]))
    # s = alpha = 1/2, V = -3/2, W~ = soft(3/2, 1/2) = 1, W = 1/2
    assert (one.weight, one.t) == (0.5, 1)
    assert [one.grad_sum[0], one.prox_iterate[0], one.iterate[0]] == [-1.5, 1.0, 0.5]
    two = algorithm.step(one, np.array([-1.0]))
    # with r = sqrt 2: beta = r, s = r/2, alpha = (1 + r)/2, V = -(3 + r)/2, W~ = (3 + r)/(2r) - (1 + r)/(2r) = r/2
    assert two.prox_iterate[0] == pytest.approx(np.sqrt(2) / 2, rel=1e-15)
    assert two.iterate[0] == pytest.approx(0.25 + np.sqrt(2) / 4, rel=1e-15)
    assert two.dual_average[0] == pytest.approx(-(3 + np.sqrt(2)) / (1 + np.sqrt(2)), rel=1e-15)


def test_dual_average_is_zero_before_the_first_step():
    for algorithm in (RMDA(Zero(), 1.0), RAMDA(Zero(), 1.0), RDA(Zero(), 1.0)):
        np.testing.assert_array_equal(algorithm.init(np.ones(3)).dual_average, np.zeros(3))


def test_prox_sgd_first_step_by_hand():
    algorithm = ProxSGD(L1(lam=1.0), step_size=0.5, momentum=0.5)
    one = algorithm.step(algorithm.init(np.array([1.0])), np.array([-4.0]))
    assert [one.grad_average[0], one.iterate[0]] == [-2.0, 1.5]  # soft(1 + 1, 1/2)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_step_does_not_touch_its_state_nor_the_start(algorithm):
    w0 = np.array([1.0, -2.0])
    state = algorithm.init(w0)
    w0[:] = 7.0
    before = arrays(state)
    np.testing.assert_array_equal(state.iterate, [1.0, -2.0])
    following = algorithm.step(state, np.array([0.5, 0.5]))
    algorithm.restart(following)
    assert_same(state, before)
    assert following.t == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_restart_is_a_start_from_the_iterate(algorithm):
    rng = np.random.default_rng(0)
    state = algorithm.init(rng.standard_normal(4))
    for _ in range(5):
        state = algorithm.step(state, rng.standard_normal(4))
    grad = rng.standard_normal(4)
    again = algorithm.step(algorithm.restart(state), grad)
    assert_same(again, arrays(algorithm.step(algorithm.init(state.iterate), grad)))


BAD_GRADIENTS = [
    (np.array([1.0, np.nan]), ValueError, r"grad has 1 non-finite entries, the first at index \(1,\)"),
    (np.array([-np.inf, np.inf]), ValueError, "grad has 2 non-finite entries"),
    (np.zeros(3), ValueError, r"grad has shape \(3,\), the parameter \(2,\)"),
    (np.zeros((2, 1)), ValueError, r"grad has shape \(2, 1\)"),
    (np.zeros(2, dtype=np.float32), TypeError, r"grad has dtype float32, the parameter float64; use grad.astype"),
    (np.zeros(2, dtype=np.int64), TypeError, "grad has dtype int64"),
    ([0.0, 0.0], TypeError, "list"),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("grad", "error", "message"), BAD_GRADIENTS)
def test_a_bad_gradient_is_refused_and_changes_nothing(algorithm, grad, error, message):
    good = np.array([0.5, -0.5])
    state = algorithm.step(algorithm.init(np.ones(2)), good)
    before = arrays(state)
    with pytest.raises(error, match=message):
        algorithm.step(state, grad)
    assert_same(state, before)


@pytest.mark.parametrize("algorithm", FUSED)
@pytest.mark.parametrize(("grad", "error", "message"), BAD_GRADIENTS)
def test_a_stepper_refuses_a_bad_gradient_and_has_not_changed(algorithm, grad, error, message):
    good = np.array([0.5, -0.5])
    state = algorithm.step(algorithm.init(np.ones(2)), good)
    stepper = algorithm.stepper(state)
    before = arrays(state)
    with pytest.raises(error, match=message):
        stepper.step(grad)
    assert_same(stepper.state, before)
    stepper.step(good)
    assert_same(stepper.state, arrays(algorithm.step(state, good)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("w0", "error", "message"),
    [
        (np.array([np.inf]), ValueError, "w0 has 1 non-finite entries"),
        (np.array([1, 2]), TypeError, r"w0 has dtype int64; use one of float32, float64, e.g. w0.astype\('float64'\)"),
        (np.array([1.0], dtype=np.float16), TypeError, "w0 has dtype float16"),
        (np.array([1.0 + 1j]), TypeError, "w0 has dtype complex128"),
        ([1.0], TypeError, "expected an array, got list"),
    ],
)
def test_a_bad_start_is_refused(algorithm, w0, error, message):
    with pytest.raises(error, match=message):
        algorithm.init(w0)


def test_a_start_that_does_not_fit_the_regularizer():
    with pytest.raises(ValueError, match=r"axis=2 is out of range for an array of shape \(4, 3\)"):
        RMDA(GroupLasso(lam=1.0, axis=2), 0.1).init(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="needs a matrix"):
        RMDA(Nuclear(lam=1.0), 0.1).init(np.zeros(3))


@pytest.mark.parametrize("kind", [RMDA, RAMDA, ProxSGD, ProxAdam, ProxGen])
@pytest.mark.parametrize("bad", [0.0, -0.1, np.nan, np.inf])
def test_bad_step_size(kind, bad):
    with pytest.raises(ValueError, match=r"step_size must lie in \(0, inf\), got"):
        kind(Zero(), step_size=bad)
    with pytest.raises(ValueError, match="gamma must lie"):
        RDA(Zero(), gamma=bad)
    state = kind(Zero(), step_size=1.0).init(np.zeros(1))
    with pytest.raises(ValueError, match="step_size at step 1 must lie"):
        kind(Zero(), step_size=lambda t: bad).step(state, np.zeros(1))


@pytest.mark.parametrize("kind", [RMDA, RAMDA, ProxSGD, ProxGen])
@pytest.mark.parametrize("bad", [0.0, 1.1, -1.0, np.nan])
def test_bad_momentum(kind, bad):
    with pytest.raises(ValueError, match=r"momentum must lie in \(0, 1\], got .*1 means no momentum"):
        kind(Zero(), step_size=1.0, momentum=bad)
    state = kind(Zero(), step_size=1.0).init(np.zeros(1))
    with pytest.raises(ValueError, match="momentum at step 1 must lie"):
        kind(Zero(), step_size=1.0, momentum=lambda t: bad).step(state, np.zeros(1))


def test_steps_take_the_gradient_at_the_iterate():
    asked = []
    algorithm = RMDA(L1(lam=0.1), step_size=PowerDecay(0.5, 0.5), momentum=0.5)
    states = list(steps(algorithm, algorithm.init(np.ones(2)), lambda w: asked.append(w) or w, 3))
    np.testing.assert_array_equal(asked[1], states[0].iterate)
    np.testing.assert_array_equal(asked[2], states[1].iterate)


def test_staged_steps_restart_between_stages():
    algorithm = RMDA(L1(lam=0.1), step_size=1.0)
    states = list(staged_steps(algorithm, np.ones(2), lambda w: w, [Stage(2, 0.5), Stage(2, 0.1, momentum=0.5)]))
    assert [state.t for state in states] == [1, 2, 1, 2]
    np.testing.assert_array_equal(states[2].anchor, states[1].iterate)
    assert states[2].weight == 0.1


@pytest.mark.parametrize("kind", [RMDA, RAMDA, ProxSGD, ProxGen])
def test_numpy_step_sizes_keep_float32(kind):
    algorithm = kind(L1(lam=1.0), lambda t: 0.1 / np.sqrt(t), lambda t: np.float64(0.5))
    state = algorithm.init(np.ones(2, np.float32))
    for _ in range(2):
        state = algorithm.step(state, np.ones(2, np.float32))
    assert state.iterate.dtype == state.prox_iterate.dtype == np.float32


def test_a_numpy_gamma_keeps_float32():
    algorithm = RDA(L1(lam=1.0), np.float64(2.0))
    assert algorithm.step(algorithm.init(np.ones(2, np.float32)), np.ones(2, np.float32)).iterate.dtype == np.float32


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_all_promises(algorithm):
    check_algorithm(algorithm, np.linspace(-1, 1, 6))


def test_mda_is_rmda_without_a_regularizer():
    rng = np.random.default_rng(3)
    start, grads = rng.standard_normal(5), rng.standard_normal((2, 10, 5))
    runs = []
    for algorithm in (MDA(0.3, PowerDecay(0.9, 0.5)), RMDA(Zero(), 0.3, PowerDecay(0.9, 0.5))):
        given = iter(grads.reshape(20, 5))
        stages = [Stage(10, 0.3, PowerDecay(0.9, 0.5)), Stage(10, 0.1, 0.5)]
        runs.append([s.iterate for s in staged_steps(algorithm, start, lambda w, given=given: next(given), stages)])
    np.testing.assert_array_equal(*runs)


PENALISED = [each for each in ALGORITHMS if each.id not in ("MSGD", "MDA")]


@pytest.mark.parametrize("algorithm", PENALISED)
def test_a_strength_that_grows_is_that_of_each_step(algorithm):
    """Under `scheduled_steps` each step is the one that the algorithm with that strength takes."""
    growth = GrowingStrength(increment=0.1, every=3, ceiling=0.25)
    grads = iter(np.random.default_rng(0).standard_normal((10, 4)))
    start, seen = algorithm.init(np.ones(4)), []

    def gradient(w):
        seen.append(next(grads))
        return seen[-1]

    state = start
    for k, found in enumerate(scheduled_steps(algorithm, start, gradient, 10, lambda k, step: L1(growth(k))), 1):
        state = dataclasses.replace(algorithm, regularizer=L1(growth(k))).step(state, seen[-1])
        assert_same(found, arrays(state))


@pytest.mark.parametrize("algorithm", PENALISED)
def test_a_decaying_mask_ends_with_the_mask(algorithm):
    """2 of each 4 entries at and after the end of the decay, whatever the algorithm; all 4 before."""
    decay, rng = MaskDecay(end=6), np.random.default_rng(1)

    def mask(k, prox_step):
        return NM(2, 4, lam=decay.lam(k, prox_step))

    run = scheduled_steps(algorithm, algorithm.init(rng.standard_normal(8)), lambda w: w - 1, 8, mask)
    counts = [(state.prox_iterate.reshape(2, 4) != 0).sum(axis=1).max() for state in run]
    assert counts[:5] == [4] * 5 and counts[5:] == [2] * 3


def test_the_factor_of_a_decaying_mask_is_the_one_asked_for():
    """ProxSGD: what lies outside the mask is multiplied by the factor, to a rounding."""
    decay = MaskDecay(end=4)
    algorithm = ProxSGD(NM(1, 2), step_size=0.25)
    start = algorithm.init(np.array([4.0, 1.0]))
    run = scheduled_steps(algorithm, start, np.zeros_like, 3, lambda k, step: NM(1, 2, lam=decay.lam(k, step)))
    np.testing.assert_allclose([s.iterate[1] for s in run], np.cumprod([0.75, 0.5, 0.25]), rtol=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"increment": 0.0}, "increment must lie in"),
        ({"every": 0}, "every must be at least 1"),
        ({"ceiling": 0.1, "start": 0.2}, "ceiling is 0.1, below start 0.2"),
        ({"start": -1.0}, "start must lie in"),
    ],
)
def test_bad_growth(changes, message):
    with pytest.raises(ValueError, match=message):
        GrowingStrength(**{"increment": 0.1, "every": 2, "ceiling": 1.0, **changes})
