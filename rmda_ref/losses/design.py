"""The design matrix as a linear map: ``A = X``, or ``A = [X, 1]`` with an intercept; dense, CSR or CSC."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, eigsh

Array = npt.NDArray[Any]

# Up to this order a dense symmetric eigenproblem takes about a second.
_DENSE_ORDER = 2000
_LANCZOS_STEPS = 64
_LANCZOS_ACCURACY = 0.05


def check_design(X: Any) -> Any:
    """Return `X` as a plain ndarray or the same CSR or CSC matrix, or say what is wrong with it.

    Raises
    ------
    TypeError
        If `X` is neither an ndarray nor CSR or CSC, or is not float32 or float64.
    ValueError
        If `X` is not a non-empty matrix of finite numbers.
    """
    if sparse.issparse(X):
        if X.format not in ("csr", "csc"):
            raise TypeError(f"X must be dense, CSR or CSC, got sparse format {X.format!r}; use X.tocsr()")
        entries = X.data
    elif isinstance(X, np.ndarray):
        X = entries = np.asarray(X)
    else:
        raise TypeError(
            f"X must be a NumPy array or a SciPy CSR or CSC matrix, got {type(X).__name__}; use np.asarray(X)"
        )
    if X.dtype not in (np.float32, np.float64):
        raise TypeError(f"X must be float32 or float64, got {X.dtype}; use X.astype(np.float64)")
    if X.ndim != 2:
        raise ValueError(
            f"X must have shape (n_samples, n_features), got {X.shape}; use X.reshape(-1, 1) for one feature"
        )
    if 0 in X.shape:
        raise ValueError(f"X must have at least one sample and one feature, got shape {X.shape}")
    with np.errstate(all="ignore"):
        total = entries.sum()  # quick, and finite only if every entry is
    if not np.isfinite(total) and (bad := np.count_nonzero(~np.isfinite(entries))):
        raise ValueError(f"X must be finite, got {bad} NaN or infinite entries; drop or impute them")
    return X


def forward(X: Any, w: Array, fit_intercept: bool) -> Array:
    """Return the predictor ``A w``, one row a sample; `w` has shape ``(..., n_features + fit_intercept)``."""
    if not fit_intercept:
        return np.asarray(X @ w.T)
    return np.asarray(X @ w[..., :-1].T + w[..., -1])


def adjoint(X: Any, u: Array, fit_intercept: bool) -> Array:
    """Return ``A^T u`` in the C-ordered layout of the weights, ``(..., n_features + fit_intercept)``."""
    # Where a loss overflows u is infinite, and inf * 0 is no news.
    with np.errstate(invalid="ignore"):
        features = u.T @ X
    if fit_intercept:
        features = np.concatenate((features, u.sum(axis=0)[..., None]), axis=-1)
    return np.ascontiguousarray(features)


def _gram(X: Any, fit_intercept: bool) -> Array:
    """Return the smaller of ``A A^T`` and ``A^T A``: they share their nonzero eigenvalues."""
    n_samples, n_features = X.shape
    product = X @ X.T if n_samples <= n_features else X.T @ X
    gram: Array = product.toarray() if sparse.issparse(product) else product
    if not fit_intercept:
        return gram
    if n_samples <= n_features:
        return gram + 1.0
    sums = np.asarray(X.sum(axis=0)).reshape(1, -1)
    return np.asarray(np.block([[gram, sums.T], [sums, np.array([[n_samples]])]]))


def largest_gram_eigenvalue(X: Any, fit_intercept: bool, shares: Array | None) -> float:
    """Return an upper bound on ``lambda_max(A^T diag(shares) A)``; `LinearPredictorLoss.lipschitz` says what is proved.

    The shares are 1/n if None.
    """
    X = X.astype(np.float64, copy=False)
    bound = _dense_bound if min(X.shape) <= _DENSE_ORDER else _lanczos_bound
    if shares is None:
        return bound(X, fit_intercept) / int(X.shape[0])
    return bound(_scaled(X, fit_intercept, np.sqrt(shares)[:, None]), False)


def _scaled(X: Any, fit_intercept: bool, factors: Array) -> Any:
    """Return the rows of ``A`` times `factors`, shape (n_samples, 1)."""
    if sparse.issparse(X):
        return sparse.csr_array((sparse.hstack([X, np.ones_like(factors)]) if fit_intercept else X).multiply(factors))
    return np.column_stack((X * factors, factors)) if fit_intercept else X * factors


def _dense_bound(X: Any, fit_intercept: bool) -> float:
    gram = _gram(X, fit_intercept)
    top = len(gram) - 1
    eigenvalue = max(float(linalg.eigvalsh(gram, subset_by_index=[top, top])[0]), 0.0)
    # Forming the Gram matrix errs by at most about eps n ||A||_F^2 <= eps n (n_features + 1) lambda_max, and scaling
    # the rows before, a root and a product squared, adds 2 eps ||A||_F^2.
    n_samples, n_features = X.shape
    rounding = float(np.finfo(np.float64).eps) * (int(n_samples) + 2) * (int(n_features) + 1)
    return eigenvalue * (1.0 + rounding)


def _lanczos_bound(X: Any, fit_intercept: bool) -> float:
    n_samples, n_features = X.shape
    wide = n_samples <= n_features
    order = n_samples if wide else n_features + fit_intercept

    def gram_product(v: Array) -> Array:
        if wide:
            return forward(X, adjoint(X, v, fit_intercept), fit_intercept)
        return adjoint(X, forward(X, v, fit_intercept), fit_intercept)

    ritz_value = eigsh(
        LinearOperator((order, order), matvec=gram_product, dtype=np.float64),
        k=1,
        which="LA",
        ncv=_LANCZOS_STEPS,
        v0=np.random.default_rng(0).standard_normal(order),
        tol=_LANCZOS_ACCURACY,
        return_eigenvectors=False,
    )[0]
    return float(ritz_value) / (1.0 - _LANCZOS_ACCURACY)
