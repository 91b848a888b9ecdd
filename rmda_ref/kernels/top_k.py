"""The projection on the rows with at most k nonzeros."""

import math

from numba import float64
from numba.extending import register_jitable

from rmda_ref.kernels.mark_largest import mark_largest, marks_of_four


@register_jitable
def top_k(row, strength, metric, scratch, count):
    """In place: argmin_y  1/2 <y - row, metric (y - row)>  with at most count[0] nonzeros in y.

    Zeroing entry i costs metric_i row_i^2 / 2, so the k largest sqrt(metric_i) |row_i| stay, bit for bit; of equal ones
    those that come first. O(n) on average.
    """
    size = len(row)
    k = count[0]
    if k >= size:
        return
    if k == 0:
        row[:] = 0
        return
    if size == 4:
        first, second, third, fourth = marks_of_four(
            weighted(row, metric, 0), weighted(row, metric, 1), weighted(row, metric, 2), weighted(row, metric, 3), k
        )
        row[0] *= first
        row[1] *= second
        row[2] *= third
        row[3] *= fourth
        return
    keys = scratch[0]
    for i in range(size):
        keys[i] = weighted(row, metric, i)
    mark_largest(keys, scratch[1], size, k)
    for i in range(size):
        row[i] *= keys[i]


@register_jitable
def weighted(row, metric, i):
    """sqrt(metric_i) |row_i|: the root of a cost, which does not overflow where its square would."""
    return math.sqrt(float64(metric[i])) * float64(abs(row[i]))
