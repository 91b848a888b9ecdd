"""Latent groups: certificates, the k-support norm as a special case, and what is refused."""

from itertools import combinations

import array_api_strict as strict
import numpy as np
import pytest
from numba import config

from rmda_ref.regularizers import KSupport, LatentGroupLasso, NotConverged, OverlappingGroupLasso

CHAIN = [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [9, 10, 11]]
EPS = np.finfo(np.float64).eps
COMPILED = pytest.mark.skipif(config.DISABLE_JIT, reason="thousands of sweeps: minutes interpreted")


def covering(rng, n, n_groups, longest):
    groups = [rng.choice(n, rng.integers(1, longest + 1), replace=False) for _ in range(n_groups)]
    return [*groups, np.setdiff1d(np.arange(n), np.concatenate(groups))] if len(set().union(*groups)) < n else groups


def test_values_by_hand():
    """One group for what lies in it; two where they are disjoint; the cheaper cover where they are not."""
    psi = LatentGroupLasso(2.0, [[0, 1], [1, 2], [0, 1, 2]], weights=[1.0, 1.0, 1.2])
    assert psi.value(np.array([3.0, 4.0, 0.0])) == pytest.approx(10.0, rel=4 * EPS)
    assert psi.value(np.array([3.0, 0.0, 4.0])) == pytest.approx(12.0, rel=4 * EPS)  # 1.2 * 5, not 3 + 4
    assert psi.value(np.zeros(3)) == 0
    assert LatentGroupLasso(1.0, [[0], [1]], weights=[1.0, 0.0]).value(np.array([3.0, 9.0])) == 3.0


@pytest.mark.parametrize("k", [1, 2, 3])
def test_all_groups_of_size_k_are_the_k_support_norm(k):
    """Argyriou, Foygel & Srebro 2012; computed there by sorting, exactly."""
    rng = np.random.default_rng(k)
    groups = [list(group) for group in combinations(range(6), k)]
    psi, other = LatentGroupLasso(0.7, groups, weights=[1.0] * len(groups)), KSupport(lam=0.7, k=k)
    for step in (0.1, 0.5, 1.0, 3.0):
        w, v = rng.standard_normal((2, 6))
        u, expected = psi.prox(w, step), other.prox(w, step)
        np.testing.assert_allclose(u, expected, rtol=0, atol=1e-13 * np.linalg.norm(w))
        np.testing.assert_array_equal(u == 0, expected == 0)
        assert psi.value(w) == pytest.approx(other.value(w), rel=1e-13)
        assert psi.subdiff_distance(u, v) == pytest.approx(other.subdiff_distance(u, v), rel=1e-10)
        metric = rng.uniform(0.2, 5, 6)
        with_metric = psi.prox(w, step, metric), other.prox(w, step, metric)
        np.testing.assert_allclose(*with_metric, rtol=0, atol=1e-13 * np.linalg.norm(w))


@pytest.mark.parametrize("seed", range(6))
def test_prox_and_projection(seed):
    """w - x is in step times the dual ball, pairs with x to psi(x), and the gap is a bound of what is left."""
    rng = np.random.default_rng(seed)
    psi = LatentGroupLasso(0.3, covering(rng, 40, 30, 8))
    for step in (0.1, 1.0, 3.0):
        w = rng.standard_normal(40)
        found, size = psi.certified_prox(w, step), np.linalg.norm(w)
        u = (w - found.point) / step
        assert psi.dual_norm(u) <= 1 + 1e-13
        certified = psi.certified_value(found.point)
        assert certified.gap <= 1e-14 * certified.value
        assert float(u @ found.point) == pytest.approx(certified.value, rel=1e-12)
        assert found.gap <= 1e-14 * size**2 / 2
        assert psi.subdiff_distance(found.point, u) <= 1e-11 * size / step


def test_value_is_a_minimum_of_decompositions():
    """Any decomposition costs more, any dual point gives less."""
    rng = np.random.default_rng(0)
    groups = covering(rng, 12, 8, 5)
    psi = LatentGroupLasso(0.3, groups)
    w = rng.standard_normal(12)
    radii = psi.radii
    shares = np.zeros((500, len(groups), 12))
    for g, group in enumerate(groups):
        shares[:, g, group] = rng.exponential(size=(500, len(group))) ** 4
    parts = w * shares / shares.sum(axis=1, keepdims=True)
    costs = (np.linalg.norm(parts, axis=2) * radii).sum(axis=1)
    points = w + rng.standard_normal((500, 12))
    lower = [float(v @ w) / psi.dual_norm(v) for v in points]
    assert max(lower) <= psi.value(w) <= costs.min()
    assert costs.min() < 1.5 * psi.value(w) and max(lower) > 0.7 * psi.value(w)  # the bounds are no idle ones


def degenerate_cases():
    rng = np.random.default_rng(3)
    yield "pairs of ones", [[i, i + 1] for i in range(299)], np.ones(300)
    yield "pairs", [[i, i + 1] for i in range(299)], 1 + 0.1 * rng.standard_normal(300)
    yield "nested", [list(range(k)) for k in range(1, 30)], rng.standard_normal(29)
    yield "repeated", [[0, 1, 2]] * 4, np.array([3.0, 4.0, 12.0])
    singles = [[i] for i in range(20)] + [[i, (i + 7) % 20] for i in range(20)]
    yield "singles", singles, rng.standard_normal(20)
    yield "wide", covering(rng, 200, 100, 80), rng.standard_normal(200)
    yield "thousand", covering(rng, 1000, 300, 39), rng.standard_normal(1000)
    yield "scales", covering(rng, 60, 40, 8), rng.standard_normal(60) * 10.0 ** rng.uniform(-6, 3, 60)


@COMPILED
@pytest.mark.parametrize(("groups", "w"), [pytest.param(*rest, id=name) for name, *rest in degenerate_cases()])
def test_hard_cases(groups, w):
    """At half the step that gives zero, and next to it: the radius of the group that decides."""
    psi = LatentGroupLasso(1.0, groups)
    critical = psi.dual_norm(w)
    for aside in (-0.9, -0.5, -1e-2, -1e-6, -1e-9, 1e-9):
        found = psi.certified_prox(w, critical * (1 + aside))
        assert found.gap <= 1e-14 * (w @ w) / 2 and found.sweeps < 30_000
        assert found.point.any() == (aside < 0)
        certified = psi.certified_value(found.point)
        assert certified.gap <= 1e-13 * certified.value


def test_support_is_a_union_of_groups():
    """Where overlapping groups leave an intersection of complements."""
    w = np.array([3.0, 3.0, 3.0, 1.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3])
    union = LatentGroupLasso(1.0, CHAIN).manifold(LatentGroupLasso(1.0, CHAIN).prox(w, 1.0))
    np.testing.assert_array_equal(np.flatnonzero(union.mask), [0, 1, 2, 3])
    other = OverlappingGroupLasso(1.0, CHAIN).prox(w, 1.0)
    np.testing.assert_array_equal(np.flatnonzero(other), [0, 1, 2])


def test_subdifferential_by_hand():
    """At (3, 4, 0): u = (3, 4)/5 there; [1, 2] has sqrt(1 - 0.64) = 0.6 left for the last entry, and v asks 1."""
    psi = LatentGroupLasso(1.0, [[0, 1], [1, 2]], weights=[1.0, 1.0])
    assert psi.subdiff_distance(np.array([3.0, 4.0, 0.0]), np.array([0.9, 0.8, 1.0])) == pytest.approx(0.5, rel=1e-13)
    # Where a group in use holds an entry that is 0, nothing is left for it; at 0 it is the distance of the dual ball.
    assert psi.subdiff_distance(np.array([3.0, 0.0, 0.0]), np.array([1.0, 0.5, 0.0])) == pytest.approx(0.5, rel=1e-13)
    assert psi.subdiff_distance(np.zeros(3), np.array([3.0, 4.0, 0.0])) == pytest.approx(4.0, rel=1e-13)


def test_dual_norms_by_hand():
    psi = LatentGroupLasso(2.0, [[0, 1], [1, 2]], weights=[1.0, 0.5])
    assert psi.dual_norm(np.array([3.0, 4.0, 0.0])) == 4.0
    assert LatentGroupLasso(2.0, [[0], [1]], weights=[1.0, 0.0]).dual_norm(np.array([4.0, 1.0])) == np.inf
    assert LatentGroupLasso(2.0, [[0], [1]], weights=[1.0, 0.0]).dual_norm(np.array([4.0, 0.0])) == 2.0
    assert psi.conjugate(np.array([0.0, 0.0, 1.0])) == 0 and psi.conjugate(np.array([0.0, 0.0, 1.1])) == np.inf


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-40, 2.0**500, 2.0**1000])
def test_scaling_by_powers_of_two_is_exact(scale):
    rng = np.random.default_rng(0)
    psi, w, metric = LatentGroupLasso(0.4, CHAIN), rng.standard_normal(12), rng.uniform(0.5, 2, 12)
    np.testing.assert_array_equal(psi.prox(w * scale, scale, metric) / scale, psi.prox(w, 1.0, metric))
    np.testing.assert_array_equal(psi.prox(w, scale, metric * scale), psi.prox(w, 1.0, metric))
    assert psi.value(w * scale) == psi.value(w) * scale


def test_float32_is_rounded_once():
    w = np.random.default_rng(0).standard_normal(12).astype(np.float32)
    psi = LatentGroupLasso(0.8, CHAIN)
    u = psi.prox(w, 1.0)
    assert u.dtype == np.float32 and 0 < np.count_nonzero(u) < 12
    np.testing.assert_array_equal(u, psi.prox(w.astype(np.float64), 1.0).astype(np.float32))


def test_bad_arguments():
    w = np.random.default_rng(0).standard_normal(12)
    with pytest.raises(NotConverged, match=r"LatentGroupLasso did not converge.*raise max_sweeps"):
        LatentGroupLasso(0.4, CHAIN, max_sweeps=5).prox(w, 1.0)
    with pytest.raises(NotConverged, match="raise max_sweeps"):
        LatentGroupLasso(0.4, CHAIN, max_sweeps=5).value(w)
    with pytest.raises(ValueError, match="entry 1 is in no group, so that only zero could be there"):
        LatentGroupLasso(1.0, [[0], [2]])
    with pytest.raises(ValueError, match=r"groups cover 12 entries, but an array of shape \(13,\) has 13"):
        LatentGroupLasso(1.0, CHAIN).prox(np.ones(13), 1.0)
    with pytest.raises(TypeError, match=r"LatentGroupLasso has no evaluation on array_api_strict.Array arrays"):
        LatentGroupLasso(1.0, CHAIN).prox(strict.ones(12, dtype=strict.float64), 1.0)
    assert LatentGroupLasso(1.0, CHAIN).prox(w.reshape(3, 4), 1.0).shape == (3, 4)
