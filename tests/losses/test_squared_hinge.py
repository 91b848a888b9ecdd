"""The squared hinge loss against scikit-learn, beyond the margin, and the domain of its conjugate."""

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from rmda_ref.losses import SquaredHingeLoss

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 3)), RNG.choice([-1.0, 1.0], 20)


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 21.0)], ids=["", "weights"])
def test_gradient_at_the_solution_of_sklearn(weight):
    # LinearSVC minimises ||w||^2 / 2 + C times the sum of the losses.
    C = 0.3
    svc = LinearSVC(C=C, fit_intercept=False, dual=False, tol=1e-10).fit(X, Y, sample_weight=weight)
    w = svc.coef_[0]
    total = 20 if weight is None else weight.sum()
    gradient = SquaredHingeLoss(X, Y, sample_weight=weight).gradient(w)
    # liblinear stops at its own measure of 1e-10, or when its steps are lost to rounding, at about sqrt(eps).
    np.testing.assert_allclose(w + C * total * gradient, 0, rtol=0, atol=1e-6)
    assert np.abs(w).max() > 0.1


def test_beyond_the_margin_there_is_no_loss():
    loss = SquaredHingeLoss(np.array([[1.0], [-2.0]]), [1, -1])
    assert loss.value([1.0]) == 0.0
    np.testing.assert_array_equal(loss.gradient([1.0]), [0.0])
    np.testing.assert_array_equal(loss.hessian_product([1.0], [1.0]), [0.0])
    assert loss.value([0.75]) == 0.0625 / 2


def test_conjugate_domain():
    loss = SquaredHingeLoss(np.ones((2, 1)), [1, -1])
    assert loss.conjugate([0.0, 0.0]) == 0.0
    assert loss.conjugate([-1.0, 0.0]) == (-2.0 + 1.0) / 2
    assert loss.conjugate([-50.0, 50.0]) == -100.0 + 2500.0
    assert loss.conjugate([0.01, 0.0]) == np.inf
    assert loss.conjugate([0.0, -0.01]) == np.inf
