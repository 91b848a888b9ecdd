"""The metric of outputs that see each other: their coupling times a Gram matrix of the features."""

from typing import Any

import numpy as np
from scipy.linalg import cho_solve, eigh

from rmda_ref.algorithms.metric_prox import Map, Vector
from rmda_ref.linear_model.metrics.factors import cholesky, floored, inverted
from rmda_ref.linear_model.metrics.gram import GramMetric, rows_between, weighted_gram
from rmda_ref.regularizers.tangent import Tangent


class KroneckerMetric(GramMetric):
    """M = C (x) G.

    The Hessian of F at z has a K x K block for each sample, B_i. With t_i the mean of its diagonal, G is
    [X, unit]^T diag(t) [X, unit], and C the sum of the B_i over that of the t_i. M is the Hessian of f itself if each
    B_i is t_i times the identity, as for one output.

    Parameters
    ----------
    X : dense or sparse matrix of the features in play
    curvatures : the diagonals of the B_i, shape (n_samples, K)
    coupling : C, shape (K, K)
    unit : with intercepts, the entry of their column; they are the last K parameters
    """

    def __init__(self, X: Any, curvatures: Vector, coupling: Vector, unit: float | None) -> None:
        self.curvatures, self.coupling, self._border = curvatures, coupling, unit is not None
        self.n_outputs, self.n_features = len(coupling), X.shape[1]
        self.exact = rows_between(X) == 1 and np.array_equal(coupling, np.eye(len(coupling)))
        self._set(weighted_gram(X, curvatures.mean(axis=1), unit))

    def _set(self, gram: Vector) -> None:
        self.gram = gram
        # One number a feature, so that groups of all outputs of a feature keep their prox in closed form.
        row = np.diag(gram) * float(np.diag(self.coupling).max())
        self.diagonal = floored(self.flat(np.tile(row, (self.n_outputs, 1))))
        self._largest = {}

    def _damp(self, damping: float) -> None:
        self._set(self.gram + damping * np.diag(np.diag(self.gram)))

    def product(self, direction: Vector) -> Vector:
        """M times a direction."""
        return self.flat(self.coupling @ (self.rows(direction) @ self.gram))

    def block(self, output: int) -> Vector:
        """C_kk G."""
        return np.asarray(self.coupling[output, output] * self.gram)

    def entries(self, output: Any, feature: Any) -> Vector:
        """The rows and columns of M that belong to these parameters."""
        return np.asarray(self.coupling[output[:, None], output] * self.gram[feature[:, None], feature])

    def inverse(self, along: Tangent) -> Map:
        """As `GramMetric` has it, and exact where whole rows of outputs are active."""
        active = self.rows(along.active).astype(bool)
        if self.n_outputs > 1 and along.unit.any() and (active == active[0]).all():
            return self._of_whole_features(along, active[0])
        return super().inverse(along)

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
