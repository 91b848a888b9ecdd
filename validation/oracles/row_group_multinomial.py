"""The certified optimum of multinomial logistic regression with a group lasso over the weights of each feature.

    F(W) = (1/n) sum_i -log softmax(W [x_i, 1])_{y_i} + mu sum_j ||W_j||,

where the columns W_j of the features are groups and the last column, the intercept, is free. Accelerated proximal
gradients find the support, Newton's method on it the point; float64 NumPy and SciPy, nothing of the library.

``python -m validation.oracles.row_group_multinomial [DATA]`` prints the optimum for lam = 1e-3 on the digits, or on
the MNIST in directory DATA (some minutes).
"""

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg
from scipy.special import log_softmax

from problems.data import DataSource, load

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Optimum:
    """
    Parameters
    ----------
    w : the point, shape (n_classes, n_features + 1).
    objective, kkt_residual : F(w), and the distance r of 0 from the subdifferential of F at w.
    gap : bound on F(w) - F*, by convexity at most r ||w - W*||.
    support : which features have a nonzero group.
    margin : min over the zero groups of 1 - ||gradient of the group|| / mu: nondegenerate if positive.
    """

    w: Array
    objective: float
    kkt_residual: float
    gap: float
    support: NDArray[np.bool_]
    margin: float


def optimum(X: Any, y: Any, n_classes: int, mu: float, target: float = 1e-9, max_rounds: int = 60) -> Optimum:
    """The minimiser of F, certified to a gap of ``target``.

    Parameters
    ----------
    X : samples, shape (n, n_features); no feature may be 0 in all of them.
    y : labels 0, ..., n_classes - 1, each of them at least once, shape (n,).

    Raises
    ------
    ArithmeticError
        If it is not certified after ``max_rounds`` rounds of proximal gradients and a Newton step.
    """
    problem = _Problem(np.column_stack((X, np.ones(len(X)))).astype(np.float64), np.eye(n_classes)[y], mu)
    w = np.zeros((n_classes, problem.A.shape[1]))
    for _ in range(max_rounds):
        w = problem.newton(problem.fista(w, n_steps=50))
        found = problem.certify(w)
        if found.gap <= target:
            return found
    raise ArithmeticError(f"no certified optimum after {max_rounds} rounds: KKT residual {found.kkt_residual:.1e}")


@dataclass(frozen=True, eq=False)
class _Problem:
    A: Array  # samples with a one at the end
    Y: Array  # one-hot labels
    mu: float

    @cached_property
    def majorant(self) -> Array:
        """(A^T A / n) / 2, at least the Hessian of the loss, for each class (Böhning 1992)."""
        return np.asarray(self.A.T @ self.A / (2 * len(self.A)))

    def objective(self, w: Array) -> float:
        log_p = log_softmax(self.A @ w.T, axis=1)
        return float(-(self.Y * log_p).sum() / len(self.A) + self.mu * np.linalg.norm(w[:, :-1], axis=0).sum())

    def gradient(self, w: Array) -> Array:
        """Of the smooth part."""
        return np.asarray((np.exp(log_softmax(self.A @ w.T, axis=1)) - self.Y).T @ self.A / len(self.A))

    def fista(self, w: Array, n_steps: int) -> Array:
        """Beck & Teboulle (2009) in Böhning's metric, restarted where F would rise (O'Donoghue & Candès 2015)."""
        at, theta, objective = w, 1.0, self.objective(w)
        for _ in range(n_steps):
            new = self._majorant_step(at)
            if (found := self.objective(new)) > objective:
                at, theta = w, 1.0
                continue
            following = (1 + np.sqrt(1 + 4 * theta**2)) / 2
            at, w, theta, objective = new + (theta - 1) / following * (new - w), new, following, found
        return w

    def _majorant_step(self, at: Array, n_sweeps: int = 20) -> Array:
        """Block coordinate descent on the model of F at ``at`` whose Hessian is the majorant."""
        columns, slopes = at.T.copy(), self.gradient(at).T.copy()
        strengths = [*np.full(len(columns) - 1, self.mu), 0.0]
        for _ in range(n_sweeps):
            for j, (strength, row) in enumerate(zip(strengths, self.majorant, strict=True)):
                target = columns[j] - slopes[j] / row[j]
                size = row[j] * np.sqrt(target @ target)
                new = target * (1 - strength / size) if size > strength else np.zeros_like(target)
                if (move := new - columns[j]).any():
                    slopes += np.multiply.outer(row, move)
                    columns[j] = new
        return np.asarray(columns.T.copy())

    def newton(self, w: Array) -> Array:
        """A damped Newton step among the points with the support of ``w``; a group that would turn back becomes 0."""
        norms = np.linalg.norm(w, axis=0)
        norms[-1] = 1.0  # the intercept is always active, and its size does not matter
        active = np.flatnonzero(norms)
        norms, units = norms[active], w[:, active] / norms[active]
        penalised = self.mu * (active < w.shape[1] - 1)
        gradient = (self.gradient(w)[:, active] + penalised * units).ravel()
        direction = self._newton_direction(w, active, penalised / norms, units, gradient)
        move, before = np.zeros_like(w), self.objective(w)
        move[:, active] = direction.reshape(units.shape)
        for step in 0.5 ** np.arange(30):
            new: Array = w + step * move
            new[:, :-1][:, (new * w).sum(axis=0)[:-1] < 0] = 0
            if self.objective(new) <= before * (1 + 1e-14):  # near the optimum a decrease is lost in rounding
                return new
        return w

    def _newton_direction(self, w: Array, active: Any, curvatures: Array, units: Array, gradient: Array) -> Array:
        """Conjugate gradients, preconditioned by the blocks of the classes on the diagonal of the Hessian."""
        A, p, n = self.A[:, active], np.exp(log_softmax(self.A @ w.T, axis=1)), len(self.A)

        def product(flat: Array) -> Array:
            v = flat.reshape(units.shape)
            z = p * (A @ v.T)
            of_loss = (z - p * z.sum(axis=1, keepdims=True)).T @ A / n
            of_loss[:, -1] += v[:, -1].sum()  # the loss does not see a constant added to all intercepts
            return np.asarray((of_loss + curvatures * (v - units * (units * v).sum(axis=0))).ravel())

        def factor(p_k: Array, unit: Array) -> Any:
            fixed = curvatures * (1 - unit**2) + (np.arange(len(active)) == len(active) - 1)
            return cho_factor(A.T @ ((p_k * (1 - p_k) / n)[:, None] * A) + np.diag(fixed + 1e-12))

        factors = [factor(*pair) for pair in zip(p.T, units, strict=True)]

        def precondition(flat: Array) -> Array:
            rows = zip(factors, flat.reshape(units.shape), strict=True)
            return np.concatenate([cho_solve(factor, row) for factor, row in rows])

        size = (gradient.size, gradient.size)
        hessian, inverse = LinearOperator(size, product), LinearOperator(size, precondition)
        return np.asarray(cg(hessian, -gradient, rtol=1e-5, maxiter=500, M=inverse)[0])

    def certify(self, w: Array) -> Optimum:
        """KKT residual r, and the bound r (||w|| + R) with R a bound on ||W*||.

        F* <= F = F(w) bounds sum_j ||W*_j|| by F / mu, hence |(W* x)_k| by M F / mu with M = max |x_ij|; and the loss
        of the samples of class k, at least the differences z_m - z_k, bounds those of the intercepts by
        F / P(y = k) + 2 M F / mu. Intercepts may be taken to have mean 0.
        """
        gradient, norms, objective = self.gradient(w), np.linalg.norm(w[:, :-1], axis=0), self.objective(w)
        dual, support = gradient[:, :-1], norms > 0
        at_active = dual + self.mu * w[:, :-1] / np.where(support, norms, 1)
        slack = self.mu - np.linalg.norm(dual, axis=0)
        distances = np.where(support, np.linalg.norm(at_active, axis=0), np.maximum(-slack, 0))
        residual = float(np.linalg.norm((*distances, *gradient[:, -1])))
        reach = objective / self.mu
        spread = objective / self.Y.mean(axis=0).min() + 2 * np.abs(self.A).max() * reach
        radius = np.linalg.norm(w) + reach + np.sqrt(len(w)) * spread
        margin = float(slack[~support].min(initial=self.mu) / self.mu)
        return Optimum(w, objective, residual, float(residual * radius), support, margin)


if __name__ == "__main__":
    data = load(DataSource.resolve(sys.argv[1] if len(sys.argv) > 1 else "digits"))
    found = optimum(data.X_train, data.y_train, n_classes=10, mu=1e-3 * np.sqrt(10))
    print(f"F* = {found.objective:.13f}, certified to {found.gap:.1e}; KKT residual {found.kkt_residual:.1e}")
    print(f"{found.support.sum()} of {found.support.size} groups nonzero, margin {found.margin:.2e}")
