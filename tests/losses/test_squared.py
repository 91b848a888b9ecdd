"""The squared loss: least squares by another route, its conjugate in closed form, its targets."""

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from rmda_ref.losses import SquaredLoss


@pytest.fixture
def loss():
    rng = np.random.default_rng(0)
    return SquaredLoss(rng.standard_normal((8, 3)), rng.standard_normal(8))


def test_value_is_half_the_mean_squared_residual(loss):
    w = np.array([1.0, -2.0, 0.5])
    residuals = [sum(x * c for x, c in zip(row, w, strict=True)) - t for row, t in zip(loss.X, loss.y, strict=True)]
    assert loss.value(w) == pytest.approx(sum(r * r for r in residuals) / 16, rel=1e-14)


def test_gradient_vanishes_at_the_least_squares_solution(loss):
    solution = np.linalg.lstsq(loss.X, loss.y)[0]
    np.testing.assert_allclose(loss.gradient(solution), 0, atol=1e-14)


def test_intercept_is_the_last_weight(loss):
    with_ones = SquaredLoss(np.column_stack([loss.X, np.ones(8)]), loss.y)
    with_intercept = SquaredLoss(loss.X, loss.y, fit_intercept=True)
    w = np.array([1.0, -2.0, 0.5, 3.0])
    assert with_intercept.value(w) == pytest.approx(with_ones.value(w), rel=1e-14)
    np.testing.assert_allclose(with_intercept.gradient(w), with_ones.gradient(w), rtol=1e-13)


def test_conjugate_closed_form(loss):
    u = np.linspace(-1, 1, 8)
    assert loss.conjugate(u) == pytest.approx(4 * u @ u + u @ loss.y, rel=1e-14)


def test_weighted_value_agrees_with_sklearn():
    rng = np.random.default_rng(0)
    X, Y, W, weight = (rng.standard_normal(shape) for shape in ((8, 3), (8, 2), (2, 3), 8))
    loss = SquaredLoss(X, Y, sample_weight=np.square(weight))
    expected = mean_squared_error(Y, X @ W.T, sample_weight=np.square(weight), multioutput="raw_values").sum() / 2
    assert loss.value(W) == pytest.approx(expected, rel=1e-14)


def test_float32_value_is_accumulated_in_float64():
    y = np.ones(128, dtype=np.float32)
    y[0] = 2.0**13
    # In float32 every term 1/2 would be lost next to the first one, 2^25.
    assert SquaredLoss(np.ones((128, 1), dtype=np.float32), y).value([0.0]) == (2.0**25 + 127 / 2) / 128


def test_bad_targets():
    X = np.ones((2, 1))
    with pytest.raises(TypeError, match=r"y must be floating point, got int64; use y\.astype"):
        SquaredLoss(X, np.array([1, 2]))
    with pytest.raises(ValueError, match="y must be finite, got inf; drop"):
        SquaredLoss(X, np.array([1.0, np.inf]))
