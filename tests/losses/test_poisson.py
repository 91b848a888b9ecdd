"""The Poisson loss against scikit-learn, where exp overflows, the domain of its conjugate, and its targets."""

from dataclasses import replace

import numpy as np
import pytest
from examples import make_loss, weights
from scipy import sparse
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance

from rmda_ref.losses import PoissonLoss

WEIGHTS = pytest.mark.parametrize("weight", [None, np.arange(12.0)], ids=["", "weights"])


@WEIGHTS
def test_differences_of_values_are_half_those_of_the_deviance(weight):
    loss = replace(make_loss(PoissonLoss), sample_weight=weight)
    w, v = weights(loss, 1), weights(loss, 2)
    deviance = [mean_poisson_deviance(loss.y, np.exp(loss.decision(p)), sample_weight=weight) for p in (w, v)]
    assert loss.value(w) - loss.value(v) == pytest.approx((deviance[0] - deviance[1]) / 2, rel=1e-12)


@WEIGHTS
def test_gradient_vanishes_at_the_solution_of_sklearn(weight):
    loss = replace(make_loss(PoissonLoss), sample_weight=weight)
    solution = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12).fit(loss.X, loss.y, sample_weight=weight)
    gradient = loss.gradient([*solution.coef_, solution.intercept_])
    np.testing.assert_allclose(gradient, 0, rtol=0, atol=1e-11)  # a little above the tolerance of the solver


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("make_design", [np.asarray, sparse.csr_array])
def test_overflow_is_infinite_and_silent(dtype, make_design):
    X = make_design(np.array([[1.0, 0.0], [0.0, 1.0]], dtype=dtype))
    loss = PoissonLoss(X, [1, 2], fit_intercept=True)
    w = [1e4, 0.0, 0.0]
    value, gradient = loss.value_and_gradient(w)
    assert value == np.inf
    assert gradient[0] == np.inf
    assert np.isinf(loss.dual_point(w)).tolist() == [True, False]
    assert loss.hessian_product(w, [1.0, 0.0, 0.0])[0] == np.inf
    assert np.isnan(loss.hessian_product(w, [0.0, 1.0, 0.0])[0])  # inf * 0
    assert loss.conjugate(loss.dual_point(w)) == np.inf
    # On the other side exp vanishes.
    assert loss.value([-1e4, 0.0, 0.0]) == (1e4 + 1) / 2


def test_overflow_of_a_sample_without_weight_counts_nothing():
    X = np.array([[1e4], [1.0], [2.0]])
    loss, rest = PoissonLoss(X, [1, 2, 3], sample_weight=[0, 1, 1]), PoissonLoss(X[1:], [2, 3])
    assert loss.value([1.0]) == rest.value([1.0])
    np.testing.assert_array_equal(loss.gradient([1.0]), rest.gradient([1.0]))
    np.testing.assert_array_equal(loss.gradient([1.0], [0]), [0.0])
    np.testing.assert_array_equal(loss.hessian_product([1.0], [1.0]), rest.hessian_product([1.0], [1.0]))


def test_conjugate_domain():
    loss = PoissonLoss(np.ones((2, 1)), [0, 2])
    assert loss.conjugate([0.0, 0.0]) == pytest.approx(np.log(2) - 1, rel=1e-15)
    assert loss.conjugate([0.0, -1.0]) == 0.0
    assert loss.conjugate([np.e / 2, -1.0]) == pytest.approx(0.0, abs=1e-15)
    assert loss.conjugate([-0.01, 0.0]) == np.inf
    assert loss.conjugate([0.0, -1.01]) == np.inf


def test_the_dual_point_of_large_counts_is_inside():
    # exp(z) is lost next to y: the dual point is -y up to the rounding of y, not of 1.
    rng = np.random.default_rng(0)
    loss = PoissonLoss(np.ones((50, 1)), rng.integers(10**6, 10**12, 50), sample_weight=rng.random(50))
    assert np.isfinite(loss.conjugate(loss.dual_point([-100.0])))


def test_bad_targets():
    X = np.ones((2, 1))
    with pytest.raises(ValueError, match=r"y must be at least 0, got -1\.0; use SquaredLoss or HuberLoss"):
        PoissonLoss(X, [1, -1])
    with pytest.raises(ValueError, match="y must be finite, got nan; drop"):
        PoissonLoss(X, [1.0, np.nan])
    with pytest.raises(TypeError, match="y must be floating point, got <U1"):
        PoissonLoss(X, ["1", "2"])
