"""The design matrix as a linear map: ``A = X``, or ``A = [X, 1]`` with an intercept; dense, CSR or CSC.

A dense matrix may be of any array-API namespace; then everything that meets it has to be of that one, on its device.
"""

from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from rmda_ref.namespace import Array, kind, namespace, together

# Up to this order a dense symmetric eigenproblem takes about a second.
_DENSE_ORDER = 2000
_LANCZOS_STEPS = 64
_LANCZOS_ACCURACY = 0.05

_KINDS = {"b": "bool", "i": "integral", "u": "integral", "f": "real floating"}


def namespace_of(X: Any) -> Any:
    """The namespace of what meets `X`: NumPy where it is sparse."""
    return np if isinstance(X, np.ndarray) or sparse.issparse(X) else namespace(X)


def matching(name: str, array: Any, like: Any, like_name: str = "X") -> Array:
    """Return `array` if it has the namespace and the device of `like`; nothing is ever copied between the two.

    Where `like` is of NumPy or SciPy, what belongs to no namespace (a list, a number) is made a NumPy array.

    Raises
    ------
    TypeError
        If the two are of different namespaces or devices.
    """
    if isinstance(array, np.ndarray) and isinstance(like, np.ndarray):  # of most calls
        return array
    xp, own = namespace_of(like), _namespace_or_none(array)
    if xp is np and (own is np or own is None):
        return np.asarray(array)
    if own is xp and together(array, like):
        return array
    remedy = (
        f"rmda_ref.namespace.on_host({name}), or give {like_name} in the namespace of {name}"
        if xp is np
        else f"xp.asarray({name}, device={like_name}.device) with the namespace xp of {like_name}"
    )
    raise TypeError(
        f"{name} is {kind(array)} and {like_name} is {kind(like)}, and nothing is copied unasked; use {remedy}"
    )


def _namespace_or_none(array: Any) -> Any:
    try:
        return namespace(array)
    except TypeError:
        return None


def is_of(array: Array, kinds: str) -> bool:
    """Whether the dtype is of one of these kinds: "b" bool, "iu" integers, "f" real floating."""
    if isinstance(array, np.ndarray):
        return array.dtype.kind in kinds
    return bool(namespace(array).isdtype(array.dtype, tuple(_KINDS[kind] for kind in kinds)))


def as_dtype(name: str, array: Any, dtype: str) -> str:
    """What to write for `array` in another dtype, in its own namespace."""
    return f"{name}.astype(np.{dtype})" if namespace_of(array) is np else f"xp.astype({name}, xp.{dtype})"


def check_design(X: Any) -> Any:
    """Return `X` as a plain ndarray, the same array of another namespace or the same CSR or CSC matrix.

    Raises
    ------
    TypeError
        If `X` is neither an array nor CSR or CSC, or is not float32 or float64.
    ValueError
        If `X` is not a non-empty matrix of finite numbers.
    """
    if sparse.issparse(X):
        if X.format not in ("csr", "csc"):
            raise TypeError(f"X must be dense, CSR or CSC, got sparse format {X.format!r}; use X.tocsr()")
        xp, entries = np, X.data
    elif (xp := _namespace_or_none(X)) is not None:
        X = entries = np.asarray(X) if xp is np else X
    else:
        remedy = "X.toarray()" if hasattr(X, "toarray") else "np.asarray(X)"  # CuPy's sparse matrices, say
        raise TypeError(f"X must be an array or a SciPy CSR or CSC matrix, got {type(X).__name__}; use {remedy}")
    if X.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"X must be float32 or float64, got {X.dtype}; use {as_dtype('X', X, 'float64')}")
    shape = tuple(X.shape)
    if len(shape) != 2:
        raise ValueError(
            f"X must have shape (n_samples, n_features), got {shape}; use X.reshape(-1, 1) for one feature"
        )
    if 0 in shape:
        raise ValueError(f"X must have at least one sample and one feature, got shape {shape}")
    with np.errstate(all="ignore"):
        total = xp.sum(entries)  # quick, and finite only if every entry is
    if not xp.isfinite(total) and (bad := int(xp.sum(xp.asarray(~xp.isfinite(entries), dtype=xp.int64)))):
        raise ValueError(f"X must be finite, got {bad} NaN or infinite entries; drop or impute them")
    return X


def forward(X: Any, w: Array, fit_intercept: bool) -> Array:
    """Return the predictor ``A w``, one row a sample; `w` has shape ``(..., n_features + fit_intercept)``."""
    if not fit_intercept:
        return X @ _turned(w)
    return X @ _turned(w[..., :-1]) + w[..., -1]


def adjoint(X: Any, u: Array, fit_intercept: bool) -> Array:
    """Return ``A^T u`` in the layout of the weights, ``(..., n_features + fit_intercept)``; C-ordered for NumPy."""
    xp = namespace_of(X)
    # Where a loss overflows u is infinite, and inf * 0 is no news.
    with np.errstate(invalid="ignore"):
        features = _turned(u) @ X
    if fit_intercept:
        features = xp.concat((features, xp.sum(u, axis=0, dtype=u.dtype)[..., None]), axis=-1)
    return np.ascontiguousarray(features) if xp is np else features


def _turned(array: Array) -> Array:
    """The transpose, which the array API has of matrices only."""
    return array if array.ndim == 1 else array.T


def _gram(X: Any, fit_intercept: bool) -> Array:
    """Return the smaller of ``A A^T`` and ``A^T A``: they share their nonzero eigenvalues."""
    n_samples, n_features = X.shape
    product = X @ X.T if n_samples <= n_features else X.T @ X
    gram: Array = product.toarray() if sparse.issparse(product) else product
    if not fit_intercept:
        return gram
    if n_samples <= n_features:
        return gram + 1.0
    xp = namespace(gram)
    sums = np.asarray(X.sum(axis=0)).reshape(1, -1) if xp is np else xp.sum(X, axis=0)[None, :]
    corner = xp.zeros_like(sums[:, :1]) + n_samples
    return xp.concat((xp.concat((gram, sums.T), axis=1), xp.concat((sums, corner), axis=1)), axis=0)


def largest_gram_eigenvalue(X: Any, fit_intercept: bool, shares: Array | None) -> float:
    """Return an upper bound on ``lambda_max(A^T diag(shares) A)``; `LinearPredictorLoss.lipschitz` says what is proved.

    The shares are 1/n if None.
    """
    xp = namespace_of(X)
    X = X.astype(np.float64, copy=False) if xp is np else xp.asarray(X, dtype=xp.float64)
    small = min(X.shape) <= _DENSE_ORDER
    if not small and xp is not np:
        raise TypeError(
            f"the Lipschitz constant for both sides of X above {_DENSE_ORDER} is computed by SciPy, which takes no "
            f"{kind(X)}; make the loss of rmda_ref.namespace.on_host(X) for it, or choose step sizes by a line search"
        )
    bound = _dense_bound if small else _lanczos_bound
    if shares is None:
        return bound(X, fit_intercept) / int(X.shape[0])
    return bound(_scaled(X, fit_intercept, xp.sqrt(shares)[:, None]), False)


def _scaled(X: Any, fit_intercept: bool, factors: Array) -> Any:
    """Return the rows of ``A`` times `factors`, shape (n_samples, 1)."""
    if sparse.issparse(X):
        return sparse.csr_array((sparse.hstack([X, np.ones_like(factors)]) if fit_intercept else X).multiply(factors))
    return namespace(X).concat((X * factors, factors), axis=1) if fit_intercept else X * factors


def _dense_bound(X: Any, fit_intercept: bool) -> float:
    gram = _gram(X, fit_intercept)
    xp, top = namespace(gram), gram.shape[0] - 1
    largest = linalg.eigvalsh(gram, subset_by_index=[top, top])[0] if xp is np else xp.linalg.eigvalsh(gram)[-1]
    # Forming the Gram matrix errs by at most about eps n ||A||_F^2 <= eps n (n_features + 1) lambda_max, and scaling
    # the rows before, a root and a product squared, adds 2 eps ||A||_F^2.
    n_samples, n_features = X.shape
    rounding = float(xp.finfo(gram.dtype).eps) * (int(n_samples) + 2) * (int(n_features) + 1)
    return max(float(largest), 0.0) * (1.0 + rounding)


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
