"""Penalties of one number: thresholds, ties and regimes by hand, limits, and bad arguments."""

import math

import numpy as np
import pytest

from rmda_ref.layout import Groups, Rows, Spectrum
from rmda_ref.regularizers import (
    L0,
    L1,
    MCP,
    SCAD,
    Box,
    CappedL1,
    DiscreteSet,
    Levels,
    LHalf,
    LogSum,
    LTwoThirds,
    NonnegativeL1,
    Rank,
    Support,
)

FOLDED = [
    MCP(lam=1.0, gamma=3.0),
    MCP(lam=1.0, gamma=0.3),
    SCAD(lam=1.0, a=3.7),
    CappedL1(lam=1.0, gamma=1.5),
    L0(lam=1.0),
    LHalf(lam=1.0),
    LTwoThirds(lam=1.0),
    LogSum(lam=1.0, epsilon=2.0),
    LogSum(lam=1.0, epsilon=0.1),
]


def name(psi):
    return f"{type(psi).__name__}{psi.parameters}"


# Where the prox leaves 0 for step 1, from the formulas of the papers.
THRESHOLDS = [
    (MCP(lam=1.0, gamma=3.0), 1.0),
    (MCP(lam=1.0, gamma=0.3), math.sqrt(0.3)),
    (SCAD(lam=1.0, a=3.7), 1.0),
    (CappedL1(lam=1.0, gamma=1.5), 1.0),
    (CappedL1(lam=1.0, gamma=0.125), 0.5),
    (L0(lam=1.0), math.sqrt(2)),
    (LHalf(lam=1.0), 1.5),
    (LTwoThirds(lam=1.0), 2 * (2 / 3) ** 0.75),
    (LogSum(lam=1.0, epsilon=2.0), 0.5),
]


@pytest.mark.parametrize(("psi", "threshold"), THRESHOLDS, ids=lambda x: name(x) if hasattr(x, "prox") else "")
def test_the_threshold_and_both_sides_of_it(psi, threshold):
    below, above = np.array([threshold * (1 - 1e-9)]), np.array([threshold * (1 + 1e-9)])
    assert psi.prox(below, 1.0)[0] == 0
    assert psi.prox(above, 1.0)[0] > 0
    assert psi.prox(-above, 1.0)[0] == -psi.prox(above, 1.0)[0]


@pytest.mark.parametrize(
    ("psi", "tie", "kept"),
    [
        (MCP(lam=1.0, gamma=0.25), 0.5, 0.0),
        (SCAD(lam=1.0, a=3.0), 3.5, 0.5),  # step 3: the crossing is at (a + 1 + t)/2 and soft is 1/2 there
        (CappedL1(lam=1.0, gamma=0.125), 0.5, 0.0),
        (L0(lam=0.5), 1.0, 0.0),
    ],
    ids=["mcp", "scad", "capped", "l0"],
)
def test_ties_go_to_the_smaller_point(psi, tie, kept):
    step = 3.0 if isinstance(psi, SCAD) else 1.0
    assert psi.prox(np.array([tie]), step)[0] == kept
    assert psi.prox(np.array([np.nextafter(tie, 9)]), step)[0] == np.nextafter(tie, 9)
    both = [step * psi.value(np.array([y])) + (y - tie) ** 2 / 2 for y in (kept, tie)]
    assert both[0] == pytest.approx(both[1], rel=1e-15)  # it is a tie


@pytest.mark.parametrize("psi", FOLDED, ids=name)
def test_the_slope_is_the_derivative_of_the_penalty(psi):
    """Central differences err by h^2 times a third derivative, plus rounding over h: 1e-8 at h = 1e-5."""
    z = np.array([0.05, 0.4, 1.2, 2.9, 3.9, 7.0])
    difference = (psi.penalty(z + 1e-5) - psi.penalty(z - 1e-5)) / 2e-5
    np.testing.assert_allclose(psi.slope(z) * psi.strength, difference * psi.strength, rtol=1e-6, atol=1e-8)
    tiny = 1e-9
    if math.isfinite(psi.slope_at_zero):
        assert psi.penalty(np.array([tiny]))[0] / tiny == pytest.approx(psi.slope_at_zero, rel=1e-7)
    else:
        assert psi.penalty(np.array([tiny]))[0] / tiny > 500


def test_values_by_hand():
    z = np.array([0.5, -2.0, 9.0])
    assert MCP(lam=1.0, gamma=3.0).value(z) == pytest.approx(0.5 - 0.25 / 6 + 2 - 4 / 6 + 1.5, rel=1e-15)
    assert SCAD(lam=1.0, a=3.0).value(z) == pytest.approx(0.5 + (2 * 3 * 2 - 4 - 1) / 4 + 2, rel=1e-15)
    assert CappedL1(lam=2.0, gamma=1.0).value(z) == 5.0
    assert L0(lam=2.0).value(z) == 6.0
    assert LHalf(lam=1.0).value(np.array([4.0, 9.0])) == 5.0
    assert LTwoThirds(lam=1.0).value(np.array([8.0, -27.0])) == pytest.approx(13.0, rel=1e-15)
    assert LogSum(lam=2.0, epsilon=0.5).value(np.array([1.0])) == pytest.approx(2 * math.log(3), rel=1e-15)
    assert NonnegativeL1(lam=2.0).value(np.array([1.0, 0.5])) == 3.0
    assert NonnegativeL1(lam=2.0).value(np.array([1.0, -1e-300])) == np.inf


@pytest.mark.parametrize("psi", FOLDED, ids=name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_and_tiny_entries(psi, dtype):
    """Where the penalty is flat, or nearly, a huge entry stays; a tiny one is zero."""
    huge = np.array([np.finfo(dtype).max / 4, -np.finfo(dtype).max / 4], dtype)
    np.testing.assert_allclose(psi.prox(huge, 1.0), huge, rtol=4 * np.finfo(dtype).eps)
    tiny = np.array([np.finfo(dtype).tiny, -np.finfo(dtype).smallest_subnormal], dtype)
    found = psi.prox(tiny, 1.0)
    assert not found.any() and not np.signbit(found).any()


def test_groups_and_spectra_are_the_scalar_prox_of_magnitudes():
    w = np.random.default_rng(0).standard_normal((4, 3)) * 2
    norms = np.linalg.norm(w, axis=1)
    for psi in FOLDED:
        by_rows = type(psi)(**{**vars(psi), "layout": Rows(1)}).prox(w, 0.7)
        np.testing.assert_allclose(np.linalg.norm(by_rows, axis=1), psi.prox(norms, 0.7), rtol=1e-13, atol=1e-14)
        by_spectrum = type(psi)(**{**vars(psi), "layout": Spectrum()}).prox(w, 0.7)
        expected = np.sort(psi.prox(np.linalg.svdvals(w), 0.7))[::-1]
        np.testing.assert_allclose(np.linalg.svdvals(by_spectrum), expected, rtol=1e-13, atol=1e-14)


def test_weights_multiply_the_penalty():
    w = np.array([2.0, 2.0, 2.0])
    np.testing.assert_array_equal(L1(lam=1.0, weights=[0.0, 1.0, 3.0]).prox(w, 1.0), [2, 1, 0])
    np.testing.assert_array_equal(MCP(lam=1.0, gamma=2.0, weights=[0.0, 1.0, 9.0]).prox(w, 1.0), [2, 2, 0])
    groups = MCP(lam=1.0, layout=Groups([[0, 1], [2]]), weights=[0.0, 9.0]).prox(w, 1.0)
    np.testing.assert_array_equal(groups, [2, 2, 0])
    with pytest.raises(ValueError, match="weights has 2 entries for 3 entries; give one for each"):
        L1(lam=1.0, weights=[1.0, 2.0]).prox(w, 1.0)
    with pytest.raises(ValueError, match="weights has 3 entries for 2 singular values"):
        MCP(lam=1.0, layout=Spectrum(), weights=[1.0, 2.0, 3.0]).prox(np.ones((2, 4)), 1.0)


def test_the_limiting_subdifferential_at_a_kink_is_two_slopes():
    """Of the capped l1 norm at gamma: lam and 0, and not what lies between."""
    psi, at = CappedL1(lam=2.0, gamma=1.0), np.array([1.0])
    assert [psi.subdiff_distance(at, np.array([v])) for v in (2.0, 0.0, 1.0, 0.5, -1.0)] == [0, 0, 1, 0.5, 1]


def test_infinite_slopes_leave_zeros_free():
    for psi in (L0(lam=1.0), LHalf(lam=1.0), LTwoThirds(lam=1.0)):
        assert psi.subdiff_distance(np.zeros(2), np.array([1e9, -1e9])) == 0
        assert type(psi)(lam=0.0).subdiff_distance(np.zeros(2), np.array([3.0, 4.0])) == 5


def test_boxes():
    psi = Box(-1.0, 2.0)
    np.testing.assert_array_equal(psi.prox(np.array([-5.0, 0.5, 7.0]), 0.0), [-1, 0.5, 2])
    assert psi.manifold(np.array([-1.0, 0.5, 2.0])) == Levels.of(np.array([1, 0, 2]))
    assert psi.conjugate(np.array([-2.0, 3.0])) == 2 + 6
    assert Box.nonnegative().conjugate(np.array([-2.0, 0.0])) == 0
    assert Box.nonnegative().conjugate(np.array([-2.0, 1e-9])) == np.inf
    assert psi.subdiff_distance(np.array([-1.0, 0.0, 2.0]), np.array([-3.0, 0.0, 4.0])) == 0
    assert psi.subdiff_distance(np.array([-1.0, 0.0, 2.0]), np.array([3.0, 0.0, -4.0])) == 5
    assert psi.subdiff_distance(np.array([3.0]), np.array([0.0])) == np.inf
    np.testing.assert_array_equal(Box(0.1, 0.1).prox(np.zeros(2, np.float32), 1.0), np.full(2, 0.1, np.float32))


def test_discrete_sets():
    psi = DiscreteSet((0.0, 1.0, -1.0, 4.0))
    np.testing.assert_array_equal(psi.prox(np.array([0.5, -0.5, 2.5, 1e300, -1e300]), 1.0), [0, 0, 1, 4, -1])
    np.testing.assert_array_equal(DiscreteSet.binary().prox(np.array([0.0, -0.0]), 1.0), [1, 1])
    assert psi.manifold(np.array([1.0, 4.0, 0.5])) == Levels.of(np.array([1, 3, -1]))
    assert psi.value(np.array([1.0, 4.0])) == 0 and psi.value(np.array([1.0, 2.0])) == np.inf
    assert DiscreteSet((0.1,)).value(np.full(2, 0.1, np.float32)) == 0


def test_structures():
    w = np.array([[3.0, 0.0], [0.0, 0.0]])
    assert SCAD(lam=1.0).manifold(w) == Support.of(w != 0)
    assert SCAD(lam=1.0, layout=Rows(1)).manifold(w) == Support.of(np.array([True, False]))
    assert SCAD(lam=1.0, layout=Spectrum()).manifold(w) == Rank(1)


def test_weak_convexity_is_the_steepest_fall_of_the_slope():
    assert MCP(lam=1.0, gamma=4.0, weights=[1.0, 2.0]).weak_convexity == 0.5
    assert SCAD(lam=1.0, a=3.0).weak_convexity == 0.5
    assert LogSum(lam=3.0, epsilon=2.0).weak_convexity == 0.75
    assert L0(lam=1.0).weak_convexity == np.inf == CappedL1(lam=1.0).weak_convexity
    assert L1(lam=1.0).weak_convexity == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MCP(lam=1.0, gamma=0.0), "gamma must lie in"),
        (lambda: SCAD(lam=1.0, a=2.0), "a must be above 2, got 2.0"),
        (lambda: CappedL1(lam=1.0, gamma=-1.0), "gamma must lie in"),
        (lambda: LogSum(lam=1.0, epsilon=0.0), "epsilon must lie in"),
        (lambda: L0(lam=-1.0), "lam must lie in"),
        (lambda: MCP(lam=1.0, weights=[-1.0]), "weights must be finite and at least 0"),
        (lambda: Box(1.0, 0.0), "lower must be at most upper, got lower=1.0, upper=0.0"),
        (lambda: Box(np.inf, np.inf), "lower must be at most upper"),
        (lambda: DiscreteSet(()), "levels must be one or more distinct finite numbers"),
        (lambda: DiscreteSet((1.0, 1.0)), "levels must be one or more distinct finite numbers"),
        (lambda: DiscreteSet.uniform(0.0, 1.0, 1), "n_levels must be at least 2"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
