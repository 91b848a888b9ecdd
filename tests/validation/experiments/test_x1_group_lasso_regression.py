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
from validation.oracles.row_group_multinomial import optimum

SHORT = x1.Recipe((2, 2, 4))
NAMES = ["RMDA", "ProxSGD", "RDA"]


def few_digits(source: DataSource) -> ImageData:
    digits = load(source)
    return ImageData(digits.X_train[:200], digits.y_train[:200], digits.X_test, digits.y_test, (8, 8), "digits")


@cache
def problem() -> MultinomialRegression:
    return MultinomialRegression.on(few_digits(DataSource()))


@cache
def best() -> x1.Best:
    return x1._best(problem())


def test_the_optimum_is_that_of_the_oracle():
    train = problem().train
    oracle = optimum(train.X, train.y, n_classes=10, mu=x1.LAM * np.sqrt(10))
    assert best().objective == pytest.approx(oracle.objective, rel=0, abs=2e-9)  # certified to 1e-9, both
    np.testing.assert_array_equal(best().support, oracle.support)


@pytest.fixture
def shortened(monkeypatch):
    optimal = best()
    monkeypatch.setattr(x1, "_best", lambda problem: optimal)
    monkeypatch.setattr(x1, "load", few_digits)
    monkeypatch.setitem(x1.RECIPES, ("digits", "quick"), (SHORT, x1.DIGITS[1]))


def measure(**given) -> Measurement:
    return x1.CLAIM.measure(REFERENCE, Setting(**given))


def records(seed=0):
    return x1.run(REFERENCE, problem(), SHORT, np.random.default_rng(seed))


def test_table_and_pictures_have_a_place_for_each_algorithm(shortened):
    found = measure()
    (table,) = found.tables
    assert [row[0] for row in table.rows] == NAMES
    assert {len(row) for row in table.rows} == {len(table.columns)}
    for picture in found.pictures:
        assert [curve.label for curve in picture.curves[:3]] == NAMES
        assert all(len(curve.x) == len(curve.y) for curve in picture.curves)
    assert all(min(curve.y) > 0 for curve in found.pictures[0].curves)  # it has a logarithmic scale
    assert len(found.checks) == 7


def test_the_same_seed_gives_the_same_numbers(shortened):
    first, again, other = measure(), measure(), measure(seed=1)
    assert first == again
    assert first.tables != other.tables


def test_progress_rises_to_one(shortened):
    seen: list[float] = []
    measure(progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) == sum(SHORT.rounds)


def test_a_run_that_has_not_come_near_fails(shortened):
    assert not measure().holds


def test_an_objective_below_the_certified_optimum_fails(shortened, monkeypatch):
    """It would refute the optimum, or the objective, however small the gap from above."""
    wrong = dataclasses.replace(best(), objective=10.0)
    monkeypatch.setattr(x1, "_best", lambda problem: wrong)
    checks = {check.quantity: check for check in measure().checks}
    assert checks["RMDA: F - F*"].holds and not checks["RMDA: F* - F, in float32"].holds


def test_momentum_one_makes_the_iterate_of_rmda_the_structured_point():
    rmda = records()["RMDA"]
    np.testing.assert_array_equal(rmda.support[-4:], rmda.support_of_iterate[-4:])


def test_all_algorithms_go_down_from_the_start():
    for record in records().values():
        assert record.objective[-1] < np.log(10)


def test_the_stages_are_those_of_the_paper():
    stages = x1.Recipe((50, 50, 100)).stages(steps_a_pass=469)
    assert [stage.n_steps for stage in stages] == [23450, 23450, 46900]
    np.testing.assert_allclose([stage.step_size for stage in stages], [0.1, 0.01, 0.001])
    np.testing.assert_allclose([stage.momentum for stage in stages], [0.01, 0.1, 1.0])


def test_changes_count_from_zero_and_from_round_to_round():
    support = np.array([[True, True, False], [True, False, True], [True, False, True]])
    record = x1.Record((3.0, 2.0, 1.0), (0.0, 0.0, 0.0), support, support)
    assert record.changes == [2, 2, 0]
    assert record.zero == pytest.approx([1 / 3] * 3)
