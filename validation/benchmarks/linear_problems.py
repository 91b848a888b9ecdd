"""The problems of `validation.benchmarks.linear_models`: random data from a fixed seed, and the objective in float64.

All minimise F(W) = mean loss + strength * sqrt(m) * sum over groups of ||W_g||, without an intercept, where a group is
``m`` neighbouring entries of W in C order: m = 1 is the l1 norm, and the rows of a (d, K) matrix are groups of K.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.special import expit, log_softmax, logsumexp, softmax

from problems.data import DataSource, load

Array = np.ndarray[Any, np.dtype[Any]]
Matrix = Any  # an array or a sparse matrix
Loss = Literal["squared", "logistic", "multinomial"]


def residual(loss: Loss, Z: Array, y: Array) -> Array:
    """n times the gradient of the mean loss at the predictor Z, of shape (n,) or (n, K)."""
    if loss == "squared":
        return Z - y
    if loss == "logistic":
        return np.asarray(-y * expit(-y * Z))
    R: Array = softmax(Z, axis=1)
    R[np.arange(len(y)), y] -= 1
    return R


@dataclass(frozen=True)
class Problem:
    """Data, a strength given as a number or as a fraction of the least that gives zero, and F.

    ``y`` is real ("squared"), -1 or 1 ("logistic"), or 0 to K - 1 ("multinomial").
    """

    letter: str
    name: str
    loss: Loss
    X: Matrix
    y: Array
    group: int = 1
    absolute: float | None = None
    fraction: float = 1.0

    @cached_property
    def strength(self) -> float:
        return self.absolute if self.absolute is not None else self.fraction * self.strength_max

    @cached_property
    def strength_max(self) -> float:
        """The least strength for which zero is a solution."""
        gradient = self.X.T @ residual(self.loss, self.X @ self.zero, self.y) / len(self.y)
        return float(self._norms(gradient).max()) / math.sqrt(self.group)

    @cached_property
    def zero(self) -> Array:
        d = self.X.shape[1]
        return np.zeros((d, self.group) if self.loss == "multinomial" else d)

    @property
    def kind(self) -> str:
        """What the libraries know the problem by."""
        penalty = "l1" if self.group == 1 else "row groups" if self.loss == "multinomial" else "groups"
        return f"{self.loss}, {penalty}"

    def _norms(self, W: Array) -> Array:
        return np.asarray(np.linalg.norm(np.ascontiguousarray(W).reshape(-1, self.group), axis=1))

    def support(self, W: Array) -> int:
        return int(np.count_nonzero(self._norms(W)))

    def objective(self, W: Array) -> float:
        W = np.asarray(W, np.float64)
        if W.shape != self.zero.shape:
            raise ValueError(f"coefficients of shape {W.shape}, expected {self.zero.shape}")
        Z = self.X @ W
        if self.loss == "squared":
            losses = 0.5 * (Z - self.y) ** 2
        elif self.loss == "logistic":
            losses = np.logaddexp(0, -self.y * Z)
        else:
            losses = logsumexp(Z, axis=1) - Z[np.arange(len(self.y)), self.y]
        return float(losses.mean() + self.strength * math.sqrt(self.group) * self._norms(W).sum())

    def matrix(self, order: str) -> Matrix:
        """X by rows ("C": row-major or CSR) or by columns ("F": column-major or CSC); the same object each time."""
        return self._by_rows if order == "C" else self._by_columns

    @cached_property
    def _by_rows(self) -> Matrix:
        return sparse.csr_matrix(self.X) if sparse.issparse(self.X) else np.ascontiguousarray(self.X)

    @cached_property
    def _by_columns(self) -> Matrix:
        return sparse.csc_matrix(self.X) if sparse.issparse(self.X) else np.asfortranarray(self.X)


def planted(rng: np.random.Generator, n_groups: int, n_active: int, group: int = 1) -> Array:
    """Coefficients in groups, of which ``n_active`` are Gaussian and the rest zero."""
    W = np.zeros((n_groups, group))
    W[rng.choice(n_groups, n_active, replace=False)] = rng.standard_normal((n_active, group))
    return W


def coin(rng: np.random.Generator, Z: Array) -> Array:
    """Labels -1 and 1 of the logistic model with predictor Z, scaled to a standard deviation of 2."""
    return np.where(rng.random(len(Z)) < 1 / (1 + np.exp(-2 * Z / Z.std())), 1.0, -1.0)


def dense_logistic() -> Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 500))
    y = coin(rng, X @ planted(rng, 500, 50)[:, 0])
    return Problem("a", "l1 logistic, dense 20000x500", "logistic", X, y, fraction=0.05)


def sparse_logistic() -> Problem:
    rng = np.random.default_rng(0)
    X = sparse.random(20_000, 50_000, 1e-3, format="csr", random_state=rng)
    y = coin(rng, X @ planted(rng, 50_000, 500)[:, 0])
    return Problem("b", "l1 logistic, CSR 20000x50000, density 1e-3", "logistic", X, y, fraction=0.1)


def lasso() -> Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 10_000))
    Z = X @ planted(rng, 10_000, 100)[:, 0]
    y = Z + 0.3 * Z.std() * rng.standard_normal(2000)
    return Problem("c", "lasso, dense 2000x10000", "squared", X, y, fraction=0.06)


def group_lasso() -> Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 2000))
    Z = X @ planted(rng, 400, 20, 5).reshape(-1)
    y = Z + 0.3 * Z.std() * rng.standard_normal(2000)
    return Problem("d", "group lasso, dense 2000x2000, groups of 5", "squared", X, y, group=5, fraction=0.05)


def digits() -> Problem:
    images = load(DataSource("digits"))
    X = np.concatenate([images.X_train, images.X_test]).astype(np.float64)
    y = np.concatenate([images.y_train, images.y_test])
    return Problem("e2", "row-group multinomial, digits 1797x64x10", "multinomial", X, y, group=10, absolute=1e-3)


def correlated_multinomial() -> Problem:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10_000, 784))
    for j in range(1, 784):  # neighbours have correlation 1/2
        X[:, j] = 0.5 * X[:, j - 1] + math.sqrt(0.75) * X[:, j]
    Z = X @ planted(rng, 784, 100, 10)
    y = np.argmax(log_softmax(3 * Z / Z.std(), axis=1) + rng.gumbel(size=Z.shape), axis=1)
    return Problem("e4", "row-group multinomial, 10000x784x10", "multinomial", X, y, group=10, fraction=0.1)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "a": dense_logistic,
    "b": sparse_logistic,
    "c": lasso,
    "d": group_lasso,
    "e2": digits,
    "e4": correlated_multinomial,
}
