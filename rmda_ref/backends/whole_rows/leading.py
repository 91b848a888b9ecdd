"""Binary search in every row at once."""

from collections.abc import Callable

from rmda_ref.namespace import Array, namespace


def leading(values: Array, holds: Callable[[Array], Array]) -> Array:
    """How many entries of each row hold, as a column of integers: the first ones do, and the others do not.

    ``holds`` maps a column with one of the values of each row to a column of truth values. It is called log2(n) times.
    """
    xp, n = namespace(values), values.shape[1]
    found = xp.argmax(values[:, :1], axis=1, keepdims=True)  # zeros, of the integers that are indices there
    step = 1 << (n.bit_length() - 1)
    while step > 0:
        candidate = found + step
        value = xp.take_along_axis(values, xp.minimum(candidate, n) - 1, axis=1)
        found = xp.where((candidate <= n) & holds(value), candidate, found)
        step //= 2
    return found
