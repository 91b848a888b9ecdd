"""Sparse envelopes and the k-support norm: limits that are known, duals by another method, groups and weights."""

import itertools

import numpy as np
import pytest

from rmda_ref.layout import Groups, Norms, Rows
from rmda_ref.regularizers import L1, GroupLasso, KSupport, SparseEnvelope, Support

RNG = np.random.default_rng(0)
W = RNG.standard_normal(7) * 2


@pytest.mark.parametrize("step", [0.1, 1.0, 3.0])
def test_the_norm_between_l1_and_l2(step):
    """A few dozen roundings."""
    np.testing.assert_allclose(KSupport(0.7, 1).prox(W, step), L1(0.7).prox(W, step), atol=1e-14)
    euclidean = GroupLasso(0.7, axis=0, weights=[1.0])
    np.testing.assert_allclose(KSupport(0.7, 7).prox(W, step), euclidean.prox(W, step), atol=1e-14)
    assert KSupport(0.7, 1).value(W) == pytest.approx(L1(0.7).value(W), rel=1e-14)
    assert KSupport(0.7, 7).value(W) == pytest.approx(euclidean.value(W), rel=1e-14)


def test_the_envelope_of_all_entries_is_half_the_square():
    np.testing.assert_allclose(SparseEnvelope(0.5, 7).prox(W, 2.0), W / 2, rtol=1e-15)
    np.testing.assert_allclose(SparseEnvelope(0.5, 99).prox(W, 2.0), W / 2, rtol=1e-15)
    assert SparseEnvelope(0.5, 7).value(W) == pytest.approx(np.sum(W**2) / 4, rel=1e-14)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_duals_by_enumeration_of_supports(k):
    """The conjugate of the envelope is the largest over supports of half the square; the dual norm its root."""
    best = max(np.sum(W[list(support)] ** 2) for support in itertools.combinations(range(7), k))
    assert SparseEnvelope(0.5, k).conjugate(W) == pytest.approx(best, rel=1e-14)
    assert KSupport(0.5, k).dual_norm(W) == pytest.approx(2 * np.sqrt(best), rel=1e-14)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_on_sparse_points_the_envelope_is_the_square(k):
    """The envelope of a function touches it where the function is convex: here at k-sparse points."""
    sparse = np.where(np.arange(7) < k, W, 0)
    assert SparseEnvelope(2.0, k).value(sparse) == pytest.approx(np.sum(sparse**2), rel=1e-14)
    assert KSupport(2.0, k).value(sparse) == pytest.approx(2 * np.linalg.norm(sparse), rel=1e-14)
    assert SparseEnvelope(2.0, k).value(W) > np.sum(W**2)


def test_half_the_square_of_the_norm():
    for k in (1, 3, 6):
        assert SparseEnvelope(1.0, k).value(W) == pytest.approx(KSupport(1.0, k).value(W) ** 2 / 2, rel=1e-14)


def test_groups_with_weights_by_hand():
    """k = 1 of two groups: theta is proportional to sqrt(weight) norm, and psi = (sum sqrt(weight) norm)^2 / 2."""
    psi = SparseEnvelope(1.0, 1, layout=Norms(Groups([[0, 1], [2]])), weights=[4.0, 1.0])
    w = np.array([3.0, 4.0, -2.0])
    assert psi.value(w) == pytest.approx((2 * 5 + 2) ** 2 / 2, rel=1e-15)
    found = psi.prox(w, 0.01)
    assert found[0] / found[1] == pytest.approx(0.75, rel=1e-14)
    assert psi.manifold(np.array([0.0, 1.0, 0.0])) == Support.of(np.array([True, False]))


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_far_from_one(scale):
    """The norm is of degree 1 and the envelope of degree 2: what they keep is the same at every size."""
    expected = KSupport(1.0, 3).prox(W, 1.0)
    np.testing.assert_allclose(KSupport(1.0, 3).prox(W * scale, scale) / scale, expected, rtol=1e-13, atol=1e-15)
    expected = SparseEnvelope(1.0, 3).prox(W, 1.0)
    np.testing.assert_allclose(SparseEnvelope(1.0, 3).prox(W * scale, 1.0) / scale, expected, rtol=1e-13, atol=1e-15)


def test_a_flat_share_leaves_exact_zeros():
    """Between saturated entries and the rest there is a gap: the rest is exactly zero."""
    w = np.array([5.0, 5.0, 0.1, -0.1])
    np.testing.assert_array_equal(SparseEnvelope(1.0, 2).prox(w, 1.0), [2.5, 2.5, 0, 0])


def test_rows_and_ties():
    w = np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0]])
    found = SparseEnvelope(1.0, 1, layout=Rows(1)).prox(w, 1.0)
    assert (found[0] == found[0, 0]).all() and found[0, 0] == pytest.approx(0.25, rel=1e-15)
    np.testing.assert_allclose(found[1], [1.5, 0, 0], rtol=1e-15)


def test_bad_arguments():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        KSupport(1.0, 0)
    with pytest.raises(TypeError, match=r"k must be an integer, got float 1\.5"):
        SparseEnvelope(1.0, 1.5)
    with pytest.raises(ValueError, match="weights must be positive"):
        SparseEnvelope(1.0, 1, weights=[0.0, 1.0])
    with pytest.raises(ValueError, match="weights has 2 entries for 3 entries of a row"):
        SparseEnvelope(1.0, 1, weights=[1.0, 1.0]).prox(np.ones(3), 1.0)
