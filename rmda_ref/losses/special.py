"""Functions that the array API lacks, on any namespace: for NumPy arrays SciPy's own, else equal to a few roundings.

The one-hot code of labels and the logarithm of softmax are here too: losses and networks share them.
"""

import numpy as np
from scipy import special

from rmda_ref.namespace import Array, namespace


def expit(x: Array) -> Array:
    """``1 / (1 + exp(-x))``, to a relative few roundings on both sides of 0."""
    xp = namespace(x)
    if xp is np:
        return special.expit(x)
    small = xp.exp(-xp.abs(x))  # of the exponentials the one that cannot overflow
    return xp.where(x < 0, small, xp.ones_like(small)) / (1 + small)


def entr(x: Array) -> Array:
    """``-x log x``, 0 at 0 and ``-inf`` below."""
    xp = namespace(x)
    if xp is np:
        return special.entr(x)
    return xp.where(x < 0, -xp.inf, -x * xp.log(xp.where(x > 0, x, xp.ones_like(x))))


def xlogy(x: Array, y: Array) -> Array:
    """``x log y``, 0 where ``x`` is 0."""
    xp = namespace(x)
    if xp is np:
        return special.xlogy(x, y)
    return xp.where(x == 0, 0, x * xp.log(xp.where(x == 0, xp.ones_like(y), y)))


def clipped(x: Array, low: float, high: float) -> Array:
    """``x``, not below ``low`` and not above ``high``."""
    xp = namespace(x)
    # That of array-api-compat selects entries by a mask, and has the host wait for CuPy to count them.
    return np.clip(x, low, high) if xp is np else xp.minimum(xp.maximum(x, low), high)


def log_softmax(z: Array) -> Array:
    """``log softmax`` of each row, a new array of the shape (n, K) and dtype of ``z``."""
    xp = namespace(z)
    # Subtracting the logsumexp in one piece would lose |z| eps of it; the maximum first is exact enough. Then every
    # exponent is <= 0 and one of them is 0, so nothing overflows and no logarithm is of 0.
    shifted = z - xp.max(z, axis=1, keepdims=True)
    shifted -= xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    return shifted


def one_hot(y: Array, n_classes: int) -> Array:
    """Which class each label is: boolean, shape (n, n_classes). No row has a mark for a label out of range."""
    xp = namespace(y)
    classes = xp.arange(n_classes, dtype=xp.int32, device=getattr(y, "device", None))  # JAX traces have none
    return xp.asarray(y, dtype=xp.int32)[:, None] == classes[None, :]


def at_labels(z: Array, y: Array) -> Array:
    """``z_{i, y_i}`` for z of shape (n, K): shape (n,)."""
    xp = namespace(z)
    if xp is np:
        return z[np.arange(len(y)), y]
    return xp.sum(xp.where(one_hot(y, z.shape[1]), z, 0), axis=1, dtype=z.dtype)  # exact: all terms but one are 0


def column(factors: Array, values: Array) -> Array:
    """One factor a sample, to be broadcast against `values`, in their dtype."""
    xp = namespace(values)
    return xp.reshape(xp.asarray(factors, dtype=values.dtype), (-1, *[1] * (values.ndim - 1)))


def rows_times(factors: Array, values: Array) -> Array:
    """``values`` times one factor a sample; 0 where the factor is 0, even if the value is infinite."""
    by = column(factors, values)
    return namespace(values).where(by > 0, values, 0) * by


def quotient(values: Array, divisors: Array) -> Array:
    """``values / divisors``, 0 where the divisor is 0."""
    xp = namespace(values)
    return xp.where(divisors > 0, values, 0) / xp.where(divisors > 0, divisors, 1)


def diagonal(entries: Array) -> Array:
    """The matrix with these entries on its diagonal."""
    xp = namespace(entries)
    index = xp.arange(entries.shape[0], device=entries.device)
    return xp.where(index[:, None] == index[None, :], entries, 0)
