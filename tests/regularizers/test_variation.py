"""Total variation and the fused lasso: by hand, at scale, and what their subdifferentials are."""

import numpy as np
import pytest

from rmda_ref.regularizers import FusedLasso, Levels, TotalVariation
from validation.oracles.variation import dual_path_violation

RNG = np.random.default_rng(0)


def test_two_entries_by_hand():
    """They move together by the step until they meet."""
    np.testing.assert_array_equal(TotalVariation(1.0).prox(np.array([0.0, 3.0]), 1.0), [1, 2])
    np.testing.assert_array_equal(TotalVariation(1.0).prox(np.array([0.0, 3.0]), 2.0), [1.5, 1.5])
    metric = np.array([1.0, 2.0])  # the heavier entry moves half as far, and they meet at the weighted mean
    np.testing.assert_array_equal(TotalVariation(1.0).prox(np.array([0.0, 3.0]), 1.0, metric), [1, 2.5])
    np.testing.assert_allclose(TotalVariation(1.0).prox(np.array([0.0, 3.0]), 9.0, metric), [2, 2], rtol=1e-15)


def test_a_large_step_gives_the_mean_of_each_row():
    w = RNG.standard_normal((3, 50))
    found = TotalVariation(1.0, axis=1).prox(w, 1e6)
    assert (found == found[:, :1]).all()
    np.testing.assert_allclose(found[:, 0], w.mean(axis=1), atol=1e-13)  # 50 roundings of numbers of size 1


@pytest.mark.parametrize("signal", ["noise", "ramp", "steps", "saw"])
def test_the_dual_path_of_long_rows(signal):
    """Cumulative sums of (w - u)/step stay within lam, and reach it, with its sign, at every jump: 1e5 roundings."""
    n = 100_000
    w = {
        "noise": RNG.standard_normal(n),
        "ramp": np.linspace(0, 50, n),
        "steps": np.repeat(RNG.standard_normal(10), n // 10) + 0.1 * RNG.standard_normal(n),
        "saw": np.arange(n) % 7 - np.arange(n) % 11 * 0.5,
    }[signal]
    u = TotalVariation(2.0).prox(w, 1.5)
    path = np.cumsum(w - u)
    jumps = np.flatnonzero(np.diff(u))
    size = n * np.finfo(float).eps * np.abs(w).max()
    assert np.abs(path).max() <= 3 + size and abs(path[-1]) <= size
    np.testing.assert_allclose(path[jumps], -3 * np.sign(np.diff(u)[jumps]), atol=size)
    assert len(jumps) > 0


def test_the_dual_path_in_an_uneven_metric():
    """Beside the rounding of u, which the sums of its pieces of n entries carry: n roundings of metric w."""
    n = 20_000
    w, metric = RNG.standard_normal(n), RNG.uniform(0.2, 5, n)
    u = TotalVariation(2.0).prox(w, 1.5, metric)
    assert 0 < np.count_nonzero(np.diff(u)) < n
    assert dual_path_violation(w, u, 3.0, metric) <= n * np.finfo(float).eps * np.abs(metric * w).max()


@pytest.mark.parametrize(
    "psi", [TotalVariation(0.7), FusedLasso(0.7, l1_ratio=0.4), FusedLasso(0.7, l1_ratio=1.0)], ids=repr
)
def test_dual_norms_by_linear_programs(psi):
    """max <v, x> over psi(x) <= 1, to the solver's tolerance."""
    cp = pytest.importorskip("cvxpy")
    for v in (RNG.standard_normal(6), np.array([1.0, 1, 1, 1, 1, 1]), np.array([0.0, 0, 3, -3, 0, 0])):
        v = v - v.mean() if type(psi) is TotalVariation else v
        x, ratio = cp.Variable(6), getattr(psi, "l1_ratio", 0.0)
        ball = psi.lam * ((1 - ratio) * cp.norm1(cp.diff(x)) + ratio * cp.norm1(x)) <= 1
        problem = cp.Problem(cp.Maximize(v @ x), [ball, cp.abs(x) <= 100])
        problem.solve(solver=cp.CLARABEL)
        assert psi.dual_norm(v) == pytest.approx(problem.value, rel=1e-6, abs=1e-8)
    assert TotalVariation(0.7).dual_norm(np.ones(6)) == np.inf
    assert FusedLasso(0.0).dual_norm(np.ones(2)) == np.inf and FusedLasso(0.0).dual_norm(np.zeros(2)) == 0


def test_the_distance_by_hand():
    """At a jump up by 1: the subdifferential of |w_1 - w_0| is the point (-1, 1)."""
    psi = TotalVariation(1.0)
    assert psi.subdiff_distance(np.array([0.0, 1.0]), np.array([-1.0, 1.0])) == 0
    assert psi.subdiff_distance(np.array([0.0, 1.0]), np.array([2.0, 5.0])) == 5
    # On a constant pair it is {(-z, z) : |z| <= 1}: from (2, 2) the mean is left, from (-3, 3) what is beyond 1.
    assert psi.subdiff_distance(np.zeros(2), np.array([2.0, 2.0])) == pytest.approx(np.sqrt(8), rel=1e-15)
    assert psi.subdiff_distance(np.zeros(2), np.array([-3.0, 3.0])) == pytest.approx(np.sqrt(8), rel=1e-15)
    assert psi.subdiff_distance(np.zeros(2), np.array([-0.5, 0.5])) == 0


def test_conjugates():
    psi = TotalVariation(1.0)
    assert psi.conjugate(np.array([-1.0, 0.5, 0.5])) == 0
    assert psi.conjugate(np.array([-1.1, 0.6, 0.5])) == np.inf
    assert psi.conjugate(np.array([0.5, 0.5, 0.5])) == np.inf  # rows do not sum to 0
    fused = FusedLasso(lam=2.0, l1_ratio=0.5)  # 1 for a jump, 1 for an entry
    assert fused.conjugate(np.array([0.5, 0.5, 0.5])) == 0
    assert fused.conjugate(np.array([2.0, 0.0, 0.0])) == 0  # 1 of its size, 1 across its jump
    assert fused.conjugate(np.array([2.1, 0.0, 0.0])) == np.inf


def test_structures():
    w = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 1.0, 0.0]])
    assert TotalVariation(1.0).manifold(w) == Levels.of(np.array([[0, 0, 1, 1], [0, 0, 0, 1]]))
    assert FusedLasso(1.0).manifold(w) == Levels.of(np.array([[-1, -1, 2, 2], [1, 1, 1, -2]]))
    assert TotalVariation(1.0, axis=0).manifold(w) == Levels.of(np.array([[0, 1], [0, 1], [0, 1], [0, 1]]))


def test_the_fused_lasso_in_its_limits():
    w = RNG.standard_normal(20)
    np.testing.assert_allclose(
        FusedLasso(lam=0.5, l1_ratio=1.0).prox(w, 1.0), np.sign(w) * np.maximum(np.abs(w) - 0.5, 0), atol=1e-15
    )
    assert FusedLasso(lam=1.0, l1_ratio=0.5).value(w) == pytest.approx(
        (np.abs(w).sum() + np.abs(np.diff(w)).sum()) / 2, rel=1e-14
    )
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        FusedLasso(1.0).prox(w, 1.0, np.ones_like(w))


def test_short_and_empty_rows():
    np.testing.assert_array_equal(TotalVariation(1.0).prox(np.array([3.0]), 1.0), [3.0])
    assert TotalVariation(1.0).prox(np.empty(0), 1.0).shape == (0,)
    np.testing.assert_array_equal(FusedLasso(1.0).prox(np.array([3.0]), 1.0), [2.5])


def test_bad_arguments():
    with pytest.raises(TypeError, match="axis must be one integer"):
        TotalVariation(1.0, axis=(0, 1))
    with pytest.raises(ValueError, match=r"l1_ratio must lie in \(0, 1\]"):
        FusedLasso(1.0, l1_ratio=0.0)
    with pytest.raises(ValueError, match="axis=1 is out of range"):
        TotalVariation(1.0, axis=1).prox(np.ones(3), 1.0)
