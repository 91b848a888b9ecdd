"""The batteries for users: they pass what is right, and say well what is wrong."""

import numpy as np
import pytest

from rmda_ref import L1, GroupLasso
from rmda_ref.testing import LawViolation, check_prox, check_regularizer
from rmda_ref.testing.case import Case, Outcome, size_of, worst
from rmda_ref.testing.check import shrink


def soft(w, step):
    return np.sign(w) * np.maximum(np.abs(w) - step, 0)


def l1(w):
    return float(np.abs(w).sum())


def hard(w, step):
    return np.where(np.abs(w) > np.sqrt(2 * step), w, 0)


def test_right_functions_pass():
    check_prox(soft, l1, weak_convexity=0.0)
    check_prox(hard, lambda w: float(np.count_nonzero(w)))
    check_prox(lambda w, step: np.clip(w, -1, 1), lambda w: 0.0 if np.abs(w).max() <= 1 else np.inf, weak_convexity=0.0)
    check_prox(soft, l1, weak_convexity=0.0, dtype=np.float32, shape=(2, 3))


@pytest.mark.parametrize(
    ("prox", "value", "law"),
    [
        (lambda w, step: soft(w, 2 * step), l1, "optimality"),
        (hard, l1, "optimality"),
        (lambda w, step: np.where(np.abs(w) > np.sqrt(step), w, 0), lambda w: float(np.count_nonzero(w)), "optimality"),
        (soft, lambda w: np.nan, "optimality"),
        (lambda w, step: np.clip(w, -1, 1), lambda w: 0.0 if np.abs(w).max() <= 0.5 else np.inf, "optimality"),
    ],
)
def test_wrong_functions_are_caught(prox, value, law):
    with pytest.raises(LawViolation) as caught:
        check_prox(prox, value, weak_convexity=0.0)
    assert caught.value.law == law


def test_a_violation_shows_law_counterexample_objectives_and_meaning():
    with pytest.raises(LawViolation) as caught:
        check_prox(lambda w, step: soft(w, 2 * step), l1)
    said = str(caught.value)
    assert "law 'optimality'" in said and "w = array(" in said and "step = " in said
    assert said.count("has objective") == 2 and "usually: a wrong threshold" in said
    assert caught.value.found in said.replace("\n    ", "\n")


def test_an_exception_is_a_violation_that_quotes_it():
    def broken(w, step):
        raise ZeroDivisionError("in line 3")

    with pytest.raises(LawViolation, match="ZeroDivisionError: in line 3"):
        check_prox(broken, l1)


def test_a_counterexample_is_made_small():
    """One entry is enough, and it becomes the roundest that still fails."""
    case = Case.draw(0, (6,), np.float64, 0.731, "generic")

    def fails(candidate):
        return candidate.w[2] > 0.35 * abs(case.w[2]) if case.w[2] > 0 else candidate.w[2] < -0.35 * abs(case.w[2])

    small = shrink(case, fails)
    assert fails(small)
    assert np.count_nonzero(small.w) == 1 and small.step == 1.0 and not small.other.any()
    assert small.w[2] * 10 == np.round(small.w[2] * 10)


def test_the_case_itself_where_nothing_is_smaller():
    case = Case.draw(0, (3,), np.float64, 0.731, "generic")
    kept = shrink(case, lambda candidate: np.array_equal(candidate.w, case.w) and candidate.step == case.step)
    np.testing.assert_array_equal(kept.w, case.w)
    assert kept.step == case.step


def test_objects_need_no_more_than_value_and_prox():
    class Plain:
        def prox(self, w, step):
            if not np.isfinite(w).all():
                raise ValueError("w must be finite")
            return np.asarray(soft(w, np.asarray(step, w.dtype)), dtype=w.dtype)

        def value(self, w):
            return l1(w)

    check_regularizer(Plain(), (5,), n_examples=16)


def test_objects_of_the_library_pass_and_wrong_traits_do_not():
    check_regularizer(GroupLasso(lam=0.3, axis=1), (3, 4), n_examples=8)

    class Indicator(L1):
        indicator = True

    with pytest.raises(LawViolation, match="projection"):
        check_regularizer(Indicator(lam=0.3), (5,), n_examples=8)


def test_sizes_neither_overflow_nor_hide_nan():
    assert size_of(np.array([3e200, 4e200])) == pytest.approx(5e200, rel=1e-15)
    assert size_of(np.array([3e-200, 4e-200])) == pytest.approx(5e-200, rel=1e-15)
    assert size_of(np.zeros(2)) == 0
    assert np.isnan(size_of(np.array([1.0, np.nan])))
    assert not worst(Outcome(0.5), Outcome(np.nan)).holds
