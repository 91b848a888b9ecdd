"""When a claim holds, and how its figures are put into words."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.mutants import REFERENCE, RMDA_MUTANTS, Mutant
from validation.claim import Check, Claim, Measurement, Setting
from validation.runner import jobs_of
from validation.trial import attempt
from validation.verdict import Verdict, closeness, columns_of, judge, killers, risk, tightest
from validation.wording import bar, chance, number

REQUIRED, OPTIONAL = tuple(RMDA_MUTANTS)[:2]


def found(*errors: float) -> Measurement:
    return Measurement(tuple(Check.at_most(f"error {i}", error, 1.0) for i, error in enumerate(errors)))


def verdict_on(measure, **mutants_to_run: tuple[str, ...]) -> Verdict:
    claims = {"Z1": Claim("Z1", "title", "statement", "source", "bar", measure, **mutants_to_run)}
    trials = {job: attempt(claims["Z1"], job.implementation, Setting()) for job in jobs_of(claims)}
    return judge(claims, trials)[0]


def error_by_name(**errors: float):
    """A measure whose one error is given by the name of the implementation, else 0."""
    return lambda implementation, setting: found(errors.get(implementation.name, 0.0))


@pytest.mark.parametrize(("measured", "holds"), [(1, True), (3, True), (0.999, False), (3.001, False)])
def test_a_check_holds_up_to_and_with_its_bars(measured, holds):
    """The bars themselves still hold."""
    assert Check("q", 2.0, measured, 1.0, 3.0).holds is holds
    assert Check.within("q", 2.0, measured, 1.0).holds is holds


@pytest.mark.parametrize("measured", [math.nan, math.inf, -1e-300, 1.1])
def test_an_error_must_be_a_number_between_zero_and_its_bar(measured):
    """NaN, infinity and a negative error are failures, not passes."""
    assert not Check.at_most("q", measured, 1.0).holds
    assert Check.at_most("q", 1.0, 1.0).holds


@pytest.mark.parametrize(
    ("errors", "holds"),
    [((0.5, 1.0), True), ((0.5, 2.0), False), ((2.0, 0.5), False), ((0.5, math.nan), False), ((), False)],
)
def test_a_claim_holds_when_there_are_checks_and_all_of_them_hold(errors, holds):
    """One failing or NaN check fails a claim, and so does having none."""
    assert verdict_on(lambda implementation, setting: found(*errors)).holds is holds


def test_a_required_mutant_that_survives_fails_the_claim():
    """A measurement blind to the mistake does not hold, however good its figures are."""
    verdict = verdict_on(error_by_name(), kills=(REQUIRED,))
    assert verdict.reference.holds
    assert (verdict.holds, verdict.survivors, verdict.fate(REQUIRED)) == (False, (REQUIRED,), "survived")


@pytest.mark.parametrize("error", [2.0, math.nan])
def test_a_mutant_that_fails_a_check_is_killed(error):
    """A check out of its bar kills, NaN too."""
    verdict = verdict_on(error_by_name(**{REQUIRED: error}), kills=(REQUIRED,))
    assert (verdict.holds, verdict.survivors, verdict.fate(REQUIRED)) == (True, (), "killed")
    assert verdict.mutants[REQUIRED].failure == "error 0"


def test_a_mutant_that_raises_is_killed():
    """What it raised is told in one line."""

    def measure(implementation, setting):
        return found(0.0 if implementation is REFERENCE else 1 / 0)

    verdict = verdict_on(measure, kills=(REQUIRED,))
    assert verdict.holds and verdict.fate(REQUIRED) == "killed"
    assert verdict.mutants[REQUIRED].failure == "ZeroDivisionError: division by zero"


def test_a_reference_that_raises_fails_the_claim_and_keeps_its_traceback():
    """The traceback names the line of the measurement."""

    def measure(implementation, setting):
        raise ValueError("the grid is empty")

    verdict = verdict_on(measure, kills=(REQUIRED,))
    assert not verdict.holds and verdict.checks == ()
    assert verdict.reference.failure == "ValueError: the grid is empty"
    assert "Traceback" in verdict.reference.error and 'raise ValueError("the grid is empty")' in verdict.reference.error


def test_a_measure_that_returns_something_else_fails():
    """Forgetting to return the measurement is not a pass."""
    verdict = verdict_on(lambda implementation, setting: None)
    assert not verdict.holds and "returned NoneType, not a Measurement" in verdict.reference.failure


def test_a_mutant_that_is_only_run_may_survive():
    """Mutants of ``runs`` are reported and decide nothing."""
    verdict = verdict_on(error_by_name(**{REQUIRED: 2.0}), kills=(REQUIRED,), runs=(REQUIRED, OPTIONAL))
    assert verdict.holds and list(verdict.mutants) == [REQUIRED, OPTIONAL]
    assert (verdict.fate(OPTIONAL), verdict.fate("rda_no_gamma")) == ("survived", "not run")
    assert columns_of([verdict]) == (REQUIRED, OPTIONAL)


def test_a_mutant_may_overflow_without_a_warning():
    """Warnings are errors in these tests: an overflowing mutant is killed by its check alone."""

    def measure(implementation, setting):
        return found(0.0 if implementation is REFERENCE else np.float64(1e308) * np.float64(10))

    assert verdict_on(measure, kills=(REQUIRED,)).mutants[REQUIRED].failure == "error 0"


def test_a_mutant_whose_edit_no_longer_fits_is_not_counted_as_killed(monkeypatch):
    """A mutant that cannot be built stops the run."""
    monkeypatch.setitem(mutants.MUTANTS, "stale", Mutant("stale", "none", "rmda", "no such line", ""))
    with pytest.raises(LookupError, match="stale"):
        verdict_on(error_by_name(), kills=("stale",))


def test_time_is_summed_over_the_trials():
    """A claim costs what its reference and its mutants cost together."""
    verdict = verdict_on(error_by_name(), kills=(REQUIRED, OPTIONAL))
    assert verdict.seconds == verdict.reference.seconds + sum(trial.seconds for trial in verdict.mutants.values())


def test_streams_are_the_same_by_name_and_independent_between_names():
    """A setting's random numbers depend on its seed and on the name of the stream."""
    draws = [Setting(*args).rng(*name).random() for args, name in [((0,), "a"), ((0,), "ab"), ((1,), "a")]]
    assert len(set(draws)) == 3
    assert draws[0] == Setting(0, "full").rng("a").random()


def test_the_tightest_check_is_a_failing_one_else_the_one_nearest_its_bar():
    """Closeness orders the checks; one sided and exact bars use none of their room."""
    checks = [
        Check("exact", 3.0, 3.0, 3.0, 3.0),
        Check("far", 0.0, 0.1, 0.0, 1.0),
        Check("below", 10.0, 9.5, 9.0, 20.0),
        Check("near", 0.0, 0.9, 0.0, 1.0),
        Check("fails", 0.0, math.nan, 0.0, 1.0),
    ]
    assert all(closeness(one) < closeness(other) for one, other in pairwise(checks))
    assert [tightest(checks).quantity, tightest(checks[:-1]).quantity] == ["fails", "near"]
    assert closeness(Check("open", 1.0, 50.0, 0.0, math.inf)) == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (3.0, "3"),
        (-0.25, "-0.25"),
        (1.23456789, "1.23457"),
        (1.234e-9, "1.23e-09"),
        (2.5e8, "2.5e+08"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "nan"),
    ],
)
def test_figures_are_short(value, text):
    """A figure fits a cell of a table."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (Check.at_most("q", 0.1, 1e-11), "≤ 1e-11"),
        (Check("q", 0.5, 0.5, -math.inf, 2.0), "≤ 2"),
        (Check("q", 0.5, 0.5, 0.25, math.inf), "≥ 0.25"),
        (Check.within("q", 7, 7, 0), "= 7"),
        (Check.within("q", 0.3, 0.3, 0.05), "± 0.05"),
        (Check("q", 2.0, 2.0, 1.0, 10.0), "1 … 10"),
    ],
)
def test_a_bar_is_said_as_shortly_as_it_can_be(check, text):
    """One sided, exact, symmetric and lopsided bars each have their form."""
    assert bar(check) == text


def test_the_risk_of_a_run_is_the_sum_of_what_is_known_and_names_what_is_not():
    """Exact claims cannot fail by chance; an unknown probability is not 0."""
    verdicts = [
        replace(verdict, claim=replace(verdict.claim, id=id_, failure_probability=p))
        for verdict in [verdict_on(error_by_name(), kills=(REQUIRED,))]
        for id_, p in (("A1", 0.0), ("B1", 2e-6), ("B2", 3e-6), ("S4", None))
    ]
    found = risk(verdicts)
    assert math.isclose(found.total, 5e-6)
    assert [claim.id for claim in found.bounded] == ["B1", "B2"] and [claim.id for claim in found.unbounded] == ["S4"]
    assert "at most 5.0e-06 (B1 2e-06, B2 3e-06); no bound is known for S4." in chance(found)
    assert [claim.exact for claim in killers(verdicts, OPTIONAL)] == []


def test_the_killers_of_a_mutant_are_the_claims_that_expose_it():
    seen = verdict_on(error_by_name(**{REQUIRED: 2.0}), kills=(REQUIRED,))
    blind = verdict_on(error_by_name(), runs=(REQUIRED,))
    assert killers([seen, blind], REQUIRED) == (seen.claim,)


@pytest.mark.parametrize(
    ("profile", "sizes", "expected"),
    [
        ("quick", (1, 2), 1),
        ("full", (1, 2), 2),
        ("exhaustive", (1, 2), 2),
        ("exhaustive", (1, 2, 3), 3),
        ("full", (1, 2, 3), 2),
    ],
)
def test_a_profile_asks_for_its_size(profile, sizes, expected):
    """The exhaustive profile is the full one where no other size is named."""
    assert Setting(profile=profile).size(*sizes) == expected
