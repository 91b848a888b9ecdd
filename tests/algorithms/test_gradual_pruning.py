"""Gradual pruning: equation 1 followed in plain Python, masks that only shrink, two clocks, and what it refuses."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import PowerDecay, Stage, staged_steps
from rmda_ref.algorithms.gradual_pruning import GradualPruning
from rmda_ref.algorithms.masked_msgd import Layer, MaskedState
from rmda_ref.testing import check_algorithm

LAYERS = (Layer(20, 0.3), Layer(4, 1.0), Layer(15, 0.6), Layer(9, 0.1))
SIZE = 48
PRUNING = GradualPruning(LAYERS, PowerDecay(0.1, 0.2), 0.3, start=4, every=3, n_updates=6)
START, GRADS = np.split(np.random.default_rng(0).standard_normal((41, SIZE)), [1])
START = START[0]


def assert_follows_equation_1(algorithm, grads=GRADS):
    """Entry by entry, from the gradients; numbers below 100, some ten roundings a step."""
    state, alive = algorithm.init(START), set(range(SIZE))
    w, v = START.tolist(), [0.0] * SIZE
    start, every, n = algorithm.start, algorithm.every, algorithm.n_updates
    for t, grad in enumerate(grads, 1):
        state = algorithm.step(state, grad)
        for i in alive:
            v[i] = (1 - algorithm.momentum) * v[i] + grad[i]
            w[i] -= algorithm.step_size(t) * v[i]
        if t in range(start, start + n * every + 1, every):
            begin = 0
            for layer in algorithm.layers:
                sparsity = (1 - layer.density) * (1 - (1 - (t - start) / (n * every)) ** 3)
                mine = sorted((i for i in alive if begin <= i < begin + layer.size), key=lambda i: -abs(w[i]))
                alive -= set(mine[round((1 - sparsity) * layer.size) :])
                begin += layer.size
            w, v = ([x if i in alive else 0.0 for i, x in enumerate(values)] for values in (w, v))
        assert set(np.flatnonzero(state.mask).tolist()) == alive, t
        np.testing.assert_allclose(state.iterate, w, rtol=0, atol=10 * t * 100 * 2**-53)
        np.testing.assert_allclose(state.velocity, v, rtol=0, atol=10 * t * 100 * 2**-53)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("change", [{}, {"start": 0, "every": 1, "n_updates": 1}, {"every": 1, "n_updates": 30}])
def test_it_follows_equation_1(seed, change):
    grads = np.random.default_rng(seed).standard_normal((40, SIZE))
    assert_follows_equation_1(dataclasses.replace(PRUNING, **change), grads)


class Linear(GradualPruning):
    """Not cubic."""

    def _n_kept(self, layer, k):
        return round((1 - (1 - layer.density) * k / self.n_updates) * layer.size)


class OneLate(GradualPruning):
    """The schedule lags by one pruning."""

    def _n_kept(self, layer, k):
        return super()._n_kept(layer, max(k - 1, 0))


class Before(GradualPruning):
    """Prunes the weights before the gradient step."""

    def step(self, state, grad):
        after, pruned = self._descend(state, grad), super().step(state, np.zeros_like(grad))
        keep = pruned.mask
        return dataclasses.replace(
            after, iterate=after.iterate * keep, velocity=after.velocity * keep, mask=keep, mask_t=pruned.mask_t
        )


class Resurrects(GradualPruning):
    """Pruned weights go on being trained, unseen, and may come back."""

    def step(self, state, grad):
        return super().step(dataclasses.replace(state, mask=np.ones_like(state.mask)), grad)


class KeepsVelocity(GradualPruning):
    """The velocity of the pruned is kept."""

    def step(self, state, grad):
        return dataclasses.replace(super().step(state, grad), velocity=self._descend(state, grad).velocity)


@pytest.mark.parametrize("wrong", [Linear, OneLate, Before, Resurrects, KeepsVelocity])
def test_wrong_variants_do_not(wrong):
    with pytest.raises(AssertionError):
        assert_follows_equation_1(wrong(**vars(PRUNING)))


def test_a_pruning_by_hand():
    """s_f = 1/2, the first of two prunings after start: 1 - s = 1/2 + 1/2 (1/8), round(8 * 9/16) = 4 (4.5, to even)."""
    algorithm = GradualPruning((Layer(8, 0.5),), 1.0, 0.5, start=0, every=1, n_updates=2)
    w, grad = np.array([8.0, -7.0, 6.0, -5.0, 4.0, -3.0, 2.0, -1.0]), np.array([0, 0, 0, 4.0, 4.0, 1.0, -7.0, 0])
    state = algorithm.step(algorithm.init(w), grad)
    np.testing.assert_array_equal(state.mask, [True, True, False, True, False, False, True, False])
    np.testing.assert_array_equal(state.iterate, [8.0, -7.0, 0, -9.0, 0, 0, 9.0, 0])
    np.testing.assert_array_equal(state.velocity, [0, 0, 0, 4.0, 0, 0, -7.0, 0])
    assert (state.t, state.mask_t) == (1, 1)
    assert state.prox_iterate is state.iterate


def test_of_equal_magnitudes_lower_indices_stay():
    algorithm = GradualPruning((Layer(4, 0.5),), 1.0, 1.0, start=0, every=1, n_updates=1)
    np.testing.assert_array_equal(algorithm.step(algorithm.init(np.ones(4)), np.zeros(4)).iterate, [1.0, 1.0, 0, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_numbers_of_the_alive_at_every_step(dtype):
    state, ends = PRUNING.init(START.astype(dtype)), np.cumsum([layer.size for layer in LAYERS])
    assert state.mask.all()
    for t, grad in enumerate(GRADS.astype(dtype), 1):
        before, state = state, PRUNING.step(state, grad)
        x = min(max((t - 4) // 3, 0), 6) / 6  # of the last pruning
        expected = [round((d + (1 - d) * (1 - x) ** 3) * n) for n, d in ((20, 0.3), (4, 1.0), (15, 0.6), (9, 0.1))]
        assert [part.sum() for part in np.split(state.mask, ends[:-1])] == expected, t
        assert not (state.mask & ~before.mask).any()
        assert state.iterate.dtype == state.velocity.dtype == dtype
        for array in (state.iterate, state.velocity):
            outside = array[~state.mask]
            assert not outside.any() and not np.signbit(outside).any()
    assert expected == [6, 4, 9, 1] == [layer.n_active for layer in LAYERS]


def test_pruned_entries_do_not_take_the_place_of_alive_zeros():
    """Where all alive weights are 0, the pruned ones, 0 too, do not come back."""
    algorithm = GradualPruning((Layer(6, 0.3),), 1.0, 1.0, start=0, every=1, n_updates=1)
    mask = np.array([False, False, True, True, False, True])
    state = algorithm.step(MaskedState(np.zeros(6), np.zeros(6), mask), np.zeros(6))
    np.testing.assert_array_equal(state.mask, [False, False, True, True, False, False])


def alive_at_each_step(algorithm, stages):
    given = iter(GRADS)
    return [int(s.mask.sum()) for s in staged_steps(algorithm, START, lambda w: next(given), stages)]


class OneClock(GradualPruning):
    """A restart sets back the clock of the mask too."""

    def restart(self, state):
        return dataclasses.replace(super().restart(state), mask_t=0)


def test_stages_do_not_move_the_plan_of_the_mask():
    """Learning-rate decay with restarts at 9 and 20 leaves the numbers of the alive as they are without."""
    stages = [Stage(9, 0.1, 0.1), Stage(11, 0.01, 0.5), Stage(20, 0.001, 1.0)]
    plan = alive_at_each_step(PRUNING, [Stage(40, 0.1, 0.1)])
    assert alive_at_each_step(PRUNING, stages) == plan
    assert alive_at_each_step(OneClock(**vars(PRUNING)), stages) != plan


def test_a_restart_keeps_mask_and_iterate_and_the_clock_of_the_mask():
    state = PRUNING.init(START)
    for grad in GRADS[:12]:
        state = PRUNING.step(state, grad)
    assert (state.t, state.mask_t) == (12, 12) and state.velocity.any()
    again = PRUNING.restart(state)
    assert (again.t, again.mask_t) == (0, 12) and not again.velocity.any()
    np.testing.assert_array_equal(again.iterate, state.iterate)
    np.testing.assert_array_equal(again.mask, state.mask)


def test_before_the_start_it_keeps_the_promises_of_an_algorithm():
    check_algorithm(dataclasses.replace(PRUNING, start=100), START)


class Anew(GradualPruning):
    """A restart as a new run. `check_algorithm` compares a restarted run with a new one, whose mask is full."""

    def restart(self, state):
        return self.init(state.iterate)


def test_while_pruning_it_keeps_the_other_promises():
    check_algorithm(Anew(**vars(PRUNING)), START)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"layers": ()}, ValueError, "layers must have at least one Layer"),
        ({"step_size": -1.0}, ValueError, "step_size must lie"),
        ({"momentum": 1.5}, ValueError, r"momentum must lie in \(0, 1\], got 1.5; .*1 means no momentum"),
        ({"start": -1}, ValueError, "start must be at least 0, got -1"),
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"n_updates": 0}, ValueError, "n_updates must be at least 1, got 0"),
        ({"n_updates": 2.0}, TypeError, "n_updates must be an integer"),
    ],
)
def test_bad_hyper_parameters(change, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(PRUNING, **change)


def test_bad_starts():
    with pytest.raises(ValueError, match=r"layers describe a flat w0 of shape \(48,\), got \(6, 8\)"):
        PRUNING.init(START.reshape(6, 8))
    with pytest.raises(ValueError, match="w0 has 1 non-finite entries"):
        PRUNING.init(np.where(np.arange(48) == 3, np.inf, START))


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    ("grad", "error", "message"),
    [
        (np.full(48, np.nan), ValueError, "grad has 48 non-finite entries"),
        (np.zeros(47), ValueError, "grad has shape"),
        (np.zeros(48, np.float32), TypeError, "grad has dtype float32"),
        (np.full(48, 1.7e308), ValueError, "the next iterate has .* non-finite entries, .*; nothing was changed"),
    ],
)
def test_a_bad_gradient_is_refused_and_changes_nothing(grad, error, message):
    algorithm = dataclasses.replace(PRUNING, step_size=2.0)
    state = algorithm.init(START)
    for good in GRADS[:9]:  # the next step prunes
        state = algorithm.step(state, good)
    before = {name: np.copy(value) for name, value in vars(state).items()}
    with pytest.raises(error, match=message):
        algorithm.step(state, grad)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(state, name), value)
