"""The command line, from its options to its exit status and its results.json."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import validation.__main__
from rmda_ref.crosscheck.mutants import RMDA_MUTANTS
from validation import cli, registry, runner
from validation.claim import Check, Claim, Measurement, Setting, Table
from validation.progress import live
from validation.runner import Job, WorkerDied

REQUIRED, OPTIONAL = tuple(RMDA_MUTANTS)[:2]
JOBS = 4  # of the demonstration claims: Z1, Z1 on the required mutant, Z2, Z2 on the optional one


class Demo:
    """Two claims that hold: Z1 must kill a mutant and raises where told to, Z2 draws a random number."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.raises: dict[str, BaseException] = {}  # by id
        self.errors: dict[str, float] = {REQUIRED: 2.0}  # of Z1, by implementation

    def z1(self, implementation, setting: Setting) -> Measurement:
        self.calls.append(("Z1", implementation.name))
        if "Z1" in self.raises:
            raise self.raises["Z1"]
        error = self.errors.get(implementation.name, 0.0)
        return Measurement((Check.at_most("an [error]", error, 1.0), Check.at_most("unbounded", 1.0, float("inf"))))

    def z2(self, implementation, setting: Setting) -> Measurement:
        self.calls.append(("Z2", implementation.name))
        table = Table(("[name]", "value"), (("drawn", setting.rng("Z2").random()), ("not", float("nan"))))
        return Measurement((Check.within("draw", 0.5, setting.rng("Z2").random(), 0.5),), tables=(table,))

    @property
    def claims(self) -> dict[str, Claim]:
        return {
            "Z1": Claim("Z1", "First [claim]", "It is so.", "A paper", "Rounding", self.z1, kills=(REQUIRED,)),
            "Z2": Claim("Z2", "Second claim", "It is.", "A book", "None", self.z2, runs=(OPTIONAL,)),
        }


@pytest.fixture
def demo(monkeypatch) -> Demo:
    monkeypatch.delenv("RMDA_DATA_DIR", raising=False)
    monkeypatch.setattr(cli, "_PIPED_WIDTH", 200)
    found = Demo()
    monkeypatch.setattr(registry, "discover", lambda packages: found.claims)
    monkeypatch.setattr(runner, "discover", lambda packages: found.claims)
    return found


def invoke(out: Path, *options: str):
    return CliRunner().invoke(cli.app, ["run", "--jobs", "1", "--out", str(out), *options])


def results(out: Path) -> dict:
    """The record, without what may differ between two runs; NaN as a bare word would not be JSON."""
    record = json.loads((out / "results.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    record.pop("timing")
    return record


def test_a_run_in_which_all_holds(demo, tmp_path):
    """Status 0, a table of verdicts, a record and a report."""
    run = invoke(tmp_path)
    assert run.exit_code == 0 and "2 of 2 claims hold; " in run.stdout
    assert run.stdout.rstrip().endswith(f"Report: {tmp_path / 'report.html'}")
    assert "2 claims: 4 jobs to run." in run.stderr and "kept" not in run.stderr
    assert (tmp_path / "report.html").is_file() and results(tmp_path)["holds"] is True
    assert "First [claim]" in run.stdout and "[name]" in run.stdout and "FAILS" not in run.stdout
    assert sorted(demo.calls) == sorted([("Z1", "reference"), ("Z1", REQUIRED), ("Z2", "reference"), ("Z2", OPTIONAL)])


def test_the_record_says_what_was_found(demo, tmp_path):
    """Checks, tables, the fate of each mutant; infinities and NaN as text."""
    invoke(tmp_path, "--seed", "3")
    record = results(tmp_path)
    assert (record["seed"], record["profile"], record["data"]) == (3, "quick", "digits")
    first, second = record["claims"]["Z1"], record["claims"]["Z2"]
    assert first["verdict"] == "holds" and first["checks"][1]["high"] == "inf"
    assert first["mutants"] == {REQUIRED: {"fate": "killed", "required": True, "by": "an [error]"}}
    assert second["mutants"] == {OPTIONAL: {"fate": "survived", "required": False, "by": None}}
    assert second["tables"][0]["rows"][1] == ["not", "nan"]
    assert second["tables"][0]["rows"][0][1] == Setting(3).rng("Z2").random()


@pytest.mark.parametrize("implementation", ["reference", REQUIRED])
def test_a_failing_claim_is_status_1(demo, tmp_path, implementation):
    """A failing check, or a mutant that survives, is named in the table and in the record."""
    demo.errors = {REQUIRED: 2.0, "reference": 3.0} if implementation == "reference" else {}
    run = invoke(tmp_path)
    complaint = "✗ an [error]" if implementation == "reference" else f"✗ mutant {REQUIRED} survives"
    assert run.exit_code == 1 and complaint in run.stdout and "1 of 2 claims hold" in run.stdout
    assert results(tmp_path)["claims"]["Z1"]["verdict"] == "fails" and not results(tmp_path)["holds"]


def test_a_claim_that_raises_is_status_1_and_keeps_its_traceback(demo, tmp_path):
    """The other claims are run and recorded all the same."""
    demo.raises["Z1"] = ValueError("no such matrix")
    run = invoke(tmp_path)
    first, second = results(tmp_path)["claims"].values()
    assert run.exit_code == 1 and "✗ ValueError: no such matrix" in run.stdout
    assert first["verdict"] == "fails" and first["checks"] == [] and "in z1" in first["error"]
    assert second["verdict"] == "holds" and second["error"] is None


def test_the_same_seed_gives_the_same_numbers(demo, tmp_path):
    """And another seed gives others."""
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert invoke(tmp_path / name, "--seed", seed).exit_code == 0
    assert len(demo.calls) == 3 * JOBS
    assert results(tmp_path / "a") == results(tmp_path / "b")
    assert results(tmp_path / "a")["claims"]["Z2"] != results(tmp_path / "c")["claims"]["Z2"]


def test_a_second_run_measures_nothing_again(demo, tmp_path):
    """All parts are kept; the record is the same."""
    invoke(tmp_path)
    record, demo.calls = results(tmp_path), []
    run = invoke(tmp_path)
    assert run.exit_code == 0 and demo.calls == [] and results(tmp_path) == record
    assert "0 jobs to run; 4 kept from before." in run.stderr


@pytest.mark.parametrize("option", [("--seed", "1"), ("--profile", "full")])
def test_another_setting_measures_all_again(demo, tmp_path, option):
    """Parts of another seed or profile are not of this run."""
    invoke(tmp_path)
    demo.calls = []
    assert "4 jobs to run." in invoke(tmp_path, *option).stderr and len(demo.calls) == JOBS


def test_a_corrupt_part_is_measured_again(demo, tmp_path):
    """That one, and no other."""
    invoke(tmp_path)
    record, demo.calls = results(tmp_path), []
    part = tmp_path / "parts" / f"Z1--{REQUIRED}.json"
    part.write_text(part.read_text()[:-20])
    assert invoke(tmp_path).exit_code == 0
    assert demo.calls == [("Z1", REQUIRED)] and results(tmp_path) == record


def test_an_interrupted_run_resumes_with_what_it_has_kept(demo, tmp_path):
    """Status 130, one line that says how to go on, and no job is done twice."""
    demo.raises["Z1"] = KeyboardInterrupt()
    run = invoke(tmp_path)
    assert run.exit_code == 130
    line = f"interrupted: 1 of 4 jobs are kept in {tmp_path / 'parts'}; the same command resumes there."
    assert run.stderr.splitlines()[-1] == line
    assert not (tmp_path / "results.json").exists() and "Traceback" not in run.output
    demo.raises.clear()
    demo.calls = []
    assert invoke(tmp_path).exit_code == 0
    assert ("Z2", "reference") not in demo.calls and len(demo.calls) == JOBS - 1


def test_a_dead_worker_is_status_1_with_a_line_on_how_to_resume(demo, tmp_path, monkeypatch):
    """No traceback for what the machine did."""

    def die(*arguments: object) -> None:
        raise WorkerDied("a worker process died during one of: Z1")

    monkeypatch.setattr(runner, "execute", die)
    run = invoke(tmp_path)
    assert run.exit_code == 1 and isinstance(run.exception, SystemExit)
    assert run.stderr.splitlines()[-1].endswith("during one of: Z1; the same command resumes there.")


@pytest.mark.parametrize("nothing", ["", ",", " "])
def test_no_claim_is_not_all_claims(demo, tmp_path, nothing):
    """A variable of the shell that is empty does not start everything."""
    run = invoke(tmp_path / "out", "--only", nothing)
    assert run.exit_code == 2 and "--only names no claim" in run.stderr
    assert demo.calls == []


@pytest.mark.parametrize("only", [("--only", "Z2"), ("--only", " Z2 ,"), ("--only", "Z2", "--only", "Z2")])
def test_only_the_wanted_claims_are_run(demo, tmp_path, only):
    """Commas, blanks and repeats are all the same."""
    assert invoke(tmp_path, *only).exit_code == 0
    assert list(results(tmp_path)["claims"]) == ["Z2"] and {id_ for id_, _ in demo.calls} == {"Z2"}


def test_an_unknown_claim_is_status_2(demo, tmp_path):
    """It is named, the known ones are listed, and nothing is written or run."""
    run = invoke(tmp_path / "out", "--only", "Z2,Z11")
    assert run.exit_code == 2 and run.stdout == ""
    assert run.stderr == "error: unknown claim 'Z11'; did you mean Z1? Known claims: Z1, Z2\n"
    assert not (tmp_path / "out").exists() and demo.calls == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--jobs", "0"),
        ("--jobs", "-1"),
        ("--jobs", "two"),
        ("--seed", "-1"),
        ("--profile", "slow"),
        ("--out", __file__),
    ],
)
def test_a_bad_option_is_status_2(demo, tmp_path, option, value):
    """The message names the option; nothing is run."""
    run = CliRunner().invoke(cli.app, ["run", "--out", str(tmp_path / "out"), option, value])
    assert run.exit_code == 2 and f"Invalid value for '{option}'" in run.stderr
    assert not (tmp_path / "out").exists() and demo.calls == []


@pytest.mark.parametrize("how", ["option", "environment"])
def test_a_missing_data_directory_is_status_2(demo, tmp_path, monkeypatch, how):
    """One clear line before anything is measured or written."""
    place = str(tmp_path / "no-mnist")
    if how == "environment":
        monkeypatch.setenv("RMDA_DATA_DIR", place)
    run = invoke(tmp_path / "out", *(("--data", place) if how == "option" else ()))
    assert run.exit_code == 2 and run.stdout == ""
    assert run.stderr.startswith(f"error: data directory {place} does not exist. Put the four MNIST files")
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists() and demo.calls == []


def test_an_output_folder_inside_a_file_is_status_2(demo, tmp_path):
    """A mistyped path is told in a line, not in a traceback."""
    (tmp_path / "file").touch()
    run = invoke(tmp_path / "file" / "out")
    assert run.exit_code == 2 and "file" in run.stderr and isinstance(run.exception, SystemExit)


def test_list_shows_the_claims(demo):
    """Ids, titles, sources and the mutants to be killed; nothing is run."""
    listed = CliRunner().invoke(cli.app, ["list"])
    rows = [line.split() for line in listed.stdout.splitlines()]
    assert listed.exit_code == 0 and demo.calls == []
    assert ["Z1", "First", "[claim]", "A", "paper", REQUIRED] in rows and ["Z2", "Second", "claim", "A", "book"] in rows


def test_a_broken_registry_is_status_2(demo, monkeypatch):
    """An id taken twice is told in a line."""

    def broken(packages: object) -> None:
        raise registry.RegistryError("claim Z1 is defined twice")

    monkeypatch.setattr(registry, "discover", broken)
    listed = CliRunner().invoke(cli.app, ["list"])
    assert (listed.exit_code, listed.stderr) == (2, "error: claim Z1 is defined twice\n")


def test_no_command_runs_every_claim(demo, tmp_path, monkeypatch):
    """In quick profile, into the folder that is the default."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "_in_processes", lambda jobs, run, workers, watch: runner.execute(jobs, run, 1, watch))
    assert CliRunner().invoke(cli.app, []).exit_code == 0
    record = results(tmp_path / "validation-report")
    assert list(record["claims"]) == ["Z1", "Z2"] and record["profile"] == "quick"


def test_the_processes_run_one_thread_each(monkeypatch):
    """The thread counts are set before the command line, and with it NumPy, is used."""
    for name in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMBA"):
        monkeypatch.setenv(f"{name}_NUM_THREADS", "8")
    seen = []
    monkeypatch.setattr(cli, "app", lambda prog_name: seen.append((prog_name, os.environ["OPENBLAS_NUM_THREADS"])))
    validation.__main__.main()
    assert seen == [("python -m validation", "1")] and os.environ["OMP_NUM_THREADS"] == "1"


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_shown_on_a_terminal_only(terminal):
    """A log file gets no bars."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
    with live(console, "jobs", 1, 3) as watch:
        watch(Job("Z1", REQUIRED), 0.0)
        watch(Job("Z1", REQUIRED), 0.5)
        watch(Job("Z1", REQUIRED), 1.0)
        watch(Job("Z2", REQUIRED), 1.0)
    shown = console.file.getvalue()
    assert ("jobs" in shown and "3/3" in shown) if terminal else shown.strip() == ""
