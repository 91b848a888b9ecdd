"""Counts of nonzeros, and penalties beyond a count: values by hand, ties, limits, bad input."""

import numpy as np
import pytest

from rmda_ref.layout import Entries, Groups, Norms, Rows, Segments, Spectrum
from rmda_ref.regularizers import L1, NM, Rank, Support, TopK, TrimmedL1, WholeSpace
from rmda_ref.schedules import MaskDecay

RNG = np.random.default_rng(0)
DTYPES = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [5, 32, 33, 2000])
@pytest.mark.parametrize("tied", [False, True])
def test_top_k_is_the_head_of_a_stable_sort_bit_for_bit(dtype, n, tied):
    w = (RNG.integers(-3, 4, n) if tied else RNG.standard_normal(n)).astype(dtype)
    for k in (0, 1, 3, n // 2, n - 1, n, n + 5):
        expected = np.zeros_like(w)
        kept = np.argsort(-np.abs(w), kind="stable")[:k]
        expected[kept] = w[kept]
        np.testing.assert_array_equal(TopK(k).prox(w, 1.0), expected)


def test_top_k_of_rows_groups_and_norms_by_hand():
    w = np.array([[1.0, -2.0, 3.0], [3.0, 3.0, -3.0]])
    np.testing.assert_array_equal(TopK(2, Rows(1)).prox(w, 1.0), [[0, -2, 3], [3, 3, 0]])  # the first of equal ones
    np.testing.assert_array_equal(TopK(1, Rows(0)).prox(w, 1.0), [[0, 0, 3], [3, 3, 0]])
    lists = Groups([[0], [1, 2, 5], [3, 4]])  # a group of no more than k entries is free
    np.testing.assert_array_equal(TopK(1, lists).prox(w, 1.0), [[1, 0, 3], [3, 0, 0]])
    np.testing.assert_array_equal(TopK(1, Norms(Rows(1))).prox(w, 1.0), [[0, 0, 0], [3, 3, -3]])
    np.testing.assert_array_equal(TopK(1, Norms(Segments(3, 1))).prox(w, 1.0), [[0, 0, 0], [3, 3, -3]])


@pytest.mark.parametrize("scale", [1e-320, 1.0, 1e300])
def test_in_a_metric_the_rank_is_by_metric_times_square(scale):
    w, metric = np.array([3.0, 2.0]) * scale, np.array([1.0, 4.0])
    np.testing.assert_array_equal(TopK(1).prox(w, 1.0, metric), [0, w[1]])
    w = np.array([[3.0, 2.0], [0.0, 1.0]]) * scale  # squared norms 9 * 1 and 4 * 1 + 1 * 6
    metric = np.array([[1.0, 1.0], [1.0, 6.0]])
    np.testing.assert_array_equal(TopK(1, Norms(Rows(0))).prox(w, 1.0, metric), [[0, w[0, 1]], [0, w[1, 1]]])
    np.testing.assert_array_equal(TopK(1, Norms(Rows(0))).prox(w, 1.0), [[w[0, 0], 0], [0, 0]])


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_rank_is_the_truncated_decomposition(shape):
    w = RNG.standard_normal(shape)
    u, s, vt = np.linalg.svd(w.reshape(shape[0], -1), full_matrices=False)
    regularizer = TopK(2, Spectrum())
    found = regularizer.prox(w, 0.3)
    expected = ((u[:, :2] * s[:2]) @ vt[:2]).reshape(shape)
    np.testing.assert_allclose(found, expected, atol=1e-14)  # two decompositions of numbers of size 1
    assert regularizer.manifold(found) == Rank(2)
    assert regularizer.value(found) == 0
    assert regularizer.value(w) == np.inf
    np.testing.assert_array_equal(TopK(9, Spectrum()).prox(w, 1.0), w)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_a_projected_matrix_has_the_rank_to_rounding(dtype, scale):
    for shape in ((2, 2), (4, 3), (40, 7)):
        w = (RNG.standard_normal(shape) * scale).astype(dtype)
        assert TopK(1, Spectrum()).value(TopK(1, Spectrum()).prox(w, 1.0)) == 0


@pytest.mark.parametrize(
    ("w", "distance"),
    [
        ([2.0, -1.0, 0.0, 0.0], 5.0),  # exactly k: v on the support
        ([2.0, 0.0, 0.0, 0.0], np.hypot(3, 1)),  # the superset with the smallest of the rest
        ([0.0, 0.0, 0.0, 0.0], np.hypot(1, 2)),
        ([2.0, 1.0, 1.0, 0.0], np.inf),  # outside the set
    ],
)
def test_normal_cone_of_at_most_two_nonzeros(w, distance):
    v = np.array([3.0, -4.0, 1.0, -2.0])
    assert TopK(2).subdiff_distance(np.array(w), v) == pytest.approx(distance, rel=1e-15)
    assert NM(2, 4).subdiff_distance(np.array(w), v) == pytest.approx(distance, rel=1e-15)


def test_normal_cone_of_rank_two():
    v = np.diag([1.0, 3.0, 2.0])
    assert TopK(2, Spectrum()).subdiff_distance(np.diag([5.0, 0.0, 0.0]), v) == pytest.approx(np.hypot(1, 2), rel=1e-14)
    assert TopK(1, Spectrum()).subdiff_distance(np.diag([5.0, 0.0, 0.0]), v) == pytest.approx(1.0, rel=1e-14)


def test_normal_cone_of_one_group():
    regularizer, w = TopK(1, Norms(Rows(1))), np.array([[3.0, 4.0], [0.0, 0.0]])
    v = np.array([[1.0, 2.0], [7.0, 8.0]])
    assert regularizer.subdiff_distance(w, v) == pytest.approx(np.sqrt(5), rel=1e-15)
    assert regularizer.subdiff_distance(0 * w, v) == pytest.approx(np.sqrt(5), rel=1e-15)
    assert TopK(2, Norms(Rows(1))).subdiff_distance(w, v) == pytest.approx(np.linalg.norm(v), rel=1e-15)


def test_manifolds():
    w = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert TopK(2).manifold(w) == Support.of(w != 0)
    assert TopK(1, Norms(Rows(1))).manifold(w[:1]) == Support.of(np.array([True]))
    assert TrimmedL1(1.0, 1, Spectrum()).manifold(w) == Rank(2)
    assert NM(1, 2).manifold(w) == Support.of(w != 0)
    assert NM(1, 2, lam=1.0).manifold(w) == WholeSpace()


def test_trimmed_l1_values():
    w = np.array([3.0, -1.0, 0.5, 2.0])
    assert [TrimmedL1(2.0, k).value(w) for k in (0, 1, 2, 4, 9)] == [13.0, 7.0, 3.0, 0.0, 0.0]
    assert TrimmedL1(2.0, 1, Norms(Segments(2))).value(w) == pytest.approx(2 * np.hypot(0.5, 2), rel=1e-15)
    assert TrimmedL1(2.0, 1, Spectrum()).value(w.reshape(2, 2)) == pytest.approx(
        2 * np.linalg.svdvals(w.reshape(2, 2))[1], rel=1e-14
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_trimmed_l1_without_free_entries_is_the_lasso(dtype):
    w = RNG.standard_normal(40).astype(dtype)
    metric = RNG.uniform(0.2, 5, 40).astype(dtype)
    for given in (None, metric):  # thresholds up to 4, rounded in one dtype or another
        found, expected = TrimmedL1(0.7, 0).prox(w, 0.9, given), L1(0.7).prox(w, 0.9, given)
        np.testing.assert_allclose(found, expected, rtol=0, atol=4 * np.finfo(dtype).eps)


def test_trimmed_l1_in_a_metric_ranks_by_the_envelope():
    """Costs 3 - 1/2 and 2.2 - 1/8: the first stays, though metric w^2 is larger for the second."""
    found = TrimmedL1(1.0, 1).prox(np.array([3.0, 2.2]), 1.0, np.array([1.0, 4.0]))
    np.testing.assert_allclose(found, [3.0, 1.95], rtol=1e-15)
    # Costs 0.9^2 / 2 (it would be zero) and 0.5 - 1/8 = 0.375; 1.5 - 1/2 and 0.5 * 1.8^2 / 2 = 0.81.
    found = TrimmedL1(1.0, 1).prox(np.array([0.9, 0.5]), 1.0, np.array([1.0, 4.0]))
    np.testing.assert_allclose(found, [0.9, 0.25], rtol=1e-15)
    found = TrimmedL1(1.0, 1).prox(np.array([1.5, 1.8]), 1.0, np.array([1.0, 0.5]))
    np.testing.assert_array_equal(found, [1.5, 0.0])
    huge = TrimmedL1(1.0, 1).prox(np.array([1e300, 1.5e300]), 1.0, np.array([4.0, 1.0]))
    np.testing.assert_array_equal(huge, [1e300, 1.5e300])  # 1 is nothing beside 1e300


def test_trimmed_l1_at_ties():
    regularizer, w = TrimmedL1(1.0, 1), np.array([1.0, -1.0])
    for v, distance in (([0, -1], 0), ([1, 0], 0), ([0, 0], 1), ([1, -1], 1), ([2, 0], 1)):
        assert regularizer.subdiff_distance(w, np.array(v, float)) == pytest.approx(distance, abs=1e-15)
    # At zero one entry must have v = 0, the others |v| <= lam: the second is taken as free.
    assert regularizer.subdiff_distance(0 * w, np.array([5.0, 0.5])) == pytest.approx(np.hypot(4, 0.5), rel=1e-15)
    assert regularizer.subdiff_distance(np.array([2.0, 0.0]), np.array([0.0, 0.5])) == 0
    np.testing.assert_array_equal(regularizer.prox(np.array([2.0, -2.0, 2.0]), 0.5), [2.0, -1.5, 1.5])


def test_n_of_m_along_axes():
    w = np.array([[1.0, -4.0, 3.0, 3.0], [5.0, 0.0, -2.0, 1.0]])
    np.testing.assert_array_equal(NM(2, 4).prox(w, 1.0), [[0, -4, 3, 0], [5, 0, -2, 0]])
    np.testing.assert_array_equal(NM(1, 2).prox(w, 1.0), [[0, -4, 3, 0], [5, 0, -2, 0]])
    np.testing.assert_array_equal(NM(1, 2, axis=0).prox(w, 1.0), [[0, -4, 3, 3], [5, 0, 0, 0]])
    np.testing.assert_array_equal(NM(0, 4).prox(w, 1.0), 0 * w)
    np.testing.assert_array_equal(NM(4, 4).prox(w, 1.0), w)
    assert NM(2, 4).value(w) == np.inf
    assert NM(3, 4, axis=1).value(w * (w != 1)) == 0
    assert NM(2, 4).prox(w, 0.0)[0, 0] == 0  # an indicator projects for every step


def test_soft_n_of_m_by_hand():
    regularizer = NM(1, 2, lam=3.0)
    w = np.array([1.0, -2.0, 4.0, 4.0])
    assert regularizer.value(w) == 3 / 2 * (1 + 16)
    np.testing.assert_array_equal(regularizer.prox(w, 1.0), [0.25, -2, 4, 1])
    np.testing.assert_array_equal(regularizer.prox(w, 0.0), w)
    np.testing.assert_array_equal(NM(0, 2, lam=3.0).prox(w, 1.0), w / 4)
    # Costs s m/(s + m) w^2/2 with s = 1: 1 and 1.444, though w is larger for the first.
    found = NM(1, 2, lam=1.0).prox(np.array([2.0, 1.9]), 1.0, np.array([1.0, 4.0]))
    np.testing.assert_array_equal(found, [1.0, 1.9])
    # ... and with s = 0.1: 0.1818 and 0.1761, though metric w^2 is larger for the second.
    found = NM(1, 2, lam=0.1).prox(np.array([2.0, 1.9]), 1.0, np.array([1.0, 4.0]))
    np.testing.assert_allclose(found, [2.0, 1.9 * 4 / 4.1], rtol=1e-15)


def test_soft_n_of_m_at_ties():
    regularizer, w = NM(1, 2, lam=3.0), np.array([2.0, -2.0])
    assert regularizer.subdiff_distance(w, np.array([0.0, -6.0])) == 0
    assert regularizer.subdiff_distance(w, np.array([6.0, 0.0])) == 0
    assert regularizer.subdiff_distance(w, np.array([0.0, 0.0])) == 6
    assert regularizer.subdiff_distance(np.array([2.0, 1.0]), np.array([0.0, 3.0])) == 0
    assert regularizer.subdiff_distance(0 * w, np.array([3.0, 4.0])) == 5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_the_decaying_mask_is_a_prox(dtype, step):
    """To two roundings: of the factor and of the product."""
    w = RNG.standard_normal(40).astype(dtype)
    hard = NM(2, 4).prox(w, 1.0)
    for t in (1, 3, 9, 10):
        factor = (decay := MaskDecay(end=10))(t)
        found = NM(2, 4, lam=decay.lam(t, step)).prox(w, step)
        np.testing.assert_allclose(found, np.where(hard != 0, w, factor * w), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("make", [TopK, lambda k, layout=Rows(None): TrimmedL1(1.0, k, layout)])
def test_bad_counts(make):
    with pytest.raises(ValueError, match="k must be at least 0, got -1"):
        make(-1)
    with pytest.raises(TypeError, match="k must be an integer, got float"):
        make(2.0)
    with pytest.raises(TypeError, match=r"for all entries as one row use layout=Rows\(None\)"):
        make(2, Entries())
    with pytest.raises(ValueError, match="needs a matrix"):
        make(1, Spectrum()).prox(np.ones(3), 1.0)
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        make(1, Spectrum()).prox(np.ones((2, 2)), 1.0, np.ones((2, 2)))


def test_bad_n_of_m():
    with pytest.raises(ValueError, match=r"axis -1 of shape \(6,\) has 6 entries, not a multiple of m=4"):
        NM(2, 4).prox(np.ones(6), 1.0)
    with pytest.raises(ValueError, match="n must be at least 0, got -2"):
        NM(-2, 4)
    with pytest.raises(ValueError, match="m must be at least 1, got 0"):
        NM(0, 0)
    with pytest.raises(ValueError, match=r"lam must lie in \[0, inf\)"):
        NM(2, 4, lam=-1.0)
    with pytest.raises(ValueError, match=r"lam must lie in \[0, inf\)"):
        NM(2, 4, lam=np.nan)


@pytest.mark.parametrize(
    "regularizer", [TopK(2), TrimmedL1(1.0, 2), NM(2, 4), NM(2, 4, lam=1.0), TopK(1, Norms(Rows(0)))], ids=repr
)
def test_edges(regularizer):
    for dtype in DTYPES:
        empty = np.empty(0, dtype)
        assert regularizer.prox(empty, 1.0).shape == (0,)
        assert regularizer.value(empty) == 0
        np.testing.assert_array_equal(regularizer.prox(np.zeros(4, dtype), 1.0), np.zeros(4))
    tiny = np.array([5e-324, 1e-320, 0.0, -1e-310])
    assert np.flatnonzero(TopK(2).prox(tiny, 1.0)).tolist() == [1, 3]


def test_strengths_that_leave_float32():
    """step lam = 1e50: what is not free is zero."""
    w = np.array([3.0, -2.0, 1.0, 0.5], np.float32)
    np.testing.assert_array_equal(TrimmedL1(1e25, 1).prox(w, 1e25), [3, 0, 0, 0])
    np.testing.assert_array_equal(NM(1, 4, lam=1e25).prox(w, 1e25), [3, 0, 0, 0])
