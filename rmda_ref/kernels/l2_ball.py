"""The projection on a Euclidean ball, without and with a diagonal metric."""

import math

from numba.extending import register_jitable

NEWTON_STEPS = 50  # quadratic convergence: a few are used


@register_jitable
def l2_ball(norm, strength, radius):
    """Factor of argmin ||y - row|| over ||y|| <= radius: min(1, radius/||row||); the strength has no part in it."""
    return min(norm, radius) / norm


@register_jitable
def metric_l2_ball(row, strength, metric, scratch, radius):
    """In place: argmin <y - row, metric (y - row)> over ||y|| <= radius.

    Inside the row stays. Otherwise y_i = row_i metric_i/(metric_i + mu) with a multiplier mu > 0 that gives ||y|| =
    radius. With x = row/max |row|, rho = radius/max |row| and sigma = rho mu: y = radius q, q_i = metric_i x_i/(rho
    metric_i + sigma), and sigma is the root of h(sigma) = 1/||q|| = 1. As in trust-region methods h is concave and
    increasing (More & Sorensen 1983), so Newton's method increases to the root from a lower bound: the larger of the
    one that the smallest metric_i gives and the root of h's asymptote, which lies above h. It stops when rounding ends
    the increase. The strength has no part in it.
    """
    size = len(row)
    x = scratch[0]
    largest = 0.0
    least = math.inf
    for i in range(size):
        largest = max(largest, abs(row[i]))
        least = min(least, metric[i])
    if largest == 0:
        return
    square = 0.0  # of ||x||, of ||metric x||, and the sum of metric^3 x^2
    pull = 0.0
    bend = 0.0
    for i in range(size):
        x[i] = row[i] / largest
        p = metric[i] * x[i]
        square += x[i] * x[i]
        pull += p * p
        bend += p * p * metric[i]
    rho = radius / largest
    if math.sqrt(square) <= rho:
        return
    sigma = max(least * (math.sqrt(square) - rho), math.sqrt(pull) - rho * bend / pull)
    norm = 1.0
    for _ in range(NEWTON_STEPS):
        square = 0.0  # ||q||^2
        slope = 0.0  # -1/2 d||q||^2/dsigma
        for i in range(size):
            inverse = 1 / (rho * metric[i] + sigma)
            q = metric[i] * x[i] * inverse
            square += q * q
            slope += q * q * inverse
        norm = math.sqrt(square)
        increase = square * (norm - 1) / slope
        if not sigma + increase > sigma:
            break
        sigma += increase
    for i in range(size):
        row[i] = radius * (metric[i] * x[i] / (rho * metric[i] + sigma) / norm)
