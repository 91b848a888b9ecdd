"""Which of some numbers are the k largest, of many rows at once."""

from rmda_ref.namespace import Array, namespace


def mark_largest(keys: Array, k: int) -> Array:
    """True where an entry is among the k largest of its row, 0 <= k <= n; of equal keys the first count as larger.

    Keys are compared with the k-th in order; of those equal to it the first ones fill up the number.
    """
    xp = namespace(keys)
    if k == 0:
        return keys < keys
    threshold = -xp.sort(-keys, axis=1)[:, k - 1 : k]
    larger, tied = keys > threshold, keys == threshold
    places = k - xp.sum(xp.astype(larger, xp.int32), axis=1, keepdims=True)
    return larger | (tied & (xp.cumulative_sum(xp.astype(tied, xp.int32), axis=1) <= places))
