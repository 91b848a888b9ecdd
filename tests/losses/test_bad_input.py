"""Bad data, weights and samples are named, with the remedy."""

import numpy as np
import pytest
from examples import N_SAMPLES, targets, weights
from scipy import sparse


def bad_designs():
    X = np.ones((3, 2))
    yield "integer", X.astype(int), TypeError, r"X must be float32 or float64, got int64; use X.astype"
    yield "half", X.astype(np.float16), TypeError, "got float16"
    yield "list", X.tolist(), TypeError, "got list; use np.asarray"
    yield "csc", sparse.csc_array(X), TypeError, "'csc'; use X.tocsr()"
    yield "vector", X[:, 0], ValueError, r"got \(3,\); use X.reshape"
    yield "empty", X[:, :0], ValueError, "at least one sample and one feature"
    yield "nan", np.where(np.eye(3, 2), np.nan, X), ValueError, "finite, got 2 NaN or infinite"
    yield (
        "sparse inf",
        sparse.csr_array(np.diag([1.0, np.inf, 1.0])),
        ValueError,
        "finite, got 1 NaN or infinite",
    )


@pytest.mark.parametrize(("X", "error", "message"), [pytest.param(*c[1:], id=c[0]) for c in bad_designs()])
def test_bad_design(loss_class, X, error, message):
    y = targets(loss_class, 3, np.random.default_rng(0))
    with pytest.raises(error, match=message):
        loss_class(X, y)


def test_target_shape(loss_class):
    y = targets(loss_class, 3, np.random.default_rng(0))
    for wrong in (y[:2], y[:, None]):
        with pytest.raises(ValueError, match=r"y must have shape \(3,\).*use y.ravel"):
            loss_class(np.ones((3, 2)), wrong)


def test_weight_shape(loss):
    w = weights(loss)
    for wrong in (w[..., :-1], w[None], w.T[None]):
        for call in (loss.value, loss.gradient, loss.decision, loss.value_and_gradient, loss.dual_point):
            with pytest.raises(ValueError, match="w must have shape"):
                call(wrong)
        with pytest.raises(ValueError, match="direction must have shape"):
            loss.hessian_product(w, wrong)


def test_dual_shape(loss):
    with pytest.raises(ValueError, match=r"dual must have the shape .* of the predictor"):
        loss.conjugate(np.zeros(N_SAMPLES + 1))


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
