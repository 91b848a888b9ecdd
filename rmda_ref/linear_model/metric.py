"""A metric near the Hessian of a linear model: the coupling of the outputs times a Gram matrix of the features."""

from copy import copy
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import cho_solve, eigh
from scipy.linalg.lapack import dpotrf, dpotri

from rmda_ref.algorithms.metric_prox import Map, Vector, largest_eigenvalue
from rmda_ref.regularizers.tangent import Tangent

LEAST_ROWS, ROWS_A_FEATURE = 4000, 20  # samples that the Gram matrix is made of, at least: more tell little
STALE = 0.1  # relative change of the curvatures from which on a metric is made anew
SHIFT = 1e-12  # of the diagonal: a Gram matrix of dependent features has no inverse
LARGEST_DENSE = 500  # parameters of several outputs: beyond, their coupling is left out
SMALL = 64  # order of a matrix: below, LAPACK's inverse costs more in threads than it saves
FLAT = 1e-200  # relative curvature below which a direction counts as flat


class HessianMetric:
    """M = A^T H A as a product of maps, for features too many for a Gram matrix; inverted by its diagonal alone."""

    steps, inverts, exact = 30, False, True

    def __init__(self, product: Map, diagonal: Vector) -> None:
        self.product, self.diagonal = product, floored(diagonal)

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M diag(scale)^(-1/2), not below it."""
        return largest_eigenvalue(self.product, scale)

    def damped(self, damping: float) -> "HessianMetric":
        """M + damping diag(M)."""
        if damping == 0:
            return self
        extra = damping * self.diagonal
        return HessianMetric(lambda v: self.product(v) + extra * v, self.diagonal + extra)

    def inverse(self, along: Tangent) -> Map:
        """Of the diagonal of M plus the Hessian of psi, on the active entries."""
        diagonal = (self.diagonal + along.bend * (1 - along.unit**2))[along.active]
        return lambda v: np.asarray(v.ravel() / diagonal)


class KroneckerMetric:
    """M = C (x) G: parameters are flat, the coefficients of the outputs one after the other, then the intercepts.

    The Hessian of F at z has a K x K block for each sample, B_i. With t_i the mean of its diagonal, G is
    [X, unit]^T diag(t) [X, unit], and C the sum of the B_i over that of the t_i. For one output, M is the
    Hessian of f itself.

    Parameters
    ----------
    X : dense or sparse matrix of the features in play
    curvatures : t, shape (n_samples,)
    coupling : C, shape (K, K)
    unit : with intercepts, the entry of their column; they are the last K parameters
    """

    steps, inverts = 200, True

    def __init__(self, X: Any, curvatures: Vector, coupling: Vector, unit: float | None) -> None:
        self.curvatures, self.coupling, self._border = curvatures, coupling, unit is not None
        self.n_outputs, self.n_features = len(coupling), X.shape[1]
        self.exact = self.n_outputs == 1 and rows_between(X) == 1
        self._set_gram(weighted_gram(X, curvatures, unit))

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M diag(scale)^(-1/2), not below it."""
        key = scale.tobytes()
        if key not in self._largest:
            self._largest[key] = largest_eigenvalue(self.product, scale)
        return self._largest[key]

    def damped(self, damping: float) -> "KroneckerMetric":
        """C (x) (G + damping diag(G))."""
        if damping == 0:
            return self
        other = copy(self)
        other._set_gram(self.gram + damping * np.diag(np.diag(self.gram)))
        return other

    def _set_gram(self, gram: Vector) -> None:
        self.gram = gram
        # One number a feature, so that groups of all outputs of a feature keep their prox in closed form.
        row = np.diag(gram) * float(np.diag(self.coupling).max())
        self.diagonal = floored(self.flat(np.tile(row, (self.n_outputs, 1))))
        self._largest: dict[bytes, float] = {}

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

    def product(self, direction: Vector) -> Vector:
        """M times a direction."""
        return self.flat(self.coupling @ (self.rows(direction) @ self.gram))

    def inverse(self, along: Tangent) -> Map:
        """The inverse of M plus the Hessian of psi on the active entries; approximate where outputs differ in them."""
        active = self.rows(along.active).astype(bool)
        if self.n_outputs > 1 and along.unit.any() and (active == active[0]).all():
            return self._of_whole_features(along, active[0])
        if self.n_outputs == 1 or active.sum() <= LARGEST_DENSE:
            return self._whole(along)
        return self._by_output(along, active)

    def _whole(self, along: Tangent) -> Map:
        """By a Cholesky factor of the whole matrix."""
        chosen = np.flatnonzero(along.active)
        place = self.flat(np.arange(float(self.n_outputs * len(self.gram))).reshape(self.n_outputs, -1))[chosen]
        output, feature = np.divmod(place.astype(np.intp), len(self.gram))
        matrix = self.coupling[output[:, None], output] * self.gram[feature[:, None], feature]
        matrix[np.diag_indices_from(matrix)] += along.bend[chosen]
        if along.unit.any():
            basis = np.zeros_like(along.bend)
            for k, j in enumerate(chosen):
                basis[j] = 1.0
                matrix[k] += along.hessian(basis)[chosen] - along.bend[j] * basis[chosen]
                basis[j] = 0.0
        factor = cholesky(matrix)
        return lambda v: np.asarray(cho_solve(factor, v, check_finite=False))

    def _by_output(self, along: Tangent, active: Any) -> Map:
        """Without the coupling, and without the directions of groups."""
        bend = self.rows(along.bend)
        place = np.cumsum(active.ravel()).reshape(active.shape) - 1  # of an entry among the active ones, in rows
        order = self.flat(place)[along.active]
        blocks = []
        for k, mine in enumerate(active):
            chosen = np.flatnonzero(mine)
            matrix = self.coupling[k, k] * self.gram[np.ix_(chosen, chosen)]
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

    def _of_whole_features(self, along: Tangent, active: Any) -> Map:
        """Exact for row groups: the coupling C = Q diag(c) Q^T is rotated away, directions are put back by Woodbury.

        T = C (x) G + diag(bend) splits into c_k G + diag(bend), and M + psi'' = T - U diag(bend) U^T, U the directions.
        """
        chosen = np.flatnonzero(active)
        values, Q = eigh(self.coupling)
        gram, bend = self.gram[np.ix_(chosen, chosen)], self.rows(along.bend)[:, chosen].mean(axis=0)
        unit = Q.T @ self.rows(along.unit)[:, chosen]
        inverses = []
        for value in np.maximum(values, 0):
            matrix = value * gram
            matrix[np.diag_indices_from(matrix)] += bend
            inverses.append(inverted(matrix))
        bent = np.flatnonzero((bend > 0) & unit.any(axis=0))
        small = -sum(
            np.multiply.outer(u[bent], u[bent]) * T[np.ix_(bent, bent)] for u, T in zip(unit, inverses, strict=True)
        )
        small = np.zeros((bent.size, bent.size)) + small
        small[np.diag_indices_from(small)] += 1 / bend[bent]
        factor = cholesky(small)
        n_coef = self.n_outputs * (len(chosen) - bool(self._border and active[-1]))
        border = self._border and bool(active[-1])

        def straight(rows: Vector) -> Vector:
            return np.stack([T @ row for T, row in zip(inverses, rows, strict=True)])

        def solve(v: Vector) -> Vector:
            rows = v[:n_coef].reshape(self.n_outputs, -1)
            rows = Q.T @ (np.column_stack((rows, v[n_coef:])) if border else rows)
            solved = straight(rows)
            if bent.size:
                along_units = np.einsum("kj,kj->j", unit[:, bent], solved[:, bent])
                back = np.zeros_like(rows)
                back[:, bent] = unit[:, bent] * cho_solve(factor, along_units, check_finite=False)
                solved = solved + straight(back)
            solved = Q @ solved
            return np.concatenate((solved[:, :-1].ravel(), solved[:, -1])) if border else solved.ravel()

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
    if sparse.issparse(rows):
        scaled = sparse.diags_array(root) @ rows
        gram = np.asarray((scaled.T @ scaled).toarray())
        sums = scaled.T @ root
    else:
        scaled = rows * root[:, None]
        gram = scaled.T @ scaled
        sums = scaled.T @ root
    if unit is None:
        return gram
    sums = unit * sums
    return np.block([[gram, sums[:, None]], [sums[None], np.array([[unit**2 * (root @ root)]])]])


def floored(diagonal: Vector) -> Vector:
    """Positive: where a feature is zero in all samples, anything will do."""
    largest = float(diagonal.max(initial=0.0)) or 1.0
    return np.where(diagonal > FLAT * largest, diagonal, largest)


def cholesky(matrix: Vector) -> tuple[Vector, bool]:
    """A factor for `cho_solve` of the matrix, its diagonal raised as little as it takes."""
    shift, diagonal = SHIFT, floored(np.diag(matrix))
    while True:
        raised = matrix.copy()
        raised[np.diag_indices_from(raised)] += shift * diagonal
        factor, info = dpotrf(raised, lower=1, clean=0)
        if info == 0:
            return factor, True
        shift *= 100


def inverted(matrix: Vector) -> Vector:
    """The inverse of a positive definite matrix."""
    factor, _ = cholesky(matrix)
    if len(matrix) < SMALL:
        return np.asarray(cho_solve((factor, True), np.eye(len(matrix)), check_finite=False))
    inverse, _ = dpotri(factor, lower=1)
    lower = np.tril(inverse)
    return lower + np.tril(inverse, -1).T
