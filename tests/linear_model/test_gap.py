"""The gap is what it says: no point whatever has an objective below ``objective_ - dual_gap_``."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from plain_objective import CLASSIFICATION, Case, targets
from scipy import sparse

import rmda_ref.linear_model.problem
from rmda_ref import ElasticNet, GroupLasso
from rmda_ref.losses import LogisticLoss

LOSSES = ["squared_error", "huber", "poisson", "log_loss", "squared_hinge"]
PENALTIES = ["l1", "elasticnet", "group_lasso", "sparse_group_lasso", "nuclear", "none"]
pytestmark = pytest.mark.filterwarnings("ignore:.* stopped after:sklearn.exceptions.ConvergenceWarning")  # on purpose


@st.composite
def cases(draw, losses=tuple(LOSSES), penalties=tuple(PENALTIES)):
    """A small problem, and where its fit is to stop; the data, but not their kind, come from a generator."""
    loss, penalty = draw(st.sampled_from(losses)), draw(st.sampled_from(penalties))
    d, K = draw(st.integers(1, 8)), draw(st.integers(1, 3))
    n = draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if loss in CLASSIFICATION or penalty == "nuclear":
        K = max(K, 3 if penalty == "nuclear" else 2)
    n = max(n, K)
    X = rng.standard_normal((n, d)) if draw(st.booleans()) else rng.integers(-1, 2, (n, d)).astype(float)
    X = (X * 10.0 ** draw(st.integers(-1, 1 if loss != "poisson" else 0))).astype(draw(st.sampled_from("dddf")))
    weight = rng.choice([0.0, 0.5, 1.0, 3.0], n) if draw(st.booleans()) else None
    groups = rng.integers(0, 3, d) if draw(st.booleans()) else None
    return Case(
        loss,
        penalty,
        draw(st.sampled_from([np.asarray, np.asarray, sparse.csr_array, sparse.csc_array]))(X),
        targets(loss, n, K, rng),
        None if weight is None or not weight.any() else weight,
        alpha=10.0 ** draw(st.integers(-4, 1)) * draw(st.sampled_from([1.0, 3.0])),
        l1_ratio=draw(st.sampled_from([0.1, 0.5, 0.9, 1.0])),
        groups=groups,
        fit_intercept=draw(st.booleans()),
        options={
            "max_epochs": draw(st.integers(1, 6)),
            "polish": draw(st.booleans())
            and penalty != "nuclear",  # without Newton along its manifold, rounds are slow
            "identify_epochs": draw(st.integers(0, 3)),
            "batch_size": draw(st.sampled_from(["auto", 1, 3])),
            "momentum": draw(st.sampled_from([1.0, 0.5])),
        },
    )


def rivals(case, model):
    """(coef, intercept): the fit to the end, points near both fits and on the line through them, and the null model."""
    rng = np.random.default_rng(0)
    best = case.fit(tol=1e-12, max_epochs=8, polish=case.penalty != "nuclear")
    ours, theirs = (np.append(np.ravel(m.coef_), np.ravel(m.intercept_)) for m in (model, best))
    flat = [theirs, 0 * theirs, *(ours + t * (theirs - ours) for t in (0.0, 0.5, 0.9, 1.1, 2.0))]
    sizes = 10.0 ** np.arange(-6, 1)
    flat += [at + size * rng.standard_normal(at.size) for at in (ours, theirs) for size in sizes]
    for w in flat:
        coef, intercept = w[: model.coef_.size], w[model.coef_.size :]
        yield coef.reshape(model.coef_.shape), intercept if case.fit_intercept else 0 * intercept


def check_gap(case):
    model = case.fit()
    gap, objective = model.dual_gap_, model.objective_
    assert gap >= 0
    if np.isinf(gap):  # nothing is said
        assert case.penalty == "none" or np.isinf(objective)
        return
    for coef, intercept in rivals(case, model):
        with np.errstate(over="ignore"):  # exp of a rival far away
            value = case.objective(coef, intercept)
        # Here P is a sum of at most 36 losses and 24 coefficients, each correct to a few eps of its terms.
        assert objective - gap <= value + 1e-14 * (abs(objective) + abs(value) + 1)


def rejected(case):
    try:
        check_gap(case)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("loss", LOSSES)
def test_the_gap_bounds_the_suboptimality(loss):
    @settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
    @given(cases([loss]))
    def check(case):
        check_gap(case)

    check()


@settings(max_examples=40)
@given(cases())
def test_the_objective_is_that_of_the_coefficients(case):
    model = case.fit()
    eps = float(np.finfo(case.X.dtype).eps)  # coefficients are rounded to it; slopes are below 100 here
    assert model.objective_ == pytest.approx(
        case.objective(model.coef_, model.intercept_), rel=100 * eps, abs=100 * eps
    )


def test_no_gap_is_below_the_rounding_of_its_terms():
    """exp(z) and y z cancel where y is near e; in long double such a gap was once 100 times too small."""
    rng = np.random.default_rng(922)
    X, y = rng.standard_normal((6, 2)), np.exp(1 + 1e-4 * rng.standard_normal(6))
    model = Case("poisson", "l1", X, y, alpha=0.01).fit(tol=0.0)
    assert model.dual_gap_ >= np.finfo(float).eps * np.mean(y)


# ---- wrong certificates


def not_scaled(loss, psi, u, correlation):
    """Whether u is in the dual ball is not asked."""
    return -loss.conjugate(u)


def half_conjugate(self, v, conjugate=ElasticNet.conjugate):
    return conjugate(self, v) / 2


def half_dual_norm(self, v, dual_norm=GroupLasso.dual_norm):
    return dual_norm(self, v) / 2


@st.composite
def lopsided(draw):
    """One sample of a class, just too little alpha to leave it at that, and steps that go astray."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X, y = rng.standard_normal((12, 2)), np.array(["bee"] + 11 * ["ape"])
    alpha = 0.9 * np.abs(X.T @ ((y == "bee") - 1 / 12)).max() / 12
    options = {"max_epochs": 1, "polish": False, "batch_size": 1, "step_size": 1.0}
    return Case("log_loss", "l1", X, y, alpha=alpha, options=options)


PROBLEM = rmda_ref.linear_model.problem
WRONG = {
    "not scaled": (PROBLEM, "dual_value", not_scaled, cases(LOSSES, ["l1"])),
    "not scaled, groups": (PROBLEM, "dual_value", not_scaled, cases(LOSSES, ["sparse_group_lasso"])),
    "not balanced": (LogisticLoss, "balanced", lambda self, u: u, lopsided()),
    "half the conjugate": (ElasticNet, "conjugate", half_conjugate, cases(LOSSES, ["elasticnet"])),
    "half the dual norm": (GroupLasso, "dual_norm", half_dual_norm, cases(LOSSES, ["group_lasso"])),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_certificate_is_rejected(name, monkeypatch):
    where, attribute, wrong, examples = WRONG[name]
    monkeypatch.setattr(where, attribute, wrong)
    try:
        find(examples, rejected, settings=settings(max_examples=100, phases=[Phase.generate]))
    except NoSuchExample:
        pytest.fail("no example tells")


@settings(max_examples=20)
@given(lopsided())
def test_lopsided_classes(case):
    check_gap(case)
