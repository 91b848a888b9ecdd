"""RigL: Algorithm 1 followed in plain Python, masks of constant size, two clocks, and what it refuses."""

import dataclasses
import math

import numpy as np
import pytest

from rmda_ref import PowerDecay, Stage, staged_steps
from rmda_ref.algorithms.masked_msgd import Layer, MaskedState
from rmda_ref.algorithms.rigl import RigL
from rmda_ref.testing import check_algorithm

LAYERS = (Layer(20, 0.3), Layer(4, 1.0), Layer(15, 0.6), Layer(9, 0.1))
SIZE = 48
RIGL = RigL(LAYERS, PowerDecay(0.1, 0.2), 0.3, update_every=3, update_until=25, drop_fraction=0.7, seed=5)
START, GRADS = np.split(np.random.default_rng(0).standard_normal((41, SIZE)), [1])
START = START[0]


def drop_and_grow(active, w, grad, k):
    """Sets of entries of one layer: the k smallest |w| go; the k largest |grad| outside those that stay come."""
    dropped = set(sorted(active, key=lambda i: abs(w[i]))[:k])
    staying = active - dropped
    grown = set(sorted((i for i in range(len(w)) if i not in staying), key=lambda i: -abs(grad[i]))[:k])
    return dropped, grown


def assert_follows_algorithm_1(algorithm, grads=GRADS):
    """Entry by entry, from the first mask and the gradients; numbers below 100, some ten roundings a step."""
    state = algorithm.init(START)
    active = set(np.flatnonzero(state.mask).tolist())
    w, v = [START[i] if i in active else 0.0 for i in range(SIZE)], [0.0] * SIZE
    for t, grad in enumerate(grads, 1):
        state = algorithm.step(state, grad)
        if t % algorithm.update_every == 0 and t < algorithm.update_until:
            begin = 0
            for layer in algorithm.layers:
                end = begin + layer.size
                mine = {i - begin for i in active if begin <= i < end}
                if layer.density < 1:
                    share = algorithm.drop_fraction / 2 * (1 + math.cos(math.pi * t / algorithm.update_until))
                    k = math.floor(share * len(mine))
                    dropped, grown = drop_and_grow(mine, w[begin:end], grad[begin:end], k)
                    active -= {begin + i for i in dropped}
                    active |= {begin + i for i in grown}
                    for i in dropped | grown:
                        w[begin + i] = v[begin + i] = 0.0
                begin = end
        else:
            for i in active:
                v[i] = (1 - algorithm.momentum) * v[i] + grad[i]
                w[i] -= algorithm.step_size(t) * v[i]
        assert set(np.flatnonzero(state.mask).tolist()) == active, t
        np.testing.assert_allclose(state.iterate, w, rtol=0, atol=10 * t * 100 * 2**-53)
        np.testing.assert_allclose(state.velocity, v, rtol=0, atol=10 * t * 100 * 2**-53)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("change", [{}, {"update_every": 1, "drop_fraction": 1.0}, {"update_until": 100}])
def test_it_follows_algorithm_1(seed, change):
    grads = np.random.default_rng(seed).standard_normal((40, SIZE))
    assert_follows_algorithm_1(dataclasses.replace(RIGL, seed=seed, **change), grads)


class NeverBack(RigL):
    """Grows among those that were not active before the drop."""

    def _update(self, state, grad):
        return super()._update(state, np.where(state.mask, 0.0, grad))


class AlsoDescends(RigL):
    """A gradient step before an update of the mask."""

    def _update(self, state, grad):
        return super()._update(dataclasses.replace(self._descend(state, grad), t=state.t, mask_t=state.mask_t), grad)


class KeepsWeights(RigL):
    """An entry dropped and grown at once keeps its weight (the authors' code)."""

    def _update(self, state, grad):
        after = super()._update(state, grad)
        both = state.mask & after.mask
        return dataclasses.replace(after, iterate=np.where(both, state.iterate, after.iterate))


class SignedGradient(RigL):
    """Grows the largest gradients, not their magnitudes."""

    def _update(self, state, grad):
        return super()._update(state, np.maximum(grad, 0.0))


class KeepsVelocity(RigL):
    """Velocities are not set back."""

    def _update(self, state, grad):
        return dataclasses.replace(super()._update(state, grad), velocity=state.velocity)


class ConstantFraction(RigL):
    """No cosine."""

    def _drop_fraction_at(self, t):
        return self.drop_fraction


class FromZero(RigL):
    """The first step has t = 0."""

    def step(self, state, grad):
        after = super().step(dataclasses.replace(state, mask_t=state.mask_t - 1), grad)
        return dataclasses.replace(after, mask_t=state.mask_t + 1)


class DenseMomentum(RigL):
    """The velocity also gathers gradients outside the mask."""

    def _descend(self, state, grad):
        velocity = (1 - self.momentum) * state.velocity + grad
        return dataclasses.replace(super()._descend(state, grad), velocity=velocity)


@pytest.mark.parametrize(
    "wrong",
    [NeverBack, AlsoDescends, KeepsWeights, SignedGradient, KeepsVelocity, ConstantFraction, FromZero, DenseMomentum],
)
def test_wrong_variants_do_not(wrong):
    with pytest.raises(AssertionError):
        assert_follows_algorithm_1(wrong(**vars(RIGL)))


def test_an_update_by_hand():
    """n = 4 of 8, f_decay(2) = 1/2 at half time: k = 2. Entry 1 is dropped and comes back at 0, entry 5 comes."""
    algorithm = RigL((Layer(8, 0.5),), 0.1, 0.5, update_every=2, update_until=4, drop_fraction=1.0, seed=0)
    mask = np.array([True, True, True, True, False, False, False, False])
    w, v = np.array([4.0, -1.0, -2.0, 3.0, 0, 0, 0, 0]), np.array([1.0, 2.0, 3.0, 4.0, 0, 0, 0, 0])
    grad = np.array([90.0, 5.0, 1.0, 90.0, 2.0, -6.0, 3.0, 4.0])
    state = algorithm.step(MaskedState(w, v, mask, t=7, mask_t=1), grad)
    np.testing.assert_array_equal(state.mask, [True, True, False, True, False, True, False, False])
    np.testing.assert_array_equal(state.iterate, [4.0, 0, 0, 3.0, 0, 0, 0, 0])
    np.testing.assert_array_equal(state.velocity, [1.0, 0, 0, 4.0, 0, 0, 0, 0])
    assert (state.t, state.mask_t) == (8, 2)
    state = algorithm.step(state, grad)  # V <- V/2 + g, W <- W - V/10 on the mask
    np.testing.assert_allclose(state.velocity, [90.5, 5.0, 0, 92.0, 0, -6.0, 0, 0], rtol=1e-15)
    np.testing.assert_allclose(state.iterate, [-5.05, -0.5, 0, -6.2, 0, 0.6, 0, 0], rtol=1e-15)
    assert state.prox_iterate is state.iterate
    np.testing.assert_array_equal(algorithm.step(state, grad).mask, state.mask)  # t = 4 is not below 4


def test_of_equal_scores_lower_indices_go_and_come():
    algorithm = RigL((Layer(6, 0.5),), 0.1, 1.0, update_every=1, update_until=2, drop_fraction=1.0, seed=0)
    mask = np.array([False, True, True, True, False, False])  # k = floor(3/2)
    state = algorithm.step(MaskedState(np.where(mask, 1.0, 0.0), np.zeros(6), mask), np.ones(6))
    np.testing.assert_array_equal(state.mask, [True, False, True, True, False, False])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_keep_their_size_at_every_step(dtype):
    state, ends = RIGL.init(START.astype(dtype)), np.cumsum([layer.size for layer in LAYERS])
    masks = []
    for grad in [None, *GRADS.astype(dtype)]:
        state = state if grad is None else RIGL.step(state, grad)
        assert [part.sum() for part in np.split(state.mask, ends[:-1])] == [6, 4, 9, 1]
        assert state.iterate.dtype == state.velocity.dtype == dtype
        for array in (state.iterate, state.velocity):
            outside = array[~state.mask]
            assert not outside.any() and not np.signbit(outside).any()
        masks.append(state.mask)
    moved = [t for t in range(1, 41) if (masks[t] != masks[t - 1]).any()]
    assert moved and set(moved) <= {3, 6, 9, 12, 15, 18, 21, 24}


def test_the_first_masks_are_uniform_and_of_the_seed():
    """Each of 20 entries is in Bin(400, 0.3) masks: mean 120, sd 9.2; 6 sd err with probability below 20 * 2e-9."""
    masks = np.array([dataclasses.replace(RIGL, seed=seed).init(START).mask for seed in range(400)])
    assert np.abs(masks[:, :20].sum(0) - 120).max() < 6 * 9.2
    assert masks[:, 20:24].all()
    np.testing.assert_array_equal(RIGL.init(START + 1).mask, RIGL.init(START).mask)
    np.testing.assert_array_equal(RIGL.init(START).iterate, np.where(RIGL.init(START).mask, START, 0))


def test_a_full_layer_is_left_alone():
    """Dropped entries could only come back, at 0: also where the density rounds to all entries."""
    for layer in (Layer(5, 1.0), Layer(5, 0.95)):
        algorithm = RigL((layer,), 0.1, 1.0, update_every=1, update_until=9, drop_fraction=1.0, seed=0)
        state = algorithm.step(algorithm.init(np.arange(1.0, 6.0)), np.ones(5))
        np.testing.assert_array_equal(state.iterate, np.arange(1.0, 6.0))


def test_a_restart_keeps_mask_and_iterate_and_the_clock_of_the_mask():
    state = RIGL.init(START)
    for grad in GRADS[:7]:
        state = RIGL.step(state, grad)
    assert (state.t, state.mask_t) == (7, 7) and state.velocity.any()
    again = RIGL.restart(state)
    assert (again.t, again.mask_t) == (0, 7) and not again.velocity.any()
    np.testing.assert_array_equal(again.iterate, state.iterate)
    np.testing.assert_array_equal(again.mask, state.mask)


def mask_updates(algorithm):
    """The steps, of all stages, at which a mask moved, with learning-rate decay and restarts at 10 and 20."""
    given, stages = iter(GRADS), [Stage(10, 0.1, 0.1), Stage(10, 0.01, 0.5), Stage(20, 0.001, 1.0)]
    masks = [algorithm.init(START).mask]
    masks += [state.mask for state in staged_steps(algorithm, START, lambda w: next(given), stages)]
    return {t for t in range(1, 41) if (masks[t] != masks[t - 1]).any()}


class OneClock(RigL):
    """A restart sets back the clock of the mask too."""

    def restart(self, state):
        return dataclasses.replace(super().restart(state), mask_t=0)


def test_stages_do_not_move_the_plan_of_the_mask():
    plan = {3, 6, 9, 12, 15, 18, 21, 24}
    found = mask_updates(RIGL)
    assert found <= plan and len(found) > 4  # at the last k may be 0
    assert not mask_updates(OneClock(**vars(RIGL))) <= plan


def test_static_masks_keep_the_promises_of_an_algorithm():
    check_algorithm(dataclasses.replace(RIGL, update_until=0), START)


class Anew(RigL):
    """A restart as a new run: `check_algorithm` compares a restarted run with a new one, whose masks differ."""

    def restart(self, state):
        return self.init(state.iterate)


def test_moving_masks_keep_the_other_promises():
    check_algorithm(Anew(**vars(dataclasses.replace(RIGL, update_every=2))), START)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"layers": ()}, ValueError, "layers must have at least one Layer"),
        ({"layers": [Layer(3, 1.0)]}, TypeError, "layers must be a tuple of Layer"),
        ({"layers": ((3, 1.0),)}, TypeError, "layers must be a tuple of Layer"),
        ({"step_size": 0.0}, ValueError, "step_size must lie"),
        ({"momentum": 0.0}, ValueError, r"momentum must lie in \(0, 1\], got 0.0; .*1 means no momentum"),
        ({"update_every": 0}, ValueError, "update_every must be at least 1, got 0"),
        ({"update_every": 1.5}, TypeError, "update_every must be an integer"),
        ({"update_until": -1}, ValueError, "update_until must be at least 0, got -1"),
        ({"drop_fraction": 0.0}, ValueError, r"drop_fraction must lie in \(0, 1\], got 0.0"),
        ({"drop_fraction": 1.1}, ValueError, r"drop_fraction must lie in \(0, 1\], got 1.1"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": None}, TypeError, "seed must be an integer"),
    ],
)
def test_bad_hyper_parameters(change, error, message):
    with pytest.raises(error, match=message):
        dataclasses.replace(RIGL, **change)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    ("grad", "error", "message"),
    [
        (np.full(48, np.inf), ValueError, "grad has 48 non-finite entries"),
        (np.zeros(47), ValueError, "grad has shape"),
        (np.zeros(48, np.float32), TypeError, "grad has dtype float32"),
        ([0.0] * 48, TypeError, "list"),
        (np.full(48, 1.7e308), ValueError, "the next iterate has 20 non-finite entries, .*; nothing was changed"),
    ],
)
@pytest.mark.parametrize("n_before", [1, 2])
def test_a_bad_gradient_is_refused_and_changes_nothing(grad, error, message, n_before):
    """Before a gradient step and, where it sees the gradient alone, before an update of the mask."""
    algorithm = dataclasses.replace(RIGL, step_size=2.0, update_every=3)
    state = algorithm.init(START)
    for good in GRADS[:n_before]:
        state = algorithm.step(state, good)
    before = {name: np.copy(value) for name, value in vars(state).items()}
    if n_before == 2 and message.startswith("the next"):
        algorithm.step(state, grad)  # no step, no overflow
    else:
        with pytest.raises(error, match=message):
            algorithm.step(state, grad)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(state, name), value)
