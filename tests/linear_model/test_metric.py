"""The metric of the working sets: the Hessian where it says so, its inverse, and restricted regularizers."""

import numpy as np
import pytest
from scipy import sparse

from rmda_ref import L1, GroupLasso, Nuclear, SparseGroupLasso, TotalVariation
from rmda_ref.linear_model import RMDARegressor
from rmda_ref.linear_model.metrics import KroneckerMetric, SeparateMetric
from rmda_ref.linear_model.polish import Held
from rmda_ref.linear_model.problem import Problem
from rmda_ref.linear_model.restrict import companions, restricted
from rmda_ref.linear_model.working_set import WorkingSet
from rmda_ref.losses import HuberLoss, LogisticLoss, MultinomialLoss, SquaredHingeLoss, SquaredLoss

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 6))
Y = RNG.choice([-1.0, 1.0], 40)
CLASSES = RNG.integers(0, 3, 40)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
def test_for_one_output_it_is_the_hessian(make):
    loss = LogisticLoss(make(X), Y, fit_intercept=True)
    w, direction = RNG.standard_normal((2, 7))
    model = WorkingSet(loss)
    found = model.metric_at(model.forward(w)).product(direction)
    np.testing.assert_allclose(found, loss.hessian_product(w, direction), rtol=0, atol=1e-14)  # sums of 40 below 1


def signs(n_outputs):
    return np.where(CLASSES[:, None] == np.arange(n_outputs), 1.0, -1.0)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("kind", [SquaredHingeLoss, HuberLoss, SquaredLoss])
def test_where_outputs_do_not_see_each_other_it_is_the_hessian(kind, make):
    loss = kind(make(X), signs(3), fit_intercept=True)
    w, direction = RNG.standard_normal((2, 3, 7))
    model = WorkingSet(loss)
    metric = model.metric_at(loss.decision(w))
    assert metric.exact
    found = metric.product(flat(direction))
    np.testing.assert_allclose(found, flat(loss.hessian_product(w, direction)), rtol=0, atol=1e-13)  # as above


def test_one_gram_matrix_for_all_outputs_is_not_the_hessian():
    loss = SquaredHingeLoss(X, signs(3))
    w, direction = RNG.standard_normal((2, 3, 6))
    curvatures, blocks = loss.curvature_at(loss.decision(w))
    mean = curvatures.mean(axis=1).sum()
    wrong = KroneckerMetric(X, curvatures, blocks / mean, None).product(direction.ravel())
    assert np.abs(wrong - loss.hessian_product(w, direction).ravel()).max() > 1e-2


def test_where_outputs_see_each_other_it_is_near_the_hessian_and_says_so():
    model = WorkingSet(MultinomialLoss(X, CLASSES))
    assert not model.metric_at(np.zeros((40, 3))).exact
    # At 0 all samples have the same block, and the metric is exact there after all.
    direction = RNG.standard_normal(18)
    expected = model.loss.hessian_product(np.zeros((3, 6)), direction.reshape(3, 6)).ravel()
    np.testing.assert_allclose(model.metric_at(np.zeros((40, 3))).product(direction), expected, rtol=0, atol=1e-14)


def flat(rows):
    return np.concatenate((rows[:, :-1].ravel(), rows[:, -1]))


def point(model):
    """Parameters with features 2 and 3 at zero."""
    w = np.random.default_rng(5).standard_normal(model.size)
    model.coefficients(w)[..., 2:4] = 0
    return w


def dense(action, n):
    return np.stack([action(unit) for unit in np.eye(n)], axis=1)


@pytest.mark.parametrize(
    ("loss", "psi"),
    [
        (LogisticLoss(X, Y, fit_intercept=True), L1(0.1)),
        (LogisticLoss(X, Y), GroupLasso(0.1, groups=np.arange(6) // 2)),
        (MultinomialLoss(X, CLASSES), GroupLasso(0.1, axis=0)),
        (SquaredHingeLoss(X, signs(3), fit_intercept=True), L1(0.1)),
        (SquaredHingeLoss(X, signs(3), fit_intercept=True), GroupLasso(0.1, axis=0)),
    ],
    ids=["entries", "groups", "rows of outputs", "entries of outputs", "rows of separate outputs"],
)
def test_its_inverse_is_that_of_metric_plus_psi(loss, psi):
    problem = Problem(loss, psi)
    model = problem.model
    w = point(model)
    along = problem.regularizer.tangent(w)
    n_active = int(along.active.sum())
    assert 0 < n_active < model.size
    metric = model.metric_at(model.forward(w))
    matrix = dense(lambda v: metric.product(v) + along.hessian(v), model.size)[np.ix_(along.active, along.active)]
    inverse = dense(metric.inverse(along), n_active)
    # Condition below 1e4, and the diagonal raised by 1e-12 of itself.
    np.testing.assert_allclose(inverse @ matrix, np.eye(n_active), rtol=0, atol=1e-7)


def test_without_the_directions_of_groups_it_is_no_inverse():
    problem = Problem(LogisticLoss(X, Y), GroupLasso(0.1, groups=np.arange(6) // 2))
    w = point(problem.model)
    along = problem.regularizer.tangent(w)
    metric = problem.model.metric_at(problem.model.forward(w))
    matrix = dense(lambda v: metric.product(v) + along.hessian(v), 6)[np.ix_(along.active, along.active)]
    wrong = dense(metric.inverse(along._replace(unit=0 * along.unit)), int(along.active.sum()))
    assert np.abs(wrong @ matrix - np.eye(len(matrix))).max() > 1e-3


@pytest.mark.parametrize(
    ("psi", "shape"),
    [
        (L1(0.5, weights=np.arange(8.0)), (8,)),
        (GroupLasso(0.5, groups=[[0, 5], [4, 1, 2], [3], [6, 7]], weights=[1.0, 2.0, 3.0, 4.0]), (8,)),
        (SparseGroupLasso(0.5, groups=[0, 1, 0, 2, 2, 1, 3, 3]), (8,)),
        (GroupLasso(0.5, axis=0, weights=np.arange(8.0)), (3, 8)),
        (GroupLasso(0.5, groups=np.tile([0, 1, 0, 2, 2, 1, 3, 3], 3)), (3, 8)),
    ],
)
def test_a_restricted_regularizer_is_psi_with_zeros_elsewhere(psi, shape):
    asked = np.arange(8) == 5
    together = companions(psi, shape, asked)
    assert together[5]
    features = np.flatnonzero(together)
    part = restricted(psi, shape, features)
    some = RNG.standard_normal((*shape[:-1], features.size))
    whole = np.zeros(shape)
    whole[..., features] = some
    assert part.value(some) == pytest.approx(psi.value(whole), rel=1e-14)
    np.testing.assert_allclose(part.prox(some, 0.3), psi.prox(whole, 0.3)[..., features], rtol=1e-14)
    np.testing.assert_array_equal(np.delete(psi.prox(whole, 0.3), features, axis=-1), 0)


def test_groups_pull_in_their_companions_and_others_do_not_split():
    together = companions(GroupLasso(1.0, groups=[[0, 5], [4, 1, 2], [3]]), (6,), np.arange(6) == 5)
    np.testing.assert_array_equal(np.flatnonzero(together), [0, 5])
    assert companions(TotalVariation(1.0), (6,), np.ones(6, bool)) is None
    assert companions(Nuclear(1.0), (2, 6), np.ones(6, bool)) is None
    assert companions(GroupLasso(1.0, axis=1), (2, 6), np.ones(6, bool)) is None


def test_a_working_set_serves_its_own_features_while_they_are_not_far_fewer():
    held = Held.of(Problem(LogisticLoss(X, Y), L1(0.1)), np.array([0, 2, 3, 5]))
    assert held.serves(np.array([0, 3, 5])) and held.serves(np.array([2, 3]))
    assert not held.serves(np.array([0, 1, 3]))  # another one
    assert not held.serves(np.array([3]))  # a fourth of it


def test_a_feature_without_curvature_in_one_output_still_bounds_steps():
    curvatures = np.where(np.arange(40)[:, None] < [20, 40], 0.025, 0.0)  # of output 0 in the first half alone
    features = np.where(np.arange(40)[:, None] < [20, 40], X[:, :2], 0.0)[::-1]  # feature 0 in the second half alone
    metric = SeparateMetric(features, curvatures, None)
    assert metric.block(0)[0, 0] == 0 < metric.block(1)[0, 0]
    np.testing.assert_array_equal(metric.diagonal.reshape(2, 2)[0], metric.diagonal.reshape(2, 2)[1])
    assert (metric.diagonal > 0).all() and (np.diag(metric.damped(1.0).block(0)) > 0).all()


def test_far_off_in_a_huber_loss_of_several_outputs_few_rounds_are_needed():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((20, 40)) * (rng.random((20, 40)) < 0.1)
    targets = 5 * rng.standard_normal((20, 3))
    # 6 rounds; where a metric of separate outputs bounds no step along flat features, it does not get there.
    model = RMDARegressor(loss="huber", penalty="sparse_group_lasso", alpha=2e-4, max_epochs=10, random_state=0)
    assert model.fit(A, targets).dual_gap_ < 1e-9
