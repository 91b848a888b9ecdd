"""Overlapping groups: certificates that hold, hard cases, and where the solution is known otherwise."""

import array_api_strict as strict
import numpy as np
import pytest
from numba import config

from rmda_ref import GroupLasso
from rmda_ref.regularizers import NotConverged, OverlappingGroupLasso, TreeGroupLasso
from rmda_ref.regularizers.group_solver import GroupSolver

CHAIN = [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9], [9, 10, 11]]
EPS = np.finfo(np.float64).eps
COMPILED = pytest.mark.skipif(config.DISABLE_JIT, reason="thousands of sweeps: minutes interpreted")


def random_groups(rng, n, n_groups, longest):
    return [rng.choice(n, rng.integers(1, longest + 1), replace=False) for _ in range(n_groups)]


def objective(psi, x, w, step, metric):
    return step * psi.value(x) + float(np.sum(metric * (x - w) ** 2)) / 2


def relative(certified, w, metric=1.0):
    return certified.gap / (float(np.sum(metric * w**2)) / 2)


def test_two_groups_by_hand():
    """By symmetry x = (p, q, p); q = 2 - 2 lam q/r, p = 1 - lam p/r with r = |(p, q)|: solved for lam = 1/2 at r."""
    x = OverlappingGroupLasso(0.5, [[0, 1], [1, 2]], weights=[1.0, 1.0]).prox(np.array([1.0, 2.0, 1.0]), 1.0)
    r = np.hypot(x[0], x[1])
    np.testing.assert_allclose(x, [1 / (1 + 0.5 / r), 2 / (1 + 1 / r), 1 / (1 + 0.5 / r)], rtol=4 * EPS)


@pytest.mark.parametrize("loose", [3, 10, 20, 40])
def test_the_gap_is_an_upper_bound(loose):
    """Of what a solution stopped early lacks, in objective and, by strong convexity, in distance."""
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(20):
        psi = OverlappingGroupLasso(0.5, random_groups(rng, 12, 8, 6))
        w, metric = rng.standard_normal(12), rng.uniform(0.2, 5, 12)
        solver = GroupSolver("test", psi.address, tolerance=np.inf, max_sweeps=loose, aim=1e-28)
        early, best = solver.overlapping(w, psi.radii, metric), psi.certified_prox(w, 1.0, metric)
        lacks = objective(psi, early.x, w, 1.0, metric) - objective(psi, best.point, w, 1.0, metric)
        distance = np.sum(metric * (early.x - best.point) ** 2) / 2
        size = np.sum(metric * w**2)
        assert lacks <= early.gap + 4 * EPS * size
        assert distance <= early.gap * (1 + 1e-12) + 1e-28 * size
        seen.append(early.gap / size)
    assert max(seen) > 1e-6 or loose > 20  # they were stopped early


def degenerate_cases():
    rng = np.random.default_rng(3)
    pairs = [[i, (i + 1) % 300] for i in range(300)]
    tens = [list(range(i, i + 10)) for i in range(0, 291, 5)]
    singles = [[i] for i in range(20)] + [[i, (i + 7) % 20] for i in range(20)]
    nested = [list(range(k)) for k in range(1, 30)]
    yield "pairs of ones", pairs[:-1], np.ones(300)
    yield "ring of ones", pairs, np.ones(300)
    yield "pairs", pairs, 1 + 0.1 * rng.standard_normal(300)
    yield "tens", tens, rng.standard_normal(300)
    yield "singles", singles, rng.standard_normal(20)
    yield "nested", nested, rng.standard_normal(30)
    yield "repeated", [[0, 1, 2]] * 4, np.array([3.0, 4.0, 12.0])
    yield "wide", random_groups(rng, 200, 100, 80), rng.standard_normal(200)
    yield "scales", random_groups(rng, 60, 40, 8), rng.standard_normal(60) * 10.0 ** rng.uniform(-6, 3, 60)


@COMPILED
@pytest.mark.parametrize(("groups", "w"), [pytest.param(*rest, id=name) for name, *rest in degenerate_cases()])
def test_next_to_the_step_that_gives_zero(groups, w):
    """Where plain coordinate ascent takes 1e5 sweeps and more. Zero above it, not below: entries of 1e-38, if need
    be."""
    psi = OverlappingGroupLasso(1.0, groups)
    w = np.where(np.isin(np.arange(len(w)), np.concatenate(groups)), w, 0.0)
    critical = psi.dual_norm(w)
    for aside in (0.5, 0.1, 1e-2, 1e-4, 1e-6, 1e-9):
        below, above = (psi.certified_prox(w, critical * (1 + sign * aside)) for sign in (-1, 1))
        assert max(relative(below, w), relative(above, w)) <= 1e-24
        assert max(below.sweeps, above.sweeps) < 20_000
        assert below.point.any() and not above.point.any()
        # ||prox_s(w)|| is convex in s with the slope -psi(x)/||x||, and 0 at the critical step.
        size = np.linalg.norm(below.point)
        assert size <= aside * critical * psi.value(below.point) / size * (1 + 1e-6) + 1e-12 * np.linalg.norm(w)


@COMPILED
def test_a_thousand_entries():
    rng = np.random.default_rng(0)
    groups = random_groups(rng, 1000, 300, 39)
    psi = OverlappingGroupLasso(1.0, groups, weights=rng.uniform(0, 2, 300))
    for step in (1e-3, 0.1, 1.0, 2.0, 10.0):
        w = rng.standard_normal(1000)
        found = psi.certified_prox(w, step)
        assert relative(found, w) <= 1e-28 and found.sweeps < 2000
        distance = psi.subdiff_distance(found.point, (w - found.point) / step)
        assert distance <= 1e-13 * np.linalg.norm(w) / step


def test_screening_decides_at_once():
    """[2] is small; without it [1, 2] is; without that [0, 1, 2] is: no iteration, and an exact certificate."""
    psi = OverlappingGroupLasso(1.0, [[0, 1, 2, 3], [1, 2], [2]], weights=[1.0, 1.0, 1.0])
    found = psi.certified_prox(np.array([0.8, 0.9, 1.0, 0.0, 7.0]), 1.0)
    np.testing.assert_array_equal(found.point, [0, 0, 0, 0, 7.0])
    assert (found.gap, found.sweeps) == (0.0, 1)


def test_nothing_is_truncated_silently():
    w = np.random.default_rng(0).standard_normal(12)
    with pytest.raises(NotConverged, match=r"after \d+ sweeps, above the tolerance 1e-24; raise max_sweeps") as caught:
        OverlappingGroupLasso(0.4, CHAIN, max_sweeps=5).prox(w, 1.0)
    assert isinstance(caught.value, ArithmeticError) and caught.value.sweeps >= 5 and caught.value.gap > 1e-24
    with pytest.raises(NotConverged, match="rounding ends the progress: raise tolerance"):
        OverlappingGroupLasso(0.4, CHAIN, tolerance=1e-40).prox(w, 1.0)
    assert OverlappingGroupLasso(0.4, CHAIN, tolerance=1e-3).certified_prox(w, 1.0).gap <= 1e-3 * (w @ w) / 2


@pytest.mark.parametrize("seed", range(5))
def test_dual_norm_by_decomposition(seed):
    """v is at once <v, x> for an x with psi(x) = 1, nearly, and a sum of parts of dual size 1: in s times the ball."""
    rng = np.random.default_rng(seed)
    psi = OverlappingGroupLasso(0.7, [*random_groups(rng, 12, 10, 5), list(range(12))])
    v = rng.standard_normal(12)
    s = psi.dual_norm(v)
    assert not psi.prox(v, s * (1 + 1e-12)).any() and psi.prox(v, s * (1 - 1e-6)).any()
    assert (
        psi.subdiff_distance(np.zeros(12), v / s) <= 1e-12 and psi.subdiff_distance(np.zeros(12), v / s * 1.01) > 1e-3
    )
    assert psi.conjugate(v / s * (1 - 1e-12)) == 0 and psi.conjugate(v / s * (1 + 1e-12)) == np.inf


def test_dual_norms_by_hand():
    """An entry that two groups share is halved; (3, 4) in one group alone is 5."""
    psi = OverlappingGroupLasso(1.0, [[0, 1], [1, 2]], weights=[1.0, 1.0])
    assert psi.dual_norm(np.array([0.0, 2.0, 0.0])) == pytest.approx(1.0, rel=1e-14)
    assert OverlappingGroupLasso(1.0, [[0, 1], [2]], weights=[1.0, 9.0]).dual_norm(np.array([3.0, 4.0, 9.0])) == 5.0
    free = OverlappingGroupLasso(1.0, [[0, 1], [1]], weights=[1.0, 0.0])
    assert free.dual_norm(np.array([0.0, 1.0, 2.0])) == np.inf
    assert free.dual_norm(np.zeros(3)) == 0
    assert OverlappingGroupLasso(0.0, [[0]]).dual_norm(np.ones(1)) == np.inf


def test_subdifferential_at_zero_groups_by_hand():
    """At (2, 0, 0) of (1, 0.5, 0.9): [0] has the gradient 1; [1] and [1, 2] share out (0.5, 0.9) up to 0.5 and 0.8."""
    psi = OverlappingGroupLasso(1.0, [[0], [1], [1, 2]], weights=[1.0, 0.5, 0.8])
    assert psi.subdiff_distance(np.array([2.0, 0, 0]), np.array([1.0, 0.5, 0.9])) == pytest.approx(0.1, rel=1e-13)


def test_float32_keeps_exact_zeros():
    rng = np.random.default_rng(0)
    psi = OverlappingGroupLasso(0.4, CHAIN)
    w = rng.standard_normal(12).astype(np.float32)
    u, exact = psi.prox(w, 1.0), psi.prox(w.astype(np.float64), 1.0)
    assert u.dtype == np.float32 and psi.certified_prox(w, 1.0).point.dtype == np.float64
    np.testing.assert_array_equal(u, exact.astype(np.float32))
    assert 0 < np.count_nonzero(u) < 12


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-40, 2.0**500, 2.0**1000])
def test_scaling_by_powers_of_two_is_exact(scale):
    rng = np.random.default_rng(0)
    psi, w, metric = OverlappingGroupLasso(0.4, CHAIN), rng.standard_normal(12), rng.uniform(0.5, 2, 12)
    np.testing.assert_array_equal(psi.prox(w * scale, scale, metric) / scale, psi.prox(w, 1.0, metric))
    np.testing.assert_array_equal(psi.prox(w, scale, metric * scale), psi.prox(w, 1.0, metric))


def test_agrees_with_the_tree_in_no_metric_only():
    """Nested groups: composing group proxes in a metric is no prox; the certified one is nearer the minimum."""
    groups, rng = [[0, 1, 2], [1, 2]], np.random.default_rng(0)
    psi, tree = OverlappingGroupLasso(0.5, groups), TreeGroupLasso(0.5, groups)
    w, metric = 3 * rng.standard_normal(3), np.array([0.2, 5.0, 1.0])
    np.testing.assert_allclose(psi.prox(w, 1.0), tree.prox(w, 1.0), rtol=0, atol=4 * EPS)
    inner = w.copy()
    for group in ([1, 2], [0, 1, 2]):
        inner[group] = GroupLasso(0.5, groups=[range(len(group))]).prox(inner[group], 1.0, metric[group])
    best = psi.prox(w, 1.0, metric)
    assert objective(psi, best, w, 1.0, metric) < objective(psi, inner, w, 1.0, metric) - 1e-4


def test_bad_arguments():
    with pytest.raises(ValueError, match="tolerance must lie in"):
        OverlappingGroupLasso(1.0, CHAIN, tolerance=0.0)
    with pytest.raises(ValueError, match="max_sweeps must be at least 1"):
        OverlappingGroupLasso(1.0, CHAIN, max_sweeps=0)
    with pytest.raises(ValueError, match="groups name entry 11, but an array"):
        OverlappingGroupLasso(1.0, CHAIN).certified_prox(np.ones(11), 1.0)
    with pytest.raises(ValueError, match="step must lie in"):
        OverlappingGroupLasso(1.0, CHAIN).certified_prox(np.ones(12), -1.0)
    with pytest.raises(TypeError, match=r"OverlappingGroupLasso has no evaluation on array_api_strict.Array arrays"):
        OverlappingGroupLasso(1.0, CHAIN).prox(strict.ones(12, dtype=strict.float64), 1.0)
