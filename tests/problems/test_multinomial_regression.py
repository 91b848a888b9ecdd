"""The regression problem against finite differences, scikit-learn's cross-entropy, and its certified optimum."""

from functools import cache

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from problems.data import DataSource, ImageData, load
from problems.multinomial_regression import MultinomialRegression
from rmda_ref import GroupLasso
from rmda_ref.losses import MultinomialLoss
from validation.oracles.row_group_multinomial import optimum

N, LAM = 300, 0.01


@cache
def problem(dtype=np.float64) -> MultinomialRegression:
    digits = load(DataSource("digits"))
    X, y = digits.X_train[:N], digits.y_train[:N]
    part = ImageData(X, y, digits.X_test, digits.y_test, digits.image_shape, digits.name)
    return MultinomialRegression.on(part, LAM, dtype)


@cache
def best():
    train = problem().train
    return optimum(train.X, train.y, n_classes=10, mu=LAM * np.sqrt(10))


def somewhere(dtype=np.float64):
    return 0.1 * np.random.default_rng(0).standard_normal((10, 65)).astype(dtype)


def decision(X, w):
    return X @ w[:, :-1].T + w[:, -1]


# --- the smooth part


@pytest.mark.parametrize("samples", [np.arange(N), np.array([3, 1, 4, 1, 5, 9])], ids=["all", "batch"])
def test_gradient_matches_finite_differences(samples):
    w, rng, h = somewhere(), np.random.default_rng(1), np.finfo(float).eps ** (1 / 3)
    batch = problem().batch(samples)
    for _ in range(20):
        direction = rng.standard_normal(w.shape)
        slope = (batch.value(w + h * direction) - batch.value(w - h * direction)) / (2 * h)
        # Truncation h^2 |f'''| / 6 and rounding eps f / h; both are multiples of eps^(2/3).
        assert abs(slope - np.vdot(batch.gradient(w), direction)) < 1e4 * np.finfo(float).eps ** (2 / 3)
    assert np.abs(batch.gradient(w)).max() > 1e-2


def test_float32_gives_the_numbers_of_float64():
    w = somewhere(np.float32)
    single, double = problem(np.float32), problem()
    assert single.start().dtype == single.batch(np.arange(9)).gradient(w).dtype == np.float32
    assert single.objective(w) == pytest.approx(double.objective(w), rel=1e-6)
    np.testing.assert_allclose(single.train.gradient(w), double.train.gradient(w), atol=1e-6)


def test_an_epoch_sees_each_sample_once_in_an_order_drawn_anew():
    rng, train = np.random.default_rng(0), problem().train
    first, second = list(problem().epoch(rng, 128)), list(problem().epoch(rng, 128))
    assert [batch.n_samples for batch in first] == [128, 128, 44]
    rows = np.concatenate([np.column_stack((batch.X, batch.y)) for batch in first])
    given = np.column_stack((train.X, train.y))
    assert not np.array_equal(rows, given)
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], given[np.lexsort(given.T)])
    assert not np.array_equal(first[0].X, second[0].X)
    again = next(problem().epoch(np.random.default_rng(0), 128))
    np.testing.assert_array_equal(first[0].X, again.X)


# --- the whole objective


def test_objective_is_the_cross_entropy_of_scikit_learn_plus_the_norms():
    w, train = somewhere(), problem().train
    p = softmax(decision(train.X, w), axis=1)
    norms = sum(np.linalg.norm(column) for column in w[:, :-1].T)
    expected = log_loss(train.y, p, labels=range(10)) + LAM * np.sqrt(10) * norms
    assert problem().objective(w) == pytest.approx(expected, rel=1e-12)


def test_accuracy_is_on_the_test_samples():
    w, test = somewhere(), problem().test
    assert problem().accuracy(w) == np.mean(decision(test.X, w).argmax(axis=1) == test.y)


def test_support_leaves_the_intercept_out():
    w = problem().start()
    w[:, -1] = 1.0
    assert not problem().support(w).any() and problem().support(w).shape == (64,)
    w[3, 7] = 1.0
    assert np.flatnonzero(problem().support(w)).tolist() == [7]


@pytest.mark.parametrize(("n_features", "fit_intercept"), [(64, False), (63, True)])
def test_losses_that_do_not_fit_are_refused(n_features, fit_intercept):
    other = MultinomialLoss(np.ones((2, n_features)), np.array([0, 1]), fit_intercept=fit_intercept, n_classes=10)
    with pytest.raises(ValueError, match="must both have an intercept and the same weights"):
        MultinomialRegression(problem().train, other, LAM)


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match="lam"):
        MultinomialRegression(problem().train, problem().test, -1.0)


# --- the certified optimum


def test_the_certified_optimum_satisfies_the_optimality_condition():
    found = best()
    assert problem().kkt_residual(found.w) < 1e-11
    assert found.gap < 1e-9 and found.margin > 1e-3
    assert problem().objective(found.w) == pytest.approx(found.objective, rel=1e-13)
    np.testing.assert_array_equal(problem().support(found.w), found.support)
    assert 0 < found.support.sum() < 64


@pytest.mark.parametrize(
    "wrong",
    [
        GroupLasso(LAM, axis=1),  # the weights into a class
        GroupLasso(LAM, axis=0),  # the intercept penalised
        GroupLasso(LAM, axis=0, weights=[1.0] * 64 + [0.0]),  # sqrt(10) forgotten
        GroupLasso(LAM, groups=np.append(np.arange(64), 64).repeat(10)),  # runs of memory, not columns
    ],
    ids=["rows", "intercept", "weights", "runs"],
)
def test_the_optimality_condition_rejects_a_wrong_grouping(wrong):
    w = best().w
    assert wrong.subdiff_distance(w, -problem().train.gradient(w)) > 1e-3


def test_no_point_nearby_is_below_the_certified_optimum():
    rng, found = np.random.default_rng(2), best()
    for size in (1e-1, 1e-2, 1e-3):
        for on in (np.ones(65), np.append(found.support, True)):
            w = found.w + size * on * rng.standard_normal(found.w.shape)
            assert problem().objective(w) > found.objective


def test_a_strong_penalty_leaves_the_frequencies_of_the_classes():
    y = problem().train.y
    found = optimum(problem().train.X, y, n_classes=10, mu=10.0)
    frequencies = np.bincount(y) / N
    assert not found.support.any()
    assert found.objective == pytest.approx(-np.sum(frequencies * np.log(frequencies)), rel=1e-9)
    np.testing.assert_allclose(softmax(found.w[:, -1]), frequencies, rtol=1e-9)


def test_the_oracle_says_when_it_gives_up():
    with pytest.raises(ArithmeticError, match="no certified optimum after 1 rounds"):
        optimum(problem().train.X, problem().train.y, n_classes=10, mu=LAM, target=0.0, max_rounds=1)
