"""The multinomial loss against scikit-learn and SciPy, at the extremes, and its labels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from rmda_ref.losses import MultinomialLoss

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 3)), np.arange(20) % 4
W = RNG.standard_normal((4, 4))
LOSS = MultinomialLoss(X, Y, fit_intercept=True)


def test_value_agrees_with_sklearn():
    scores = X @ W[:, :3].T + W[:, 3]
    assert LOSS.value(W) == pytest.approx(log_loss(Y, softmax(scores, axis=1)), rel=1e-13)


def test_gradient_agrees_with_scipy_softmax():
    residuals = softmax(LOSS.decision(W), axis=1) - np.eye(4)[Y]
    np.testing.assert_allclose(LOSS.dual_point(W), residuals / 20, rtol=0, atol=1e-16)
    np.testing.assert_allclose(
        LOSS.gradient(W), residuals.T @ np.column_stack([X, np.ones(20)]) / 20, rtol=0, atol=1e-15
    )


def test_accuracy_agrees_with_sklearn():
    assert LOSS.accuracy(W) == accuracy_score(Y, LOSS.predict(W))
    assert LOSS.accuracy(W) == np.mean([np.argmax(W @ [*x, 1.0]) == label for x, label in zip(X, Y, strict=True)])


def test_weighted_accuracy_agrees_with_sklearn():
    weight = np.arange(20.0)
    expected = accuracy_score(Y, LOSS.predict(W), sample_weight=weight)
    assert replace(LOSS, sample_weight=weight).accuracy(W) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("weight", [None, np.arange(20.0)], ids=["", "weights"])
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_balanced_moves_as_little_as_a_linear_program(weight, scale):
    loss = replace(LOSS, sample_weight=weight)
    pi = np.full(20, 1 / 20) if weight is None else weight / weight.sum()
    q = softmax(loss.decision(scale * W), axis=1)
    # The least theta with R >= 0, sum R = theta and (1 - theta) qbar + R = shares of the classes.
    mean = pi @ q
    system = np.block([[-mean[:, None], np.eye(4)], [-np.ones((1, 1)), np.ones((1, 4))]])
    theta, *R = linprog([1, 0, 0, 0, 0], A_eq=system, b_eq=[*(pi @ np.eye(4)[Y] - mean), 0]).x
    assert 0 < theta < 1
    expected = pi[:, None] * ((1 - theta) * q + R - np.eye(4)[Y])
    # The solver's own tolerance is 1e-9 or better on so small a program.
    np.testing.assert_allclose(loss.balanced(loss.dual_point(scale * W)), expected, rtol=0, atol=1e-9)


def test_balanced_where_a_class_is_absent_from_the_labels():
    loss = MultinomialLoss(np.ones((2, 1)), [0, 1], n_classes=3)
    u = loss.dual_point([[0.0], [0.0], [50.0]])
    # All probability is on the class that has no sample: it all moves, to the shares 1/2, 1/2, 0, up to exp(-50).
    np.testing.assert_allclose(loss.balanced(u), np.array([[-1, 1, 0], [1, -1, 0]]) / 4, rtol=0, atol=1e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores(dtype):
    loss = MultinomialLoss(np.array([[1.0]], dtype=dtype), [0], n_classes=3)
    assert loss.value([[1e4], [0.0], [-1e4]]) == 0.0
    assert loss.value([[-1e4], [0.0], [1e4]]) == 2e4
    np.testing.assert_array_equal(loss.gradient([[-1e4], [0.0], [1e4]]), [[-1.0], [0.0], [1.0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_do_not_lose_digits_to_a_common_shift(dtype):
    loss = MultinomialLoss(np.ones((1, 1), dtype=dtype), [0], n_classes=3)
    shifted, centred = [[1e4 + 2], [1e4 + 1], [1e4]], [[2.0], [1.0], [0.0]]
    np.testing.assert_array_equal(loss.gradient(shifted), loss.gradient(centred))


def test_n_classes():
    assert MultinomialLoss(X, Y).weight_shape == (4, 3)
    assert MultinomialLoss(X, Y, n_classes=6, fit_intercept=True).weight_shape == (6, 4)


def test_conjugate_domain():
    loss = MultinomialLoss(np.ones((1, 1)), [1], n_classes=3)
    assert loss.conjugate([[0.0, 0.0, 0.0]]) == 0.0
    assert loss.conjugate([[1 / 3, -2 / 3, 1 / 3]]) == pytest.approx(-np.log(3))
    assert loss.conjugate([[0.0, -0.01, 0.0]]) == np.inf
    assert loss.conjugate([[-0.01, 0.0, 0.01]]) == np.inf
    assert loss.conjugate([[0.6, -1.1, 0.5]]) == np.inf


@pytest.mark.parametrize(
    ("y", "n_classes", "error", "message"),
    [
        ([0.0, 1.0], None, TypeError, "integer class labels, got float64; use y.astype"),
        ([0, -1], 2, ValueError, r"0, ..., 1, got -1; relabel"),
        ([0, 3], 3, ValueError, "0, ..., 2, got 3; relabel .* or raise n_classes"),
        ([0, 0], None, ValueError, "n_classes must be at least 2, got 1"),
    ],
)
def test_bad_labels(y, n_classes, error, message):
    with pytest.raises(error, match=message):
        MultinomialLoss(np.ones((2, 1)), y, n_classes=n_classes)
