"""The scalar equation behind projections and proxes of sums of excesses."""

import math

from numba.extending import register_jitable


@register_jitable
def water_level(heights, slopes, size, total, rate):
    """The root tau of  sum_i (heights_i - tau slopes_i)_+ = total + rate tau,  slopes > 0, size > 0.

    Newton's method on a convex, decreasing, piecewise linear function: from a lower bound it increases, and ends after
    finitely many steps on the right piece (Michelot 1986). The root of any of the terms alone, or of all without their
    positive parts, is such a bound. No sorting. A term that has fallen below zero stays there, so ``heights`` and
    ``slopes`` are overwritten by the terms that still count: a few passes over ever fewer of them; as many as there are
    terms in the worst case.
    """
    height = 0.0
    slope = 0.0
    tau = -math.inf
    for i in range(size):
        height += heights[i]
        slope += slopes[i]
        tau = max(tau, (heights[i] - total) / (slopes[i] + rate))
    tau = max(tau, (height - total) / (slope + rate))
    while True:
        height = 0.0
        slope = 0.0
        kept = 0
        for i in range(size):  # without a branch, which would be mispredicted half the time
            h = heights[i]
            s = slopes[i]
            counts = h > tau * s
            heights[kept] = h
            slopes[kept] = s
            height += h if counts else 0.0
            slope += s if counts else 0.0
            kept += 1 if counts else 0
        if slope + rate == 0:
            return tau
        higher = (height - total) / (slope + rate)
        if not higher > tau:
            return tau
        tau = higher
        size = kept
