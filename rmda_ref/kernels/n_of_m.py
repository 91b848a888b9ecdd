"""The prox of half the squared distance to the rows with at most n nonzeros."""

import math

from numba import float64
from numba.extending import register_jitable

from rmda_ref.kernels.mark_largest import mark_largest


@register_jitable
def n_of_m(row, strength, metric, scratch, count):
    """In place: a global argmin_y  strength/2 dist(y)^2 + 1/2 <y - row, metric (y - row)>.

    dist is the Euclidean distance to the rows with at most n = count[0] nonzeros, dist^2 the least sum of y_i^2 outside
    n entries. An entry outside is multiplied by metric/(metric + strength), which costs
    strength metric/(strength + metric) row_i^2/2, so the n costliest stay, bit for bit; of equal ones those that come
    first. O(m) on average. The limit of an infinite strength is `rmda_ref.kernels.top_k`.
    """
    size = len(row)
    n = count[0]
    s = float64(strength)
    if n >= size or s == 0:
        return
    keys = scratch[0]
    for i in range(size):
        m = float64(metric[i])
        keys[i] = math.sqrt(m / (1 + m / s)) * float64(abs(row[i]))
    if n > 0:
        mark_largest(keys, scratch[1], size, n)
    for i in range(size):
        m = float64(metric[i])
        row[i] *= 1 if n > 0 and keys[i] > 0 else m / (m + s)
