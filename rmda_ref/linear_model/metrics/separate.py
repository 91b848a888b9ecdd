"""The metric of outputs that do not see each other."""

from typing import Any

import numpy as np

from rmda_ref.algorithms.metric_prox import Vector
from rmda_ref.linear_model.metrics.factors import floored
from rmda_ref.linear_model.metrics.gram import GramMetric, rows_between, weighted_gram


class SeparateMetric(GramMetric):
    """M = diag(G_1, ..., G_K), G_k = [X, unit]^T diag(t_k) [X, unit]: the Hessian, where each sample's is diagonal.

    Parameters
    ----------
    X : dense or sparse matrix of the features in play
    curvatures : t, shape (n_samples, K)
    unit : with intercepts, the entry of their column; they are the last K parameters
    """

    def __init__(self, X: Any, curvatures: Vector, unit: float | None) -> None:
        self.curvatures, self._border = curvatures, unit is not None
        self.n_features, self.n_outputs = X.shape[1], curvatures.shape[1]
        self.exact = rows_between(X) == 1
        self._set(np.stack([weighted_gram(X, t, unit) for t in curvatures.T]))

    def _set(self, grams: Vector) -> None:
        self.grams = grams
        # One number a feature: its curvature in one output alone may vanish, as far off in a Huber loss, and would then
        # bound no step; and groups of all outputs of a feature keep their prox in closed form.
        self._row = floored(np.diagonal(grams, axis1=1, axis2=2).max(axis=0))
        self.diagonal = self.flat(np.tile(self._row, (self.n_outputs, 1)))
        self._largest = {}

    def _damp(self, damping: float) -> None:
        self._set(self.grams + damping * np.diag(self._row))

    def product(self, direction: Vector) -> Vector:
        """M times a direction."""
        return self.flat(np.matmul(self.grams, self.rows(direction)[..., None])[..., 0])

    def block(self, output: int) -> Vector:
        """G of one output."""
        return np.asarray(self.grams[output])

    def entries(self, output: Any, feature: Any) -> Vector:
        """The rows and columns of M that belong to these parameters."""
        inside = self.grams[output[:, None], feature[:, None], feature]
        return np.where(output[:, None] == output, inside, 0.0)
