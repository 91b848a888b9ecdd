"""Group soft thresholding in a diagonal metric: one scalar secular equation."""

import math

from numba.extending import register_jitable

NEWTON_STEPS = 50  # quadratic convergence: about six are used


@register_jitable
def metric_group_soft_threshold(row, strength, metric, scratch):
    """In place: argmin_y  strength ||y|| + 1/2 <y - row, metric (y - row)>   [Deleu & Bengio 2021].

    y = 0 iff ||metric row|| <= strength. Otherwise y_i = row_i r / (r + strength/metric_i), where r = ||y|| is the
    root of h(r) = 1/||p(r)|| = 1 with p_i = row_i / (r + strength/metric_i). As in trust-region methods h is
    concave and increasing, so Newton from a lower bound of the root increases monotonically to it; it stops when
    rounding ends the increase.
    """
    size = len(row)
    scaled = 0.0
    largest = 0.0
    for i in range(size):
        scaled = math.hypot(scaled, metric[i] * row[i])
        largest = max(largest, metric[i])
    if scaled <= strength:
        for i in range(size):
            row[i] = 0
        return
    if strength == 0:
        return
    radius = (scaled - strength) / largest
    for _ in range(NEWTON_STEPS):
        square = 0.0  # ||p||^2
        slope = 0.0  # -1/2 d||p||^2/dr
        for i in range(size):
            denominator = radius + strength / metric[i]
            p = row[i] / denominator
            square += p * p
            slope += p * p / denominator
        increase = square * (math.sqrt(square) - 1) / slope
        if not radius + increase > radius:
            break
        radius += increase
    for i in range(size):
        row[i] *= radius / (radius + strength / metric[i])
