"""The group lasso against solvers of other authors, which have no duality gap in common with ours."""

import numpy as np
import pytest
from data_sets import load

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

NEAR = {"rtol": 0, "atol": 1e-6}  # as in test_equal_optimum.py
LABELS = {"diabetes": [0, 0, 1, 1, 2, 2, 2, 3, 3, 3], "wide": np.arange(150) // 5, "correlated": np.arange(30) % 10}
STRENGTH = {"diabetes": 0.25, "wide": 0.1, "correlated": 0.1}


def problem(name):
    """X, y, the groups as labels and as lists, alpha, and the weights sqrt(size) that are our default."""
    X, y = load(name)
    labels = np.asarray(LABELS[name])
    groups = [np.flatnonzero(labels == k).tolist() for k in np.unique(labels)]
    return X, y, labels, groups, STRENGTH[name], np.sqrt([len(group) for group in groups])


def assert_same(model, coef, intercept=0.0):
    assert 0 < np.count_nonzero(coef) < coef.size
    np.testing.assert_allclose(model.coef_, coef, **NEAR)
    np.testing.assert_allclose(model.intercept_, intercept, **NEAR)


@pytest.mark.needs("celer")
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", LABELS)
def test_celer(name, intercept):
    from celer import GroupLasso

    X, y, labels, groups, alpha, weights = problem(name)
    model = RMDARegressor(penalty="group_lasso", alpha=alpha, groups=labels, fit_intercept=intercept, tol=1e-12)
    reference = GroupLasso(groups, alpha, weights=weights, tol=1e-14, fit_intercept=intercept)
    reference.fit(np.asfortranarray(X), y)
    assert_same(model.fit(X, y), reference.coef_, reference.intercept_)


@pytest.mark.needs("skglm")
@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("name", LABELS)
def test_skglm(name, intercept):
    from skglm import GroupLasso

    X, y, labels, groups, alpha, weights = problem(name)
    model = RMDARegressor(penalty="group_lasso", alpha=alpha, groups=labels, fit_intercept=intercept, tol=1e-12)
    reference = GroupLasso(groups, alpha, weights=weights, tol=1e-11, fit_intercept=intercept, max_iter=1000)
    reference.fit(np.asfortranarray(X), y)
    assert_same(model.fit(X, y), reference.coef_, reference.intercept_)


@pytest.mark.needs("skglm")
def test_logistic_groups_of_skglm():
    from skglm.datafits import LogisticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupProxNewton
    from skglm.utils.data import grp_converter

    X, target, labels, groups, _, weights = problem("correlated")
    y, alpha = np.where(target > 0, 1.0, -1.0), 0.02
    indices, pointers = grp_converter(groups, X.shape[1])
    datafit, penalty = LogisticGroup(pointers, indices), WeightedGroupL2(alpha, weights, pointers, indices)
    coef = GroupProxNewton(fit_intercept=False, tol=1e-11).solve(np.asfortranarray(X), y, datafit, penalty)[0]
    model = RMDAClassifier(penalty="group_lasso", alpha=alpha, groups=labels, fit_intercept=False, tol=1e-12)
    assert_same(model.fit(X, y), coef[None])
