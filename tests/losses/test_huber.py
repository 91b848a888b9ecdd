"""The Huber loss against SciPy, its limits, the domain of its conjugate, and its parameters."""

import numpy as np
import pytest
from scipy.special import huber

from rmda_ref.losses import HuberLoss, SquaredLoss

RNG = np.random.default_rng(0)
X, Y, W = RNG.standard_normal((20, 3)), 3 * RNG.standard_normal(20), np.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize("delta", [0.3, 1.35, 4.0])
def test_value_agrees_with_scipy(delta):
    loss = HuberLoss(X, Y, delta=delta)
    assert loss.value(W) == pytest.approx(huber(delta, X @ W - Y).mean(), rel=1e-14)


def test_it_is_the_squared_loss_within_delta():
    huber_loss, squared = HuberLoss(X, Y, delta=100.0), SquaredLoss(X, Y)
    assert huber_loss.value(W) == pytest.approx(squared.value(W), rel=1e-14)
    np.testing.assert_array_equal(huber_loss.gradient(W), squared.gradient(W))


def test_an_outlier_pulls_no_more_than_delta():
    near, far = (HuberLoss(X, np.where(np.arange(20) == 7, y, Y), delta=0.5) for y in (1e3, 1e300))
    np.testing.assert_array_equal(near.gradient(W), far.gradient(W))
    assert np.isfinite(far.value(W))


def test_conjugate_domain():
    loss = HuberLoss(np.ones((2, 1)), np.array([1.0, 0.0]), delta=2.0)
    assert loss.conjugate([1.0, -1.0]) == 3.0
    assert loss.conjugate([0.0, -1.0]) == 1.0
    assert loss.conjugate([1.01, 0.0]) == np.inf
    assert loss.conjugate([0.0, -1.01]) == np.inf


@pytest.mark.parametrize(
    ("delta", "error", "message"),
    [
        (0.0, ValueError, r"delta must lie in \(0, inf\), got 0.0"),
        (np.nan, ValueError, "got nan"),
        ("1", TypeError, "delta must be a number, got str"),
    ],
)
def test_bad_delta(delta, error, message):
    with pytest.raises(error, match=message):
        HuberLoss(X, Y, delta=delta)
