"""The 2:4 regularizer: values by hand, symmetric points in closed form, and rivals where supports change."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

from rmda_ref.kernels.two_four import two_four
from rmda_ref.regularizers import NM, Support, TwoFour

DTYPES = [np.float32, np.float64]


def e2_of_the_others(y):
    others = [[j for j in range(4) if j != i] for i in range(4)]
    return np.stack([sum(y[..., a] * y[..., b] for a, b in itertools.combinations(three, 2)) for three in others], -1)


def objective(y, w, strength):
    y3 = sum(np.prod(y[..., list(three)], axis=-1) for three in itertools.combinations(range(4), 3))
    return strength * y3 + np.sum((y - w) ** 2, axis=-1) / 2


def blocks(regularizer, w, step=1.0):
    return regularizer.prox(w.reshape(-1), step).reshape(-1, 4)


def test_value_by_hand():
    w = np.array([[1.0, -2.0, 3.0, -4.0], [5.0, 0.0, 0.0, -7.0]])
    assert TwoFour(2.0).value(w) == 2 * (1 * 2 * 3 + 2 * 3 * 4 + 3 * 4 * 1 + 4 * 1 * 2)
    assert TwoFour(2.0, axis=0).value(w.T) == TwoFour(2.0).value(w)
    assert TwoFour(1.0).value(np.full(4, 1e20, np.float32)) == pytest.approx(4e60, rel=1e-6)


@pytest.mark.parametrize("strength", [1e-8, 1e-3, 0.1, 0.3])
def test_equal_entries_by_the_quadratic_formula(strength):
    """w = 1: four stay with y + 3 s y^2 = 1, or three with y + s y^2 = 1, or two; the best of these."""
    four = 2 / (1 + np.sqrt(1 + 12 * strength))
    three = 2 / (1 + np.sqrt(1 + 4 * strength))
    points = np.array([[four] * 4, [three] * 3 + [0], [1, 1, 0, 0]])
    best = points[np.argmin(objective(points, np.ones(4), strength))]
    found = TwoFour(1.0).prox(np.array([1.0, -1.0, 1.0, 1.0]), strength)
    np.testing.assert_allclose(found, best * [1, -1, 1, 1], rtol=1e-15)  # a dozen operations
    three_equal = TwoFour(1.0).prox(np.array([1.0, 0.0, 1.0, 1.0]), strength)
    if objective(points[1], np.array([1, 1, 1, 0]), strength) < 0.5:
        np.testing.assert_allclose(three_equal, three * np.array([1, 0, 1, 1]), rtol=1e-15)
    else:
        np.testing.assert_array_equal(three_equal, [1, 0, 1, 0])


def test_ties_go_to_the_first_of_equal_entries():
    np.testing.assert_array_equal(TwoFour(1.0).prox(np.array([3.0, -3.0, 3.0, 3.0]), 1.0), [3, -3, 0, 0])


def test_two_nonzeros_are_left_bit_for_bit():
    w = np.array([0.1, 0.0, -0.3, 0.0, 0.0, 0.7, 0.0, 0.0])
    np.testing.assert_array_equal(TwoFour(1.0).prox(w, 5.0), w)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_steps_project(dtype):
    w = np.random.default_rng(0).standard_normal((6, 8)).astype(dtype)
    np.testing.assert_array_equal(TwoFour(1.0).prox(w, 1e4), NM(2, 4).prox(w, 1.0))
    np.testing.assert_array_equal(TwoFour(1e25).prox(w, 1e25), NM(2, 4).prox(w, 1.0))  # infinite in float32


def hard_points(rng):
    """v = w step, in rows: generic ones, all but equal ones, of all sizes, and where minimisers are degenerate."""
    yield rng.random((400, 4)) * rng.choice([0.3, 0.6, 1, 1.5, 2.2], (400, 1))
    yield rng.uniform(0.2, 1.3, (400, 1)) * (1 + rng.standard_normal((400, 4)) * 10 ** rng.uniform(-9, -1, (400, 1)))
    yield 10 ** rng.uniform(-4, 0.3, (400, 4))
    # Where the Hessian at y is singular: y along a ray, where it is I + r C.
    y = rng.random((400, 4)) ** 2
    y[:200, 3] = 0
    curvature = y.sum(axis=1)[:, None, None] - y[:, :, None] - y[:, None, :]
    curvature[:, range(4), range(4)] = 0
    curvature[:200, 3], curvature[:200, :, 3] = 0, 0
    y *= (-1 / np.linalg.eigvalsh(curvature)[:, 0] * rng.choice([1, 1 - 1e-9, 1 - 1e-3, 1 + 1e-3], 400))[:, None]
    yield y + e2_of_the_others(y)


def descended(v, starts):
    """Coordinate after coordinate from many starts, shape (n_starts, n, 4)."""
    y = starts.copy()
    for _ in range(300):
        for i in range(4):
            a, b, c = (y[..., j] for j in range(4) if j != i)
            y[..., i] = np.maximum(v[:, i] - (a * b + a * c + b * c), 0)
    return objective(y, v, 1.0).min(axis=0)


def test_no_start_of_a_descent_ends_lower():
    """To rounding of objectives of size 1; residuals of the stationarity to that of the entries."""
    rng = np.random.default_rng(0)
    for v in hard_points(rng):
        found = blocks(TwoFour(1.0), v)
        supports = np.array([[code >> i & 1 for i in range(4)] for code in range(16)])
        starts = np.concatenate([supports[:, None] * v, rng.random((16, *v.shape)) * v])
        assert (objective(found, v, 1.0) - descended(v, starts)).max() < 1e-14
        rest = v - found - e2_of_the_others(found)
        residual = np.where(found > 0, np.abs(rest), np.maximum(rest, 0))
        assert (residual / v.max(axis=1, keepdims=True)).max() < 1e-14


def test_no_start_of_a_quasi_newton_method_ends_lower():
    """To its tolerance."""
    rng = np.random.default_rng(1)
    for v in rng.random((15, 4)) * rng.choice([0.4, 0.8, 1.4], (15, 1)):
        found = TwoFour(1.0).prox(v, 1.0)
        for start in rng.random((8, 4)) * v:
            other = minimize(
                lambda y, v=v: (objective(y, v, 1.0), y - v + e2_of_the_others(y)),
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(0, None)] * 4,
            )
            assert objective(found, v, 1.0) <= other.fun + 1e-12


def test_where_the_support_changes():
    """On a segment between points with other supports: at each change both sides cost the same."""
    rng, changes = np.random.default_rng(2), 0
    for _ in range(60):
        ends = rng.random((2, 4)) * 1.2
        low, high = 0.0, 1.0

        def at(t, ends=ends):
            return ends[0] + t * (ends[1] - ends[0])

        def support(t, at=at):
            return tuple(TwoFour(1.0).prox(at(t), 1.0) > 0)

        if support(0.0) == support(1.0):
            continue
        first = support(0.0)
        while high - low > 1e-15:
            middle = (low + high) / 2
            low, high = (middle, high) if support(middle) == first else (low, middle)
        values = [objective(TwoFour(1.0).prox(at(t), 1.0), at(t), 1.0) for t in (low, high)]
        assert abs(values[1] - values[0]) < 1e-14
        changes += 1
    assert changes > 30


@pytest.mark.parametrize("scale", [1e-3, 1e-6, 1e-9, 1e-200, 5e-324])
def test_small_entries_keep_their_digits(scale):
    """v - e2(v) is the prox up to |v|^3, and the residual is of the size of the rounding of v."""
    v = np.array([[1.0, 0.75, 0.5, 0.25], [1.0, 1.0, 0.5, 0.0]]) * scale
    found = blocks(TwoFour(1.0), v)
    np.testing.assert_allclose(found, v - e2_of_the_others(v) * (v > 0), atol=20 * scale**3 + 4e-16 * scale)
    assert np.abs(np.where(v > 0, v - found - e2_of_the_others(found), 0)).max() <= 1e-15 * scale


@pytest.mark.parametrize(("scale", "step"), [(1e300, 1e-300), (1e-300, 1e300), (1e150, 1e-150)])
def test_only_the_product_of_step_and_entries_counts(scale, step):
    w = np.array([0.5, -0.4, 0.3, 0.2])
    np.testing.assert_allclose(TwoFour(1.0).prox(w * scale, step) / scale, TwoFour(1.0).prox(w, 1.0), rtol=1e-14)


def test_subdifferential_by_hand():
    regularizer = TwoFour(2.0)
    two = np.array([3.0, -0.5, 0.0, 0.0])  # coefficients 0, 0, 3, 3 of the entries
    assert regularizer.subdiff_distance(two, np.array([0.0, 0.0, 3.0, -1.0])) == 0
    assert regularizer.subdiff_distance(two, np.array([1.0, 0.0, -7.0, 1.0])) == pytest.approx(
        np.hypot(1, 4), rel=1e-15
    )
    three = np.array([3.0, -0.5, 1.0, 0.0])  # 2 * (0.5, 3, 1.5) and 2 * (1.5 + 3 + 0.5)
    assert regularizer.subdiff_distance(three, np.array([1.0, -6.0, 3.0, 10.0])) == 0
    assert regularizer.subdiff_distance(three, np.array([1.0, 6.0, 3.0, 0.0])) == pytest.approx(12, rel=1e-15)
    one = np.array([3.0, 0.0, 0.0, 0.0])  # differentiable
    assert regularizer.subdiff_distance(one, np.array([0.0, 0.0, 0.0, 1.0])) == 1


def test_manifold_and_arguments():
    w = np.array([1.0, 0.0, -2.0, 0.0])
    assert TwoFour(1.0).manifold(w) == Support.of(w != 0)
    with pytest.raises(ValueError, match=r"axis -1 of shape \(6,\) has 6 entries, not a multiple of m=4"):
        TwoFour(1.0).prox(np.ones(6), 1.0)
    with pytest.raises(ValueError, match=r"lam must lie in \[0, inf\)"):
        TwoFour(-1.0)
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        TwoFour(1.0).prox(w, 1.0, np.ones(4))


def test_interpreted_is_silent():
    """As plain Python no division by zero and no overflow, at the points where formulas degenerate."""
    rng = np.random.default_rng(3)
    with np.errstate(all="raise", under="ignore"):
        for v in hard_points(rng):
            for row in v[:40]:
                two_four(row.copy(), np.float64(1.0), np.ones(4), np.empty((4, 4)))
        for row in itertools.product([0.0, 0.25, 0.5, 1.0], repeat=4):
            two_four(np.array(row), np.float64(1.0), np.ones(4), np.empty((4, 4)))
