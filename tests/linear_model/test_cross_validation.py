"""Cross-validation chooses what a loop over folds chooses, and leaves a fit to all data."""

import joblib
import numpy as np
import pytest
from plain_objective import planted
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LassoCV
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from rmda_ref.linear_model import RMDAClassifier, RMDAClassifierCV, RMDARegressor, RMDARegressorCV, alpha_max
from rmda_ref.linear_model.cross_validation import best_of
from rmda_ref.regularizers import L1

ALPHAS = np.geomspace(0.3, 0.01, 5)
TOL = 1e-12  # of the fits that are compared
NEAR = {"rtol": 0, "atol": 1e-6}  # as separate fits and those of a path, see test_path.py


def weights_of(y):
    return np.random.default_rng(1).integers(0, 4, len(y)).astype(float)


def assert_same_fit(model, other):
    for name in ("coef_", "intercept_", "support_", "objective_", "dual_gap_", "n_iter_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(other, name))


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regression_is_a_loop_over_folds(loss, n_outputs):
    """The loss of held-out samples, weighted, written apart."""
    X, y = planted(loss, n=60, n_outputs=n_outputs)
    weight = weights_of(y)
    model = RMDARegressorCV(loss=loss, alphas=ALPHAS, cv=3, tol=TOL, random_state=0).fit(X, y, weight)
    scores = np.empty((5, 3))
    for fold, (train, test) in enumerate(KFold(3).split(X)):
        for k, alpha in enumerate(ALPHAS):
            fit = RMDARegressor(loss=loss, alpha=alpha, tol=TOL, random_state=0).fit(X[train], y[train], weight[train])
            z = X[test] @ fit.coef_.T + fit.intercept_
            r = np.abs(z - y[test])
            losses = {
                "squared_error": r**2 / 2,
                "huber": np.where(r <= 1.35, r**2 / 2, 1.35 * (r - 1.35 / 2)),
                "poisson": np.exp(z) - y[test] * z,
            }[loss]
            scores[k, fold] = -np.average(losses.reshape(len(test), -1).sum(axis=1), weights=weight[test])
    np.testing.assert_allclose(model.cv_scores_, scores, **NEAR)
    np.testing.assert_array_equal(model.mean_score_path_, model.cv_scores_.mean(axis=1))
    assert model.alpha_ == ALPHAS[scores.mean(axis=1).argmax()]
    assert model.alpha_ != ALPHAS[scores.mean(axis=1).argmin()]
    assert_same_fit(model, RMDARegressor(loss=loss, alpha=model.alpha_, tol=TOL, random_state=0).fit(X, y, weight))


def test_classification_is_a_loop_over_folds():
    """Labels, whose weights are those of each training set; folds keep the proportions of the classes."""
    X, codes = planted("log_loss", n=60, n_outputs=3)
    y, weight = np.array(["ape", "bee", "cat"])[codes], weights_of(codes)
    how = {"penalty": "group_lasso", "class_weight": "balanced", "tol": TOL, "random_state": 0}
    model = RMDAClassifierCV(**how, alphas=ALPHAS, cv=3, scoring="neg_log_loss").fit(X, y, weight)
    scores = np.empty((5, 3))
    for fold, (train, test) in enumerate(StratifiedKFold(3).split(X, y)):
        for k, alpha in enumerate(ALPHAS):
            fit = RMDAClassifier(**how, alpha=alpha).fit(X[train], y[train], weight[train])
            scores[k, fold] = -log_loss(y[test], fit.predict_proba(X[test]), sample_weight=weight[test])
    np.testing.assert_allclose(model.cv_scores_, scores, **NEAR)
    assert model.alpha_ == ALPHAS[scores.mean(axis=1).argmax()] != ALPHAS[0]
    assert_same_fit(model, RMDAClassifier(**how, alpha=model.alpha_).fit(X, y, weight))
    assert list(model.predict(X[:5])) == list(model.classes_[model.predict_proba(X[:5]).argmax(axis=1)])


@pytest.mark.parametrize("how", [np.asarray, sparse.csr_array])
def test_lasso_of_scikit_learn(how):
    """The same grid and mean squared errors; its duality gap of 1e-10 leaves them 1e-4 at most."""
    X, y = planted(noise=2.0)
    reference = LassoCV(cv=5, tol=1e-10, max_iter=10**6, alphas=20).fit(X, y)
    model = RMDARegressorCV(n_alphas=20).fit(how(X), y)
    np.testing.assert_allclose(model.alphas_, reference.alphas_, rtol=1e-12)
    np.testing.assert_allclose(-2 * model.cv_scores_, reference.mse_path_, rtol=1e-4)
    assert model.alpha_ == pytest.approx(reference.alpha_, rel=1e-12) and model.alpha_ < model.alphas_[0]


def test_accuracy_is_the_default_of_the_classifier():
    X, y = planted("log_loss", n=60, n_outputs=2)
    model = RMDAClassifierCV(alphas=ALPHAS, cv=3).fit(X, y)
    search = GridSearchCV(RMDAClassifier(), {"alpha": ALPHAS}, cv=3).fit(X, y)
    np.testing.assert_allclose(model.mean_score_path_, search.cv_results_["mean_test_score"], rtol=1e-15)
    assert model.alpha_ == search.best_params_["alpha"]


def test_default_grid():
    X, y = planted(n=60)
    model = RMDARegressorCV(n_alphas=4, eps=0.1, cv=3).fit(X, y)
    top = alpha_max(RMDARegressor(), X, y)
    np.testing.assert_allclose(model.alphas_, top * np.array([1, 0.1 ** (1 / 3), 0.1 ** (2 / 3), 0.1]), rtol=1e-12)
    assert model.cv_scores_.shape == (4, 3)


def test_among_equal_scores_the_largest_alpha_is_taken():
    X, y = planted("log_loss", n=60, n_outputs=2)
    model = RMDAClassifierCV(alphas=ALPHAS[::-1], cv=3, scoring=lambda model, X, y: 0.3).fit(X, y)
    assert model.alpha_ == ALPHAS[0]
    rounded = np.array([0.1, np.nextafter(0.3, 0), 0.3, 0.2])
    assert best_of(rounded, n_folds=3) == 1 and rounded.argmax() == 2
    assert best_of(np.array([-3.0, -1.0, -2.0]), n_folds=5) == 1


def test_a_scorer_without_weights_gets_none():
    X, y = planted(n=60)
    seen = []

    def score(model, X, y):
        seen.append(len(y))
        return -float(np.abs(model.predict(X) - y).max())

    RMDARegressorCV(alphas=[0.1], cv=3, scoring=score).fit(X, y, weights_of(y))
    RMDARegressorCV(alphas=[0.1], cv=3, scoring="neg_max_error").fit(X, y, weights_of(y))
    assert seen == [20, 20, 20]


def test_folds_in_parallel():
    X, y = planted(n=60)
    one, two = (RMDARegressorCV(alphas=ALPHAS, cv=3, tol=TOL, n_jobs=n_jobs) for n_jobs in (None, 2))
    with joblib.parallel_config(backend="threading"):
        np.testing.assert_allclose(one.fit(X, y).cv_scores_, two.fit(X, y).cv_scores_, **NEAR)


def test_weights_are_routed():
    X, y = planted(n=60)
    weight = weights_of(y)
    model = RMDARegressorCV(alphas=ALPHAS, cv=3, tol=TOL, random_state=0)
    plain = clone(model).fit(StandardScaler().fit_transform(X), y, weight)
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, clone(model).set_fit_request(sample_weight=True))
        routed = pipeline.fit(X, y, sample_weight=weight)[1]
    np.testing.assert_allclose(routed.cv_scores_, plain.cv_scores_, **NEAR)
    assert not np.allclose(routed.cv_scores_, clone(model).fit(X, y).cv_scores_, **NEAR)


def test_records_are_those_of_the_last_fit():
    X, y = planted(n=60)
    records = []
    model = RMDARegressorCV(alphas=ALPHAS, cv=3, callback=records.append).fit(X, y)
    assert records == list(model.history_)


def test_parameters_are_those_of_the_estimator_without_alpha():
    more = {"alphas", "n_alphas", "eps", "cv", "scoring", "n_jobs"}
    for kind, base in ((RMDARegressorCV, RMDARegressor), (RMDAClassifierCV, RMDAClassifier)):
        mine, its = kind().get_params(), base().get_params()
        assert mine.keys() == (its.keys() - {"alpha"}) | more
        assert all(mine[name] == its[name] for name in its.keys() & mine.keys())
        assert not hasattr(kind(), "partial_fit") and hasattr(base(), "partial_fit")
        with pytest.raises(AttributeError) as error:
            _ = kind().partial_fit
        assert "its alpha is chosen by all data at once" in str(error.value.__cause__)


BAD = [
    ({"penalty": L1(1.0)}, "carries its own strength"),
    ({"penalty": "none"}, "has no strength"),
    ({"penalty": "none", "alphas": [0.1]}, "has no strength"),
    ({"loss": "hinge"}, "loss must be one of"),
    ({"alphas": []}, "alphas must be a sequence"),
    ({"alphas": [-1.0]}, "alphas must be finite and at least 0"),
    ({"n_alphas": 0}, "n_alphas must be at least 1"),
    ({"cv": 1}, "n_splits=2 or more"),
    ({"cv": 100}, "n_splits=100 greater than the number of samples"),
    ({"scoring": lambda model, X, y: np.nan, "n_alphas": 2}, "gave NaN in 6 of 6 fits"),
    ({"scoring": "loss"}, "scoring"),
]


@pytest.mark.parametrize(("parameters", "message"), BAD)
def test_bad_input(parameters, message):
    X, y = planted(n=60)
    with pytest.raises(ValueError, match=message):
        RMDARegressorCV(**({"cv": 3} | parameters)).fit(X, y)


ESTIMATORS = [RMDARegressorCV(n_alphas=5, eps=0.5, cv=3), RMDAClassifierCV(alphas=[0.2, 0.1], cv=3)]


@pytest.mark.parametrize("model", ESTIMATORS, ids=str)
def test_every_check_of_scikit_learn_passes(model):
    """But for the one of arrays of other libraries, which SCIPY_ARRAY_API asks for."""
    results = check_estimator(model, on_fail=None, on_skip=None)
    assert len(results) > 50
    assert {r["check_name"] for r in results if r["status"] != "passed"} == {"check_array_api_input"}


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="needs samples of at least 2 classes"):
        RMDAClassifierCV().fit(np.eye(6), np.ones(6))
