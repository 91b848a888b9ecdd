"""scikit-learn's own checks, all of them: no expected failures."""

import pytest
from sklearn.utils.estimator_checks import check_estimator

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

ALLOWED = {"check_array_api_input"}  # for estimators that take arrays of other libraries; SCIPY_ARRAY_API asks for it

ESTIMATORS = [
    RMDARegressor(),
    RMDARegressor(loss="huber"),
    RMDARegressor(penalty="group_lasso", alpha=0.01),
    RMDAClassifier(),
    # Weights are to equal repetitions within 1e-7, and the gap of an elastic net is quadratic in the distance.
    RMDAClassifier(penalty="elasticnet", alpha=0.01, tol=1e-13),
]


def outcomes(estimator):
    """What did not pass: (check, status, exception)."""
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 50
    return [(r["check_name"], r["status"], repr(r["exception"])) for r in results if r["status"] != "passed"]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_every_check_passes(estimator):
    assert [name for name in outcomes(estimator) if name[:2] != (*ALLOWED, "skipped")] == []


@pytest.mark.filterwarnings("ignore:.* stopped after:sklearn.exceptions.ConvergenceWarning")  # and says so, rightly
@pytest.mark.parametrize("estimator", [RMDARegressor(polish=False), RMDAClassifier(polish=False)], ids=str)
def test_every_check_passes_for_rmda_alone(estimator):
    """In 30 epochs; scikit-learn's checks of scores and of weights need no more."""
    estimator.set_params(max_epochs=30)
    assert [name for name in outcomes(estimator) if name[:2] != (*ALLOWED, "skipped")] == []


def test_a_wrong_estimator_is_not_passed():
    """One that changes its parameters in fit."""

    class Changed(RMDARegressor):
        def fit(self, X, y, sample_weight=None):
            self.alpha = 2 * self.alpha
            return super().fit(X, y, sample_weight)

    assert "check_dont_overwrite_parameters" in [name for name, status, _ in outcomes(Changed()) if status == "failed"]
