"""Penalties of one number against published formulas, in float32, at the ends of the range, and in other namespaces."""

import math

import array_api_strict as strict
import numpy as np
import pytest
from scipy.optimize import brentq

from rmda_ref.backends.numba import interpreted
from rmda_ref.layout import Spectrum
from rmda_ref.regularizers import (
    L0,
    L1,
    MCP,
    SCAD,
    Box,
    CappedL1,
    DiscreteSet,
    LHalf,
    LogSum,
    LTwoThirds,
    NonnegativeL1,
)

EPS = np.finfo(np.float64).eps


def test_l_half_is_the_formula_by_cosines():
    """Xu et al. (2012, theorem 3), with their lambda = 2 t. Both round at the size of x: 16 units in the last place."""
    for t in (1e-6, 0.3, 1.0, 50.0):
        x = 1.5 * t ** (2 / 3) * np.array([1 + 1e-9, 1.1, 2.0, 17.0, 1e4])
        angle = np.arccos(t / 4 * (x / 3) ** -1.5)
        expected = 2 / 3 * x * (1 + np.cos(2 * np.pi / 3 - 2 / 3 * angle))
        np.testing.assert_allclose(LHalf(lam=1.0).prox(x, t), expected, rtol=16 * EPS)


def test_l_two_thirds_is_the_formula_by_hyperbolic_cosines():
    """Cao, Sun & Xu (2013), with their lambda = 2 t. It takes a cube at the end: 64 units in the last place."""
    for t in (1e-6, 0.3, 1.0, 50.0):
        x = 2 * (2 * t / 3) ** 0.75 * np.array([1 + 1e-9, 1.1, 2.0, 17.0, 1e3])
        angle = np.arccosh(27 / 16 * x**2 * (2 * t) ** -1.5)
        a = 2 / math.sqrt(3) * (2 * t) ** 0.25 * np.sqrt(np.cosh(angle / 3))
        expected = ((a + np.sqrt(2 * x / a - a * a)) / 2) ** 3
        np.testing.assert_allclose(LTwoThirds(lam=1.0).prox(x, t), expected, rtol=64 * EPS)


@pytest.mark.parametrize(
    ("step", "points"),
    [
        (1.0, {0.5: 0.0, 1.5: 0.5, 2.0: 1.0, 2.5: 2.0, 3.0: 3.0, 4.0: 4.0}),  # below a - 1 = 2: three pieces
        (2.0, {1.5: 0.0, 2.5: 0.5, 3.0: 1.0, 3.125: 3.125}),  # at a - 1 nothing is between lam and a lam
        (3.0, {3.0: 0.0, 3.25: 0.25, 3.5: 0.5, 3.625: 3.625}),  # between: soft, up to (a + 1 + t)/2
        (4.0, {3.875: 0.0, 4.0: 0.0, 4.125: 4.125}),  # at a + 1 soft vanishes where it would begin
        (9.0, {5.875: 0.0, 6.0: 0.0, 6.125: 6.125}),  # beyond: hard, at sqrt(t (a + 1))
    ],
)
def test_scad_in_every_regime(step, points):
    w = np.array(list(points))
    np.testing.assert_array_equal(SCAD(lam=1.0, a=3.0).prox(-w, step), -np.array(list(points.values())))
    halved = SCAD(lam=1.0, a=3.0, weights=np.full(len(w), 4.0)).prox(w, step / 2, metric=np.full_like(w, 2.0))
    np.testing.assert_array_equal(halved, list(points.values()))  # strength over metric is what counts


def test_capped_l1_crosses_halfway():
    """Soft up to gamma + t/2, hard up to sqrt(2 t gamma) for t > 2 gamma; the tie goes to the smaller point."""
    for step, tie, kept in ((1.0, 1.5, 0.5), (1.5, 1.75, 0.25), (8.0, 4.0, 0.0)):
        w = np.array([tie, np.nextafter(tie, 9)])
        np.testing.assert_array_equal(CappedL1(lam=1.0, gamma=1.0).prox(w, step), [kept, w[1]])


@pytest.mark.parametrize("epsilon", [0.02, 0.5, 0.7, 0.99])
def test_log_sum_jumps_where_the_objectives_cross(epsilon):
    """Step 1 > epsilon^2: the point where 0 and the larger stationary point are equally good, by bisection."""

    def stationary(x):
        return (x - epsilon + math.sqrt(max((x + epsilon) ** 2 - 4, 0))) / 2

    def gap(x):
        y = stationary(x)
        return math.log1p(y / epsilon) + (y - x) ** 2 / 2 - x * x / 2

    jump = brentq(gap, 2 - epsilon, 1 / epsilon, xtol=1e-300, rtol=1e-14)
    below, above = LogSum(lam=1.0, epsilon=epsilon).prox(np.array([jump * (1 - 1e-9), jump * (1 + 1e-9)]), 1.0)
    assert below == 0
    assert above == pytest.approx(stationary(jump * (1 + 1e-9)), rel=1e-9)


EVERY = [
    lambda u: MCP(lam=u, gamma=2.0),
    lambda u: MCP(lam=u, gamma=0.25),
    lambda u: SCAD(lam=u, a=2.25),
    lambda u: CappedL1(lam=u, gamma=0.5),
    lambda u: L0(lam=u),
    lambda u: LHalf(lam=u),
    lambda u: LTwoThirds(lam=u),
    lambda u: LogSum(lam=u, epsilon=0.0625),
    lambda u: LogSum(lam=u, epsilon=64.0),
]


@pytest.mark.parametrize("make", EVERY, ids=lambda make: str(make(1.0).parameters) + type(make(1.0)).__name__)
@pytest.mark.parametrize("step", [2.0**-8, 0.5, 4.0, 256.0])
def test_float32_gives_a_minimiser_too(make, step):
    """Objectives of the prox in float32, by values in float64: above that of float64 by rounding at most, 8 units of
    the size x^2 of the objective. Compiled, and interpreted."""
    psi, rng = make(0.5), np.random.default_rng(0)
    w = (rng.standard_normal(500) * 10.0 ** rng.uniform(-3, 3, 500)).astype(np.float32)
    best = psi.prox(w.astype(np.float64), step)
    found = [psi.prox(w, step)]
    with interpreted():
        found.append(psi.prox(w, step))

    def objective(u):
        return step * psi.penalty(np.abs(u)) * psi.strength + (u - w.astype(np.float64)) ** 2 / 2

    for u in found:
        excess = objective(u.astype(np.float64)) - objective(best)
        assert (excess <= 8 * np.finfo(np.float32).eps * w.astype(np.float64) ** 2).all()


@pytest.mark.parametrize("make", EVERY, ids=lambda make: str(make(1.0).parameters) + type(make(1.0)).__name__)
def test_the_largest_float_stays(make):
    for dtype in (np.float32, np.float64):
        w = np.array([np.finfo(dtype).max, -np.finfo(dtype).max], dtype)
        with np.errstate(over="ignore"):  # as compiled code is silent
            np.testing.assert_array_equal(make(1.0).prox(w, 1.0), w)


def test_log_sum_where_the_quotient_overflows():
    """z/epsilon = 1e320: the logarithm is 737, far below z/2 z."""
    np.testing.assert_array_equal(
        LogSum(lam=1.0, epsilon=1e-20).prox(np.array([1e300, 40.0, 1.0]), 1.0)[[0, 2]], [1e300, 0]
    )


def test_weights_of_singular_values_must_be_equal():
    """With weights 2 and 0 the prox of each value alone has the objective 6.49 here, and w itself 5.1: no minimiser."""
    w = np.diag([3.0, 2.9])
    with pytest.raises(ValueError, match=r"weights of singular values must be equal, got \[2.0, 0.0\]; change lam"):
        MCP(lam=1.0, gamma=10.0, layout=Spectrum(), weights=[2.0, 0.0]).prox(w, 1.0)
    twice = MCP(lam=1.0, gamma=10.0, layout=Spectrum(), weights=[2.0, 2.0]).prox(w, 0.5)
    np.testing.assert_array_equal(twice, MCP(lam=1.0, gamma=10.0, layout=Spectrum()).prox(w, 1.0))


def test_ties_between_levels():
    """To the smaller magnitude; between opposites to the positive one."""
    w = np.array([-3.0, -1.5, -0.5, 0.0, 0.5, 1.5, 3.0])
    for dtype in (np.float32, np.float64):
        five = DiscreteSet((2.0, -2.0, 1.0, 0.0, -1.0, -4.0, 4.0)).prox(w.astype(dtype), 1.0)
        np.testing.assert_array_equal(five, [-2, -1, 0, 0, 0, 1, 2])
        assert not np.signbit(five[2:5]).any()
    np.testing.assert_array_equal(DiscreteSet((-1.0, 1.0)).prox(np.array([-0.0, 0.0]), 1.0), [1, 1])
    beside = np.nextafter([0.5, -0.5, 1.5], [9, -9, 9])
    np.testing.assert_array_equal(DiscreteSet((-1.0, 0.0, 1.0, 2.0)).prox(beside, 1.0), [1, -1, 2])


@pytest.mark.parametrize("size", [1e9, 1e17, 1e300])
def test_levels_nearest_to_a_large_entry(size):
    """Its distances to all levels round to the same number."""
    for dtype in (np.float32, np.float64):
        w = np.array([size, -size]) if dtype == np.float64 else np.array([min(size, 1e38), -min(size, 1e38)], dtype)
        np.testing.assert_array_equal(DiscreteSet((-1.0, 0.0, 1.0, 1.5)).prox(w, 1.0), [1.5, -1])


def test_levels_by_trying_all_of_them():
    rng = np.random.default_rng(0)
    levels = rng.standard_normal(9)
    w = 3 * rng.standard_normal(400)
    expected = levels[np.abs(w[:, None] - levels).argmin(axis=1)]
    np.testing.assert_array_equal(DiscreteSet(tuple(levels)).prox(w, 1.0), expected)
    np.testing.assert_array_equal(np.asarray(DiscreteSet(tuple(levels)).prox(strict.asarray(w), 1.0)), expected)


@pytest.mark.parametrize("kind", [L1, NonnegativeL1, MCP, SCAD, L0, CappedL1, LHalf, LTwoThirds, LogSum])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_in_another_namespace(kind, dtype):
    """One weight an entry of a matrix, one of them 0; 8 units in the last place for a few roundings."""
    w = (2 * np.random.default_rng(0).standard_normal((2, 3))).astype(dtype)
    psi = kind(lam=0.7, weights=np.array([[1.0, 0.0, 2.0], [0.5, 1.0, 4.0]]))
    found = psi.prox(strict.asarray(w), 0.5)
    assert found.shape == (2, 3) and found.dtype == getattr(strict, dtype)
    np.testing.assert_allclose(np.asarray(found), psi.prox(w, 0.5), rtol=8 * np.finfo(dtype).eps)
    dual = strict.ones((2, 3), dtype=found.dtype)
    mine = psi.subdiff_distance(psi.prox(w, 0.5), np.ones((2, 3), dtype))
    assert psi.subdiff_distance(found, dual) == pytest.approx(mine, rel=1e-5)


def test_a_box_allows_for_rounding():
    """64 units in the last place of a bound; next to 0 there is no rounding."""
    box = Box(-0.1, 0.1)
    assert box.value(np.array([np.nextafter(0.1, 1), np.nextafter(-0.1, -1)])) == 0
    assert box.value(np.array([0.1 * (1 + 1e-13)])) == np.inf
    assert box.subdiff_distance(np.array([np.nextafter(0.1, 1)]), np.array([5.0])) == 0
    assert Box.nonnegative().value(np.array([-1e-300])) == np.inf
    assert Box(-np.inf, np.inf).value(np.array([1e308])) == 0
    assert Box(-np.inf, np.inf).subdiff_distance(np.array([1e308]), np.array([2.0])) == 2


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        (("0", 1.0), TypeError, "lower must be a number, got str '0'"),
        ((0.0, [1.0]), TypeError, "upper must be a number, got list"),
        ((np.nan, 1.0), ValueError, "lower must be at most upper, got lower=nan"),
        ((-np.inf, -np.inf), ValueError, "give an interval with a real number in it"),
    ],
)
def test_bad_bounds(bounds, error, message):
    with pytest.raises(error, match=message):
        Box(*bounds)


def test_the_nonnegative_cone():
    """Step 0 leaves the projection; every number up to lam weight is a subgradient at 0."""
    psi = NonnegativeL1(lam=2.0, weights=[1.0, 0.5])
    np.testing.assert_array_equal(psi.prox(np.array([3.0, -1.0]), 0.0), [3, 0])
    assert psi.subdiff_distance(np.array([0.0, 0.0]), np.array([-1e300, 1.0])) == 0
    assert psi.subdiff_distance(np.array([0.0, 1.0]), np.array([5.0, 5.0])) == 5
    assert psi.subdiff_distance(np.array([-1.0, 1.0]), np.zeros(2)) == np.inf
    assert psi.conjugate(np.array([2.0, 1.0])) == 0 and psi.conjugate(np.array([2.0, 1.1])) == np.inf
