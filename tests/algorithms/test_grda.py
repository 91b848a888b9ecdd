"""gRDA: first steps by hand, the subproblem it solves, what it shares with SGD and RMDA, and what it refuses."""

import dataclasses

import numpy as np
import pytest

from rmda_ref import L1, RMDA, GroupLasso, Nuclear, Zero, steps
from rmda_ref.algorithms.grda import GRDA
from rmda_ref.algorithms.stepper import Tick
from rmda_ref.testing import check_algorithm


def test_first_steps_by_hand():
    """psi = |.|, W^0 = 1, gamma = 1/4, c = 2, mu = 1/2: g(t) = sqrt(t/4), by arithmetic."""
    algorithm = GRDA(L1(lam=1.0), step_size=0.25, strength=2.0, power=0.5)
    one = algorithm.step(algorithm.init(np.ones(1)), np.array([-2.0]))
    assert (one.t, one.weight, one.grad_sum[0], one.iterate[0]) == (1, 0.25, -0.5, 1.0)  # soft(1.5, 1/2)
    two = algorithm.step(one, np.array([-4.0]))
    assert (two.t, two.weight, two.grad_sum[0], two.dual_average[0]) == (2, 0.5, -1.5, -3.0)
    assert two.iterate[0] == pytest.approx(2.5 - np.sqrt(0.5), rel=1e-15)
    assert two.prox_iterate is two.iterate
    four = algorithm.step(algorithm.step(two, np.array([9.0])), np.array([1.0]))
    assert four.iterate[0] == 0.0  # W^0 - gamma sum = 1 - (-2 - 4 + 9 + 1)/4 = 0, g(4) = 1


def subproblem_residuals(algorithm, start, grads):
    """Distance from (W^0 - gamma sum g_i - W^t)/g(t) to the subdifferential at W^t, from the gradients given."""
    given, gamma = iter(grads), algorithm.step_size
    for t, state in enumerate(steps(algorithm, algorithm.init(start), lambda w: next(given), len(grads)), 1):
        g = algorithm.strength * gamma ** (0.5 + algorithm.power) * t**algorithm.power
        slope = (start - gamma * grads[:t].sum(0) - state.prox_iterate) / g
        yield algorithm.regularizer.subdiff_distance(state.prox_iterate, slope)


START, GRADS = np.split(np.random.default_rng(0).standard_normal((41, 3, 4)), [1])
START = START[0]
# Each of at most 40 additions errs by u max|sum| < 10 u, the prox by as much; g(t) > 0.015 divides it; 12 entries.
ROUNDING = 40 * 20 * 2**-53 / 0.015 * 12


@pytest.mark.parametrize("psi", [L1(lam=0.7), GroupLasso(lam=0.6, axis=-1), Nuclear(lam=0.5)], ids=repr)
@pytest.mark.parametrize("power", [0.1, 0.51, 1.0])
def test_each_step_solves_its_subproblem(psi, power):
    algorithm = GRDA(psi, step_size=0.1, strength=0.5, power=power)
    assert max(subproblem_residuals(algorithm, START, GRADS)) <= ROUNDING


class Late(GRDA):
    """g(t - 1): t = 0 at the first step."""

    def tick(self, t, weight):
        now = super().tick(t, weight)
        return now._replace(prox_step=super().tick(t - 1, weight).prox_step)


class NoRoot(GRDA):
    """Without gamma^{1/2}."""

    def tick(self, t, weight):
        now = super().tick(t, weight)
        return now._replace(prox_step=now.prox_step / np.sqrt(self.step_size))


class FromIterate(GRDA):
    """The prox around W^{t-1}."""

    def step(self, state, grad):
        return dataclasses.replace(super().step(state, grad), anchor=state.iterate)


class Summed(GRDA):
    """The sum of the thresholds, not their last."""

    def tick(self, t, weight):
        return (
            super()
            .tick(t, weight)
            ._replace(prox_step=sum(super(Summed, self).tick(i, 0).prox_step for i in range(t + 1)))
        )


@pytest.mark.parametrize("wrong", [Late, NoRoot, FromIterate, Summed])
def test_wrong_variants_do_not(wrong):
    assert max(subproblem_residuals(wrong(L1(lam=0.7), 0.1, 0.5, 0.51), START, GRADS)) > 1e-2


@pytest.mark.parametrize(
    "psi", [L1(lam=0.1), GroupLasso(lam=0.1, groups=[0, 0, 1, 1, 2, 2]), Zero(), L1(lam=5.0)], ids=repr
)
@pytest.mark.parametrize("power", [0.51, 1.0])
def test_it_keeps_the_promises_of_an_algorithm(psi, power):
    check_algorithm(GRDA(psi, 0.2, 0.3, power), np.linspace(-1, 1, 6))


@pytest.mark.parametrize(("psi", "strength"), [(L1(lam=1.0), 0.0), (Zero(), 0.7)])
def test_without_strength_or_regularizer_it_is_sgd(psi, strength):
    algorithm = GRDA(psi, step_size=0.1, strength=strength, power=0.6)
    given, w = iter(GRADS), START
    for grad, state in zip(GRADS, steps(algorithm, algorithm.init(START), lambda _: next(given), 40), strict=True):
        w = w - 0.1 * grad
        np.testing.assert_allclose(state.iterate, w, rtol=0, atol=80 * 10 * 2**-53)  # two sums of at most 40 terms < 10


def test_power_one_is_dual_averaging():
    """g(t) = t gamma lambda with lambda = c gamma^{1/2}, as in RMDA, whose W^0 - V/beta with beta = 1 it has."""
    assert GRDA(Zero(), 0.25, 3.0, 1.0).tick(6, 0.0) == Tick(7, 1.75, 1.0, 0.25, 1.0, 1.75 * 1.5, 1.0)
    first = RMDA(L1(lam=1.5), 0.25), GRDA(L1(lam=1.0), 0.25, 3.0, 1.0)  # beta_1 = 1
    one, other = (a.step(a.init(START), GRADS[0]).iterate for a in first)
    np.testing.assert_array_equal(one, other)


def test_a_restart_starts_from_the_iterate():
    algorithm = GRDA(L1(lam=1.0), 0.1, 0.5, 0.6)
    state = algorithm.init(START)
    for grad in GRADS[:5]:
        state = algorithm.step(state, grad)
    late, fresh = algorithm.restart(state), algorithm.init(state.iterate)
    for field in dataclasses.fields(late):
        np.testing.assert_array_equal(getattr(late, field.name), getattr(fresh, field.name))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"step_size": lambda t: 0.1}, TypeError, "step_size must be a number, got the function .*; give a constant"),
        ({"step_size": 0.0}, ValueError, r"step_size must lie in \(0, inf\), got 0.0"),
        ({"strength": -1.0}, ValueError, r"strength must lie in \[0, inf\), got -1.0"),
        ({"strength": "1"}, TypeError, "strength must be a number"),
        ({"power": 0.0}, ValueError, r"power must lie in \(0, 1\], got 0.0; it is the paper's mu"),
        ({"power": 1.1}, ValueError, r"power must lie in \(0, 1\], got 1.1"),
        ({"power": np.nan}, ValueError, r"power must lie in \(0, 1\], got nan"),
    ],
)
def test_bad_hyper_parameters(change, error, message):
    with pytest.raises(error, match=message):
        GRDA(**({"regularizer": Zero(), "step_size": 0.1, "strength": 1.0, "power": 0.6} | change))


def test_numpy_hyper_parameters_keep_float32():
    algorithm = GRDA(L1(lam=1.0), np.float64(0.1), np.float64(0.5), np.float64(0.6))
    state = algorithm.step(algorithm.init(np.ones(2, np.float32)), np.ones(2, np.float32))
    assert state.iterate.dtype == state.grad_sum.dtype == np.float32
