"""A fit from its start to its proof: the history, what ends it, what is said, and what it leaves behind."""

import numpy as np
import pytest
from plain_objective import CLASSIFICATION, planted
from sklearn.exceptions import ConvergenceWarning

from rmda_ref import MCP
from rmda_ref.linear_model import History, Record, RMDAClassifier, RMDARegressor

ALPHA = 0.1  # of the planted problems: between the noise of a correlation, 0.04, and the weakest effect, 0.2
TOL = 1e-10
ROUNDING = 1e-13  # relative: sums of 200 terms, each correct to a few eps


def fitted(loss="squared_error", n_outputs=1, **how):
    X, y = planted(loss, n_outputs=n_outputs)
    kind = RMDAClassifier if loss in CLASSIFICATION else RMDARegressor
    return kind(loss=loss, **({"alpha": ALPHA, "tol": TOL, "random_state": 0} | how)).fit(X, y)


def fitted_with_warning(match, **how):
    with pytest.warns(ConvergenceWarning, match=match):
        return fitted(**how)


# ---- the history


@pytest.mark.parametrize("loss", ["squared_error", "huber", "poisson", "log_loss", "squared_hinge"])
def test_the_history_has_a_record_an_epoch(loss):
    model = fitted(loss, n_outputs=2 if loss in CLASSIFICATION else 1, identify_epochs=3)
    history = model.history_
    phases = [record.phase for record in history]
    assert phases[0] == "start"
    assert phases[1:] == sorted(phases[1:], reverse=True)  # first rmda, then newton
    np.testing.assert_array_equal(history.column("epoch"), np.arange(len(history)))
    assert model.n_iter_ == max(len(history) - 1, 1)
    last = history[-1]
    assert (last.objective, last.gap) == (model.objective_, model.dual_gap_)
    assert last.n_active == np.count_nonzero(np.any(np.atleast_2d(model.coef_), axis=0))
    assert np.isfinite([r.step_size for r in history if r.phase == "rmda"]).all()
    assert np.isnan([r.step_size for r in history if r.phase != "rmda"]).all()


def test_newton_neither_raises_the_objective_nor_ends_before_the_proof():
    model = fitted("log_loss", 3, penalty="group_lasso", alpha=0.01, identify_epochs=0)
    history = model.history_
    objective = history.column("objective")
    assert history.column("phase").tolist() == ["start"] + ["newton"] * (len(history) - 1)
    assert (np.diff(objective) <= ROUNDING * np.abs(objective[:-1])).all()
    assert history.column("gap")[-1] <= TOL * objective[0]  # tol, of the null model, where it starts
    assert (history.column("gap")[:-1] > TOL * objective[0]).all()
    lower = objective - history.column("gap")
    assert (lower <= model.objective_ * (1 + ROUNDING)).all()


def test_a_history_is_a_sequence_with_columns():
    history = fitted().history_
    assert isinstance(history, History)
    assert isinstance(history[0], Record)
    assert isinstance(history[1:], History)
    assert list(history)[1:] == list(history[1:])
    assert history.column("n_active").tolist() == [record.n_active for record in history]
    np.testing.assert_array_equal(history.gap, history.column("gap"))  # as its docstring says
    assert repr(history).startswith(f"<History of {len(history)} records: phase, epoch")
    with pytest.raises(ValueError, match=r"name must be one of phase, epoch, .*got 'loss'"):
        history.column("loss")


def test_a_picture():
    pytest.importorskip("matplotlib", reason="not run: matplotlib is not installed (pip install 'rmda-ref[report]')")
    for model in (fitted(), fitted(penalty=MCP(0.1, 3.0))):  # with a gap and without
        figure = model.history_.plot()
        assert [axes.get_ylabel().split()[-1] for axes in figure.axes] == [
            "optimum" if np.isfinite(model.dual_gap_) else "objective",
            "model",
        ]


# ---- what ends a fit, and what is said


def test_a_callback_ends_it_and_sees_every_record():
    seen = []
    how = {"polish": False, "callback": lambda record: seen.append(record) or record.epoch >= 3}
    model = fitted_with_warning("stopped after 3 epochs before tol=1e-10 was reached", **how)
    assert seen == list(model.history_)
    assert [record.epoch for record in seen] == [0, 1, 2, 3]


def test_a_callback_that_returns_nothing_goes_on():
    assert fitted(callback=lambda record: None).dual_gap_ == fitted().dual_gap_


def test_a_callback_can_end_newton_too():
    model = fitted_with_warning("stopped after 1 epochs", identify_epochs=0, callback=lambda r: r.phase == "newton")
    assert model.history_.column("phase").tolist() == ["start", "newton"]


def test_verbose_prints_the_records(capsys):
    model = fitted(verbose=1)
    assert capsys.readouterr().out.splitlines() == [str(record) for record in model.history_]
    assert "objective" in str(model.history_[0])
    fitted()
    assert capsys.readouterr().out == ""


def test_a_budget_too_small_is_a_warning_with_the_gap():
    model = fitted_with_warning(r"RMDARegressor stopped after 1 epochs", max_epochs=1, polish=False)
    with pytest.warns(ConvergenceWarning) as caught:
        fitted(max_epochs=1, polish=False)
    text = str(caught[0].message)
    assert f"the duality gap is {model.dual_gap_:.2e}, " in text
    assert "Increase max_epochs, alpha or tol, or scale the features." in text
    assert caught[0].filename == __file__  # the line that called fit


def test_without_a_certificate_the_warning_says_so():
    with pytest.warns(ConvergenceWarning, match=r"the KKT residual is .* \(MCP is not convex: a small KKT residual"):
        model = fitted(penalty=MCP(0.1, 3.0), max_epochs=1, polish=False)
    assert np.isinf(model.dual_gap_)


@pytest.mark.filterwarnings("ignore:.* stopped after:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("how", [{}, {"identify_epochs": 5}, {"identify_epochs": 0}, {"polish": False}])
def test_max_epochs_bounds_both_phases(how):
    for max_epochs in (1, 2):
        model = fitted("log_loss", 2, alpha=1e-3, tol=0, max_epochs=max_epochs, **how)
        assert model.n_iter_ == len(model.history_) - 1 <= max_epochs


@pytest.mark.parametrize("how", [{"polish": False, "tol": 1e-2, "batch_size": 400}, {"identify_epochs": 0}])
def test_a_warm_start_takes_fewer_epochs(how):
    X, y = planted("log_loss", n_outputs=2, n=400)
    model = RMDAClassifier(alpha=0.02, random_state=0, warm_start=True, **how).fit(X, y)
    cold, first_gap = model.n_iter_, model.history_[0].gap
    solution = model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ == 1 < cold  # of which none was needed
    assert [record.phase for record in model.history_] == ["start"]
    np.testing.assert_allclose(model.coef_, solution, rtol=1e-15)
    model.set_params(alpha=0.0201).fit(X, y)
    assert model.n_iter_ <= cold
    assert model.history_[0].gap < first_gap / 10  # alpha has changed by a two-hundredth
    model.set_params(warm_start=False, alpha=0.02).fit(X, y)
    assert model.n_iter_ == cold


def test_a_warm_start_from_another_shape_starts_anew():
    X, y = planted()
    model = RMDARegressor(alpha=ALPHA, warm_start=True, random_state=0).fit(X[:, :4], y)
    cold = RMDARegressor(alpha=ALPHA, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.fit(X, y).coef_, cold.coef_)


# ---- what it leaves behind


def test_the_manifold_is_identified_by_rmda_alone():
    X, y = planted(n=2000)
    model = RMDARegressor(alpha=ALPHA, identify_epochs=50, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.support_, np.arange(12) < 3)
    assert 0 < model.identification_epoch_ <= sum(record.phase == "rmda" for record in model.history_)
    for record in model.history_[1:]:
        assert record.n_active == 3 or record.epoch < model.identification_epoch_
    assert np.isnan(RMDARegressor(alpha=ALPHA, identify_epochs=0, random_state=0).fit(X, y).identification_epoch_)


@pytest.mark.parametrize("intercept", [False, True])
def test_margin_and_residual_by_hand(intercept):
    """The margin is what is left of alpha for the largest correlation of a feature that is out."""
    X, y = planted()
    X = X + 0.3
    model = RMDARegressor(alpha=ALPHA, fit_intercept=intercept, random_state=0).fit(X, y)
    gradient = X.T @ (X @ model.coef_ + model.intercept_ - y) / len(y)
    out = ~model.support_
    np.testing.assert_array_equal(model.support_, model.coef_ != 0)
    assert 0 < out.sum() < 12
    expected = ALPHA - np.abs(gradient[out]).max()
    assert model.margin_ == pytest.approx(expected, abs=1e-15 * len(y))  # sums of n terms of size 1/n
    assert model.margin_ > 0
    residual = np.linalg.norm((gradient + ALPHA * np.sign(model.coef_))[~out])
    assert model.kkt_residual_ == pytest.approx(residual, abs=1e-15 * len(y))


def test_the_margin_of_groups_and_where_there_is_none():
    model = fitted("log_loss", 3, penalty="group_lasso")
    assert model.margin_ > 0
    assert np.isnan(fitted(penalty="elasticnet").margin_)  # none is known
    assert np.isinf(fitted(alpha=1e-6).margin_)  # nothing is out


def test_a_group_is_in_or_out():
    model = fitted("log_loss", 3, penalty="group_lasso", groups=[[0, 5, 7], [1, 2], [3, 4, 6], [8, 9, 10, 11]])
    assert model.support_.shape == model.coef_.shape == (3, 12)
    in_model = model.support_.any(axis=0)
    assert all(in_model[group].all() or not in_model[group].any() for group in model.groups)
    assert in_model.any()


def test_alpha_beyond_the_largest_leaves_the_null_model():
    X, y = planted()
    model = RMDARegressor(alpha=100.0, random_state=0).fit(X, y)
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(y.mean(), rel=1e-14)
    assert model.objective_ == pytest.approx(np.var(y) / 2, rel=1e-14)
    assert len(model.history_) == 1
