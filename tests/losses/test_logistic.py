"""The logistic loss against scikit-learn, at the extremes, and the domain of its conjugate."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss

from rmda_ref.losses import LogisticLoss, MultinomialLoss


@pytest.fixture
def loss():
    rng = np.random.default_rng(0)
    return LogisticLoss(rng.standard_normal((9, 3)), np.where(np.arange(9) % 3, 1, -1), fit_intercept=True)


W = np.array([1.0, -2.0, 0.5, 0.3])


def test_value_agrees_with_sklearn(loss):
    assert loss.value(W) == pytest.approx(log_loss(loss.y, expit(loss.decision(W))), rel=1e-13)


def test_weighted_value_agrees_with_sklearn(loss):
    weight = np.arange(9.0)
    expected = log_loss(loss.y, expit(loss.decision(W)), sample_weight=weight)
    assert replace(loss, sample_weight=weight).value(W) == pytest.approx(expected, rel=1e-13)


def test_it_is_the_multinomial_loss_of_two_classes(loss):
    multinomial = MultinomialLoss(loss.X, (loss.y > 0).astype(int), fit_intercept=True)
    both = np.stack([-W / 2, W / 2])
    assert multinomial.value(both) == pytest.approx(loss.value(W), rel=1e-13)
    np.testing.assert_allclose(multinomial.gradient(both)[1], loss.gradient(W), rtol=0, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_margins(dtype):
    loss = LogisticLoss(np.array([[1.0], [-1.0]], dtype=dtype), [1, -1])
    assert loss.value([1e4]) == 0.0
    assert loss.value([-1e4]) == 1e4
    np.testing.assert_array_equal(loss.gradient([1e4]), [0.0])
    np.testing.assert_array_equal(loss.gradient([-1e4]), [-1.0])


def test_small_losses_keep_their_relative_accuracy():
    loss = LogisticLoss(np.ones((1, 1)), [1])
    assert loss.value([50.0]) == pytest.approx(np.exp(-50.0), rel=1e-14)


def test_conjugate_domain():
    loss = LogisticLoss(np.ones((2, 1)), [1, -1])
    assert loss.conjugate([0.0, 0.0]) == 0.0
    assert loss.conjugate([-0.5, 0.5]) == 0.0
    assert loss.conjugate([-0.25, 0.25]) == pytest.approx(-np.log(2))
    assert loss.conjugate([0.01, 0.0]) == np.inf
    assert loss.conjugate([-0.51, 0.0]) == np.inf
