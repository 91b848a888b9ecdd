"""Bad parameters and data are named, with the remedy, and nothing has changed; odd but good data are fitted."""

import copy

import numpy as np
import pytest
from plain_objective import planted
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from rmda_ref import L1, MCP, GroupLasso
from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

X, Y = planted(n=40, d=5)
LABELS = planted("log_loss", n=40, d=5, n_outputs=3)[1]
NAN = np.where(np.arange(200).reshape(40, 5) == 7, np.nan, X)

PARAMETERS = [
    ({"alpha": -1.0}, ValueError, r"alpha must lie in \[0, inf\), got -1.0"),
    ({"alpha": np.nan}, ValueError, r"alpha must lie in \[0, inf\), got nan"),
    ({"alpha": "1"}, TypeError, "alpha must be a number, got str"),
    ({"loss": "hinge"}, ValueError, r"loss must be one of .*, got 'hinge'"),
    (
        {"penalty": "l2"},
        ValueError,
        r"penalty must be one of l1, elasticnet, group_lasso, .*or a Regularizer, got 'l2'",
    ),
    ({"penalty": 1.0}, ValueError, "penalty must be one of .*got 1.0"),
    ({"penalty": "elasticnet", "l1_ratio": 0.0}, ValueError, r"l1_ratio must lie in \(0, 1\], got 0.0"),
    ({"penalty": "group_lasso", "groups": [[0, 1], [2, 3]]}, ValueError, "feature 4 is in no group"),
    ({"penalty": "group_lasso", "groups": [[0, 1, 2], [2, 3, 4]]}, ValueError, "but feature 2 is"),
    ({"penalty": "group_lasso", "groups": [[0, 1, 2], [3, 4, 4]]}, ValueError, "but feature 4 is"),  # there twice
    ({"penalty": "group_lasso", "groups": [[0, 1, 2], [3, 4, 5]]}, ValueError, "name feature 5, but X has 5: 0 to 4"),
    ({"penalty": "group_lasso", "groups": [[0, 1, 2, 3, 4], []]}, ValueError, r"none of them empty, got \[\]"),
    ({"penalty": "group_lasso", "groups": [0, 0, 1]}, ValueError, r"must be 5 integers, .*got shape \(3,\)"),
    ({"penalty": "group_lasso", "groups": [0.0, 0, 1, 1, 1]}, ValueError, "must be 5 integers, .*dtype float64"),
    ({"penalty": "group_lasso", "groups": 0}, ValueError, "groups must be at least 1, got 0"),
    ({"penalty": GroupLasso(0.1, groups=[[0, 1]])}, ValueError, "5|2"),
    ({"step_size": 0.0}, ValueError, r"step_size must lie in \(0, inf\), got 0.0"),
    ({"step_size": "fast"}, ValueError, "step_size must be 'auto' or a positive number, got 'fast'"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0; it is the number of samples in a gradient"),
    ({"batch_size": 2.5}, TypeError, "batch_size must be an integer, got float 2.5"),
    ({"batch_size": "all"}, ValueError, "batch_size must be 'auto' or a positive integer, got 'all'"),
    ({"momentum": 0.0}, ValueError, r"momentum must lie in \(0, 1\], got 0.0; it is the paper's c"),
    ({"max_epochs": 0}, ValueError, "max_epochs must be at least 1, got 0"),
    ({"identify_epochs": -1}, ValueError, "identify_epochs must be at least 0, got -1"),
    ({"tol": -1e-3}, ValueError, r"tol must lie in \[0, inf\), got -0.001"),
    ({"stages": 0, "polish": False}, ValueError, "stages"),
    ({"stages": "3", "polish": False}, (ValueError, TypeError), "stages"),
    ({"stages": (0.1, 0.01), "polish": False}, (ValueError, TypeError), "stages"),
    ({"random_state": "zero"}, ValueError, "'zero' cannot be used to seed"),
]


SEEN = {"n_features_in_", "feature_names_in_"}  # of the data, by scikit-learn: test_a_failed_fit_changes_nothing


def refused(model, fit, error, message):
    """The error, and what was learned is as it was before."""
    before = copy.deepcopy(vars(model))
    with pytest.raises(error, match=message):
        fit(model)
    assert vars(model).keys() - SEEN == before.keys() - SEEN
    for name in before.keys() - SEEN:
        if isinstance(before[name], np.ndarray):
            np.testing.assert_array_equal(vars(model)[name], before[name])


@pytest.mark.parametrize("kind", [RMDARegressor, RMDAClassifier])
@pytest.mark.parametrize(("wrong", "error", "message"), PARAMETERS, ids=[str(p[0])[:60] for p in PARAMETERS])
def test_bad_parameters(kind, wrong, error, message):
    y = Y if kind is RMDARegressor else LABELS > 0
    refused(kind(**wrong), lambda model: model.fit(X, y), error, message)
    refused(kind().fit(X, y).set_params(**wrong), lambda model: model.fit(X, y), error, message)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("kind", [RMDARegressor, RMDAClassifier])
def test_a_failed_fit_changes_nothing(kind, method):
    y, how = (Y, {}) if kind is RMDARegressor else (LABELS, {"classes": [0, 1, 2]} if method == "partial_fit" else {})
    fresh = kind(alpha=-1.0)
    before = set(vars(fresh))
    with pytest.raises(ValueError, match="alpha"):
        getattr(fresh, method)(X, y, **how)
    assert set(vars(fresh)) == before
    if method == "fit":
        fitted = kind().fit(X, y).set_params(alpha=-1.0)
        predicted = fitted.predict(X)
        with pytest.raises(ValueError, match="alpha"):
            fitted.fit(X[:, :4], y)
        np.testing.assert_array_equal(fitted.predict(X), predicted)


@pytest.mark.parametrize(
    ("kind", "wrong", "message"),
    [
        (RMDARegressor, {"epsilon": 0.0, "loss": "huber"}, r"epsilon must lie in \(0, inf\), got 0.0"),
        (RMDARegressor, {"penalty": "nuclear"}, "'nuclear' is for several outputs, .*use 'l1'"),
        (RMDAClassifier, {"penalty": "nuclear"}, "'nuclear' is for several outputs"),
        (RMDARegressor, {"loss": "log_loss"}, "one of squared_error, huber, poisson, got 'log_loss'"),
    ],
)
def test_bad_parameters_of_one(kind, wrong, message):
    y = Y if kind is RMDARegressor else LABELS > 0
    refused(kind(**wrong), lambda model: model.fit(X, y), ValueError, message)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (NAN, Y, "Input X contains NaN"),
        (sparse.csr_array(NAN), Y, "Input X contains NaN"),
        (X, np.where(np.arange(40) == 3, np.inf, Y), "Input y contains infinity"),
        (X, Y[:-1], "inconsistent numbers of samples"),
        (X[:, 0], Y, "Expected 2D array, got 1D array instead"),
        (X[:0], Y[:0], "0 sample"),
        (X[:, :0], Y, "0 feature"),
        (X.astype(complex), Y, "Complex data not supported"),
    ],
    ids=["nan", "sparse nan", "inf in y", "length", "vector", "no samples", "no features", "complex"],
)
def test_bad_data(X, y, message):
    refused(RMDARegressor(), lambda model: model.fit(X, y), ValueError, message)


def test_bad_targets():
    refused(RMDAClassifier(), lambda m: m.fit(X, np.full(40, "a")), ValueError, "only one class: .*'a'")
    refused(RMDAClassifier(), lambda m: m.fit(X, Y), ValueError, "Unknown label type: continuous")
    refused(RMDAClassifier(), lambda m: m.fit(X, np.eye(40, 2)), ValueError, "y should be a 1d array|multilabel")
    refused(RMDARegressor("poisson"), lambda m: m.fit(X, Y), ValueError, "y must be at least 0, got -")
    refused(RMDARegressor(), lambda m: m.fit(X, None), ValueError, "requires y to be passed")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(39), "sample_weight.shape"),
        (-np.ones(40), "[Nn]egative"),
        (np.zeros(40), "(must not be|at least one non-)zero"),
    ],
)
def test_bad_weights(weight, message):
    for model, y in ((RMDARegressor(), Y), (RMDAClassifier(), LABELS)):
        refused(model, lambda m, y=y: m.fit(X, y, sample_weight=weight), ValueError, message)


def test_an_interrupt_leaves_no_half_fit():
    def interrupt(record):
        raise KeyboardInterrupt

    for model, y in ((RMDARegressor(callback=interrupt), Y), (RMDAClassifier(callback=interrupt), LABELS)):
        refused(model, lambda m, y=y: m.fit(X, y), KeyboardInterrupt, None)


def test_prediction_of_other_features():
    model = RMDARegressor().fit(X, Y)
    with pytest.raises(ValueError, match="X has 4 features, but RMDARegressor is expecting 5 features"):
        model.predict(X[:, :4])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.predict(NAN)


# ---- odd but good


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson"])
@pytest.mark.parametrize("intercept", [False, True])
def test_one_sample(loss, intercept):
    model = RMDARegressor(loss, alpha=0.1, fit_intercept=intercept).fit([[1.0, 2.0]], [3.0])
    assert model.dual_gap_ < 1e-9
    if intercept:
        assert not model.coef_.any()
        assert model.predict([[1.0, 2.0]])[0] == pytest.approx(3, rel=1e-6)
    else:
        assert model.coef_[0] == 0 < model.coef_[1]


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("penalty", ["l1", "elasticnet", "group_lasso", "sparse_group_lasso"])
def test_a_column_of_zeros_has_coefficient_zero(penalty, make):
    A = X * (np.arange(5) != 2)
    for model, y in ((RMDARegressor(penalty=penalty), Y), (RMDAClassifier(penalty=penalty, alpha=0.02), LABELS)):
        model.fit(make(A), y)
        assert not model.coef_[..., 2].any()
        assert model.coef_.any()
        assert not model.fit(make(0 * A), y).coef_.any()  # nor is anything else


def test_a_constant_target():
    model = RMDARegressor().fit(X, np.full(40, 2.5))
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(2.5, rel=1e-14)


@pytest.mark.parametrize("how", [{"penalty": "none"}, {"alpha": 0.0}])
def test_separable_data_without_penalty_have_no_solution(how):
    """A few rounds are too few, and that is said; in the end the infimum 0 is near all the same."""
    y = X[:, 0] > 0
    with pytest.warns(ConvergenceWarning, match="RMDAClassifier stopped after"):
        model = RMDAClassifier(max_epochs=1, polish=False, random_state=0, **how).fit(X, y)
    assert np.isfinite(model.coef_).all()
    model = RMDAClassifier(random_state=0, **how).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.score(X, y) == 1
    assert 0 <= model.objective_ < 1e-8


@pytest.mark.parametrize("how", [{"penalty": "none"}, {"alpha": 0.0}, {"penalty": L1(0.2, weights=np.zeros(5))}])
def test_no_strength_is_no_penalty(how):
    """Where there is a solution it is found, without a warning."""
    model = RMDARegressor(random_state=0, **how).fit(X, Y)
    A = np.column_stack((X, np.ones(40)))
    expected = np.linalg.lstsq(A, Y)[0]
    np.testing.assert_allclose([*model.coef_, model.intercept_], expected, rtol=1e-7)  # of a gradient of 1e-10


def test_a_penalty_that_is_not_convex():
    psi = MCP(0.1, 3.0)
    model = RMDARegressor(penalty=psi, random_state=0).fit(X, Y)
    assert np.isinf(model.dual_gap_)
    assert 0 < np.count_nonzero(model.coef_) < 5
    assert model.kkt_residual_ < 1e-9
    residuals = X @ model.coef_ + model.intercept_ - Y
    expected = np.hypot(psi.subdiff_distance(model.coef_, -X.T @ residuals / 40), residuals.mean())
    assert model.kkt_residual_ == pytest.approx(expected, abs=1e-14)  # rounding of sums of 40 terms
    with pytest.warns(ConvergenceWarning, match=r"MCP is not convex: a small KKT residual says"):
        RMDARegressor(penalty=psi, max_epochs=1, polish=False, random_state=0).fit(X, Y)


def test_a_given_regularizer_is_used_as_it_is():
    psi = GroupLasso(0.03, groups=[[0, 4], [1, 2], [3]], weights=[1.0, 2.0, 5.0])
    model = RMDARegressor(penalty=psi, alpha=7.0, random_state=0).fit(X, Y)
    assert model.coef_[:3].all() and model.coef_[3] == 0
    assert model.dual_gap_ < 1e-9


def test_a_group_of_weight_zero_is_not_penalised():
    psi = GroupLasso(0.2, groups=[[0, 4], [1, 2], [3]], weights=[1.0, 2.0, 0.0])
    model = RMDARegressor(penalty=psi, random_state=0).fit(X, Y)
    assert model.coef_[3] != 0
    assert model.kkt_residual_ < 1e-9
