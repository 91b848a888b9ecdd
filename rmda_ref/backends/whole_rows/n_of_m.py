"""The prox of half the squared distance to the rows with at most n nonzeros."""

from rmda_ref.backends.whole_rows.mark_largest import mark_largest
from rmda_ref.namespace import Array, namespace


def n_of_m(rows: Array, strength: Array | float, metric: Array | None, count: Array) -> Array:
    """A global argmin_y  strength/2 dist(y)^2 + 1/2 <y - row, metric (y - row)>, dist the distance to those rows.

    An entry outside the n = count[0] free ones is multiplied by metric/(metric + strength), which costs
    strength metric/(strength + metric) row_i^2/2: the n costliest stay, bit for bit; of equal ones those that come
    first.
    """
    xp, n = namespace(rows), int(count[0])
    if n >= rows.shape[1]:
        return rows
    strength = strength + xp.zeros_like(rows[:, :1])
    some = strength > 0
    s, m = xp.where(some, strength, 1.0), 1.0 if metric is None else metric
    keys = xp.sqrt(m / (1.0 + m / s)) * xp.abs(rows)
    return xp.where(some & ~mark_largest(keys, n), rows * (m / (m + s)), rows)
