"""Metrics that hold Gram matrices of the features: what they share."""

from abc import ABC, abstractmethod
from copy import copy
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve

from rmda_ref.algorithms.metric_prox import Map, Vector, largest_eigenvalue
from rmda_ref.linear_model.metrics.factors import cholesky
from rmda_ref.regularizers.tangent import Tangent

LEAST_ROWS, ROWS_A_FEATURE = 4000, 20  # samples that a Gram matrix is made of, at least: more tell little
STALE = 0.1  # relative change of the curvatures from which on a metric is made anew
LARGEST_DENSE = 500  # parameters of several outputs: beyond, their coupling is left out


class GramMetric(ABC):
    """Parameters are flat: the coefficients of the outputs one after the other, then the intercepts if there are any.

    Attributes
    ----------
    curvatures : what the Gram matrices were made of
    exact : whether it is the Hessian, but for curvatures that have changed by less than `STALE`
    diagonal : positive, about that of M
    """

    steps, inverts = 200, True
    n_outputs: int
    n_features: int
    curvatures: Vector
    exact: bool
    diagonal: Vector
    _border: bool  # whether there are intercepts
    _largest: dict[bytes, float]

    @abstractmethod
    def product(self, direction: Vector) -> Vector:
        """M times a direction."""

    @abstractmethod
    def block(self, output: int) -> Vector:
        """The block of M of one output."""

    @abstractmethod
    def entries(self, output: Any, feature: Any) -> Vector:
        """The rows and columns of M that belong to these parameters."""

    @abstractmethod
    def _damp(self, damping: float) -> None:
        """Add this share of its diagonal."""

    def damped(self, damping: float) -> Self:
        """M with this share of its diagonal added."""
        if damping == 0:
            return self
        other = copy(self)
        other._damp(damping)
        return other

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M diag(scale)^(-1/2), not below it."""
        key = scale.tobytes()
        if key not in self._largest:
            self._largest[key] = largest_eigenvalue(self.product, scale)
        return self._largest[key]

    def is_near(self, curvatures: Vector) -> bool:
        """Whether these curvatures are about those it was made of."""
        return float(np.abs(curvatures - self.curvatures).sum()) <= STALE * float(self.curvatures.sum())

    def rows(self, flat: Vector) -> Vector:
        """Parameters or the like as a matrix, a row an output, the intercept last."""
        n_coef = self.n_outputs * self.n_features
        coef = flat[:n_coef].reshape(self.n_outputs, -1)
        return np.column_stack((coef, flat[n_coef:])) if self._border else coef

    def flat(self, rows: Vector) -> Vector:
        """The inverse of `rows`."""
        if not self._border:
            return rows.ravel()
        return np.concatenate((rows[:, :-1].ravel(), rows[:, -1]))

    def inverse(self, along: Tangent) -> Map:
        """The inverse of M plus the Hessian of psi on the active entries; approximate where outputs differ in them."""
        if self.n_outputs == 1 or np.count_nonzero(along.active) <= LARGEST_DENSE:
            return self._whole(along)
        return self._by_output(along)

    def _whole(self, along: Tangent) -> Map:
        """By a Cholesky factor of the whole matrix."""
        chosen = np.flatnonzero(along.active)
        order = self.n_features + self._border
        place = self.flat(np.arange(float(self.n_outputs * order)).reshape(self.n_outputs, -1))[chosen]
        matrix = self.entries(*np.divmod(place.astype(np.intp), order))
        matrix[np.diag_indices_from(matrix)] += along.bend[chosen]
        if along.unit.any():
            basis = np.zeros_like(along.bend)
            for k, j in enumerate(chosen):
                basis[j] = 1.0
                matrix[k] += along.hessian(basis)[chosen] - along.bend[j] * basis[chosen]
                basis[j] = 0.0
        factor = cholesky(matrix)
        return lambda v: np.asarray(cho_solve(factor, v, check_finite=False))

    def _by_output(self, along: Tangent) -> Map:
        """Without the coupling, and without the directions of groups."""
        bend, active = self.rows(along.bend), self.rows(along.active).astype(bool)
        place = np.cumsum(active.ravel()).reshape(active.shape) - 1  # of an entry among the active ones, in rows
        order = self.flat(place)[along.active]
        blocks = []
        for k, mine in enumerate(active):
            chosen = np.flatnonzero(mine)
            matrix = self.block(k)[np.ix_(chosen, chosen)]
            matrix[np.diag_indices_from(matrix)] += bend[k, chosen]
            blocks.append((place[k, chosen], cholesky(matrix)))

        def solve(v: Vector) -> Vector:
            ordered, solved = np.empty_like(v), np.empty_like(v)
            ordered[order] = v
            for where, factor in blocks:
                if where.size:
                    solved[where] = cho_solve(factor, ordered[where], check_finite=False)
            return solved[order]

        return solve


def rows_between(X: Any) -> int:
    """Of how many rows the Gram matrix takes one; of sparse ones all, where a feature may be in few."""
    return 1 if sparse.issparse(X) else max(1, X.shape[0] // max(LEAST_ROWS, ROWS_A_FEATURE * X.shape[1]))


def weighted_gram(X: Any, weights: Vector, unit: float | None) -> Vector:
    """X^T diag(weights) X, or that of [X, unit], from every so many samples where there are far more than features."""
    every = rows_between(X)
    some = weights[::every]
    root = np.sqrt(some * (weights.sum() / max(float(some.sum()), np.finfo(float).tiny)))
    rows = X[::every] if every > 1 else X
    scaled = sparse.diags_array(root) @ rows if sparse.issparse(rows) else rows * root[:, None]
    gram = np.asarray((scaled.T @ scaled).toarray() if sparse.issparse(rows) else scaled.T @ scaled)
    if unit is None:
        return gram
    sums = unit * (scaled.T @ root)
    return np.block([[gram, sums[:, None]], [sums[None], np.array([[unit**2 * (root @ root)]])]])
