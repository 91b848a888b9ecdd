"""Magnitudes, and a dual point along them: by the definition of each layout."""

import numpy as np
import pytest

from rmda_ref.layout import Entries, Groups, Norms, Rows, Spectrum
from rmda_ref.regularizers import REGISTRY

RNG = np.random.default_rng(0)
W = RNG.standard_normal((4, 3))
W[1] = 0
V = RNG.standard_normal((4, 3))


def test_entries_by_hand():
    z, along, across = Entries().coordinates(np.array([2.0, -3.0, 0.0]), np.array([0.5, 0.5, -0.5]))
    np.testing.assert_array_equal(z, [2, 3, 0])
    np.testing.assert_array_equal(along, [0.5, -0.5, 0.5])
    assert across == 0


@pytest.mark.parametrize("of", [Rows(1), Groups(np.repeat(np.arange(4), 3))])
def test_norms_by_projection_on_each_group(of):
    """Up to a few roundings of numbers of size 1."""
    z, along, across = Norms(of).coordinates(W, V)
    np.testing.assert_allclose(z, np.linalg.norm(W, axis=1), rtol=1e-14)
    rest = 0.0
    for g in (0, 2, 3):
        direction = W[g] / np.linalg.norm(W[g])
        assert along[g] == pytest.approx(direction @ V[g], abs=1e-14)
        rest += np.linalg.norm(V[g] - (direction @ V[g]) * direction) ** 2
    assert along[1] == pytest.approx(np.linalg.norm(V[1]), rel=1e-14)
    assert across == pytest.approx(np.sqrt(rest), rel=1e-14)


def test_norms_are_put_back_along_their_directions():
    before = Norms(Rows(1)).magnitudes(W)
    after = Norms(Rows(1)).rebuild(W, before, 2 * before + 1)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), [2 * b + 1 if b else 0 for b in before], rtol=1e-14)
    np.testing.assert_allclose(after[0] / np.linalg.norm(after[0]), W[0] / before[0], rtol=1e-14)
    assert not np.signbit(after[1]).any()


def test_spectrum_splits_a_dual_point_orthogonally():
    """|v|^2 = |along|^2 + across^2, and v = U f V^T lies along wholly."""
    w = np.outer(W[:, 0], V[0]) + np.outer(V[:, 1], W[0])  # rank 2
    z, along, across = Spectrum().coordinates(w, V)
    assert Spectrum().rank(w) == 2 and z[2] == 0
    assert np.sum(along**2) + across**2 == pytest.approx(np.sum(V**2), rel=1e-13)
    u, s, vt = np.linalg.svd(w, full_matrices=False)
    found = Spectrum().coordinates(w, (u * [0.5, -0.25, 0.125]) @ vt)
    np.testing.assert_allclose(found.along, [0.5, -0.25, 0.125], atol=1e-14 * s[0] / s[1])
    assert found.across < 1e-14 * s[0] / s[1]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("of", [Rows(1), Rows((0, 1)), Groups([[0, 3, 5], [1, 2, 4, 6, 7, 8, 9, 10, 11]])])
def test_norms_beyond_the_range_of_squares(of, scale):
    np.testing.assert_allclose(of.norms(W * scale) / scale, of.norms(W), rtol=1e-14)


def test_rows_as_matrices():
    w = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(Rows((0, 2)).rows(w)[0], w.transpose(1, 0, 2).reshape(3, 8))
    np.testing.assert_array_equal(Rows(None).rows(w)[0], w.reshape(1, 24))
    found = Groups([[2, 0], [1]]).rows(np.array([5.0, 6.0, 7.0]))
    np.testing.assert_array_equal(found[0], [[7, 5]])
    np.testing.assert_array_equal(found[1], [[6]])
    assert [list(group) for group in Rows(0).address((2, 2)).lists()] == [[0, 2], [1, 3]]


def test_singular_values_that_a_product_parts_are_tied():
    """U diag(2, 2, 1) V^T has values that differ by several roundings; the two that were equal stay one block.

    The distance of v from the subdifferential of the sorted l1 norm is 0 where v is the pull of its prox; were the
    block split, its order would be taken from rounding.
    """
    psi, rng = REGISTRY["slope, spectrum"][0], np.random.default_rng(0)
    parted = 0.0
    for _ in range(2000):
        w = 2 * rng.standard_normal((4, 3))
        u = psi.prox(w, 1.0)
        s = np.linalg.svdvals(u)
        gaps = (s[:-1] - s[1:])[s[1:] > 1e-3 * s[0]]
        parted = max(parted, float(np.max(gaps[gaps < 1e-12 * s[0]], initial=0)) / max(s[0], 1e-300))
        # Singular vectors err by some 20 eps over the gaps of values, which come down to 1e-4 in so many draws; a block
        # that is split gives .7.
        assert psi.subdiff_distance(u, w - u) <= 1e-10
    assert parted > 4 * np.finfo(float).eps  # the test was one
