"""Training runs under the command: round by round, interrupted and resumed, or begun anew."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from problems.data import DataSource
from validation import cli, registry, runner
from validation.claim import Check, Claim, Measurement, Setting
from validation.training.methods import Entrant, Stages
from validation.training.run import Training, train
from validation.training.task import Task

TASK = Task(DataSource(), (10,), "group lasso", 1e-3)
FIRST, SECOND = (Training(TASK, Entrant("RMDA", step_size), Stages((1,))) for step_size in (0.1, 0.2))


class Demo:
    """A claim that needs a first run, and when that is there a second; what was performed and measured, in order."""

    def __init__(self) -> None:
        self.trained: list[Training] = []
        self.measured = 0
        self.raises: dict[Training, BaseException] = {}

    def needs(self, setting: Setting) -> tuple[Training, ...]:
        return setting.store.missing([FIRST]) or setting.store.missing([SECOND])

    def perform(self, training, progress):
        self.trained.append(training)
        if training in self.raises:
            raise self.raises[training]
        return train(training, progress)

    def measure(self, implementation, setting: Setting) -> Measurement:
        self.measured += 1
        return Measurement((Check.at_most("an error", 0.0, 1.0),))


@pytest.fixture
def demo(monkeypatch) -> Demo:
    monkeypatch.delenv("RMDA_DATA_DIR", raising=False)
    found = Demo()
    claims = {"Z1": Claim("Z1", "First", "It is so.", "A paper", "None", found.measure, trains=found.needs)}
    monkeypatch.setattr(registry, "discover", lambda packages: claims)
    monkeypatch.setattr(runner, "discover", lambda packages: claims)
    monkeypatch.setattr("validation.training.store.train", found.perform)
    return found


def invoke(out: Path, *options: str):
    return CliRunner().invoke(cli.app, ["run", "--jobs", "1", "--out", str(out), *options])


def test_training_runs_come_first_round_by_round_and_once(demo, tmp_path):
    run = invoke(tmp_path)
    assert run.exit_code == 0 and demo.trained == [FIRST, SECOND] and demo.measured == 1
    assert run.stderr.count("1 training runs.") == 2
    invoke(tmp_path, "--seed", "1")  # the same runs, for a claim that asks for the same
    assert demo.trained == [FIRST, SECOND] and demo.measured == 2


def test_interrupted_training_resumes(demo, tmp_path):
    demo.raises[SECOND] = KeyboardInterrupt()
    run = invoke(tmp_path)
    kept = f"finished training runs are kept in {tmp_path / 'trainings'}; the same command resumes there."
    assert run.exit_code == 130 and run.stderr.splitlines()[-1] == f"interrupted: {kept}"
    demo.raises.clear()
    assert invoke(tmp_path).exit_code == 0 and demo.trained == [FIRST, SECOND, SECOND]


def test_without_resume_all_is_done_again(demo, tmp_path):
    invoke(tmp_path)
    assert invoke(tmp_path, "--no-resume").exit_code == 0
    assert demo.trained == [FIRST, SECOND] * 2 and demo.measured == 2


def test_a_training_run_that_raises_is_left_to_its_claim(demo, tmp_path):
    """It is not tried for ever."""
    demo.raises[FIRST] = RuntimeError("no")
    assert invoke(tmp_path).exit_code == 0
    assert demo.trained == [FIRST] and demo.measured == 1
