"""A linear model seen through some of its features: f(w) = F(A w) with the other coefficients held at zero."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from rmda_ref.linear_model.metrics import HessianMetric, KroneckerMetric, SeparateMetric
from rmda_ref.losses.base import LinearPredictorLoss

Vector = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

WIDEST, WIDEST_SPARSE = 3000, 1000  # features: beyond, no Gram matrix is formed
LEAST_CURVATURE = 1e-8  # mean curvature of the metric over the largest possible
TINY = float(np.finfo(np.float64).tiny)
DENSE = 0.05  # share of nonzero entries from which on columns are held dense


class WorkingSet:
    """f(w) = F(A w) for flat parameters: the coefficients of the outputs one after the other, then the intercepts.

    A = [X, unit 1]: with another unit than 1 the last parameters are the intercepts over that unit.

    Parameters
    ----------
    loss : LinearPredictorLoss
    features : array of int, increasing, or None for all
    unit : float
    """

    def __init__(self, loss: LinearPredictorLoss, features: Indices | None = None, unit: float = 1.0) -> None:
        self.loss, self.unit = loss, unit
        self.X = loss.X if features is None else columns(loss.X, features)
        self.n_features = self.X.shape[1]
        outputs = loss.weight_shape[:-1]
        self.n_outputs = outputs[0] if outputs else 1
        self.shape = (*outputs, self.n_features)
        self.n_coef = self.n_outputs * self.n_features
        self.size = self.n_coef + self.n_outputs * loss.fit_intercept
        self.value_at, self.dual_at, self.hessian_at = loss.value_at, loss.dual_at, loss.hessian_at
        self._metric: KroneckerMetric | SeparateMetric | None = None

    def coefficients(self, w: Vector) -> Vector:
        """A view of the coefficients, in the shape of ``coef_``."""
        return w[: self.n_coef].reshape(self.shape)

    def features_of(self, w: Vector) -> npt.NDArray[np.bool_]:
        """Which features have a coefficient that is not zero."""
        return np.asarray((w[: self.n_coef].reshape(self.n_outputs, self.n_features) != 0).any(axis=0))

    def places(self, features: Indices, n_features: int) -> Indices:
        """Where the parameters of these features, and the intercepts, lie in the flat vector of ``n_features``."""
        coef = (np.arange(self.n_outputs)[:, None] * n_features + features).ravel()
        first = self.n_outputs * n_features
        return np.concatenate((coef, np.arange(first, first + self.size - self.n_coef)))

    def forward(self, w: Vector) -> Vector:
        """z = A w, shape of the predictor."""
        coef = self.coefficients(w)
        z = np.asarray(coef @ self.X.T).T if coef.any() else np.zeros((self.loss.n_samples, *coef.shape[:-1]))
        return z + self.unit * w[self.n_coef :] if self.loss.fit_intercept else z

    def adjoint(self, u: Vector) -> Vector:
        """A^T u."""
        features = np.asarray(u.T @ self.X).ravel()
        if not self.loss.fit_intercept:
            return features
        return np.concatenate((features, np.atleast_1d(self.unit * u.sum(axis=0))))

    def metric_at(self, z: Vector) -> KroneckerMetric | SeparateMetric | HessianMetric:
        """The Hessian where outputs do not see each other, close to it where they do."""
        curvatures, blocks = self.loss.curvature_at(z)
        curvatures = lifted(self.loss, curvatures)
        if self.n_features > (WIDEST_SPARSE if sparse.issparse(self.X) else WIDEST):
            hessian = self.hessian_at(z)
            diagonal = (curvatures.T @ squares(self.X)).ravel()
            if self.loss.fit_intercept:
                diagonal = np.concatenate((diagonal, self.unit**2 * curvatures.sum(axis=0)))
            return HessianMetric(lambda v: self.adjoint(hessian(self.forward(v))), diagonal)
        if self._metric is None or not self._metric.is_near(curvatures):
            self._metric = self._metric_of(curvatures, blocks)
        return self._metric

    def _metric_of(self, curvatures: Vector, blocks: Vector) -> KroneckerMetric | SeparateMetric:
        unit = self.unit if self.loss.fit_intercept else None
        if (blocks - np.diag(np.diag(blocks))).any():
            return KroneckerMetric(self.X, curvatures, blocks / max(float(curvatures.mean(axis=1).sum()), TINY), unit)
        if (curvatures == curvatures[:, :1]).all():
            return KroneckerMetric(self.X, curvatures, np.eye(self.n_outputs), unit)
        return SeparateMetric(self.X, curvatures, unit)


def balanced_unit(X: Any) -> float:
    """The root mean square of the largest feature: a column of it has the size of that one, and so its curvature."""
    n_samples = X.shape[0]
    means = (
        np.full(n_samples, 1 / n_samples) @ squares(X)
        if sparse.issparse(X)
        else np.einsum("ij,ij->j", X, X) / n_samples
    )
    return float(np.sqrt(np.max(means, initial=0.0))) or 1.0


def squares(X: Any) -> Any:
    """The entries squared; sparse matrices share their structure."""
    if not sparse.issparse(X):
        return np.square(X)
    return type(X)((np.square(X.data), X.indices, X.indptr), shape=X.shape)


def columns(X: Any, features: Indices) -> Any:
    """Some columns of a matrix; a copy."""
    if not sparse.issparse(X):
        return np.take(X, features, axis=1)
    some = X[:, features]
    return some.toarray() if some.nnz > DENSE * some.shape[0] * some.shape[1] else some.tocsr()


def lifted(loss: LinearPredictorLoss, curvatures: Vector) -> Vector:
    """Curvatures raised where an output has next to none, as far off in a Huber loss: a metric must bound steps."""
    least, mean = LEAST_CURVATURE * loss.smoothness, curvatures.sum(axis=0)
    if np.isinf(least) or (mean >= least).all():
        return curvatures
    return curvatures + np.multiply.outer(loss.dual_shares, np.maximum(least - mean, 0.0))
