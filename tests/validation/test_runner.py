"""Jobs, their parts on disk, and the worker processes."""

import json
import math
import multiprocessing
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from problems.data import DataSource
from rmda_ref.crosscheck.mutants import REFERENCE, RMDA_MUTANTS
from validation import parts, runner
from validation.claim import Check, Claim, Curve, Gallery, Measurement, Picture, Setting, Table
from validation.parts import fingerprint, jsonable, recall, store
from validation.runner import Job, Run, WorkerDied, execute, finished, jobs_of
from validation.trial import Trial

MUTANT, OTHER = tuple(RMDA_MUTANTS)[:2]
MEASUREMENT = Measurement(
    checks=(Check("q [1/s]", 0.0, math.nan, -math.inf, 0.1), Check.at_most("r", 1 / 3, np.float64(0.7))),
    pictures=(Picture("t", "x", "y", (Curve("c", (1.0, 2.0), (math.inf, 0.1), "bar"),), yscale="log"),),
    tables=(Table(("name", "value"), (("λ", 0.1), ("µ", 7))),),
    note="a note",
    galleries=(
        Gallery(
            "all", (Picture("t", "x", "y", (Curve("c", (1.0, math.nan), (0.0, 2.0), "context"),), aspect="equal"),), "n"
        ),
        Gallery("none", ()),
    ),
)
TRIAL = Trial("Z1", "reference", MEASUREMENT, "", 0.25)


def plan(tmp_path: Path, package: str) -> Run:
    return Run(0, "quick", DataSource(), (package,), tmp_path / "parts", tmp_path / "trainings", "key")


def numbers(trials: dict[Job, Trial]) -> str:
    """All that was found, without the time it took; as text, for NaN is not equal to itself."""
    return repr({job: replace(trial, seconds=0.0) for job, trial in sorted(trials.items(), key=str)})


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    """Write a package of one claim module, given its code; workers can import it too."""

    def write(code: str) -> str:
        folder = tmp_path / "demo_worker_claims"
        folder.mkdir()
        (folder / "__init__.py").touch()
        (folder / "z1.py").write_text(code)
        request.addfinalizer(lambda: [sys.modules.pop(name, None) for name in (folder.name, f"{folder.name}.z1")])
        return folder.name

    monkeypatch.syspath_prepend(tmp_path)
    return write


def claim_that_does(body: str) -> str:
    """The code of a claim module, given the body of its measure function."""
    return (
        "import os, time\nfrom validation.claim import Check, Claim, Measurement\n\n\n"
        f"def measure(implementation, setting):\n    {body}\n\n\n"
        "CLAIM = Claim('Z1', 'title', 'statement', 'source', 'bar', measure)\n"
    )


def test_a_trial_reads_back_as_it_was_stored(tmp_path):
    """Every digit, NaN and infinities included, and in a file that is valid JSON."""
    store(tmp_path / "part.json", "key", TRIAL)
    assert repr(recall(tmp_path / "part.json", "key")) == repr(TRIAL).replace("np.float64(0.7)", "0.7")
    json.loads((tmp_path / "part.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert [path.name for path in tmp_path.iterdir()] == ["part.json"]


def test_a_part_under_another_key_is_not_read(tmp_path):
    """Nor one that is not there."""
    store(tmp_path / "part.json", "key", TRIAL)
    assert recall(tmp_path / "part.json", "another") is None
    assert recall(tmp_path / "none.json", "key") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"checks"', '"cheques"'),
        lambda text: text.replace('"seconds"', '"minutes"'),
        lambda text: text.replace('"nan"', "null"),
        lambda text: '{"key": "key", "trial": null}',
        lambda text: "\udcff",
    ],
)
def test_a_damaged_part_is_not_read(tmp_path, damage):
    """An empty file, half a file, a file of another shape: each is as good as none."""
    path = tmp_path / "part.json"
    store(path, "key", TRIAL)
    path.write_text(damage(path.read_text()), encoding="utf-8", errors="surrogateescape")
    assert recall(path, "key") is None


@pytest.mark.parametrize(
    "measurement",
    [
        replace(MEASUREMENT, tables=(Table(("value",), ((1j,),)),)),
        replace(MEASUREMENT, checks=(Check("q", 0.0, None, 0.0, 1.0),)),
        replace(MEASUREMENT, checks=(Check("q", 0.0, "much", 0.0, 1.0),)),
        replace(MEASUREMENT, checks=Check("q", 0.0, 0.0, 0.0, 1.0)),
        replace(MEASUREMENT, pictures=(Picture("t", "x", "y", (Curve("c", (1.0,), ((1.0, 2.0),)),)),)),
        replace(MEASUREMENT, galleries=(Gallery("t", (Picture("t", "x", "y", (Curve("c", (1.0,), (None,)),)),)),)),
    ],
    ids=["complex", "none", "text", "no tuple", "nested", "none in a gallery"],
)
def test_a_measurement_that_cannot_be_kept_is_an_error_of_its_trial(tmp_path, measurement):
    """The claim fails with the reason; the run goes on."""
    store(tmp_path / "part.json", "key", replace(TRIAL, measurement=measurement))
    trial = recall(tmp_path / "part.json", "key")
    assert trial is not None and trial.measurement is None
    assert not trial.holds and "Error: " in trial.failure


def test_json_takes_numpy_values_and_mappings():
    """NumPy numbers and arrays become lists and numbers; non-finite ones become text."""
    value = {"a": np.array([1.5, np.inf]), 2: (np.int64(3), np.bool_(True), None), "r": range(2)}
    assert jsonable(value) == {"a": [1.5, "inf"], "2": [3, True, None], "r": [0, 1]}


def test_the_key_depends_on_setting_and_sources(tmp_path, monkeypatch):
    """Another seed, profile or data set, and any edit of the sources, make the old parts void."""
    folder = tmp_path / "demo_sources"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(parts, "_SOURCES", ("demo_sources",))
    settings = [Setting(), Setting(1), Setting(0, "full"), Setting(data=DataSource("mnist"))]
    keys = [fingerprint(setting) for setting in settings]
    assert keys[0] == fingerprint(Setting(progress=print))
    (folder / "__init__.py").write_text("a = 1\n")
    assert len({*keys, fingerprint(Setting())}) == 5
    sys.modules.pop("demo_sources")


def test_of_the_jobs_one_compiles_every_operator_and_the_like_wait():
    """References run before mutants, the last claims first; every job stands once."""

    def claim(id_: str) -> Claim:
        return Claim(id_, "", "", "", "", print, (MUTANT,), (MUTANT, OTHER), every_operator=id_ != "B1")

    jobs = list(map(str, jobs_of({id_: claim(id_) for id_ in ("A1", "B1", "X1", "X2")})))
    on = {id_: [f"{id_} on {name}" for name in (MUTANT, OTHER)] for id_ in ("A1", "B1", "X1", "X2")}
    assert jobs == ["X2", "B1", "X1", "A1", *on["X2"], *on["B1"], *on["X1"], *on["A1"]]
    assert jobs_of({}) == ()


def test_a_watch_sees_a_job_start_go_on_and_end_once_its_part_is_kept(tmp_path, monkeypatch, package):
    """Progress is held inside [0, 1): only a kept part is done."""
    monkeypatch.setattr(runner, "_SECONDS_BETWEEN_REPORTS", 0)
    body = "for x in (-1, 0.5, 7): setting.progress(x)\n    return Measurement((Check.at_most('q', 0, 1),))"
    run, job, seen = plan(tmp_path, package(claim_that_does(body))), Job("Z1", REFERENCE.name), []
    execute([job], run, 1, lambda job, fraction: seen.append((fraction, run.part(job).exists())))
    assert seen == [(0, False), (0, False), (0.5, False), (0.999, False), (1, True)]


def test_two_processes_give_the_numbers_of_one(tmp_path, package):
    """A real claim and a mutant of it: the same figures to the last digit."""
    jobs = [Job("A8", REFERENCE.name), Job("A8", "sign")]
    name, trials = package("from validation.claims.a8_restart_contraction import CLAIM\n"), {}
    for workers in (1, 2):
        run, seen = plan(tmp_path / str(workers), name), []
        execute(jobs, run, workers, lambda job, fraction, seen=seen: seen.append((job, fraction)))
        trials[workers] = finished(jobs, run)
        assert [job for job in jobs if (job, 1.0) in seen] == jobs
    assert trials[1][jobs[0]].holds and not trials[1][jobs[1]].holds
    assert numbers(trials[2]) == numbers(trials[1])


def test_a_worker_that_dies_is_an_error_that_names_its_job(tmp_path, package):
    """Memory runs out in the middle of a claim: no traceback is left, but the name is."""
    run = plan(tmp_path, package(claim_that_does("os._exit(9)")))
    with pytest.raises(WorkerDied, match="during one of: Z1"):
        execute([Job("Z1", REFERENCE.name)], run, 2, lambda job, fraction: None)
    assert not finished([Job("Z1", REFERENCE.name)], run)


def test_an_interruption_does_not_wait_for_the_jobs_in_progress(tmp_path, package):
    """Ctrl-C ends the workers at once, whatever they are at."""
    run, clock = plan(tmp_path, package(claim_that_does("time.sleep(300)"))), time.monotonic()

    def interrupt(job: Job, fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute([Job("Z1", REFERENCE.name)], run, 2, interrupt)
    assert time.monotonic() - clock < 60 and not multiprocessing.active_children()
