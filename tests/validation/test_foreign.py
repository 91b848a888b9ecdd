"""A user's own algorithm is put to the claims in the place of RMDA, by name."""

import json
import sys

import pytest
from typer.testing import CliRunner

from rmda_ref.crosscheck.mutants import REFERENCE
from validation import cli, foreign
from validation.claim import Setting
from validation.claims import a1_scalar_recurrence, a8_restart_contraction, b1_dual_average_variance, c4_proxsgd_exit
from validation.experiments import x2_network_groups
from validation.trial import attempt

# Nothing but init, step and restart, on states that are plain tuples with two names.
CODE = """
import math
from typing import NamedTuple
import numpy as np

class State(NamedTuple):
    iterate: np.ndarray
    prox_iterate: np.ndarray
    past: tuple

class Mine:
    def __init__(self, regularizer, step_size, momentum):
        self.regularizer, self.step_size, self.momentum = regularizer, step_size, momentum

    def init(self, w0):
        return State(w0, w0, (w0, 0 * w0, 0.0, 0))

    def step(self, state, grad):
        anchor, v, alpha, t = state.past
        at = lambda schedule: schedule(t + 1) if callable(schedule) else schedule
        t, beta = t + 1, math.sqrt(t + 1)
        s = at(self.step_size) * beta
        v, alpha, c = v + s * grad, alpha + s, at(self.momentum)
        found = self.regularizer.prox(anchor - v / beta, alpha / beta)
        return State((1 - c) * state.iterate + c * found, found, (anchor, v, alpha, t))

    def restart(self, state):
        return self.init(state.iterate)

class NoRestart(Mine):
    def restart(self, state):
        return state

class Bare(Mine):
    def init(self, w0):
        return w0

class Forgets(Mine):
    def step(self, state, grad):
        super().step(state, grad)

class Typo(Mine):
    def restart(self, state):
        return super().restart(state.iterat)

number = 3
"""


@pytest.fixture
def name(tmp_path, monkeypatch):
    (tmp_path / "mine_to_check.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    return "mine_to_check:"


def test_an_algorithm_with_no_more_than_init_step_and_restart_passes(name):
    for claim in (a1_scalar_recurrence.CLAIM, a8_restart_contraction.CLAIM):
        found = attempt(claim, name + "Mine", Setting())
        assert found.holds and not found.unasked, found.failure


def test_a_wrong_one_breaks_the_claim_that_sees_its_mistake(name):
    assert attempt(a1_scalar_recurrence.CLAIM, name + "NoRestart", Setting()).holds
    assert not attempt(a8_restart_contraction.CLAIM, name + "NoRestart", Setting()).holds


def test_what_a_claim_cannot_ask_is_no_failure_of_the_algorithm(name):
    """It does not run RMDA, or looks at what a state need not have."""
    assert attempt(c4_proxsgd_exit.CLAIM, name + "Mine", Setting()).unasked == "it does not run RMDA"
    found = attempt(b1_dual_average_variance.CLAIM, name + "Mine", Setting())
    assert found.unasked == "its state has no dual_average"


def test_experiments_that_train_our_own_algorithms_are_not_asked(name):
    trial = attempt(x2_network_groups.CLAIM, name + "Mine", Setting())
    assert trial.unasked == "it trains the library's own algorithms" and trial.measurement is None


def test_a_state_without_its_two_points_is_an_error_of_the_algorithm(name):
    for wrong, what in (("Bare", "init gave a ndarray"), ("Forgets", "step gave a NoneType")):
        found = attempt(a1_scalar_recurrence.CLAIM, name + wrong, Setting())
        assert not found.holds and not found.unasked
        assert f"{what}, which has no iterate and no prox_iterate" in found.failure


def test_a_mistake_in_the_users_own_code_is_not_excused(name):
    """It asks its own state for a name that it does not have."""
    found = attempt(a8_restart_contraction.CLAIM, name + "Typo", Setting())
    assert not found.holds and not found.unasked
    assert "restart raised" in found.failure and "iterat" in found.failure


@pytest.mark.parametrize("code", ["raise ValueError('on purpose')", "def (", "import numpy as np; np.foo_missing"])
def test_a_module_that_cannot_be_imported_is_named(tmp_path, monkeypatch, code):
    (tmp_path / "broken_module.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_module", raising=False)
    with pytest.raises(foreign.ForeignError, match="'broken_module' cannot be imported"):
        foreign.load("broken_module:Mine")


@pytest.mark.parametrize(
    "wrong", ["nowhere:Mine", "mine_to_check:Other", "mine_to_check:number", ":Mine", "mine:", ".foo:X"]
)
def test_an_algorithm_that_cannot_be_had_is_named(name, wrong):
    with pytest.raises(foreign.ForeignError, match=r"called with \(regularizer, step_size, momentum\)"):
        foreign.load(wrong)


def test_only_rmda_is_replaced(name):
    found = foreign.load(name + "Mine")
    assert found.RMDA is not REFERENCE.RMDA
    assert (found.RDA, found.steps) == (REFERENCE.RDA, REFERENCE.steps)


def test_the_command_line_says_which_claims_break(name, tmp_path):
    out = tmp_path / "out"
    options = ["run", "--jobs", "1", "--only", "A1,A8,C4", "--out", str(out), "--algorithm", name + "NoRestart"]
    run = CliRunner().invoke(cli.app, options)
    assert run.exit_code == 1
    assert "1 of 2 claims hold; broken: A8" in run.stdout and "does not run RMDA: C4" in run.stdout
    record = json.loads((out / "algorithms" / "mine_to_check-NoRestart" / "results.json").read_text())
    assert record["subject"] == name + "NoRestart"
    assert {id_: claim["verdict"] for id_, claim in record["claims"].items()} == {"A1": "holds", "A8": "fails"}
    assert not (out / "results.json").exists()  # the reference's report is left alone


def test_an_algorithm_that_is_asked_nothing_has_shown_nothing(name, tmp_path):
    options = ["run", "--jobs", "1", "--only", "C4", "--out", str(tmp_path), "--algorithm", name + "Mine"]
    run = CliRunner().invoke(cli.app, options)
    assert run.exit_code == 1 and "0 of 0 claims hold" in run.stdout


def test_an_unknown_algorithm_is_status_2(tmp_path):
    run = CliRunner().invoke(cli.app, ["run", "--out", str(tmp_path), "--algorithm", "nowhere:Mine"])
    assert run.exit_code == 2 and "nowhere" in run.stderr
