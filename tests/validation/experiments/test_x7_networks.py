"""The neighbours of the paper: each claim holds on the reference, and fails for a wrong algorithm, target or law."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import norm

from problems.canonical_polyadic import CanonicalPolyadic
from problems.constant_target import ConstantTarget
from problems.unrolled_ista import UnrolledISTA
from rmda_ref import GroupLasso
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Setting
from validation.experiments import x7a_unrolled_ista as x7a
from validation.experiments import x7b_constant_target as x7b
from validation.experiments import x7c_canonical_polyadic as x7c
from validation.uncoupled_law import is_out

MODULES = {module.CLAIM.id: module for module in (x7a, x7b, x7c)}
_SWAP = {"RMDA": REFERENCE.ProxSGD, "ProxSGD": REFERENCE.RMDA}


def failing(claim, implementation=REFERENCE):
    return [check.quantity for check in MODULES[claim].measure(implementation, Setting()).checks if not check.holds]


@pytest.fixture
def few(monkeypatch):
    """Seeds and steps with which the claims still hold."""
    for module, n_steps in ((x7a, 1000), (x7b, 1000), (x7c, 600)):
        monkeypatch.setattr(module, "N_SEEDS", (2, 2))
        monkeypatch.setattr(module, "N_STEPS", (n_steps, n_steps))


@pytest.mark.parametrize("claim", MODULES)
def test_the_claim_holds(claim):
    result = MODULES[claim].measure(REFERENCE, Setting())
    assert result.holds, [check for check in result.checks if not check.holds]
    (table,) = result.tables
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert any(curve.kind == "predicted" for curve in result.pictures[0].curves)


def test_the_same_seed_gives_the_same_numbers(few):
    first, again = (MODULES["X7c"].measure(REFERENCE, Setting(seed=1)) for _ in range(2))
    assert first == again and first.holds, [check for check in first.checks if not check.holds]


@pytest.mark.parametrize("wrong", _SWAP)
@pytest.mark.parametrize("claim", MODULES)
def test_one_algorithm_in_the_place_of_the_other_fails(claim, wrong, few):
    failed = failing(claim, dataclasses.replace(REFERENCE, **{wrong: _SWAP[wrong]}))
    assert any(f"{wrong}, c = 1" in quantity or f"{wrong}:" in quantity for quantity in failed), failed


def test_another_teacher_fails(few, monkeypatch):
    """One that needs every measurement, one that has a third component: the tilt is still that of the right one."""
    ista, polyadic = UnrolledISTA.noisy_gradient, CanonicalPolyadic.noisy_gradient

    def every_measurement(self, w, rng):
        target = self.target.copy()
        first = self.parts(target)[0]
        first += np.where(first.any(axis=(1, 2), keepdims=True), 0, 0.5)
        return ista(dataclasses.replace(self, target=target), w, rng)

    def third_component(self, w, rng):
        target = self.target.copy()
        target[:, 2] = target[:, 0, ::-1]
        return polyadic(dataclasses.replace(self, target=target), w, rng)

    monkeypatch.setattr(UnrolledISTA, "noisy_gradient", every_measurement)
    monkeypatch.setattr(CanonicalPolyadic, "noisy_gradient", third_component)
    assert any("RMDA, c = 1: seeds right" in quantity for quantity in failing("X7a"))
    failed = failing("X7c")
    assert any("one factor, RMDA, c = 1: seeds right" in quantity for quantity in failed)
    assert "joint, RMDA, c = 1: F(W~) - F*, of the start's" in failed  # a small component does not see the third one


def test_a_target_that_is_another_constant_or_none_fails(few, monkeypatch):
    """The bias sees the one; the structure the other, if it is strong: f is stationary without weights there, too."""
    right = ConstantTarget._gradient

    def towards(target):
        monkeypatch.setattr(ConstantTarget, "_gradient", lambda self, w, x, y: right(self, w, x, target(x, y)))
        return failing("X7b")

    failed = towards(lambda x, y: y + 0.2)
    assert any("2 eta t" in quantity for quantity in failed) and any("floor" in quantity for quantity in failed)
    assert not any("RMDA" in quantity and "seeds right" in quantity for quantity in failed)
    failed = towards(lambda x, y: y + 4 * x[..., :1])
    assert any("no label noise, RMDA, c = 0.1: seeds right" in quantity for quantity in failed)


def test_a_model_that_is_sparse_and_useless_fails(few, monkeypatch):
    """The objective is checked, too: here W~ is scored as right, whatever it is, and the step size is far too small."""
    monkeypatch.setattr(x7a, "reads", lambda networks, w: np.ones((networks.n_seeds, x7a.N_MEASUREMENTS), bool))
    monkeypatch.setattr(x7a, "_unneeded", lambda networks, w: np.zeros((networks.n_seeds, 1, 1)))
    monkeypatch.setattr(x7a, "STEP_SIZE", 1e-6)
    assert "RMDA, c = 1: F(W~) - F*, of the start's" in failing("X7a")


def test_the_predicted_time_is_seen_to_be_wrong(few, monkeypatch):
    """A pull to W^0 that is larger by a fifth."""
    monkeypatch.setattr(x7c, "is_out", lambda start, *rest: is_out(1.2 * start, *rest))
    assert failing("X7c") == ["joint, RMDA, c = 1: T0 less its prediction, furthest seed"]


def test_the_law_is_exact_where_f_is_linear():
    """RMDA's zeros at each step are those of the law, its noise aside; with another start they are not."""
    rng = np.random.default_rng(0)
    start, slope = rng.standard_normal((2, 3, 4)), 0.4 * rng.standard_normal((2, 3, 4))
    slope *= 0.8 * 0.5 / np.linalg.norm(slope, axis=-1, keepdims=True).max()  # below the strength 0.5
    algorithm = REFERENCE.RMDA(GroupLasso(0.25, axis=-1), 0.1)
    states = REFERENCE.steps(algorithm, algorithm.init(start), lambda w: slope, 400)
    zero = np.array([~state.prox_iterate.any(axis=(1, 2)) for state in states])
    law, other = (
        np.concatenate([is_out(w, slope, np.zeros((1, 1, 1, 1)), 0.5, 0.1, t + 1) for t in range(400)])
        for w in (start, 1.1 * start)
    )
    np.testing.assert_array_equal(zero, law)
    assert zero[-1].all() and not zero[0].any() and not np.array_equal(zero, other)


def test_the_noise_of_the_law_has_the_variance_of_the_dual_average():
    """Weighted averages of 300 normal gradients: the deviations of 4000 within 6.5 standard errors."""
    rng, t = np.random.default_rng(1), 300
    weights = np.sqrt(np.arange(1, t + 1))
    averages = rng.standard_normal((4000, t)) @ weights / weights.sum()
    radius = 1.5 * averages.std()  # a normal variable stays within it with this chance
    inside = is_out(np.zeros((1, 1, 1)), np.zeros(1), rng.standard_normal((4000, 1, 1, 1)), radius, 1.0, t).mean()
    chance = norm.cdf(1.5) - norm.cdf(-1.5)
    assert abs(inside - chance) < 6.5 * np.sqrt(2 * chance * (1 - chance) / 4000)


def test_exits_by_hand():
    """Of three steps that start without a weight one leaves; one could not, for all units are dead."""
    right = np.array([[True], [True], [False], [True], [True]])
    error, reach = np.full((5, 1), 0.1), np.array([[0.5], [0.3], [9.0], [0.0], [0.4]])
    count, chances = x7b.exits(x7b.Run(right, np.zeros(1), error, reach), label_noise=np.sqrt(x7b.BATCH))
    room = x7b.LAM / np.array([0.5, 0.3])
    assert count == 1
    np.testing.assert_allclose(chances, 1 - norm.cdf(room - 0.1) + norm.cdf(-room - 0.1), rtol=1e-12)
