"""Sparse envelopes and the k-support norm: by enumeration of supports, at ties and thresholds, in metrics, at scale."""

import itertools

import numpy as np
import pytest

from rmda_ref.layout import Groups, Norms, Rows, Spectrum
from rmda_ref.regularizers import (
    L1,
    ExclusiveLasso,
    GroupLasso,
    GroupSparseEnvelope,
    KSupport,
    Nuclear,
    SparseEnvelope,
    Support,
)

EPS = np.finfo(float).eps
RNG = np.random.default_rng(0)


def largest_square(v, k):
    """Of the Euclidean norm over supports of k."""
    return max(float(np.sum(v[list(support)] ** 2)) for support in itertools.combinations(range(len(v)), k))


def points(n_cases, n, seed=0):
    """Generic, tied and sparse ones, of sizes over six decades, with steps and metrics."""
    rng = np.random.default_rng(seed)
    for i in range(n_cases):
        w = rng.standard_normal(n) * 10 ** rng.uniform(-3, 3) if i % 3 else rng.integers(-3, 4, n) / 2
        w = w * (rng.random(n) < 0.6) if i % 4 == 3 else w
        yield w, float(10 ** rng.uniform(-3, 3)), (10 ** rng.uniform(-1, 1, n) if i % 2 else np.ones(n))


@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_the_envelope_prox_meets_fenchel(k):
    """u is the prox iff psi(u) + psi*(v) = <u, v>, v = metric (w - u)/step; 100 roundings of terms of |w|^2/step."""
    psi = SparseEnvelope(0.7, k)
    for w, step, metric in points(200, 7):
        u = psi.prox(w, step, metric)
        v = metric * (w - u) / step
        gap = psi.value(u) + largest_square(v, k) / (2 * 0.7) - u @ v
        assert abs(gap) <= 100 * EPS * (psi.value(u) + np.abs(u) @ np.abs(w * metric) / step)


@pytest.mark.parametrize("k", [1, 2, 4, 7])
def test_the_norm_prox_meets_fenchel(k):
    """v/lam in the dual unit ball, and <u, v> = psi(u): of terms of size |w| |v|, 100 roundings of metric w/step."""
    psi = KSupport(0.7, k)
    for w, step, metric in points(200, 7):
        u = psi.prox(w, step, metric)
        v = metric * (w - u) / step
        error = 100 * EPS * float(np.linalg.norm(metric * w)) / step
        assert np.sqrt(largest_square(v, k)) <= 0.7 + error
        assert abs(psi.value(u) - u @ v) <= (0.7 + error) * 100 * EPS * np.abs(w).sum() + error * np.abs(u).sum()


@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 3.0, 2.0]])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_group_envelope_is_the_biconjugate(weights, k):
    """max_v <w, v> - f*(v), with f* by enumeration of k groups: the definition, to a solver's accuracy."""
    cp = pytest.importorskip("cvxpy")
    groups, d = [[0, 5], [4, 1, 2], [3], [6, 7]], np.ones(4) if weights is None else np.array(weights)
    w = np.random.default_rng(k).standard_normal(8)
    v, top = cp.Variable(8), cp.Variable()
    squares = [cp.sum_squares(v[group]) / weight for group, weight in zip(groups, d, strict=True)]
    constraints = [sum(squares[g] for g in chosen) <= top for chosen in itertools.combinations(range(4), k)]
    problem = cp.Problem(cp.Maximize(w @ v - top / 2), constraints)
    problem.solve(solver=cp.CLARABEL)
    psi = GroupSparseEnvelope(2.0, k, groups=groups, weights=weights)
    assert psi.value(w) == pytest.approx(2 * problem.value, rel=1e-6)
    quadratic = sum(d[g] * w[groups[g]] @ w[groups[g]] for g in range(4))
    assert psi.value(w) >= quadratic * (1 - 1e-15)  # it is at least the convex function that it hulls


@pytest.mark.parametrize("kind", ["norm", "envelope"])
def test_distances_to_the_subdifferential_by_projection(kind):
    """The subdifferential is where Fenchel-Young is an equality, written with all supports."""
    cp = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(1)
    psi = KSupport(0.7, 2) if kind == "norm" else SparseEnvelope(0.7, 2)
    for support in ([], [1], [0, 3], [0, 1, 3], [0, 1, 2, 3, 4]):
        w = np.zeros(5)
        w[support] = rng.choice([-1.5, 0.5, 1.0], len(support))
        v = rng.standard_normal(5)
        g = cp.Variable(5)
        supports = [cp.sum_squares(g[list(chosen)]) for chosen in itertools.combinations(range(5), 2)]
        if kind == "norm":
            constraints = [square <= 0.7**2 for square in supports] + [w @ g >= psi.value(w)]
        else:
            constraints = [square / (2 * 0.7) + psi.value(w) <= w @ g for square in supports]
        problem = cp.Problem(cp.Minimize(cp.norm2(g - v)), constraints)
        problem.solve(solver=cp.CLARABEL)
        # A constraint that has no interior is met to about the root of the solver's 1e-8.
        assert psi.subdiff_distance(w, v) == pytest.approx(problem.value, abs=1e-3)


def test_the_norm_where_it_becomes_zero():
    """The dual norm of metric w is the threshold: 0 there, and just below it almost 0, with the right direction."""
    w = np.array([3.0, -4.0, 1.0, 0.5])
    psi = KSupport(1.0, 2)
    np.testing.assert_array_equal(psi.prox(w, 5.0), 0)
    u = psi.prox(w, 5 * (1 - 1e-10))
    np.testing.assert_allclose(u, [3e-10, -4e-10, 0, 0], rtol=1e-5)  # 5e-10 is known to 5 roundings of 5
    np.testing.assert_array_equal(psi.prox(w[:2], 5.0, np.array([1.0, 2.0])) != 0, True)
    np.testing.assert_array_equal(psi.prox(w[:2], float(np.hypot(3, 8)), np.array([1.0, 2.0])), 0)


def test_between_known_penalties():
    w = RNG.standard_normal(9)
    metric = RNG.uniform(0.2, 5, 9)
    for step in (0.1, 1.0, 3.0):
        close = {"rtol": 1e-13, "atol": 1e-14}  # a few dozen roundings of numbers of size 1
        one, all_ = KSupport(0.7, 1), KSupport(0.7, 9)
        np.testing.assert_allclose(one.prox(w, step, metric), L1(0.7).prox(w, step, metric), **close)
        np.testing.assert_allclose(
            all_.prox(w, step, metric), GroupLasso(0.7, axis=0, weights=[1.0]).prox(w, step, metric), **close
        )
        np.testing.assert_allclose(
            SparseEnvelope(0.7, 1).prox(w, step, metric), ExclusiveLasso(0.7).prox(w, step, metric), **close
        )
        np.testing.assert_allclose(
            SparseEnvelope(0.7, 9).prox(w, step, metric), w * metric / (metric + 0.7 * step), **close
        )
        matrix = w.reshape(3, 3)
        np.testing.assert_allclose(
            KSupport(0.7, 1, layout=Spectrum()).prox(matrix, step), Nuclear(0.7).prox(matrix, step), **close
        )
    # More places than entries change nothing.
    np.testing.assert_array_equal(KSupport(0.7, 99).prox(w, 1.0), KSupport(0.7, 9).prox(w, 1.0))
    assert KSupport(0.7, 99).value(w) == pytest.approx(0.7 * np.linalg.norm(w), rel=1e-15)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_on_sparse_points_the_envelope_is_the_square(k):
    """The envelope of a function touches it where the function is convex: here at k-sparse points."""
    w = RNG.standard_normal(7)
    sparse = np.where(np.arange(7) < k, w, 0)
    assert SparseEnvelope(2.0, k).value(sparse) == pytest.approx(np.sum(sparse**2), rel=1e-14)
    assert KSupport(2.0, k).value(sparse) == pytest.approx(2 * np.linalg.norm(sparse), rel=1e-14)
    assert SparseEnvelope(2.0, k).value(w) > np.sum(w**2)
    assert SparseEnvelope(1.0, k).value(w) == pytest.approx(KSupport(1.0, k).value(w) ** 2 / 2, rel=1e-14)


def test_levels_by_hand():
    """k = 2, step lam = 1: shares 1, 1/2, 1/2 at T = 4/5 of (4, 1.2, 1.2): (|w| - T)/T = 1/2; the first is halved."""
    u = SparseEnvelope(1.0, 2).prox(np.array([4.0, -1.2, 1.2]), 1.0)
    np.testing.assert_allclose(u, [2.0, -0.4, 0.4], rtol=1e-15)
    assert u[1] == -u[2]  # ties stay ties
    # A gap between the k-th and the rest: these are exactly zero, and the others exactly halved.
    w = np.array([5.0, 5.0, 0.1, -0.1])
    np.testing.assert_array_equal(SparseEnvelope(1.0, 2).prox(w, 1.0), [2.5, 2.5, 0, 0])
    metric = np.array([1.0, 3.0, 0.3, 7.0])
    np.testing.assert_array_equal(SparseEnvelope(1.0, 2).prox(w, 1.0, metric) != 0, [True, True, False, False])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_equal_and_single_entries(dtype):
    w = np.full(6, -2.0, dtype)
    for psi in (SparseEnvelope(1.0, 2), KSupport(1.0, 2)):
        u = psi.prox(w, 0.5)
        assert u.dtype == dtype and (u == u[0]).all() and -2 < u[0] < 0
        np.testing.assert_array_equal(psi.prox(np.zeros(6, dtype), 0.5), 0)
    np.testing.assert_allclose(SparseEnvelope(1.0, 3).prox(w[:1], 1.0), -1.0)
    np.testing.assert_allclose(KSupport(1.0, 3).prox(w[:1], 0.5), -1.5)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_far_from_one(scale):
    """Of degree 1 and 2: what they keep is the same at every size. A few dozen roundings."""
    w = RNG.standard_normal(7) * 2
    close = {"rtol": 1e-13, "atol": 1e-15}
    norm, envelope = KSupport(1.0, 3), SparseEnvelope(1.0, 3)
    np.testing.assert_allclose(norm.prox(w * scale, scale) / scale, norm.prox(w, 1.0), **close)
    np.testing.assert_allclose(envelope.prox(w * scale, 1.0) / scale, envelope.prox(w, 1.0), **close)
    assert norm.value(w * scale) == pytest.approx(norm.value(w) * scale, rel=1e-14)
    assert norm.dual_norm(w * scale) == pytest.approx(norm.dual_norm(w) * scale, rel=1e-14)


@pytest.mark.parametrize("step", [1e-300, 1e-30, 1e30, 1e300])
def test_far_steps(step):
    w = RNG.standard_normal(7)
    for metric in (None, 10 ** RNG.uniform(-6, 6, 7)):
        u = SparseEnvelope(1.0, 3).prox(w, step, metric)
        expected = w if step < 1 else 0 * w
        np.testing.assert_allclose(u, expected, atol=1e-22 if step > 1 else 1e-15 * np.abs(w).max())
        np.testing.assert_allclose(KSupport(1.0, 3).prox(w, step, metric), expected, atol=1e-15 * np.abs(w).max())


def test_one_huge_entry_among_small_ones():
    """Levels far below the largest entry are found all the same."""
    w = np.array([1e200, 3.0, 2.0, 1.0])
    u = SparseEnvelope(1.0, 3).prox(w, 1.0)
    np.testing.assert_allclose(u[1:], SparseEnvelope(1.0, 2).prox(w[1:], 1.0), rtol=1e-14)
    assert u[0] == 5e199


def test_long_rows():
    """1e5 entries, in float32 too: Fenchel's equality, to the rounding of a sum."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal(100_000)
    for k in (1, 10, 1000, 30_000):
        psi, norm = SparseEnvelope(1.0, k), KSupport(1.0, k)
        u = psi.prox(w, 0.5)
        v = (w - u) / 0.5
        assert psi.value(u) + psi.conjugate(v) == pytest.approx(u @ v, rel=1e-12)
        assert k <= np.count_nonzero(u) < len(w)
        single = psi.prox(w.astype(np.float32), 0.5)
        np.testing.assert_allclose(single, u, atol=4 * np.finfo(np.float32).eps * np.abs(w).max())
        u = norm.prox(w, 0.3 * np.sqrt(k))
        v = (w - u) / (0.3 * np.sqrt(k))
        assert norm.dual_norm(v) == pytest.approx(1, rel=1e-13) and norm.value(u) == pytest.approx(u @ v, rel=1e-12)


def test_groups_and_weights():
    groups, w = [[0, 1], [2], [3, 4, 5]], np.array([3.0, 4.0, -2.0, 0.1, 0.2, 0.2])
    plain = GroupSparseEnvelope(1.0, 2, groups=groups)
    norms = SparseEnvelope(1.0, 2, layout=Norms(Groups(groups)))
    np.testing.assert_array_equal(plain.prox(w, 0.5), norms.prox(w, 0.5))
    assert plain.value(w) == norms.value(w) and plain.manifold(w) == norms.manifold(w)
    np.testing.assert_array_equal(
        GroupSparseEnvelope(1.0, 1, axis=0).prox(w.reshape(2, 3), 0.5),
        SparseEnvelope(1.0, 1, layout=Norms(Rows(0))).prox(w.reshape(2, 3), 0.5),
    )
    # k = 1: theta is proportional to sqrt(weight) norm, and psi = (sum sqrt(weight) norm)^2/2; weight 0 is free.
    psi = GroupSparseEnvelope(1.0, 1, groups=groups, weights=[4.0, 1.0, 0.0])
    assert psi.value(w) == pytest.approx((2 * 5 + 2) ** 2 / 2, rel=1e-15)
    u = psi.prox(w, 100.0)
    np.testing.assert_array_equal(u[3:], w[3:])
    assert u[0] / u[1] == pytest.approx(0.75, rel=1e-15)
    assert psi.manifold(np.array([0.0, 1, 0, 0, 0, 0])) == Support.of(np.array([True, False, False]))
    assert psi.conjugate(np.array([0.0, 0, 0, 1e-9, 0, 0])) == np.inf
    assert psi.subdiff_distance(w, np.array([0.0, 0, 0, 3, 0, 0]) + 12 * np.array([1.2, 1.6, -1, 0, 0, 0])) == (
        pytest.approx(3, rel=1e-14)
    )
    assert psi.metric_prox is None and SparseEnvelope(1.0, 2, weights=np.ones(6)).metric_prox == "exact"


def test_duals():
    w = RNG.standard_normal((3, 5))
    for k in (1, 2, 5, 9):
        by_row = [largest_square(row, min(k, 5)) for row in w]
        assert SparseEnvelope(0.5, k, layout=Rows(1)).conjugate(w) == pytest.approx(sum(by_row), rel=1e-14)
        assert KSupport(0.5, k, layout=Rows(1)).dual_norm(w) == pytest.approx(2 * np.sqrt(max(by_row)), rel=1e-14)
    assert KSupport(0.0, 2).dual_norm(w) == np.inf and KSupport(0.0, 2).dual_norm(0 * w) == 0
    assert SparseEnvelope(0.0, 2).conjugate(w) == np.inf and SparseEnvelope(0.0, 2).conjugate(0 * w) == 0


def test_bad_arguments():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        KSupport(1.0, 0)
    with pytest.raises(TypeError, match=r"k must be an integer, got float 1\.5"):
        SparseEnvelope(1.0, 1.5)
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        SparseEnvelope(1.0, 1, weights=[-1.0, 1.0])
    with pytest.raises(ValueError, match="weights has 2 entries for 3 entries of a row"):
        SparseEnvelope(1.0, 1, weights=[1.0, 1.0]).prox(np.ones(3), 1.0)
    with pytest.raises(ValueError, match="weights has 2 entries for 1 entries of a row"):
        SparseEnvelope(1.0, 1, layout=Groups([[0, 1], [2]]), weights=[1.0, 1.0]).prox(np.ones(3), 1.0)
    with pytest.raises(ValueError, match="weights have no place in a spectrum"):
        SparseEnvelope(1.0, 1, layout=Spectrum(), weights=[1.0, 1.0])
    with pytest.raises(ValueError, match="give either axis or groups"):
        GroupSparseEnvelope(1.0, 1)
    with pytest.raises(ValueError, match="weights has 2 entries for 3 groups"):
        GroupSparseEnvelope(1.0, 1, axis=0, weights=[1.0, 1.0]).prox(np.ones((2, 3)), 1.0)
