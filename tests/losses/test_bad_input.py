"""Bad data, weights and samples are named, with the remedy."""

import numpy as np
import pytest
from examples import N_SAMPLES, make_loss, targets, weights
from scipy import sparse

from rmda_ref.losses import MultinomialLoss


def bad_designs():
    X = np.ones((3, 2))
    yield "integer", X.astype(int), TypeError, r"X must be float32 or float64, got int64; use X.astype"
    yield "half", X.astype(np.float16), TypeError, "got float16"
    yield "list", X.tolist(), TypeError, "got list; use np.asarray"
    yield "coo", sparse.coo_array(X), TypeError, r"dense, CSR or CSC, got sparse format 'coo'; use X.tocsr\(\)"
    yield "vector", X[:, 0], ValueError, r"got \(3,\); use X.reshape"
    yield "empty", X[:, :0], ValueError, "at least one sample and one feature"
    yield "nan", np.where(np.eye(3, 2), np.nan, X), ValueError, "finite, got 2 NaN or infinite"
    for make_sparse in (sparse.csr_array, sparse.csc_array):
        bad = make_sparse(np.diag([1.0, np.inf, 1.0]))
        yield f"{bad.format} inf", bad, ValueError, "finite, got 1 NaN or infinite"


@pytest.mark.parametrize(("X", "error", "message"), [pytest.param(*c[1:], id=c[0]) for c in bad_designs()])
def test_bad_design(loss_class, X, error, message):
    y = targets(loss_class, 3, np.random.default_rng(0))
    with pytest.raises(error, match=message):
        loss_class(X, y)


def test_finite_entries_whose_sum_is_not_are_taken(loss_class):
    y = targets(loss_class, 3, np.random.default_rng(0))
    assert loss_class(np.full((3, 2), 1.5e308), y).n_samples == 3


def test_target_shape(loss_class):
    y = targets(loss_class, 3, np.random.default_rng(0))
    several = loss_class is not MultinomialLoss
    shapes = r"\(3,\) or \(3, n_outputs\)" if several else r"\(3,\)"
    for wrong in (y[:2], y[None], y[:, None, None], np.empty((3, 0)) if several else y[:, None]):
        with pytest.raises(ValueError, match=f"y must have shape {shapes}, .*use y.ravel"):
            loss_class(np.ones((3, 2)), wrong)


def test_a_column_is_one_output(regression_class):
    y = targets(regression_class, 3, np.random.default_rng(0))
    loss, flat = regression_class(np.ones((3, 2)), y[:, None]), regression_class(np.ones((3, 2)), y)
    assert loss.weight_shape == (1, 2)
    np.testing.assert_array_equal(loss.gradient(np.ones((1, 2))), flat.gradient(np.ones(2))[None])


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(2), r"sample_weight must have shape \(3,\), one entry a row of X, got \(2,\)"),
        (np.ones((3, 1)), r"sample_weight must have shape \(3,\)"),
        (2.0, r"sample_weight must have shape \(3,\)"),
        ([1, -2, 3], r"sample_weight must be finite and at least 0, got -2.0; use 0"),
        ([1, np.nan, 3], r"sample_weight must be finite and at least 0, got nan"),
        ([1, np.inf, 3], r"sample_weight must be finite and at least 0, got inf"),
        ([0, 0, 0], r"sample_weight must not be 0 everywhere; leave it out"),
    ],
)
def test_bad_sample_weight(loss_class, weight, message):
    y = targets(loss_class, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        loss_class(np.ones((3, 2)), y, sample_weight=weight)


def test_batch_of_a_csc_design(loss_class):
    loss = make_loss(loss_class, make_design=sparse.csc_array)
    with pytest.raises(TypeError, match=r"mini-batch takes rows.* CSC.*; use X.tocsr\(\)"):
        loss.gradient(weights(loss), [0, 1])


def test_weight_shape(loss):
    w = weights(loss)
    for wrong in (w[..., :-1], w[None], w.T[None]):
        for call in (loss.value, loss.gradient, loss.decision, loss.value_and_gradient, loss.dual_point):
            with pytest.raises(ValueError, match="w must have shape"):
                call(wrong)
        with pytest.raises(ValueError, match="direction must have shape"):
            loss.hessian_product(w, wrong)


def test_dual_shape(loss):
    for call in (loss.conjugate, loss.balanced):
        with pytest.raises(ValueError, match=r"dual must have the shape .* of the predictor"):
            call(np.zeros(N_SAMPLES + 1))


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.ones(N_SAMPLES, dtype=bool), TypeError, "use np.flatnonzero"),
        ([0.0, 1.0], TypeError, "integer indices, got float64"),
        (np.empty(0, dtype=int), ValueError, r"not empty, got shape \(0,\)"),
        ([[0, 1]], ValueError, r"one-dimensional .* got shape \(1, 2\)"),
        ([N_SAMPLES], IndexError, "out of bounds"),
    ],
)
def test_bad_samples(loss, samples, error, message):
    with pytest.raises(error, match=message):
        loss.gradient(weights(loss), samples)
