"""The coefficients are those of scikit-learn where both minimise the same function.

Scales: Lasso and ElasticNet minimise the (weighted) mean of r^2/2 plus the penalty of strength alpha, as we do;
LogisticRegression and LinearSVC the weighted sum of the losses times C plus the penalty: C = 1/(alpha sum of weights).

Why 1e-6: a reference that stops at a suboptimality of eps is within sqrt(2 eps/mu) of the optimum, mu the curvature on
the support. With features of unit variance mu is about 0.01 to 1 here, and eps is pushed to about 1e-15.
"""

from functools import partial

import numpy as np
import pytest
from data_sets import CLASSIFICATION, REGRESSION, as_format, bundled, load, weights_for
from scipy.optimize import minimize
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    MultiTaskLasso,
    PoissonRegressor,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

NEAR = {"rtol": 0, "atol": 1e-6}
LONG = {"tol": 1e-13, "max_iter": 1_000_000}
LIBLINEAR = dict.fromkeys(CLASSIFICATION, 1e-10) | {"word labels": 1e-9}  # the least that it reaches
LINEAR_SVC = {"penalty": "l1", "dual": False, "tol": 1e-9, "max_iter": 20_000, "random_state": 0}
FORMATS = ["dense", "csr", "csc"]
regressor, classifier = (partial(kind, tol=1e-12, random_state=0) for kind in (RMDARegressor, RMDAClassifier))
VARIANTS = [(False, False), (True, False), (True, True)]  # an intercept, weights


def assert_same_model(model, reference):
    np.testing.assert_allclose(model.coef_, reference.coef_, **NEAR)
    np.testing.assert_allclose(model.intercept_, reference.intercept_, **NEAR)
    assert model.coef_.shape == reference.coef_.shape


def strength(X, y, share):
    """A share of the least alpha at which every coefficient is zero."""
    correlation = X.T @ (y - y.mean(axis=0)) / len(y)
    return share * float(np.abs(correlation).max())


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize(("intercept", "weighted"), VARIANTS)
@pytest.mark.parametrize("name", REGRESSION)
def test_lasso(name, how, intercept, weighted):
    X, y = load(name)
    X, weight, alpha = as_format(X, how), weights_for(y) if weighted else None, strength(X, y, 0.05)
    model = regressor(alpha=alpha, fit_intercept=intercept).fit(X, y, sample_weight=weight)
    reference = Lasso(alpha, fit_intercept=intercept, **LONG).fit(X, y, sample_weight=weight)
    assert np.count_nonzero(reference.coef_) > 0
    assert_same_model(model, reference)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("ratio", [0.2, 0.8])
@pytest.mark.parametrize("name", REGRESSION)
def test_elastic_net(name, how, ratio):
    X, y = load(name)
    X, weight, alpha = as_format(X, how), weights_for(y) if ratio > 0.5 else None, strength(X, y, 0.05)
    model = regressor(penalty="elasticnet", alpha=alpha, l1_ratio=ratio)
    reference = ElasticNet(alpha, l1_ratio=ratio, **LONG).fit(X, y, sample_weight=weight)
    assert_same_model(model.fit(X, y, sample_weight=weight), reference)


def test_no_penalty():
    X, y = load("diabetes")
    assert_same_model(regressor(penalty="none").fit(X, y), LinearRegression().fit(X, y))


@pytest.mark.parametrize("intercept", [False, True])
def test_outputs_that_share_features(intercept):
    """Linnerud, three outputs: the group of a feature has strength alpha sqrt(3)."""
    X, y = bundled("linnerud")
    y = y / y.std(axis=0)
    model = regressor(penalty="group_lasso", alpha=0.05, fit_intercept=intercept).fit(X, y)
    reference = MultiTaskLasso(0.05 * np.sqrt(3), fit_intercept=intercept, **LONG).fit(X, y)
    assert_same_model(model, reference)
    separate = regressor(penalty="elasticnet", alpha=0.05, fit_intercept=intercept).fit(X, y)
    assert_same_model(separate, ElasticNet(0.05, fit_intercept=intercept, **LONG).fit(X, y))


def logistic(X, y, alpha, weight, solver, **how):
    total = len(y) if weight is None else weight.sum()
    how = {"l1_ratio": 1.0, "max_iter": 20_000, "random_state": 0} | how
    return LogisticRegression(C=1 / (alpha * total), solver=solver, **how).fit(X, y, sample_weight=weight)


@pytest.mark.parametrize("how", FORMATS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_logistic_without_intercept(name, how, weighted):
    """liblinear, which would penalise an intercept."""
    X, y = load(name)
    X, weight, alpha = as_format(X, how), weights_for(y) if weighted else None, 0.02
    model = classifier(alpha=alpha, fit_intercept=False).fit(X, y, sample_weight=weight)
    reference = logistic(X, y, alpha, weight, "liblinear", fit_intercept=False, tol=LIBLINEAR[name])
    assert np.count_nonzero(reference.coef_) > 0
    assert_same_model(model, reference)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_logistic_with_intercept(name, ratio, weighted):
    X, y = load(name)
    weight, alpha = weights_for(y) if weighted else None, 0.02
    # The gap of an elastic net is quadratic: at the default tol=1e-12 alone the coefficients would be within 1e-5.
    model = classifier(penalty="elasticnet", alpha=alpha, l1_ratio=ratio, tol=1e-13)
    reference = logistic(X, y, alpha, weight, "saga", l1_ratio=ratio, tol=1e-12)
    assert_same_model(model.fit(X, y, sample_weight=weight), reference)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", ["iris", "wine"])
def test_multinomial(name, intercept):
    X, y = bundled(name)
    model = classifier(alpha=0.02, fit_intercept=intercept).fit(X, y)
    reference = logistic(X, y, 0.02, None, "saga", fit_intercept=intercept, tol=1e-12)
    assert_same_model(model, reference)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSIFICATION)
def test_squared_hinge(name, weighted):
    X, y = load(name)
    weight = weights_for(y) if weighted else None
    C = 1 / (0.05 * (len(y) if weight is None else weight.sum()))
    model = classifier(loss="squared_hinge", alpha=0.05, fit_intercept=False)
    reference = LinearSVC(C=C, fit_intercept=False, **LINEAR_SVC)
    assert_same_model(model.fit(X, y, sample_weight=weight), reference.fit(X, y, sample_weight=weight))


def test_squared_hinge_of_several_classes():
    X, y = bundled("iris")
    model = classifier(loss="squared_hinge", alpha=0.05, fit_intercept=False).fit(X, y)
    one = LinearSVC(C=1 / (0.05 * len(y)), fit_intercept=False, **LINEAR_SVC)
    rest = OneVsRestClassifier(one).fit(X, y)
    np.testing.assert_allclose(model.coef_, np.vstack([e.coef_ for e in rest.estimators_]), **NEAR)


def counts():
    X, y = load("diabetes")
    return X, np.round(y).astype(float)


def test_poisson_without_penalty():
    X, y = counts()
    reference = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-12).fit(X, y)
    assert_same_model(regressor(loss="poisson", penalty="none").fit(X, y), reference)


@pytest.mark.parametrize("ratio", [1.0, 0.3])
def test_poisson(ratio):
    """L-BFGS-B on w = p - q, p, q >= 0, where the norm is linear; its projected gradient is at most 1e-9."""
    X, y = counts()
    (n, d), alpha = X.shape, 0.1

    def objective(v):
        w = v[:d] - v[d:-1]
        z = X @ w + v[-1]
        slope = (np.exp(z) - y) / n
        value = np.mean(np.exp(z) - y * z) + alpha * (ratio * v[:-1].sum() + (1 - ratio) / 2 * w @ w)
        gradient = X.T @ slope + alpha * (1 - ratio) * w
        return value, np.concatenate((gradient + alpha * ratio, alpha * ratio - gradient, [slope.sum()]))

    options = {"ftol": 0, "gtol": 1e-9, "maxiter": 10_000, "maxcor": 50}
    bounds = [(0, None)] * (2 * d) + [(None, None)]
    v = minimize(objective, np.zeros(2 * d + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    model = regressor(loss="poisson", penalty="elasticnet", alpha=alpha, l1_ratio=ratio).fit(X, y)
    assert 0 < np.count_nonzero(model.coef_) < d or ratio < 1
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), [*(v[:d] - v[d:-1]), v[-1]], **NEAR)
