"""Plain functions: what agrees, what departs, and what misbehaves is named and never a traceback."""

import function_rmda
import numpy as np
import pytest

from rmda_ref.crosscheck import Departs, assert_agrees, crosscheck
from rmda_ref.crosscheck.check import scenarios_named
from rmda_ref.crosscheck.scenarios import SCENARIOS

FEW = ["plain", "groups", "restart"]


def test_a_correct_function_agrees_in_every_scenario_and_dtype():
    report = assert_agrees(function_rmda.make)
    assert {run.record.task.dtype for run in report.runs} == {"float16", "float32", "float64"}
    left_out = {one.scenario for one in report.not_run}
    assert left_out == {"closure", "momentum rule, per stage", "momentum rule, ramp", "all scenarios"}


def test_no_false_alarm_in_200_random_runs():
    """Deterministic bounds: none is expected whatever the seed."""
    report = crosscheck(function_rmda.make, only=["plain"], random=200, seed=7, dtypes=["float32"])
    drawn = [run for run in report.runs if run.record.scenario.name.startswith("random")]
    assert len(drawn) == 200
    assert report.agrees, str(report)


@pytest.mark.parametrize("how", ["dtype", "shape", "not finite", "mutates", "raises", "keys", "exits"])
def test_misbehaviour_is_named(how):
    report = crosscheck(function_rmda.misbehaving(how), only=["plain"])
    kinds = {run.record.finding.kind for run in report.runs}
    assert not report.agrees
    assert kinds == {{"keys": "shape", "exits": "raises"}.get(how, how)}
    assert "Traceback" not in str(report)


@pytest.mark.parametrize(
    ("attribute", "value", "kind"),
    [
        ("shown", lambda: {"grad_sum": {"vector": np.zeros(3)}}, "shape"),
        ("shown", lambda: {"prox_iterate": {"tensor": np.zeros(8)}}, "shape"),
        ("shown", lambda: 1 / 0, "raises"),
        ("shown", lambda: {"grad_sum": [1.0]}, "raises"),
        ("sparsity", lambda params: "half", "raises"),
    ],
)
def test_what_is_shown_or_reported_is_checked_too(attribute, value, kind):
    def make(task):
        step = function_rmda.Step(task)
        setattr(step, attribute, value)
        return step

    only = ["plain"] if attribute == "shown" else ["reported sparsity"]
    report = crosscheck(make, only=only, dtypes=["float64"])
    assert [run.record.finding.kind for run in report.runs] == [kind]


def test_a_reported_sparsity_that_counts_nothing_known_is_wrong_and_has_no_name():
    def make(task):
        step = function_rmda.Step(task)
        step.sparsity = lambda params: 0.123
        return step

    report = crosscheck(make, only=["reported sparsity"], dtypes=["float64"])
    assert not report.agrees and report.diagnosis.named == ()
    assert "reports a sparsity of 0.123" in str(report)


def test_a_call_that_hangs_is_given_up_and_nothing_else_is_asked():
    report = crosscheck(function_rmda.misbehaving("hang"), only=FEW, dtypes=["float64"], timeout=0.2)
    assert [run.record.finding.kind for run in report.runs] == ["hang"]
    assert "0.2 s" in str(report)
    assert len(report.not_run) == 3  # two scenarios, and bfloat16


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("no.such.module:make", "import"),
        ("function_rmda:absent", "import"),
        ("function_rmda", "import"),
        ("function_rmda:time", "import"),
    ],
)
def test_what_cannot_be_imported_is_a_finding(subject, kind):
    report = crosscheck(subject, only=["plain"])
    assert not report.agrees and report.refusal.kind == kind
    assert subject.split(":")[0] in str(report)


@pytest.mark.parametrize("make", [function_rmda.make_raises, function_rmda.make_nothing])
def test_a_factory_that_fails_is_a_finding(make):
    report = crosscheck(make, only=["plain"], dtypes=["float64"])
    assert [run.record.finding.kind for run in report.runs] == ["factory"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"only": ["plane"]}, "only names 'plane'"),
        ({"dtypes": ["float8"]}, "dtypes must be among"),
        ({"algorithm": "adam"}, "algorithm must be"),
        ({"adapter": "keras"}, "adapter must be one of"),
    ],
)
def test_bad_arguments_are_errors(options, says):
    with pytest.raises(ValueError, match=says):
        crosscheck(function_rmda.make, **options)


def test_the_test_of_one_line_raises_with_all_that_is_known():
    def make(task):
        step = function_rmda.Step(task)
        step.move = lambda p, w, grad: w if grad is None else w - w.dtype.type(0.1) * grad
        return step

    with pytest.raises(Departs, match="First departure") as raised:
        assert_agrees(make, only=["plain"], dtypes=["float64"])
    departure = raised.value.report.runs[0].comparison.departure
    assert (departure.step, departure.quantity, departure.parameter) == (1, "iterate", "vector")


def test_what_agrees_within_rounding_and_what_is_just_beyond():
    def off(by):
        def make(task):
            step = function_rmda.Step(task)
            move = step.move
            step.move = lambda p, w, grad: move(p, w, grad) * (1 + by)
            return step

        return crosscheck(make, only=["plain"], dtypes=["float64"]).agrees

    assert off(0.0)
    assert not off(1e-14)


def test_rda_agrees_and_rmda_is_told_from_it():
    def make(task):
        step = function_rmda.Step(task)

        def move(p, w, grad):
            if grad is None:
                return w
            anchor, total, t = step.state.get(p.name, (w, np.zeros_like(w), 0))
            step.state[p.name] = anchor, total + grad, t + 1
            scale = (t + 1) ** 0.5 / step.task.step_size(1)
            return step.prox(p, anchor - (total + grad) / w.dtype.type(scale), (t + 1) / scale)

        step.move = move
        return step

    report = crosscheck(make, algorithm="rda", random=20)
    assert report.agrees, str(report)
    assert not crosscheck(make, only=["plain"]).agrees


def test_a_strength_given_as_an_array_and_changed_in_place_is_named():
    def make(task):
        step = function_rmda.Step(task)
        prox = step.prox

        def grows(p, x, strength):
            moved = prox(p, x, strength)
            if isinstance(p.lam, np.ndarray):
                np.multiply(p.lam, (x.size / max(moved.shape[1], 1)) ** 0.5, out=p.lam)
            return moved

        step.prox = grows
        return step

    report = crosscheck(make, only=["groups", "strength as a tensor"], dtypes=["float64"])
    assert [mistake.name for mistake in report.diagnosis.named] == ["lam_grows"]


def test_every_mistake_of_public_code_has_a_scenario():
    assert {number for scenario in SCENARIOS for number in scenario.mistakes} == set(range(1, 17))


def test_parameters_of_a_group_have_one_penalty():
    """As parameter groups of frameworks have."""
    for scenario in SCENARIOS:
        kinds = {}
        for p in scenario.task.parameters:
            assert kinds.setdefault(p.group, (p.penalty, p.lam, p.axis)) == (p.penalty, p.lam, p.axis), scenario.name


def test_every_number_that_is_given_has_eight_bits():
    for scenario in scenarios_named("rmda", ()):
        for array in scenario.start().values():
            mantissas = np.frexp(array)[0] * 2**8
            assert np.array_equal(mantissas, np.round(mantissas)), scenario.name


def test_json_holds_all_findings():
    report = crosscheck(function_rmda.misbehaving("not finite"), only=["plain"], dtypes=["float64"])
    tree = report.as_json()
    assert tree["schema"] == 1 and tree["agrees"] is False
    assert tree["runs"][0]["finding"] == "not finite"
