"""The group lasso against solvers of other authors, and against one in plain NumPy for what those do not fit."""

import numpy as np
import pytest
from data_sets import load, weights_for
from plain_objective import planted
from scipy.special import expit, softmax

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


# ---- what those do not fit, by accelerated proximal gradients in plain NumPy


def soft(v, threshold):
    return np.sign(v) * np.maximum(np.abs(v) - threshold, 0)


def prox(W, step, labels, alpha, ratio):
    """Of alpha (ratio ||W||_1 + (1 - ratio) sum_g sqrt(size_g) ||W_g||): the one, then the other (Yu 2013)."""
    W = soft(W, step * alpha * ratio)
    for k in np.unique(labels):
        mine = labels == k
        norm = np.linalg.norm(W[:, mine])
        threshold = step * alpha * (1 - ratio) * np.sqrt(W[:, mine].size)
        W[:, mine] *= max(0.0, 1 - threshold / norm) if norm > 0 else 0.0
    return W


def slopes(loss, z, hot):
    """The derivative of the loss by z, a row a sample, and a bound on its curvature."""
    if loss == "log_loss":
        if z.shape[1] == 1:
            return expit(z) - hot, 0.25
        return softmax(z, axis=1) - hot, 0.5
    sign = np.where(hot, 1, -1)
    return -2 * sign * np.maximum(0, 1 - sign * z), 2.0


def reference(loss, X, y, weight, labels, alpha, ratio):
    """Coefficients and intercepts at which a step moves nothing by more than 1e-11."""
    hot = y[:, None] == (np.arange(3) if y.max() > 1 else [1])
    share = weight[:, None] / weight.sum()
    A = np.column_stack((X, np.ones(len(X))))
    step = 1 / (slopes(loss, 0.0 * hot, hot)[1] * np.linalg.norm(np.sqrt(share) * A, 2) ** 2)
    W = at = np.zeros((hot.shape[1], A.shape[1]))
    theta = 1.0
    for _ in range(50_000):
        new = at - step * (share * slopes(loss, A @ at.T, hot)[0]).T @ A
        new[:, :-1] = prox(new[:, :-1], step, labels, alpha, ratio)
        move = new - W
        if np.abs(move).max() < 1e-11 and np.abs(new - at).max() < 1e-11:
            return new[:, :-1], new[:, -1]
        uphill = np.vdot(at - new, move) > 0
        following = 1.0 if uphill else (1 + np.sqrt(1 + 4 * theta**2)) / 2
        at, W, theta = new + (0 if uphill else (theta - 1) / following) * move, new, following
    raise AssertionError("the reference did not converge")


@pytest.mark.parametrize("ratio", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("by_label", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("loss", ["log_loss", "squared_hinge"])
def test_classification(loss, n_classes, by_label, weighted, ratio):
    X, y = planted("log_loss", n=150, d=10, n_outputs=n_classes)
    labels = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3, 0]) if by_label else np.arange(10)
    weight = weights_for(y) if weighted else np.ones(len(y))
    alpha = {"log_loss": 0.07, "squared_hinge": 0.25}[loss]
    coef, intercept = reference(loss, X, y, weight, labels, alpha, ratio)
    model = RMDAClassifier(loss, "sparse_group_lasso" if ratio else "group_lasso", alpha=alpha, l1_ratio=ratio or 0.5)
    model.set_params(groups=labels if by_label else None, tol=1e-12)
    model.fit(X, y, sample_weight=weight if weighted else None)
    centre = intercept.mean() if loss == "log_loss" and n_classes > 2 else 0.0
    assert_same(model, coef, intercept - centre)
