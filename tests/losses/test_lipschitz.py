"""The Lipschitz constant is attained, and a bound where it is estimated."""

import numpy as np
import pytest
from examples import make_loss
from scipy import sparse

from rmda_ref.losses import MultinomialLoss, SquaredLoss


def test_lipschitz_is_attained_at_the_origin(loss_class):
    X = np.random.default_rng(0).standard_normal((10, 3))
    y = np.where(np.arange(10) % 2, 1, 0 if loss_class is MultinomialLoss else -1)
    loss = loss_class(X, y.astype(float) if loss_class is SquaredLoss else y)
    identity = np.eye(np.prod(loss.weight_shape)).reshape(-1, *loss.weight_shape)
    origin = np.zeros(loss.weight_shape)
    hessian = np.stack([loss.hessian_product(origin, e).ravel() for e in identity])
    assert loss.lipschitz() == pytest.approx(np.linalg.norm(hessian, 2), rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5)])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lipschitz_of_the_squared_loss_is_the_squared_spectral_norm(shape, fit_intercept):
    loss = make_loss(SquaredLoss, fit_intercept, shape=shape)
    A = np.column_stack([loss.X, np.ones(shape[0])]) if fit_intercept else loss.X
    norm_squared = np.linalg.norm(A, 2) ** 2 / shape[0]
    assert norm_squared <= loss.lipschitz() <= norm_squared * (1 + 1e-12)


@pytest.mark.parametrize("stack", [sparse.vstack, sparse.hstack], ids=["tall", "wide"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_lipschitz_by_lanczos_is_a_bound_within_its_stated_slack(stack, fit_intercept):
    diagonal = sparse.diags_array(np.linspace(1.0, 3.0, 2001))
    X = sparse.csr_array(stack([diagonal, diagonal]))
    loss = SquaredLoss(X, np.zeros(X.shape[0]), fit_intercept=fit_intercept)
    A = sparse.hstack([X, np.ones((X.shape[0], 1))]) if fit_intercept else X
    start = np.random.default_rng(1).standard_normal(min(A.shape))
    exact = sparse.linalg.svds(A, k=1, v0=start, return_singular_vectors=False)[0] ** 2 / X.shape[0]
    assert exact <= loss.lipschitz() <= exact / 0.95 * (1 + 1e-9)


def test_lipschitz_of_a_zero_design_is_zero():
    assert SquaredLoss(np.zeros((3, 2)), np.zeros(3)).lipschitz() == 0.0
