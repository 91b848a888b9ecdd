"""Contests: equal budgets, the best of the search, and what is still to be done; the store that keeps the runs."""

import dataclasses

import numpy as np
import pytest

from problems.data import DataSource
from validation.training import store as store_module
from validation.training import summary
from validation.training.contest import Contest, Tuned
from validation.training.methods import Entrant, Stages
from validation.training.run import History, Training
from validation.training.store import Store
from validation.training.summary import final_table, ordering, pictures, search_table, spread
from validation.training.task import Task

TASK = Task(DataSource(), (10,), "group lasso", 1e-3)
CONTEST = Contest(
    TASK,
    (Entrant("RMDA", 0.1, 0.1), Tuned(Entrant("MSGD", 0.1), (0.3, 0.1))),
    Stages((2, 1)),
    seeds=(0, 1),
    search=Stages((1,)),
)


@pytest.fixture
def trained(monkeypatch):
    """F at the end is |log10(step size / 0.1)|, so that 0.1 is the best; nothing is trained."""
    done: list[Training] = []

    def train(training, progress=None):
        done.append(training)
        n = training.stages.n_epochs
        value = abs(np.log10(training.entrant.step_size / 0.1)) + training.seed % 1000
        packed = np.packbits(np.ones((n, 4), bool), axis=1)
        return History(np.full(n, value), np.ones(n), np.ones(n, int), packed, packed, 4, 4, np.ones(n))

    monkeypatch.setattr(store_module, "train", train)
    return done


def test_the_search_comes_first_and_its_best_is_run_on_every_seed(trained):
    store = Store()
    searches = CONTEST.needs(store)
    assert [run.entrant.step_size for run in searches] == [0.3, 0.1]
    assert {(run.seed, run.stages) for run in searches} == {(1000, Stages((1,)))}
    for run in searches:
        store.history(run)
    runs = CONTEST.needs(store)
    assert [(run.entrant.method, run.entrant.step_size, run.seed) for run in runs] == [
        ("RMDA", 0.1, 0),
        ("RMDA", 0.1, 1),
        ("MSGD", 0.1, 0),
        ("MSGD", 0.1, 1),
    ]
    for run in runs:
        store.history(run)
    assert not CONTEST.needs(store) and len(trained) == 6
    assert [(one.entrant.step_size, one.chosen) for one in CONTEST.tried(store)] == [(0.3, False), (0.1, True)]


def test_a_candidate_that_diverges_is_not_chosen(trained, monkeypatch):
    store = Store()
    (best,) = [run for run in CONTEST.searches(store) if run.entrant.step_size == 0.1]
    kept = store.history(best)
    store._read[best] = dataclasses.replace(kept, objective=np.full(1, np.nan))
    assert CONTEST.chosen(store)[1].step_size == 0.3


def test_a_store_gives_back_what_it_was_given(tmp_path, trained):
    (run, *_) = CONTEST.searches(Store(tmp_path))
    history = Store(tmp_path).history(run)
    again = Store(tmp_path).recall(run)
    assert again is not None and len(trained) == 1
    for field in dataclasses.fields(History):
        np.testing.assert_array_equal(getattr(history, field.name), getattr(again, field.name))
    assert Store(tmp_path).recall(dataclasses.replace(run, seed=7)) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


@pytest.mark.parametrize("damage", [b"", b"half of a file", None])
def test_a_damaged_run_is_trained_again(tmp_path, trained, damage):
    (run, *_) = CONTEST.searches(Store(tmp_path))
    Store(tmp_path).history(run)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-30] if damage is None else damage)
    assert Store(tmp_path).recall(run) is None
    Store(tmp_path).history(run)
    assert len(trained) == 2 and Store(tmp_path).recall(run) is not None


def test_another_code_is_another_run_and_another_comment_is_not(tmp_path):
    def code(text):
        (tmp_path / "a.py").write_text(text)
        return store_module._code(tmp_path / "a.py")

    plain = code('"""One."""\n\n\ndef f(x):\n    """Two."""\n    return x + 1\n')
    assert code('"""Other."""\n\n\ndef f(x):\n    """Words."""\n    return x + 1  # why\n') == plain
    assert code('"""One."""\n\n\ndef f(x):\n    """Two."""\n    return x + 2\n') != plain


def test_mean_and_deviation_over_the_seeds():
    assert spread([1.0, 3.0], 2) == "2.00 ± 1.41"
    assert spread([1.0], 1) == "1.0"


def test_a_long_curve_is_averaged_over_windows():
    n = 4 * summary.POINTS
    packed = np.zeros((n, 1), np.uint8)
    history = History(np.arange(n, dtype=float), np.ones(n), np.ones(n, int), packed, packed, 4, 4, np.ones(n))
    (curve,) = summary.curves({"a": [history]}, lambda h: h.objective)
    assert curve.x[:2] == (4, 8) and curve.y[:2] == (1.5, 5.5) and len(curve.x) == summary.POINTS


def test_tables_and_pictures_of_a_contest(trained):
    store = Store()
    histories = CONTEST.histories(store)
    table = final_table(CONTEST, store, "groups")
    assert [row[:2] for row in table.rows] == [("RMDA", "0.1"), ("MSGD", "0.1")]
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert table.rows[0][5] == "0.50000 ± 0.70711"  # F is the seed, 0 and 1
    assert [row[3] for row in search_table(CONTEST.tried(store)).rows] == ["", "chosen"]
    for picture in pictures(CONTEST, store, "groups", "here"):
        assert picture.marks == (2.0,) and [curve.label for curve in picture.curves] == ["RMDA", "MSGD"]
        assert [len(curve.x) for curve in picture.curves] == [3, 3]
    assert "F: RMDA 0.5000, MSGD 0.5000" in ordering(histories, "groups")
