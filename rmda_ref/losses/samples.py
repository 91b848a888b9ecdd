"""The samples of a loss: their weights and shares, and which of them a mini-batch takes; of any namespace."""

from typing import Any

import numpy as np

from rmda_ref.losses.design import is_of, matching, namespace_of
from rmda_ref.namespace import Array, moved, namespace


def checked_targets(given: Any, X: Any, several_outputs: bool) -> Array:
    """Return `given` with one entry (or row) a sample, or say what is wrong with it."""
    y, n_samples = matching("y", given, X), int(X.shape[0])
    shape = tuple(y.shape)
    columns = several_outputs and len(shape) == 2 and 0 not in shape
    if shape != (n_samples, *(shape[1:] if columns else ())):
        allowed = f"({n_samples},)" + f" or ({n_samples}, n_outputs)" * several_outputs
        raise ValueError(
            f"y must have shape {allowed}, one entry a row of X, got {shape}; use y.ravel() for one target"
        )
    return y


def checked_weight(given: Any, X: Any) -> Array:
    """Return `given` in float64, shape (n_samples,), or say what is wrong with it."""
    xp, n_samples = namespace_of(X), int(X.shape[0])
    weight = xp.asarray(matching("sample_weight", given, X), dtype=xp.float64)
    if tuple(weight.shape) != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one entry a row of X, got {tuple(weight.shape)}"
        )
    bad = ~(xp.isfinite(weight) & (weight >= 0))
    if xp.any(bad):
        raise ValueError(
            f"sample_weight must be finite and at least 0, got {float(weight[bad][0])}; use 0 to leave a sample out"
        )
    if not xp.any(weight != 0):
        raise ValueError("sample_weight must not be 0 everywhere; leave it out for equal weights")
    return weight


def first(values: Array, mask: Array) -> float:
    """The first of the values that are marked, as a number of Python."""
    return values[mask].tolist()[0] if isinstance(values, np.ndarray) else float(values[mask][0])


def shares_of(weight: Array, dtype: Any) -> Array:
    """Return the weights over their sum, in float64: exact zeros for what is subnormal in `dtype`."""
    xp = namespace(weight)
    # By the largest first: the sum of the weights could overflow.
    shares = weight / xp.max(weight)
    shares = shares / xp.sum(shares)
    # A share that is subnormal in the dtype would leave too few digits to its part of a dual point.
    return xp.where(shares < float(xp.finfo(dtype).smallest_normal), 0.0, shares)


def checked_samples(samples: Array, X: Any) -> Array:
    """Return the indices of a mini-batch in the namespace of `X`, or say what is wrong with them.

    Indices on the host are checked against the number of samples, and only then moved to the device of `X`. Of
    indices in the namespace of `X` the range is not checked, for the host would have to wait for the device.
    """
    xp = namespace_of(X)
    from_host = xp is not np and isinstance(samples, np.ndarray | list | tuple | range)
    samples = np.asarray(samples) if from_host else matching("samples", samples, X)
    if not is_of(samples, "iu"):
        raise TypeError(f"samples must be integer indices, got {samples.dtype}; use np.flatnonzero for a mask")
    if samples.ndim != 1 or samples.shape[0] == 0:
        raise ValueError(f"samples must be one-dimensional and not empty, got shape {tuple(samples.shape)}")
    if getattr(X, "format", "dense") == "csc":
        raise TypeError("a mini-batch takes rows of X, which CSC does not give; use X.tocsr()")
    if not from_host:  # NumPy checks the range when it takes them
        return samples
    n_samples = int(X.shape[0])
    if samples.min() < -n_samples or samples.max() >= n_samples:
        raise IndexError(f"samples is out of bounds: {samples.min()} to {samples.max()}, for {n_samples} samples")
    return moved(samples.astype(np.int64) % n_samples, X)


def taken(array: Any, samples: Array) -> Any:
    """Some rows, of a dense array or a CSR matrix."""
    xp = namespace_of(array)
    return array[samples] if xp is np else xp.take(array, samples, axis=0)
