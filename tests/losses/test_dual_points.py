"""Dual points: what balancing keeps, and where the samples have no weight."""

from dataclasses import replace

import numpy as np
import pytest
from examples import N_SAMPLES, make_loss, weights

from rmda_ref.losses import SquaredLoss


def test_balanced_changes_the_prevailing_sign_alone(regression_class):
    loss = make_loss(regression_class, n_outputs=2)
    u = loss.dual_point(weights(loss))
    changed = loss.balanced(u) != u
    for column, prevails in zip(changed.T, (u * np.sign(u.sum(axis=0)) > 0).T, strict=True):
        np.testing.assert_array_equal(column, prevails)


def test_balanced_of_one_sign_is_zero():
    loss = SquaredLoss(np.ones((3, 1)), np.zeros(3))
    np.testing.assert_array_equal(loss.balanced([1.0, 2.0, 0.0]), 0)
    np.testing.assert_array_equal(loss.balanced([-1.0, -2.0, -3.0]), 0)
    np.testing.assert_array_equal(loss.balanced([0, 0, 0]), 0)


def test_samples_without_weight_have_no_dual(loss_class):
    loss = replace(make_loss(loss_class), sample_weight=np.arange(N_SAMPLES) % 2)
    u = loss.dual_point(weights(loss))
    assert not u[::2].any()
    assert not loss.balanced(u)[::2].any()
    for tiny in (1e-300, -1e-300):
        v = u.copy()
        v[4] += tiny
        assert loss.conjugate(v) == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_that_decay_to_nothing_leave_the_dual_point_inside(loss_class, dtype):
    # Among these shares are subnormal numbers of both dtypes, which have few digits.
    decay = 10.0 ** -np.array([0, 1, 30, 37.5, 44.1, 44.5, 100, 307.9, 322.1, 322.5, 323, 400])
    loss = replace(make_loss(loss_class, make_design=lambda X: X.astype(dtype)), sample_weight=decay)
    u = loss.dual_point(weights(loss))
    assert np.isfinite(loss.conjugate(u))
    assert np.isfinite(loss.conjugate(loss.balanced(u)))
