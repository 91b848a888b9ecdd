"""The experiment on a few digits and few epochs: its shape, its bookkeeping, and that it can be repeated."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from problems.data import DataSource, ImageData, load
from problems.multinomial_regression import MultinomialRegression
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Measurement, Setting
from validation.experiments import x1_group_lasso_regression as x1
from validation.experiments import x6_against_the_truth as x6
from validation.oracles.row_group_multinomial import optimum
from validation.training import task
from validation.training.methods import Stages
from validation.training.store import Store

SHORT = Stages((2, 2, 4)), Stages((1,)), x1.DIGITS[2]
NAMES = [(each if isinstance(each, x1.Entrant) else each.entrant).name for each in x1.ENTRANTS]


def few_digits(source: DataSource) -> ImageData:
    digits = load(source)
    return ImageData(digits.X_train[:200], digits.y_train[:200], digits.X_test, digits.y_test, (8, 8), "digits")


@cache
def problem() -> MultinomialRegression:
    return MultinomialRegression.on(few_digits(DataSource()))


@cache
def best() -> x1.Best:
    return x1.best(problem())


def test_the_optimum_is_that_of_the_oracle():
    train = problem().train
    oracle = optimum(train.X, train.y, n_classes=10, mu=x1.LAM * np.sqrt(10))
    assert best().objective == pytest.approx(oracle.objective, rel=0, abs=2e-9)  # certified to 1e-9, both
    np.testing.assert_array_equal(best().support, oracle.support)


@pytest.fixture
def shortened(monkeypatch):
    optimal = best()
    monkeypatch.setattr(x1, "best", lambda problem: optimal)
    monkeypatch.setattr(x6, "best", lambda problem: optimal)
    for module in (x1, x6):
        monkeypatch.setattr(module, "load", few_digits)
    monkeypatch.setattr(task, "load", few_digits)
    monkeypatch.setitem(x1.RECIPES, ("digits", "quick"), SHORT)
    task._images.cache_clear()
    task._build.cache_clear()
    yield
    task._images.cache_clear()
    task._build.cache_clear()


def measure(claim=x1.CLAIM, **given) -> Measurement:
    return claim.measure(REFERENCE, Setting(**given))


def without_seconds(measurement: Measurement) -> Measurement:
    table, *others = measurement.tables
    return dataclasses.replace(measurement, tables=(tuple(row[:-1] for row in table.rows), *others))


def test_table_and_pictures_have_a_place_for_each_algorithm(shortened):
    found = measure()
    table, search = found.tables
    assert [row[0] for row in table.rows] == NAMES
    assert {len(row) for row in table.rows} == {len(table.columns)}
    assert sum(row[-1] == "chosen" for row in search.rows) == 5 and len(search.rows) == 20
    for picture in found.pictures:
        assert [curve.label for curve in picture.curves[: len(x1.SHOWN)]] == list(x1.SHOWN)
        assert all(len(curve.x) == len(curve.y) for curve in picture.curves)
        assert picture.marks == (2.0, 4.0)
    assert len(found.checks) == 7


def test_the_same_seed_gives_the_same_numbers(shortened):
    first, again, other = measure(), measure(), measure(seed=1)
    assert without_seconds(first) == without_seconds(again)
    assert first.tables[0].rows[0][:-1] != other.tables[0].rows[0][:-1]


def test_what_is_kept_is_not_trained_again(shortened, tmp_path, monkeypatch):
    setting = Setting(store=Store(tmp_path))
    first = x1.CLAIM.measure(REFERENCE, setting)
    assert not x1.trains(setting)
    monkeypatch.setattr("validation.training.store.train", None)
    assert x1.CLAIM.measure(REFERENCE, Setting(store=Store(tmp_path))) == first


def test_a_run_that_has_not_come_near_fails(shortened):
    assert not measure().holds


def test_an_objective_below_the_certified_optimum_fails(shortened, monkeypatch):
    """It would refute the optimum, or the objective, however small the gap from above."""
    wrong = dataclasses.replace(best(), objective=10.0)
    monkeypatch.setattr(x1, "best", lambda problem: wrong)
    checks = {check.quantity: check for check in measure().checks}
    assert checks["RMDA: F - F*"].holds and not checks["RMDA: F* - F, in float32"].holds


def test_false_and_missed_groups_are_counted_against_the_optimum(shortened, monkeypatch):
    """With a truth that keeps nothing every group is false and none missed; with one that keeps all, the reverse."""
    setting = Setting()
    (run,) = x1.contest(setting).histories(setting.store)["RMDA"]
    nothing, everything = np.zeros(64, bool), np.ones(64, bool)
    np.testing.assert_array_equal(x6.false(run, nothing), run.mask().sum(axis=1))
    np.testing.assert_array_equal(x6.missed(run, nothing), np.zeros(8))
    np.testing.assert_array_equal(x6.false(run, everything), np.zeros(8))
    np.testing.assert_array_equal(x6.missed(run, everything), 64 - run.mask().sum(axis=1))
    found = x6.CLAIM.measure(REFERENCE, setting)
    assert [row[0] for row in found.tables[0].rows] == NAMES


def test_the_stages_are_those_of_the_authors():
    assert x1.RECIPES["mnist", "full"][0] == Stages((100, 100, 100), gamma=0.1)
    rmda, ramda, *_ = x1.ENTRANTS
    assert (rmda.step_size, rmda.momentum, ramda.step_size, ramda.momentum) == (0.1, 0.01, 0.01, 0.01)
