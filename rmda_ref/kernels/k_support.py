"""The prox of the k-support norm."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.kth_largest import kth_largest
from rmda_ref.kernels.select import select
from rmda_ref.kernels.sparse_envelope import envelope_level, power_of_two

ROUNDS = 100  # of Newton's method, safeguarded by bisection: fewer than ten are used
EXACT = 2e-15  # relative, of the dual norm
LEAST_OFFSET = 1e-90  # a smaller one moves no entry by more than rounding; its cube can be divided by
NEXT_IS_EXACT = 1e-10  # relative: of a Newton step, whose error is the square


@register_jitable
def k_support(row, strength, metric, scratch, k):
    """In place: argmin_y  strength ||y||_sp + 1/2 <y - row, metric (y - row)>   [k-support norm: Argyriou et al. 2012].

    The dual norm ||.||_* is the Euclidean norm of the k largest magnitudes, and y = 0 iff ||metric row||_* <= strength.
    Else y is the prox of mu/2 ||.||_sp^2, which is that of the sparse envelope, for the mu at which v = metric (row -
    y)/strength has ||v||_* = 1. With o_i = strength/metric_i, tau = strength/mu and T the level of that prox, |v_i| is
    |row_i|/(o_i + tau) where the share is 1, T where it is between, and |row_i|/o_i <= T where it is 0.

    Newton's method for 1/||v||_* as a function of tau, safeguarded by bisection, from tau = 0, where y = 0 and T is the
    k-th largest |row_i|/o_i. That function is a straight line while all shares are 0 or 1 and the metric is
    constant: two to five rounds. T falls with tau and T tau grows, so most shares are known from the second round on.
    """
    if strength == 0:
        return
    size = len(row)
    unit = power_of_two(row)
    bound = strength / unit
    heights = scratch[0]
    offsets = scratch[1]
    asking = 0
    for i in range(size):
        height = abs(row[i]) / unit
        heights[asking] = height
        offsets[asking] = max(bound / metric[i], LEAST_OFFSET)
        asking += 1 if height > 0 else 0
    if asking == 0:
        return

    # At tau = 0: y = 0, and the level is the k-th largest of |row|/o, if there are more.
    keys = scratch[2]
    for i in range(asking):
        keys[i] = heights[i] * (1 / offsets[i])
    level = kth_largest(keys, asking, min(k, asking))
    square = 0.0
    descent = 0.0
    largest = 0
    for i in range(asking):
        per_height = 1 / offsets[i]
        v = heights[i] * per_height
        square += select(v > level, v * v, 0.0)
        descent += select(v >= level, v * v * per_height, 0.0)
        largest += select(v > level, 1, 0)
    square += (min(k, asking) - largest) * level * level
    dual = math.sqrt(square)
    tau = square * (dual - 1) / descent if dual > 1 else 0.0
    if tau <= 0:
        for i in range(size):
            row[i] = 0
        return
    shared = asking > k
    low = 0.0
    high = level
    level = 0.0
    from_below = 0.0
    from_above = math.inf
    for _ in range(ROUNDS):
        if shared:
            level = level_between(heights, offsets, asking, k, tau, low, high, scratch)
        square = 0.0
        descent = 0.0
        offset = 0.0
        places = k
        for i in range(asking):
            h = heights[i]
            o = offsets[i]
            full = h >= level * (o + tau)  # not to be predicted, hence no branch
            per_height = 1 / (o + tau)
            term = select(full, h * per_height, 0.0)
            term *= term
            square += term
            descent += term * per_height
            places -= select(full, 1, 0)
            offset += select(full, 0.0, select(h > level * o, o, 0.0))
        if level > 0 and places > 0:
            square += places * level * level
            descent += (places * level) * (places * level) / (places * tau + offset)
        dual = math.sqrt(square)
        if dual > 1:
            from_below = tau
        else:
            from_above = tau
        if abs(dual - 1) <= EXACT:
            break
        new = tau + square * (dual - 1) / descent
        if not from_below < new < from_above:
            new = (from_below + from_above) / 2 if from_above < math.inf else 2 * tau
        low = level * min(1.0, tau / new) * (1 - 1e-12)
        high = level * max(1.0, tau / new) * (1 + 1e-12)
        last = abs(new - tau) <= NEXT_IS_EXACT * tau
        tau = new
        if last:
            if shared:
                level = level_between(heights, offsets, asking, k, tau, low, high, scratch)
            break
    for i in range(size):
        z = abs(row[i]) / unit
        o = bound / metric[i]
        y = min(z * (tau / (o + tau)), max(z - level * o, 0.0)) * unit
        row[i] = y if row[i] > 0 else -y


@register_jitable
def level_between(heights, offsets, size, places, tau, low, high, scratch):
    """The level of the envelope's prox, known to lie between two, for strength 1/tau."""
    free_heights = scratch[2]
    free_offsets = scratch[3]
    free = 0
    for i in range(size):
        h = heights[i]
        o = offsets[i]
        free_heights[free] = h
        free_offsets[free] = o
        full = h >= high * (o + tau)
        places -= select(full, 1, 0)
        free += select(full, 0, select(h > low * o, 1, 0))
    if free > places:
        return envelope_level(free_heights, free_offsets, free, places, tau)
    level = high if free > 0 else low  # all that are free are full
    for i in range(free):
        level = min(level, free_heights[i] / (free_offsets[i] + tau))
    return level
