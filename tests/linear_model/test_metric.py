"""The metric of the working sets: the Hessian where it says so, its inverse, and restricted regularizers."""

import numpy as np
import pytest
from scipy import sparse

from rmda_ref import L1, GroupLasso, Nuclear, SparseGroupLasso, TotalVariation
from rmda_ref.linear_model.problem import Problem
from rmda_ref.linear_model.restrict import companions, restricted
from rmda_ref.linear_model.working_set import WorkingSet
from rmda_ref.losses import LogisticLoss, MultinomialLoss

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
    ],
    ids=["entries", "groups", "rows of outputs"],
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
