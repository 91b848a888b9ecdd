"""`alpha_max` is sharp, and a path is the separate fits, each with its certificate."""

import numpy as np
import pytest
from plain_objective import CLASSIFICATION, planted
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor, RMDARegressorCV, alpha_max, rmda_path
from rmda_ref.regularizers import L1

# Outputs, or classes, of each loss.
LOSSES = [
    ("squared_error", 1),
    ("squared_error", 3),
    ("huber", 1),
    ("poisson", 1),
    ("log_loss", 2),
    ("log_loss", 3),
    ("squared_hinge", 2),
    ("squared_hinge", 3),
]
PENALTIES = {
    "l1": {"penalty": "l1"},
    "elasticnet": {"penalty": "elasticnet", "l1_ratio": 0.3},
    "features": {"penalty": "group_lasso"},
    "groups": {"penalty": "group_lasso", "groups": 2},
    "sparse groups": {"penalty": "sparse_group_lasso", "groups": 2},
    "nuclear": {"penalty": "nuclear"},
}


def estimator(loss, **how):
    return (RMDAClassifier if loss in CLASSIFICATION else RMDARegressor)(loss=loss, random_state=0, **how)


def data(loss, n_outputs):
    """Off centre, so that the best intercept is not 0."""
    X, y = planted(loss, n=60, d=6, n_outputs=n_outputs)
    return X + 0.5, y


def weights_of(y):
    return np.random.default_rng(1).integers(0, 4, len(y)).astype(float)


def is_sharp(model, alpha, X, y, weight=None):
    """Whether nothing is in the model just above alpha, and something well below it."""
    above, below = (clone(model).set_params(alpha=share * alpha).fit(X, y, weight) for share in (1.0000001, 0.999))
    return not above.coef_.any() and bool(below.coef_.any())


@pytest.mark.parametrize(("intercept", "weighted"), [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize(("loss", "n_outputs"), LOSSES)
def test_alpha_max_is_sharp(loss, n_outputs, penalty, intercept, weighted):
    if penalty == "nuclear" and n_outputs < 3:
        return  # of a matrix alone
    X, y = data(loss, n_outputs)
    weight = weights_of(y) if weighted else None
    model = estimator(loss, fit_intercept=intercept, **PENALTIES[penalty])
    assert is_sharp(model, alpha_max(model, X, y, weight), X, y, weight)


def test_wrong_strengths_are_not_sharp():
    """The gradient at 0 instead of the best intercept, weights left out, and the ridge of an elastic net counted."""
    X, y = data("log_loss", 2)
    weight, model = weights_of(y), estimator("log_loss")
    without = alpha_max(estimator("log_loss", fit_intercept=False), X, y)
    assert not is_sharp(model, without, X, y)
    assert not is_sharp(model, alpha_max(model, X, y), X, y, weight)
    assert not is_sharp(model.set_params(penalty="elasticnet"), alpha_max(estimator("log_loss"), X, y), X, y)


def test_alpha_max_with_class_weights():
    X, y = data("log_loss", 3)
    model = estimator("log_loss", class_weight={0: 1.0, 1: 5.0, 2: 0.5})
    alpha = alpha_max(model, X, y)
    assert is_sharp(model, alpha, X, y)
    assert not is_sharp(model.set_params(class_weight=None), alpha, X, y)


@pytest.mark.parametrize("penalty", ["l1", "sparse groups", "features"])
@pytest.mark.parametrize(("loss", "n_outputs"), LOSSES)
def test_a_path_is_the_separate_fits(loss, n_outputs, penalty):
    """Curvature on the support is at least 0.02 here, so gaps of 1e-14 mean coefficients within 1e-6."""
    X, y = planted(loss, n=100, d=6, n_outputs=n_outputs)
    model, weight = estimator(loss, tol=1e-12, **PENALTIES[penalty]), weights_of(y)
    path = rmda_path(model, X, y, n_alphas=4, eps=0.05, sample_weight=weight)
    assert path.alphas[0] == alpha_max(model, X, y, weight)
    assert (path.dual_gaps <= model.tol * path.objectives[0]).all()
    cold = [clone(model).set_params(alpha=alpha).fit(X, y, weight) for alpha in path.alphas]
    for name, one in (("coefs", "coef_"), ("intercepts", "intercept_"), ("objectives", "objective_")):
        np.testing.assert_allclose(getattr(path, name), [getattr(fit, one) for fit in cold], rtol=0, atol=1e-6)
    assert list(path.n_active) == [int((np.atleast_2d(coef) != 0).any(axis=0).sum()) for coef in path.coefs]
    assert not np.allclose(path.coefs[:-1], [fit.coef_ for fit in cold[1:]], rtol=0, atol=1e-3)  # it could tell


@pytest.mark.parametrize(("loss", "n_outputs"), [("squared_error", 1), ("log_loss", 3)])
def test_a_path_on_a_sparse_matrix(loss, n_outputs):
    """Of words: a twentieth of the entries."""
    rng = np.random.default_rng(0)
    X = rng.poisson(0.05, (200, 80)).astype(float)
    y = X @ rng.standard_normal(80) + 0.1 * rng.standard_normal(200)
    y = y if n_outputs == 1 else np.digitize(y, [-0.3, 0.3])
    model = estimator(loss, tol=1e-12)
    dense, csr = (rmda_path(model, how(X), y, n_alphas=4, eps=0.1) for how in (np.asarray, sparse.csr_array))
    assert (csr.dual_gaps <= model.tol * csr.objectives[0]).all()
    np.testing.assert_allclose(csr.coefs, dense.coefs, rtol=0, atol=1e-5)  # curvature is 0.05 of that above
    assert list(csr.n_active) == list(dense.n_active) and 10 < csr.n_active[-1] < 80


def test_given_alphas_come_in_decreasing_order():
    X, y = planted()
    path = rmda_path(RMDARegressor(), X, y, alphas=[0.01, 0.3, 0.1])
    assert list(path.alphas) == [0.3, 0.1, 0.01]
    assert path.coefs.shape == (3, 12)
    assert path.intercepts.shape == (3,)
    assert (np.diff(path.n_active) >= 0).all() and path.n_active[-1] > path.n_active[0]


def test_rmda_looks_for_structure_in_the_first_fit_alone():
    X, y = planted(noise=0.1)
    phases = []
    model = RMDARegressor(batch_size=200, callback=lambda record: phases.append(record.phase))  # all: without noise
    rmda_path(model, X, y, alphas=[0.1, 0.05, 0.02])
    fits = " ".join(phases).split("start")[1:]
    assert ["rmda" in fit for fit in fits] == [True, False, False]
    assert all("newton" in fit for fit in fits[1:])


def test_the_estimator_is_not_changed():
    X, y = planted()
    model = RMDARegressor(alpha=0.3)
    before = model.get_params()
    rmda_path(model, X, y, n_alphas=2)
    alpha_max(model, X, y)
    assert model.get_params() == before
    with pytest.raises(NotFittedError):
        check_is_fitted(model)


@pytest.mark.parametrize("y", [np.zeros(20), np.full(20, 3.7)])
def test_a_constant_target_has_the_null_model_along_its_path(y):
    path = rmda_path(RMDARegressor(), planted(n=20)[0], y, n_alphas=3)
    assert not path.coefs.any() and (path.alphas > 0).all()
    np.testing.assert_allclose(path.intercepts, y[0], rtol=1e-15)


BAD = [
    ({"penalty": L1(1.0)}, {}, "carries its own strength"),
    ({"penalty": "none"}, {}, "has no strength"),
    ({"penalty": None}, {}, "has no strength"),
    ({"penalty": "l3"}, {}, "penalty must be one of"),
    ({"groups": [[0]], "penalty": "group_lasso"}, {}, "feature 1 is in no group"),
    ({}, {"alphas": []}, "alphas must be a sequence"),
    ({}, {"alphas": 0.1}, "alphas must be a sequence"),
    ({}, {"alphas": [0.1, -1.0]}, "alphas must be finite and at least 0"),
    ({}, {"alphas": [np.nan]}, "alphas must be finite and at least 0"),
    ({}, {"n_alphas": 0}, "n_alphas must be at least 1"),
    ({}, {"eps": 0.0}, "eps must lie in"),
    ({}, {"eps": 2.0}, "eps must lie in"),
    ({}, {"sample_weight": np.zeros(200)}, "must not be zero|at least one non-zero"),
]


@pytest.mark.parametrize(("parameters", "how", "message"), BAD)
def test_bad_input(parameters, how, message):
    X, y = planted()
    with pytest.raises(ValueError, match=message):
        rmda_path(RMDARegressor(**parameters), X, y, **how)
    if parameters:
        with pytest.raises(ValueError, match=message):
            alpha_max(RMDARegressor(**parameters), X, y)


@pytest.mark.parametrize("other", [RMDARegressorCV(), RMDARegressor, "l1"])
def test_other_estimators_are_refused(other):
    with pytest.raises(TypeError, match="estimator must be an RMDARegressor or RMDAClassifier"):
        rmda_path(other, *planted())
