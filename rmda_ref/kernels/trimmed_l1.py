"""The prox of the sum of magnitudes beyond the k largest."""

import math

from numba import float64
from numba.extending import register_jitable

from rmda_ref.kernels.mark_largest import mark_largest
from rmda_ref.kernels.soft_threshold import soft_threshold


@register_jitable
def trimmed_l1(row, strength, metric, scratch, count):
    """In place: a global argmin_y  strength psi(y) + 1/2 <y - row, metric (y - row)>.

    psi is the sum of all |y_i| but the k = count[0] largest, the least sum of |y_i| outside k entries. An entry outside
    is soft-thresholded, which costs the Moreau envelope of strength |.|,

        metric row_i^2/2  if metric |row_i| <= strength,  else  strength (|row_i| - strength/(2 metric)),

    so the k costliest stay, bit for bit; of equal ones those that come first. In a constant metric these are the
    largest. Roots of costs are compared: they do not overflow. O(n) on average.
    """
    size = len(row)
    k = count[0]
    if k >= size:
        return
    keys = scratch[0]
    constant = True
    for i in range(size):
        constant = constant and metric[i] == metric[0]
        keys[i] = abs(row[i])
    s = float64(strength)
    if not constant:
        for i in range(size):
            m = float64(metric[i])
            if m * keys[i] <= s:
                keys[i] *= math.sqrt(m / 2)
            else:
                keys[i] = math.sqrt(s) * math.sqrt(keys[i] - s / m / 2)
    if k > 0:
        mark_largest(keys, scratch[1], size, k)
    for i in range(size):
        if k == 0 or keys[i] == 0:
            row[i] = soft_threshold(row[i], strength, metric[i])
