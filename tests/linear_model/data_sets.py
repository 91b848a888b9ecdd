"""Data with features of unit variance: bundled with scikit-learn, or drawn."""

from functools import cache

import numpy as np
from scipy import sparse
from sklearn import datasets
from sklearn.preprocessing import StandardScaler


def scaled(X):
    """Features of variance 1, and of mean 0 where that keeps zeros zero; constant ones are left out."""
    X = X[:, StandardScaler(with_mean=False).fit(X).var_ > 0]
    return StandardScaler(with_mean=not sparse.issparse(X)).fit_transform(X)


def bundled(name, classes=None):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    kept = np.isin(y, classes) if classes else np.arange(len(y))
    return scaled(X[kept]), y[kept]


def drawn(n, d, correlation=0.0, seed=0):
    """Rows with cov(x_i, x_j) = correlation^|i - j|, and a target that a tenth of the features make."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    for j in range(1, d):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    w = rng.standard_normal(d) * (rng.permutation(d) < max(d // 10, 2))
    return scaled(X), X @ w + 0.5 * rng.standard_normal(n)


def words(n=300, d=200, seed=3):
    """A sparse matrix of counts, CSR, with targets."""
    rng = np.random.default_rng(seed)
    X = sparse.csr_array(rng.poisson(0.05, (n, d)).astype(float))
    return scaled(X), X @ (rng.standard_normal(d) * (rng.random(d) < 0.1)) + 0.5 * rng.standard_normal(n)


REGRESSION = {
    "diabetes": lambda: (bundled("diabetes")[0], bundled("diabetes")[1] / 50),
    "tall": lambda: drawn(400, 8),
    "wide": lambda: drawn(60, 150, correlation=0.5, seed=1),
    "correlated": lambda: drawn(150, 30, correlation=0.9, seed=2),
    "words": words,
}
CLASSIFICATION = {
    "breast_cancer": lambda: bundled("breast_cancer"),
    "iris": lambda: bundled("iris", [1, 2]),
    "wine": lambda: bundled("wine", [0, 1]),
    "digits": lambda: bundled("digits", [3, 8]),
    "wide labels": lambda: (drawn(80, 120, seed=4)[0], drawn(80, 120, seed=4)[1] > 0),
    "word labels": lambda: (words()[0], words()[1] > 0.3),
}


@cache
def load(name):
    """X and y, numbers or two classes."""
    return (REGRESSION | CLASSIFICATION)[name]()


def weights_for(y):
    """Some sample weights, among them zeros."""
    return np.random.default_rng(7).choice([0.0, 0.5, 1.0, 3.0], len(y), p=[0.1, 0.3, 0.4, 0.2])


def as_format(X, how):
    X = X.toarray() if sparse.issparse(X) else X
    return {"dense": np.asarray, "csr": sparse.csr_array, "csc": sparse.csc_array}[how](X)
