"""Group soft thresholding in a diagonal metric: one scalar secular equation."""

import math

from numba.extending import register_jitable

NEWTON_STEPS = 50  # quadratic convergence: about four are used
SMALLEST, LARGEST = 1e-280, 1e280  # a sum of squares between them has lost nothing to underflow or overflow


@register_jitable
def metric_group_soft_threshold(row, strength, metric, scratch):
    """In place: argmin_y  strength ||y|| + 1/2 <y - row, metric (y - row)>   [Deleu & Bengio 2021].

    y = 0 iff ||metric row|| <= strength. Otherwise y_i = row_i metric_i r / (metric_i r + strength), where r = ||y|| is
    the root of h(r) = 1/||p(r)|| = 1 with p_i = metric_i row_i / (metric_i r + strength). As in trust-region methods h
    is concave and increasing, so Newton from a lower bound of the root increases monotonically to it; it stops when
    rounding ends the increase. By Jensen's inequality (||metric row|| - strength) / m is such a bound, where m is the
    mean of the metric, weighted by (metric row)^2.
    """
    size = len(row)
    square, weighted = 0.0, 0.0
    for i in range(size):
        u = metric[i] * row[i]
        square += u * u
        weighted += u * u * metric[i]
    if SMALLEST < square < LARGEST and SMALLEST < weighted < LARGEST:
        scaled, mean = math.sqrt(square), weighted / square
    else:
        scaled, mean = 0.0, 0.0  # the largest entry of the metric bounds the mean
        for i in range(size):
            scaled = math.hypot(scaled, metric[i] * row[i])
            mean = max(mean, metric[i])
    if scaled <= strength:
        for i in range(size):
            row[i] = 0
        return
    if strength == 0:
        return
    radius = (scaled - strength) / mean * (1 - 1e-12)  # a lower bound despite rounding
    for _ in range(NEWTON_STEPS):
        square = 0.0  # ||p||^2
        slope = 0.0  # -1/2 d||p||^2/dr
        for i in range(size):
            share = metric[i] / (metric[i] * radius + strength)
            p = share * row[i]
            square += p * p
            slope += p * p * share
        increase = square * (math.sqrt(square) - 1) / slope
        if not radius + increase > radius:
            break
        radius += increase
    for i in range(size):
        row[i] *= metric[i] * radius / (metric[i] * radius + strength)
