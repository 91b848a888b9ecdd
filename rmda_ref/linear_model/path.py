"""Solutions for many strengths of the penalty, from the null model on, each with its certificate."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from rmda_ref import checks
from rmda_ref.linear_model.base import Array, SparseLinearModel
from rmda_ref.regularizers import L1, ElasticNet, Regularizer


@dataclass(frozen=True, eq=False)
class Path:
    """Solutions by strength.

    Attributes
    ----------
    alphas : array of shape (n_alphas,), decreasing
    coefs, intercepts : arrays of shape (n_alphas, *shape of ``coef_`` or ``intercept_``)
    dual_gaps : proved bounds on objectives - optima; infinite where psi has no certificate
    objectives : mean loss plus penalty
    n_active : features with a nonzero coefficient
    """

    alphas: Array
    coefs: Array
    intercepts: Array
    dual_gaps: Array
    objectives: Array
    n_active: Array


def alpha_max(estimator: SparseLinearModel, X: Any, y: Any, sample_weight: Any = None) -> float:
    """The smallest alpha at which all penalised coefficients are 0.

    It is the dual norm, of psi at strength 1, of the gradient of the mean loss at the null model (coefficients 0 and,
    with an intercept, the best one); of an elastic net only the l1 part counts.

    Parameters
    ----------
    estimator : RMDARegressor or RMDAClassifier
        With its loss, penalty, groups, fit_intercept, class_weight; it is not changed, and its alpha does not matter.
    X, y, sample_weight : as its ``fit``

    Raises
    ------
    ValueError, TypeError
        For a penalty without an alpha: "none", or a Regularizer, which has its own strength; else as ``fit``.

    >>> X, y = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0]]), np.array([1.0, -1.0, 0.0])
    >>> from rmda_ref.linear_model import RMDARegressor
    >>> alpha_max(RMDARegressor(), X, y)  # the largest |x_j . y|/n
    0.6666666666666666
    """
    model = strengthened(estimator)
    problem = model._encoded(X, y, sample_weight, model._problem)
    whole = problem.model
    gradient = whole.coefficients(whole.adjoint(problem.loss.dual_at(whole.forward(problem.start))))
    psi = L1(problem.psi.l1_ratio) if isinstance(problem.psi, ElasticNet) else problem.psi
    return psi.dual_norm(-gradient)


def rmda_path(
    estimator: SparseLinearModel,
    X: Any,
    y: Any,
    *,
    alphas: Any = None,
    n_alphas: int = 100,
    eps: float = 1e-3,
    sample_weight: Any = None,
) -> Path:
    """Fit at each alpha, from the largest down, each time from the last solution.

    RMDA looks for structure in the first fit alone; from there on Newton follows it.

    Parameters
    ----------
    estimator : RMDARegressor or RMDAClassifier
        All other parameters; it is not changed.
    X, y, sample_weight : as its ``fit``
    alphas : sequence of float, optional
        In any order. By default a geometric sequence from `alpha_max` to eps times it.
    n_alphas, eps : its length and its ratio of the smallest to the largest

    Raises
    ------
    ValueError, TypeError
        As `alpha_max`, and for alphas that are no strengths.

    >>> from rmda_ref.linear_model import RMDARegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7]
    >>> path = rmda_path(RMDARegressor(), X, y, n_alphas=5, eps=0.01)
    >>> path.coefs.shape, [int(n) for n in path.n_active]
    ((5, 200), [0, 2, 2, 2, 2])
    """
    model = strengthened(estimator)
    X, y = model._checked(X, y)
    alphas = alphas_of(model, X, y, sample_weight, alphas, n_alphas, eps)
    fits = [
        (fit.coef_, fit.intercept_, fit.dual_gap_, fit.objective_, fit.history_[-1].n_active)
        for fit in along(model, X, y, sample_weight, alphas)
    ]
    return Path(alphas, *(np.array(column) for column in zip(*fits, strict=True)))


def along(
    estimator: SparseLinearModel, X: Any, y: Any, sample_weight: Any, alphas: Array
) -> Iterator[SparseLinearModel]:
    """One and the same model, fitted at each alpha in turn from the solution at the last."""
    model = clone(estimator).set_params(warm_start=True)
    for alpha in alphas:
        model.alpha = float(alpha)
        yield model.fit(X, y, sample_weight)
        model.identify_epochs = 0


def alphas_of(
    estimator: SparseLinearModel, X: Any, y: Any, sample_weight: Any, alphas: Any, n_alphas: int, eps: float
) -> Array:
    """Those given, decreasing, or a geometric sequence from `alpha_max`."""
    if alphas is None:
        checks.count("n_alphas", n_alphas, 1, "it is the number of fits")
        checks.fraction("eps", eps, "it is the smallest alpha over the largest")
        largest = alpha_max(estimator, X, y, sample_weight)
        # A constant y leaves nothing to explain: then the model is the null model for every alpha.
        largest = max(largest, float(np.finfo(float).resolution))
        return np.geomspace(largest, eps * largest, n_alphas)
    if np.ndim(alphas) != 1 or np.size(alphas) == 0:
        raise ValueError(f"alphas must be a sequence of numbers, got {alphas!r}; leave it out for n_alphas of them")
    checks.weights("alphas", alphas)
    return np.sort(np.asarray(alphas, np.float64))[::-1]


def strengthened(estimator: SparseLinearModel) -> SparseLinearModel:
    """An unfitted copy with alpha 1, of an estimator whose penalty has an alpha."""
    if not isinstance(estimator, SparseLinearModel) or "alpha" not in estimator.get_params(deep=False):
        raise TypeError(f"estimator must be an RMDARegressor or RMDAClassifier, got {estimator!r}")
    if isinstance(estimator.penalty, Regularizer):
        raise ValueError(
            f"penalty={estimator.penalty!r} carries its own strength, so there is no alpha to choose; give a penalty "
            "by name, or fit one Regularizer after the other with warm_start=True"
        )
    if estimator.penalty in (None, "none"):
        raise ValueError(f"penalty={estimator.penalty!r} has no strength, so there is no alpha to choose; use 'l1'")
    copy: SparseLinearModel = clone(estimator).set_params(alpha=1.0)
    return copy
