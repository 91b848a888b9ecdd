"""The projection on the rows with at most k nonzeros."""

from rmda_ref.backends.whole_rows.mark_largest import mark_largest
from rmda_ref.namespace import Array, namespace


def top_k(rows: Array, strength: Array | float, metric: Array | None, count: Array) -> Array:
    """argmin_y  1/2 <y - row, metric (y - row)>  with at most count[0] nonzeros in y.

    The k largest sqrt(metric_i) |row_i| stay, bit for bit; of equal ones those that come first. The strength has no
    part in it.
    """
    xp, k = namespace(rows), int(count[0])
    if k >= rows.shape[1]:
        return rows
    keys = xp.abs(rows) if metric is None else xp.sqrt(metric) * xp.abs(rows)
    return xp.where(mark_largest(keys, k), rows, 0.0)
