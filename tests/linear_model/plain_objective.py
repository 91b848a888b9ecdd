"""The objective of the estimators in plain NumPy, apart from the library, and problems to put into it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import logsumexp

from rmda_ref.linear_model import RMDAClassifier, RMDARegressor

CLASSIFICATION = ("log_loss", "squared_hinge")
EPSILON = 1.35  # of the Huber loss, the default


@dataclass(frozen=True, eq=False)
class Case:
    """Data with an objective; ``groups`` is one label a feature."""

    loss: str
    penalty: str
    X: Any
    y: Any
    weight: Any = None
    alpha: float = 0.1
    l1_ratio: float = 0.5
    groups: Any = None
    fit_intercept: bool = True
    options: dict = field(default_factory=dict)

    def estimator(self, **options):
        """Not fitted yet; ``options`` over those of the case."""
        kind = RMDAClassifier if self.loss in CLASSIFICATION else RMDARegressor
        names = ("loss", "penalty", "alpha", "l1_ratio", "groups", "fit_intercept")
        given = {name: getattr(self, name) for name in names}
        return kind(**given, random_state=0, **(self.options | options))

    def fit(self, **options):
        return self.estimator(**options).fit(self.X, self.y, sample_weight=self.weight)

    def objective(self, coef, intercept):
        """P: the weighted mean of the loss plus the penalty, in float64."""
        X = np.asarray(self.X.toarray() if sparse.issparse(self.X) else self.X, np.float64)
        W = np.atleast_2d(np.asarray(coef, np.float64))
        z = X @ W.T + np.reshape(intercept, -1)
        weight = np.ones(len(X)) if self.weight is None else np.asarray(self.weight, np.float64)
        return float(weight @ self._losses(z) / weight.sum()) + self._penalty(W)

    def _losses(self, z):
        """One a sample, summed over the outputs; z has a column an output."""
        if self.loss in CLASSIFICATION:
            classes, codes = np.unique(self.y, return_inverse=True)
            hot = codes[:, None] == (np.arange(len(classes)) if len(classes) > 2 else [1])
            margins = np.where(hot, z, -z)
            if self.loss == "squared_hinge":
                return (np.maximum(0, 1 - margins) ** 2).sum(axis=1)
            if len(classes) == 2:
                return np.logaddexp(0, -margins[:, 0])
            return logsumexp(z, axis=1) - z[hot]
        y = np.reshape(self.y, z.shape).astype(np.float64)
        if self.loss == "poisson":
            return (np.exp(z) - y * z).sum(axis=1)
        r = np.abs(z - y)
        inner = r**2 / 2
        outer = EPSILON * (r - EPSILON / 2)
        return (inner if self.loss == "squared_error" else np.where(r <= EPSILON, inner, outer)).sum(axis=1)

    def _penalty(self, W):
        l1, square = np.abs(W).sum(), (W**2).sum()
        labels = np.arange(W.shape[1]) if self.groups is None else np.asarray(self.groups)
        norms = [np.sqrt(W[:, labels == k].size) * np.linalg.norm(W[:, labels == k]) for k in np.unique(labels)]
        ratio = self.l1_ratio
        values = {
            "none": 0.0,
            "l1": l1,
            "elasticnet": ratio * l1 + (1 - ratio) / 2 * square,
            "group_lasso": sum(norms),
            "sparse_group_lasso": ratio * l1 + (1 - ratio) * sum(norms),
            "nuclear": np.linalg.svd(W, compute_uv=False).sum(),
        }
        return self.alpha * float(values[self.penalty])


def targets(loss, n, n_outputs, rng):
    """For a regression n_outputs columns (a vector for 1), for a classification n_outputs classes, all of them seen."""
    if loss in CLASSIFICATION:
        return np.array(["ape", "bee", "cat", "dog"])[rng.permutation(np.arange(n) % n_outputs)]
    shape = n if n_outputs == 1 else (n, n_outputs)
    return rng.poisson(1.5, shape).astype(float) if loss == "poisson" else 2 * rng.standard_normal(shape)


def planted(loss="squared_error", n=200, d=12, n_outputs=1, seed=0, scale=0.2, noise=0.5):
    """Well-conditioned X, and targets of which the first three features say something: X, y."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if loss in CLASSIFICATION:
        z = np.zeros((n, n_outputs))
        z[:, : min(3, n_outputs)] = X[:, : min(3, n_outputs)]
        z[:, 0] += X[:, 2]
        return X, np.argmax(z + noise * rng.standard_normal(z.shape), axis=1)
    W = np.zeros((d, n_outputs))
    W[:3] = scale * (1 + rng.random((3, n_outputs))) * [[1], [-1], [1]]
    z = X @ W
    y = rng.poisson(np.exp(z)).astype(float) if loss == "poisson" else z + noise * rng.standard_normal(z.shape)
    return X, y[:, 0] if n_outputs == 1 else y
