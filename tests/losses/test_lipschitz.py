"""The Lipschitz constant is attained, and a bound where it is estimated."""

from dataclasses import replace

import numpy as np
import pytest
from examples import REGRESSION_LOSSES, make_loss
from scipy import sparse

from rmda_ref.losses import MultinomialLoss, PoissonLoss, SquaredLoss

WEIGHTS = pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])


def weight_of(n_samples, weighted):
    return np.arange(n_samples) % 3 if weighted else np.ones(n_samples)


@WEIGHTS
def test_lipschitz_is_attained_at_the_origin(smooth_class, weighted):
    X = np.random.default_rng(0).standard_normal((10, 3))
    y = np.where(np.arange(10) % 2, 1, 0 if smooth_class is MultinomialLoss else -1)
    y = y.astype(float) if smooth_class in REGRESSION_LOSSES else y
    loss = smooth_class(X, y, sample_weight=weight_of(10, weighted))
    identity = np.eye(np.prod(loss.weight_shape)).reshape(-1, *loss.weight_shape)
    origin = np.zeros(loss.weight_shape)
    hessian = np.stack([loss.hessian_product(origin, e).ravel() for e in identity])
    assert loss.lipschitz() == pytest.approx(np.linalg.norm(hessian, 2), rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
@pytest.mark.parametrize("fit_intercept", [False, True])
@WEIGHTS
def test_lipschitz_of_the_squared_loss_is_the_squared_spectral_norm(shape, fit_intercept, weighted):
    loss = make_loss(SquaredLoss, fit_intercept, shape=shape)
    A = np.column_stack([loss.X, np.ones(shape[0])]) if fit_intercept else loss.X
    weight = weight_of(shape[0], weighted)
    norm_squared = np.linalg.norm(np.sqrt(weight / weight.sum())[:, None] * A, 2) ** 2
    if weighted:
        loss = replace(loss, sample_weight=weight)
    assert norm_squared <= loss.lipschitz() <= norm_squared * (1 + 1e-12)


@pytest.mark.parametrize("stack", [sparse.vstack, sparse.hstack], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("make_sparse", [sparse.csr_array, sparse.csc_array])
@WEIGHTS
def test_lipschitz_by_lanczos_is_a_bound_within_its_stated_slack(stack, fit_intercept, make_sparse, weighted):
    diagonal = sparse.diags_array(np.linspace(1.0, 3.0, 2001))
    X = make_sparse(stack([diagonal, diagonal]))
    n_samples = X.shape[0]
    weight = weight_of(n_samples, weighted)
    loss = SquaredLoss(X, np.zeros(n_samples), fit_intercept=fit_intercept, sample_weight=weight if weighted else None)
    A = sparse.hstack([X, np.ones((n_samples, 1))]) if fit_intercept else X
    A = sparse.diags_array(np.sqrt(weight / weight.sum())) @ A
    start = np.random.default_rng(1).standard_normal(min(A.shape))
    exact = sparse.linalg.svds(A, k=1, v0=start, return_singular_vectors=False)[0] ** 2
    assert exact <= loss.lipschitz() <= exact / 0.95 * (1 + 1e-9)


def test_the_poisson_loss_has_no_lipschitz_constant():
    loss = make_loss(PoissonLoss)
    assert loss.smoothness == np.inf
    with pytest.raises(
        ValueError, match=r"PoissonLoss has no Lipschitz constant, .*; choose step sizes by a line search"
    ):
        loss.lipschitz()


def test_lipschitz_of_a_zero_design_is_zero():
    assert SquaredLoss(np.zeros((3, 2)), np.zeros(3)).lipschitz() == 0.0
