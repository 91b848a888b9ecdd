"""Exact trajectories: against the formulas of Algorithm 1 in another form, on ties, and what is refused."""

import math
from fractions import Fraction
from itertools import count

import numpy as np
import pytest

from rmda_ref import (
    L0,
    L1,
    MCP,
    RMDA,
    SCAD,
    Box,
    CappedL1,
    ElasticNet,
    GroupLasso,
    LHalf,
    LogSum,
    LTwoThirds,
    NonnegativeL1,
    PowerDecay,
    Stage,
    TopK,
    Zero,
    staged_steps,
)
from rmda_ref.certificates import exact_trajectory, supports_agree, ulps

HESSIAN = [[1.0, 0.25, 0.0, 0.125], [0.25, 0.75, 0.5, 0.0], [0.0, 0.5, 1.25, 0.25], [0.125, 0.0, 0.25, 0.5]]
TARGET = [2.5, -1.75, 0.125, 0.0625]
START = [1.0, 0.5, 0.0, 0.0]
STAGES = [Stage(15, 0.3, 0.5), Stage(10, PowerDecay(0.2, 0.5))]
RATIONAL = [
    Zero(),
    L1(0.75),
    L1(0.5, weights=np.array([1.0, 0.0, 2.0, 1.0])),
    ElasticNet(0.7, 0.5),
    NonnegativeL1(0.5),
    Box(-1.0, 1.0),
    Box.nonnegative(),
    L0(0.5),
    MCP(0.7, 2.0),
    SCAD(0.7),
    CappedL1(0.7, 1.5),
]


def noise():
    return np.random.default_rng(0).integers(-32, 33, (25, 4)) / 64


def exact(regularizer, stages=STAGES):
    clock, zetas = count(), noise()

    def gradient(w):
        differences = [x - Fraction(t) for x, t in zip(w, TARGET, strict=True)]
        products = [sum(Fraction(h) * d for h, d in zip(row, differences, strict=True)) for row in HESSIAN]
        return [p + Fraction(z) for p, z in zip(products, zetas[next(clock)].tolist(), strict=True)]

    return exact_trajectory(regularizer, START, gradient, stages)


def floating(regularizer, dtype=np.float64):
    clock, zetas, hessian, target = count(), noise().astype(dtype), np.array(HESSIAN, dtype), np.array(TARGET, dtype)
    algorithm = RMDA(regularizer, 0.3)
    states = staged_steps(
        algorithm, np.array(START, dtype), lambda w: (hessian * (w - target)).sum(axis=1) + zetas[next(clock)], STAGES
    )
    return [state.prox_iterate for state in states]


@pytest.mark.parametrize("regularizer", RATIONAL, ids=lambda psi: type(psi).__name__)
def test_the_library_follows_the_exact_trajectory(regularizer):
    """1e-13 is a few hundred roundings of numbers near 1; a wrong rule is off by 1e-2 or more."""
    truth, run = exact(regularizer), floating(regularizer)
    found = np.array([[float(x) for x in step.prox_iterate] for step in truth])
    assert np.abs(np.array(run) - found).max() <= 1e-13
    assert supports_agree(run, truth)


def test_l1_minimises_its_subproblem_exactly():
    """-(V + beta (W~ - W^0))/alpha is lam sign(W~) where W~ is nonzero, at most lam elsewhere: with no tolerance."""
    lam, anchor = Fraction(0.75), [Fraction(x) for x in START]
    truth = exact(L1(0.75))
    zeros = 0
    for k, step in enumerate(truth):
        if k == 15:
            anchor = truth[14].iterate
        beta = Fraction(math.sqrt(step.t))
        for w, v, w0 in zip(step.prox_iterate, step.grad_sum, anchor, strict=True):
            dual = -(v + beta * (w - w0)) / step.weight
            assert dual == (lam if w > 0 else -lam) if w else abs(dual) <= lam
            zeros += not w
    assert 20 < zeros < 90  # both kinds are met


def test_momentum_and_weights_are_exact():
    (first, second) = exact(Zero(), [Stage(2, 0.3, Fraction(1, 3))])
    assert first.weight == Fraction(0.3)
    assert second.weight == Fraction(0.3) + Fraction(0.3) * Fraction(math.sqrt(2))
    mixed = [Fraction(2, 3) * x + Fraction(1, 3) * y for x, y in zip(first.iterate, second.prox_iterate, strict=True)]
    assert second.iterate == mixed


def test_a_tie_is_decided_without_rounding():
    """|V| = alpha lam exactly gives 0; one part in 10^30 more does not, though no float can tell."""
    more = Fraction(1, 10**30)
    steps = exact_trajectory(L1(0.1), [0.0, 0.0], lambda w: [Fraction(0.1), Fraction(0.1) + more], [Stage(1, 0.3)])
    assert steps[0].prox_iterate == [0, -Fraction(0.3) * more]


def test_thresholds_that_are_square_roots_are_compared_exactly():
    """The hard threshold sqrt(2 eta lam) = 1 with eta lam = 1/2; then irrational, between two close fractions."""
    near = Fraction(1, 10**30)
    (step,) = exact_trajectory(L0(0.5), [0.0, 0.0], lambda w: [Fraction(-1), -1 - near], [Stage(1, 1.0)])
    assert step.prox_iterate == [0, 1 + near]
    root = Fraction(math.isqrt(2 * 10**60), 10**30)  # below sqrt(2) by less than 1e-30
    (step,) = exact_trajectory(L0(1.0), [0.0, 0.0], lambda w: [-root, -root - near], [Stage(1, 1.0)])
    assert step.prox_iterate == [0, root + near]


def test_ulps_counts_the_spacing_of_the_terms():
    psi = L1(1.0)
    (step,) = exact_trajectory(psi, [0.0], lambda w: [-3.0], [Stage(1, 1.0)])  # 3 - 1: terms 0 + 3 + 1
    assert step.terms == [4]
    assert ulps([np.array([2.0 + 2**-51])], [step]).tolist() == [[0.5]]  # an ulp of 4 is 2^-50
    assert ulps([np.array([2.0 + 2**-21], np.float32)], [step]).tolist() == [[1.0]]
    assert ulps([np.array([np.nan])], [step]).tolist() == [[np.inf]]
    assert supports_agree([np.array([1e-300])], [step])
    assert not supports_agree([np.array([0.0])], [step])


@pytest.mark.parametrize(
    ("regularizer", "text"),
    [
        (LHalf(0.5), "LHalf is not rational"),
        (LTwoThirds(0.5), "LTwoThirds is not rational"),
        (LogSum(0.5, 0.5), "LogSum is not rational"),
        (GroupLasso(1.0, axis=0), "GroupLasso takes norms"),
        (TopK(2), "TopK takes norms, or is no function of one entry"),
    ],
)
def test_an_irrational_prox_is_refused(regularizer, text):
    with pytest.raises(TypeError, match=text):
        exact(regularizer)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"w0": ["1"]}, TypeError, "w0 must hold Fractions or floats, got str"),
        ({"w0": [math.inf]}, ValueError, "w0 must be finite"),
        ({"gradient": lambda w: [1.0, 2.0]}, ValueError, "gradient has 2 entries, w0 1"),
        ({"gradient": lambda w: [None]}, TypeError, "gradient must hold Fractions or floats, got NoneType"),
        ({"stages": [Stage(1, lambda t: -1.0)]}, ValueError, "step_size at step 1 must lie in"),
        ({"stages": [Stage(1, 1.0, lambda t: 2.0)]}, ValueError, "momentum at step 1 must lie in"),
        ({"regularizer": L1(1.0, weights=np.ones(3))}, ValueError, "weights has 3 entries for 1"),
    ],
)
def test_bad_arguments_are_named(arguments, error, text):
    given = {"regularizer": L1(1.0), "w0": [0.0], "gradient": lambda w: [1.0], "stages": [Stage(1, 1.0)]} | arguments
    with pytest.raises(error, match=text):
        exact_trajectory(**given)


def test_another_number_of_steps_is_refused():
    (step,) = exact_trajectory(L1(1.0), [0.0], lambda w: [1.0], [Stage(1, 1.0)])
    with pytest.raises(ValueError, match="2 steps, exact 1"):
        ulps([np.zeros(1)] * 2, [step])
    with pytest.raises(ValueError, match=r"shape \(2,\) at step 1, the exact one \(1,\)"):
        ulps([np.zeros(2)], [step])
    with pytest.raises(TypeError, match="dtype int64"):
        ulps([np.zeros(1, np.int64)], [step])


def test_integers_of_numpy_do_not_wrap_around():
    start, by_integers = [3, 5], np.array([3, 5])
    runs = [exact_trajectory(L1(0.7), w0, lambda w: w, [Stage(6, 0.3, 0.5)]) for w0 in (start, by_integers)]
    assert runs[0][-1].prox_iterate == runs[1][-1].prox_iterate
