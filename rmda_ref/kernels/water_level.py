"""The scalar equation behind projections and proxes of sums of excesses."""

import math

from numba.extending import register_jitable


@register_jitable
def water_level(heights, slopes, size, total, rate):
    """The root tau of  sum_i (heights_i - tau slopes_i)_+ = total + rate tau,  slopes > 0.

    Newton's method on a convex, decreasing, piecewise linear function, from the root of the piece where all terms
    count: a lower bound, hence it increases, and ends after finitely many steps on the right piece. No sorting; about
    ten passes are used, as many as pieces in the worst case.
    """
    tau = -math.inf
    for _ in range(size + 1):
        height = 0.0
        slope = 0.0
        for i in range(size):
            if heights[i] > tau * slopes[i] or tau == -math.inf:
                height += heights[i]
                slope += slopes[i]
        if slope + rate == 0:
            break
        higher = (height - total) / (slope + rate)
        if not higher > tau:
            break
        tau = higher
    return tau
