"""What every form asks of a matrix of rows."""

from rmda_ref.namespace import Array, namespace


def row_sum(x: Array) -> Array:
    """The sum of each row, as a column."""
    return namespace(x).sum(x, axis=1, keepdims=True)
