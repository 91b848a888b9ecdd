"""What the laws cannot see of the convex penalties of rows: values by hand, dual norms, faces, limits, bad input."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.optimize import isotonic_regression, minimize_scalar, nnls

from rmda_ref.layout import Groups, Norms, Rows, Spectrum
from rmda_ref.regularizers import (
    L1,
    ExclusiveLasso,
    GroupLasso,
    GroupMax,
    L1Ball,
    L2Ball,
    Levels,
    Simplex,
    Slope,
    SparseGroupLasso,
    Support,
)

RNG = np.random.default_rng(0)
LISTS = Groups([[0, 5, 6, 7], [4, 1, 2], [3]])
NORMS = {
    "sparse group lasso": SparseGroupLasso(lam=0.7, l1_ratio=0.4, groups=LISTS.groups, weights=[1.0, 0.5, 2.0]),
    "no l1": SparseGroupLasso(lam=0.7, l1_ratio=0.0, groups=LISTS.groups),
    "all l1": SparseGroupLasso(lam=0.7, l1_ratio=1.0, groups=LISTS.groups),
    "group max": GroupMax(lam=0.7, layout=LISTS, weights=[1.0, 0.5, 2.0]),
    "slope": Slope(lam=0.7, weights=[2.0, 1.0, 1.0, 0.5], layout=LISTS),
    "slope, norms": Slope(lam=0.7, weights=[2.0, 1.0, 0.5], layout=Norms(LISTS)),
}
BALLS = {
    "simplex": Simplex(radius=0.7),
    "l1 ball": L1Ball(radius=0.7),
    "l2 ball": L2Ball(radius=0.7),
}


@pytest.mark.parametrize("name", NORMS)
def test_the_dual_norm_is_the_least_step_that_gives_zero(name):
    """prox(v, t) = 0 iff v/t is in the dual ball; to 1e-9, far above rounding and far below any mistake."""
    regularizer = NORMS[name]
    for _ in range(20):
        v = RNG.standard_normal(8)
        dual = regularizer.dual_norm(v)
        assert not regularizer.prox(v, dual * (1 + 1e-9)).any()
        assert regularizer.prox(v, dual * (1 - 1e-9)).any()
        assert regularizer.conjugate(v / dual * (1 - 1e-9)) == 0
        assert regularizer.conjugate(v / dual * (1 + 1e-9)) == np.inf


@pytest.mark.parametrize("name", NORMS)
def test_the_dual_norm_without_strength(name):
    free = dataclasses.replace(NORMS[name], lam=0.0)
    assert free.dual_norm(RNG.standard_normal(8)) == np.inf
    assert free.dual_norm(np.zeros(8)) == 0
    for w in (np.zeros(8), np.ones(8)):  # the subdifferential is {0}
        assert free.subdiff_distance(w, np.arange(8.0)) == pytest.approx(np.linalg.norm(np.arange(8.0)), rel=1e-14)


def test_values_by_hand():
    w = np.array([[3.0, -4.0], [0.0, 1.0]])
    assert SparseGroupLasso(lam=2.0, l1_ratio=0.25, axis=1, weights=[1, 3]).value(w) == 2 * (0.25 * 8 + 0.75 * (5 + 3))
    assert SparseGroupLasso(lam=1.0, l1_ratio=0.0, axis=1).value(w) == pytest.approx(6 * np.sqrt(2), rel=1e-15)
    assert ExclusiveLasso(lam=2.0, layout=Rows(1)).value(w) == 49 + 1
    assert GroupMax(lam=2.0, layout=Rows(0), weights=[1, 0.5]).value(w) == 2 * (3 + 2)
    assert Slope(lam=2.0, weights=[4, 2, 1, 0]).value(w) == 2 * (16 + 6 + 1)
    assert Slope(lam=1.0, weights=[2, 1], layout=Norms(Rows(1))).value(w) == 11
    assert Simplex(radius=4.0, layout=Rows(1)).value(np.array([[3.0, 1.0], [0.0, 4.0]])) == 0
    assert Simplex(radius=4.0, layout=Rows(1)).value(w) == np.inf
    assert L1Ball(radius=8.0).value(w) == 0 and L1Ball(radius=7.9).value(w) == np.inf
    assert L2Ball(radius=5.0, layout=Rows(1)).value(w) == 0 and L2Ball(radius=4.9, layout=Rows(1)).value(w) == np.inf


def test_conjugates_by_hand():
    v = np.array([[3.0, -4.0], [0.0, 1.0]])
    assert ExclusiveLasso(lam=2.0, layout=Rows(1)).conjugate(v) == (16 + 1) / 4
    assert ExclusiveLasso(lam=0.0).conjugate(v) == np.inf and ExclusiveLasso(lam=0.0).conjugate(0 * v) == 0
    assert Simplex(radius=2.0, layout=Rows(0)).conjugate(v) == 2 * (3 + 1)
    assert L1Ball(radius=2.0, layout=Rows(0)).conjugate(v) == 2 * (3 + 4)
    assert L1Ball(radius=2.0, layout=Norms(Rows(1))).conjugate(v) == 2 * 5
    assert L2Ball(radius=2.0, layout=Rows(1)).conjugate(v) == 2 * (5 + 1)


def test_limits_are_the_simpler_operators():
    """Bit by bit where the arithmetic is the same, to some ulps where it is not."""
    w, metric = RNG.standard_normal((4, 3)), RNG.uniform(0.2, 5, (4, 3))
    only_l1, only_groups = SparseGroupLasso(0.7, 1.0, axis=0), SparseGroupLasso(0.7, 0.0, axis=0)
    for args in ((w, 0.5), (w, 0.5, metric)):
        np.testing.assert_array_equal(only_l1.prox(*args), L1(0.7).prox(*args))
        np.testing.assert_array_equal(only_groups.prox(*args), GroupLasso(0.7, axis=0).prox(*args))
    np.testing.assert_allclose(Slope(0.7, np.ones(12)).prox(w, 0.5), L1(0.7).prox(w, 0.5), atol=1e-15)
    np.testing.assert_allclose(Slope(0.7, np.eye(12)[0]).prox(w, 0.5), GroupMax(0.7).prox(w, 0.5), atol=1e-15)
    single = w.reshape(12, 1)  # rows of one entry: the square of the entry
    np.testing.assert_allclose(ExclusiveLasso(0.7, Rows(1)).prox(single, 2.0), single / (1 + 1.4), rtol=1e-15)
    np.testing.assert_allclose(Simplex(0.7, Rows(1)).prox(single, 2.0), 0 * single + 0.7, rtol=1e-15)


def test_sparse_group_subdifferential_at_zero():
    """The distance to a cube plus a ball, by projections in turn onto both."""
    regularizer = SparseGroupLasso(lam=2.0, l1_ratio=0.25, groups=[[0, 1, 2]], weights=[1.0])
    v = np.array([2.5, -0.2, 1.9])
    cube = np.zeros(3)
    for _ in range(10_000):
        ball = v - cube
        ball *= min(1, 1.5 / np.linalg.norm(ball))
        cube = np.clip(v - ball, -0.5, 0.5)
    assert regularizer.subdiff_distance(np.zeros(3), v) == pytest.approx(np.linalg.norm(v - cube - ball), rel=1e-6)
    assert regularizer.subdiff_distance(np.zeros(3), v / 4) == 0


def test_sparse_group_structure_is_of_entries():
    regularizer = SparseGroupLasso(lam=1.0, l1_ratio=0.5, axis=1)
    w = np.array([[3.0, 0.1], [0.6, 0.6]])
    assert regularizer.manifold(regularizer.prox(w, 1.0)) == Support.of(np.array([[True, False], [False, False]]))
    assert SparseGroupLasso(1.0, 0.0, axis=1).manifold(w) == GroupLasso(1.0, axis=1).manifold(w)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, np.nan])
def test_l1_ratio_must_be_a_share(ratio):
    with pytest.raises(ValueError, match="l1_ratio must lie in"):
        SparseGroupLasso(1.0, ratio, axis=0)


def test_group_max_cuts_at_one_level():
    """Entries at the level are equal bit by bit, also entries that were there before; no group is cut beyond."""
    regularizer = GroupMax(lam=1.0, layout=Rows(1))
    for dtype in (np.float32, np.float64):
        w = np.array([[3, -2.75, 0.7, 2.5], [0.5, 0.25, 0, 0], [1e-3, 1e30, 1, -1e30]], dtype)
        u = regularizer.prox(w, 0.75)
        assert np.unique(np.abs(u[0])).tolist() == [np.float64(dtype(0.7)), 2.5]
        assert not u[1].any()
        np.testing.assert_array_equal(u[2], w[2])  # what is cut off is lost in rounding
        assert regularizer.manifold(u) == Levels.of(np.array([2, 2, 1, 2, 0, 0, 0, 0, 1, 2, 1, 2]))
    huge = np.array([[1e300, -2e300, 3e300]])
    np.testing.assert_allclose(regularizer.prox(huge, 1e300), [[1e300, -2e300, 2e300]], rtol=1e-15)


def test_exclusive_lasso_leaves_no_group_empty():
    w = np.array([[3.0, 1.0, -1.0], [0.0, 0.0, 1e-300]])
    u = ExclusiveLasso(lam=1e3, layout=Rows(1)).prox(w, 1.0)
    # What is left is a difference of numbers 1001 times as large.
    np.testing.assert_allclose(u, [[3 / 1001, 0, 0], [0, 0, 1e-300 / 1001]], rtol=1001 * np.finfo(float).eps)
    huge = ExclusiveLasso(lam=1.0).prox(np.array([1e300, -1e300, 1e299]), 1.0)
    np.testing.assert_allclose(huge, [1e300 / 3, -1e300 / 3, 0], rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 127, 128, 129, 4096, 30_000])
def test_slope_beside_scipy(n, dtype):
    """NumPy's sort and SciPy's isotonic regression, where the sorting changes; averages differ by the order of sums."""
    for spread in (1.0, 30.0):
        w = (RNG.standard_normal(n) * np.exp(spread * RNG.uniform(-1, 1, n))).astype(dtype)
        w[RNG.random(n) < 0.1] = 0
        w[n // 2 :: 7] = w[n // 2]  # ties
        weights = np.sort(RNG.exponential(size=n))[::-1]
        magnitudes = np.abs(w).astype(np.float64)
        order = np.argsort(-magnitudes, kind="stable")
        expected = np.empty(n)
        expected[order] = isotonic_regression(magnitudes[order] - 0.3 * 0.7 * weights, increasing=False).x.clip(0)
        found = Slope(0.3, weights).prox(w, 0.7)
        np.testing.assert_allclose(found, np.sign(w) * expected, rtol=8 * np.finfo(dtype).eps, atol=1e-13)
        assert np.unique(np.abs(found[np.abs(w) == np.abs(w[n // 2])])).size == 1


def test_slope_by_definition():
    """OSCAR by pairs; its clusters are equal bit by bit."""
    w = np.array([3.0, -2.9, 0.4, 2.0, 0.0])
    oscar = Slope.oscar(5, l1=0.5, pairwise=0.25)
    pairs = sum(max(abs(a), abs(b)) for a, b in itertools.combinations(w, 2))
    assert oscar.value(w) == pytest.approx(0.5 * np.abs(w).sum() + 0.25 * pairs, rel=1e-15)
    u = oscar.prox(w, 1.0)
    assert u[0] == -u[1] and oscar.manifold(u) == Levels.of(np.array([2, 2, 0, 1, 0]))
    assert oscar.manifold(w) == Levels.of(np.array([4, 3, 1, 2, 0]))
    weights = Slope.benjamini_hochberg(1000, lam=1.0, q=0.1).weights
    assert weights[0] == pytest.approx(3.8906, abs=1e-4) and weights[-1] == pytest.approx(1.6449, abs=1e-4)


@pytest.mark.parametrize(
    ("layout", "shape"),
    [(Rows(None), (4,)), (Norms(Rows(0)), (1, 4)), (Spectrum(), (4, 4))],
    ids=["rows", "norms", "svd"],
)
def test_slope_subdifferential(layout, shape):
    """The nearest point of the convex hull of the vertices, weights in any order within clusters, by least squares."""
    weights = np.array([2.0, 1.5, 0.7, 0.2])
    regularizer = Slope(0.5, weights, layout)

    def put(x):
        return np.diag(x) if shape == (4, 4) else x.reshape(shape)

    for levels in ([3.0, 3.0, 1.0, 1.0], [2.0, 2.0, 2.0, 0.0], [4.0, 3.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0], [0.0] * 4):
        z, v = np.array(levels), 1.5 * RNG.standard_normal(4)
        signs = [s for s in itertools.product([-1, 1], repeat=4) if all(a > 0 for a, x in zip(s, z, strict=True) if x)]
        orders = [p for p in itertools.permutations(range(4)) if (z[list(p)] == z).all()]
        vertices = np.array([s * 0.5 * weights[list(p)] for s in map(np.array, signs) for p in orders])
        system = np.vstack([vertices.T, 1e4 * np.ones(len(vertices))])
        expected = np.linalg.norm(vertices.T @ nnls(system, np.append(v, 1e4))[0] - v)
        assert regularizer.subdiff_distance(put(z), put(v)) == pytest.approx(expected, abs=1e-6)


def test_equal_singular_values_may_be_turned():
    """At the identity the subgradients are symmetric with eigenvalues in the weights' permutahedron."""
    regularizer, turn = Slope(1.0, [2.0, 1.0], Spectrum()), np.array([[0.6, -0.8], [0.8, 0.6]])
    v = turn @ np.diag([1.75, 1.25]) @ turn.T
    assert regularizer.subdiff_distance(np.eye(2), v) < 1e-14
    skew = np.array([[0.0, 1.0], [-1.0, 0.0]])
    assert regularizer.subdiff_distance(np.eye(2), v + skew) == pytest.approx(np.sqrt(2), rel=1e-14)


def test_slope_refuses():
    with pytest.raises(ValueError, match=r"weights must not increase, but weights\[2\] > weights\[1\]"):
        Slope(1.0, [2.0, 1.0, 1.5])
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        Slope(1.0, [1.0, -1.0])
    with pytest.raises(ValueError, match="weights has 3 entries for 4 magnitudes of a row"):
        Slope(1.0, [3.0, 2.0, 1.0]).prox(np.zeros(4), 1.0)
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        Slope(1.0, [3.0, 2.0]).prox(np.zeros(2), 1.0, np.ones(2))


@np.errstate(over="ignore")  # interpreted, the squares that the driver then does without
def test_projections_stay_exact_far_away():
    """The sum is the radius to rounding however far, long or uneven the row: 4 ulps, and half an ulp an entry."""
    for dtype in (np.float32, np.float64):
        largest = dtype(1e36 if dtype == np.float32 else 1e300)
        for row in (
            np.array([1.0, 2.0, -3.0]) * largest,
            np.array([largest, 1.0, 2.0]),
            largest + np.zeros(5),
            -largest * np.ones(5),
            np.append(1.0, -0.5 + 1e-6 * RNG.random(100_000)),
            RNG.standard_cauchy(100_000),
        ):
            w = row.astype(dtype)
            metric = RNG.uniform(0.1, 10, len(w)).astype(dtype)
            for ball, size in (
                (Simplex(0.3), np.sum),
                (L1Ball(0.3), lambda u: np.abs(u).sum()),
                (L2Ball(0.3), np.linalg.norm),
            ):
                for args in ((w, 1.0), (w, 1.0, metric)):
                    u = ball.prox(*args)
                    assert size(u.astype(np.float64)) == pytest.approx(0.3, rel=5 * float(np.finfo(dtype).eps))
                    assert ball.value(u) == 0


def test_points_inside_do_not_move():
    w = np.array([0.1, -0.25, 0.0])
    for ball in (L1Ball(0.7), L2Ball(0.7), L1Ball(0.35), L1Ball(0.7, Norms(Rows(None)))):
        for args in ((w, 3.0), (w, 0.0)):
            np.testing.assert_array_equal(ball.prox(*args), w)
        assert ball.prox(w, 1.0)[2:].tobytes() == np.zeros(1).tobytes()  # no -0
    np.testing.assert_array_equal(L2Ball(0.7).prox(w, 3.0, np.array([1.0, 5.0, 2.0])), w)


@pytest.mark.parametrize("name", BALLS)
def test_normal_cones(name):
    """The nearest normal by its multiplier, without derivatives (to the root of 1e-12); empty outside, 0 inside."""
    ball = BALLS[name]
    for _ in range(20):
        u, v = ball.prox(10 * RNG.standard_normal(5), 1.0), RNG.standard_normal(5)

        def gap(c, u=u, v=v):
            if name == "l2 ball":
                return np.linalg.norm(v - c * u)
            along = v if name == "simplex" else np.where(u != 0, v * np.sign(u), np.abs(v))
            return np.linalg.norm(np.where(u != 0, along - c, np.maximum(along - c, 0)))

        bounds = (-9, 9) if name == "simplex" else (0, 9)
        best = minimize_scalar(gap, bounds=bounds, method="bounded", options={"xatol": 1e-12}).fun
        assert ball.subdiff_distance(u, v) == pytest.approx(best, abs=1e-5)
        assert ball.subdiff_distance(1.1 * u, v) == np.inf
        if name != "simplex":
            assert ball.subdiff_distance(0.9 * u, v) == pytest.approx(np.linalg.norm(v), rel=1e-15)


def test_radius_zero():
    w, metric = np.array([3.0, -1.0, 0.0]), np.array([1.0, 2.0, 3.0])
    for ball in (L1Ball(0.0), L2Ball(0.0)):
        assert not ball.prox(w, 1.0).any() and not ball.prox(w, 1.0, metric).any()
        assert ball.value(0 * w) == 0 and ball.value(w) == np.inf
        assert ball.subdiff_distance(0 * w, w) == 0 and ball.conjugate(w) == 0
    with pytest.raises(ValueError, match=r"radius must lie in \(0, inf\)"):
        Simplex(0.0)
    for kind in (L1Ball, L2Ball):
        with pytest.raises(ValueError, match="radius must lie in"):
            kind(-1.0)


def test_l2_ball_structure():
    ball = L2Ball(1.0, Rows(1))
    u = ball.prox(np.array([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    assert ball.manifold(u) == Levels.of(np.array([1, 0]))
    assert ball.manifold(0.999 * u) == Levels.of(np.array([0, 0]))
