"""What users of scikit-learn do with an estimator, beyond its own checks."""

import copy
import pickle
from functools import cache

import numpy as np
import pytest
from plain_objective import planted
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

X, Y = planted()
CLASSES = {2: planted("log_loss", n_outputs=2), 3: planted("log_loss", n_outputs=3)}
EPS = np.finfo(float).eps


@cache
def fitted(name):
    match name:
        case "one output":
            return RMDARegressor(alpha=0.1, random_state=0).fit(X, Y), X
        case "poisson":
            return RMDARegressor(loss="poisson", alpha=0.1, random_state=0).fit(X, np.round(np.exp(Y))), X
        case "two outputs":
            return RMDARegressor(penalty="group_lasso", random_state=0).fit(X, np.column_stack((Y, -Y))), X
    A, y = CLASSES[2 if name == "two classes" else 3]
    return RMDAClassifier(penalty="group_lasso", alpha=0.02, random_state=0).fit(A, y), A


@pytest.fixture(params=["one output", "poisson", "two outputs", "two classes", "three classes"])
def model_and_data(request):
    model, A = fitted(request.param)
    return copy.deepcopy(model), A


def test_a_pickle_predicts_alike(model_and_data):
    model, A = model_and_data
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(A), model.predict(A))
    np.testing.assert_array_equal(again.history_.column("gap"), model.history_.column("gap"))
    assert again.dual_gap_ == model.dual_gap_


def test_a_clone_fits_alike(model_and_data):
    model, A = model_and_data
    y = model.predict(A)
    one, two = (clone(model).fit(A, y) for _ in range(2))
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert not hasattr(clone(model), "coef_")


def test_sparsify_and_densify(model_and_data):
    model, A = model_and_data
    before, coef = model.predict(A), model.coef_.copy()
    assert model.sparsify() is model
    assert sparse.issparse(model.coef_)
    np.testing.assert_allclose(model.predict(A), before, rtol=1e-13)  # sums of 12 terms in another order
    np.testing.assert_allclose(model.predict(sparse.csr_array(A)), before, rtol=1e-13)
    pickle.loads(pickle.dumps(model)).predict(A)
    assert model.densify() is model
    np.testing.assert_array_equal(np.reshape(model.coef_, coef.shape), coef)
    np.testing.assert_array_equal(model.predict(A), before)
    assert model.densify().predict(A).shape == before.shape


def test_sparse_data_predict_like_dense_data(model_and_data):
    model, A = model_and_data
    for make in (sparse.csr_array, sparse.csc_array, sparse.csr_matrix):
        np.testing.assert_allclose(model.predict(make(A)), model.predict(A), rtol=1e-13)


def test_the_poisson_mean_is_an_exponential():
    model, A = fitted("poisson")
    np.testing.assert_allclose(model.predict(A), np.exp(A @ model.coef_ + model.intercept_), rtol=1e-14)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_probabilities(n_classes):
    A, y = CLASSES[n_classes]
    model = RMDAClassifier(alpha=0.01, random_state=0).fit(A, np.array(["no", "or", "yes"])[y])
    p = model.predict_proba(A)
    assert p.shape == (len(A), n_classes)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=n_classes * EPS)
    np.testing.assert_allclose(model.predict_log_proba(A), np.log(p), rtol=1e-12, atol=4 * EPS)
    np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(A))
    z = model.decision_function(A)
    assert z.shape == ((len(A),) if n_classes == 2 else (len(A), 3))
    np.testing.assert_array_equal(model.predict(A) == model.classes_[-1], z > 0 if n_classes == 2 else z.argmax(1) == 2)
    far = model.predict_log_proba(1e3 * A)  # where probabilities are 0
    assert np.isfinite(far).all() and (far.min(axis=1) < -700).any()


def test_probabilities_are_those_of_the_log_loss_alone():
    model = RMDAClassifier(loss="squared_hinge", alpha=0.01).fit(*CLASSES[2])
    assert not hasattr(model, "predict_proba")
    with pytest.raises(AttributeError):
        model.predict_log_proba(X)


def test_class_weights_are_sample_weights():
    A, y = CLASSES[3]
    weight = np.array([1.0, 2.0, 5.0])[y]
    by_class = RMDAClassifier(alpha=0.01, class_weight={0: 1, 1: 2, 2: 5}, random_state=0).fit(A, y)
    by_sample = RMDAClassifier(alpha=0.01, random_state=0).fit(A, y, sample_weight=weight)
    np.testing.assert_array_equal(by_class.coef_, by_sample.coef_)
    balanced = RMDAClassifier(alpha=0.01, class_weight="balanced", random_state=0).fit(A, y)
    share = RMDAClassifier(alpha=0.01, random_state=0).fit(A, y, sample_weight=(1 / np.bincount(y))[y])
    np.testing.assert_allclose(balanced.coef_, share.coef_, rtol=0, atol=1e-6)  # weights are equal up to rounding


def test_whole_weights_are_repetitions():
    counts = np.arange(len(X)) % 3
    weighted = RMDARegressor(alpha=0.1, tol=1e-13).fit(X, Y, sample_weight=counts)
    repeated = RMDARegressor(alpha=0.1, tol=1e-13).fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=0, atol=1e-6)  # as in test_equal_optimum.py
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-12)


def test_in_a_pipeline_and_a_grid_search():
    pipeline = make_pipeline(StandardScaler(), RMDARegressor(random_state=0))
    search = GridSearchCV(pipeline, {"rmdaregressor__alpha": [1e-3, 1e-1, 10.0]}, cv=3).fit(X, Y)
    assert search.best_params_["rmdaregressor__alpha"] < 10
    assert search.best_estimator_[-1].dual_gap_ < 1e-8
    assert search.score(X, Y) == pytest.approx(search.best_estimator_.score(X, Y))
    scores = cross_val_score(RMDAClassifier(alpha=0.01, random_state=0), *CLASSES[3], cv=3)
    assert (scores > 0.6).all()  # chance is 1/3
    rest = OneVsRestClassifier(RMDAClassifier(alpha=0.01, random_state=0)).fit(*CLASSES[3])
    assert rest.score(*CLASSES[3]) > 0.6


def test_sample_weights_are_routed():
    weight = np.arange(len(X)) % 3.0
    direct = RMDARegressor(alpha=0.1, random_state=0).fit(X, Y, sample_weight=weight)
    with config_context(enable_metadata_routing=True):
        model = RMDARegressor(alpha=0.1, random_state=0).set_fit_request(sample_weight=True)
        scaler = StandardScaler(with_mean=False, with_std=False).set_fit_request(sample_weight=False)
        routed = make_pipeline(scaler, model).fit(X, Y, sample_weight=weight)
        search = GridSearchCV(model.set_score_request(sample_weight=True), {"alpha": [0.1]}, cv=2)
        search.fit(X, Y, sample_weight=weight)
        RMDAClassifier().set_partial_fit_request(classes=True, sample_weight=True)
    np.testing.assert_array_equal(routed[-1].coef_, direct.coef_)
    np.testing.assert_array_equal(search.best_estimator_.coef_, direct.coef_)


@pytest.mark.needs("pandas")
def test_names_of_features():
    import pandas

    names = [f"x{j}" for j in range(12)]
    frame = pandas.DataFrame(X, columns=names)
    model = RMDARegressor(alpha=0.1, random_state=0).fit(frame, Y)
    assert model.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[names[::-1]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    scaled = make_pipeline(StandardScaler(), RMDARegressor(alpha=0.1)).set_output(transform="pandas").fit(frame, Y)
    assert scaled[-1].feature_names_in_.tolist() == names


@pytest.mark.parametrize("kind", [RMDARegressor, RMDAClassifier])
def test_what_is_not_fitted_says_so(kind):
    for call in (lambda m: m.predict(X), lambda m: m.sparsify(), lambda m: m.densify()):
        with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted yet"):
            call(kind())
    with pytest.raises(AttributeError, match="has no attribute 'coef_'"):
        _ = kind().coef_


def test_float32_stays_float32():
    model = RMDARegressor(alpha=0.1, random_state=0).fit(X.astype(np.float32), Y)
    assert model.coef_.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype == np.float32
    reference = RMDARegressor(alpha=0.1, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=0, atol=1e-3)  # a gap of 64 eps, and its root
