"""Parameters of a kernel, which live on the host."""

from rmda_ref.namespace import Array, namespace


def beside(values: Array, rows: Array) -> Array:
    """A NumPy array of numbers where the rows are, as their dtype."""
    return namespace(rows).asarray(values, dtype=rows.dtype, device=rows.device)
