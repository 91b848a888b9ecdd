"""Each mistake that is an edit of the reference shows somewhere, and is told from all others by its own numbers."""

from dataclasses import replace

import numpy as np
import pytest

from rmda_ref.crosscheck.candidate import Observation
from rmda_ref.crosscheck.diagnose import diagnose
from rmda_ref.crosscheck.drive import Record, plan
from rmda_ref.crosscheck.edits import EDITS
from rmda_ref.crosscheck.judge import compare, replay
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.scenarios import scenarios
from rmda_ref.crosscheck.verdict import Run

SHORT = 100  # steps: drift adds nothing here


def algorithm_of(mistake):
    module = mistake.edits[0].module
    return {"rda": "rda", "prox_sgd": "prox_sgd"}.get(module, "rmda")


def runs_of(mistake, dtype):
    """What an implementation that makes the mistake in exact arithmetic would return, beside the reference."""
    for scenario in scenarios(algorithm_of(mistake)):
        if scenario.verdict != "numbers" or scenario.task.n_steps > SHORT or scenario.loop != "open":
            continue
        record = Record(scenario, replace(scenario.task, dtype=dtype), scenario.start(), plan(scenario), ())
        states = [after for _, after in replay(record, mistake.on(record.task))]
        seen = tuple(Observation({n: np.asarray(s.iterate.value, dtype=float) for n, s in a.items()}) for a in states)
        record = replace(record, seen=seen, grads=record.grads[: len(seen)])
        yield Run(record, compare(record, REFERENCE))


@pytest.mark.parametrize("mistake", EDITS, ids=lambda mistake: mistake.name)
def test_each_shows_and_is_named(mistake):
    runs = list(runs_of(mistake, "float16" if mistake.name == "lam_float16" else "float64"))
    assert any(not run.agrees for run in runs), "no scenario shows it"
    diagnosis = diagnose(runs)
    assert [named.name for named in diagnosis.named] == [mistake.name]
    assert diagnosis.alike == ()
    assert mistake.line and mistake.fix and mistake.says


def test_the_reference_itself_agrees():
    assert all(run.agrees for run in runs_of(replace(EDITS[0], concerns=lambda task: False), "float64"))
