"""The prox of the sparse envelope, of entries or of weighted magnitudes."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select

LEAST_OFFSET = 1e-290  # a smaller one moves no entry by more than rounding
JUST_ABOVE = 1 + 4e-15


@register_jitable
def sparse_envelope(row, strength, metric, scratch, k, weights):
    """In place: argmin_y  strength/2 min_theta sum_i weights_i y_i^2/theta_i + 1/2 <y - row, metric (y - row)>, with
    shares 0 <= theta_i <= 1, sum_i theta_i <= k   [Beck & Refael 2022]. No weights are weights of 1.

    Minimised over y first, y_i = row_i theta_i/(theta_i + o_i) with o_i = strength weights_i/metric_i; then over theta,
    theta_i = clip(h_i/T - o_i, 0, 1) with h_i = sqrt(weights_i) |row_i|. Together

        |y_i| = min(|row_i|/(1 + o_i), (|row_i| - T o_i/sqrt(weights_i))_+):

    ridge shrinkage or soft thresholding, whichever is smaller. At the level T the shares sum to k; it is 0 where no
    more than k entries are nonzero. An entry of weight 0 stays, and counts for nothing.
    """
    if strength == 0:
        return
    size = len(row)
    weighted = len(weights) > 0
    unit = power_of_two(row)
    heights = scratch[0]
    offsets = scratch[1]
    asking = 0
    for i in range(size):
        weight = weights[i] if weighted else 1.0
        height = math.sqrt(weight) * (abs(row[i]) / unit)
        heights[asking] = height
        offsets[asking] = max(strength * weight / metric[i], LEAST_OFFSET)
        asking += 1 if height > 0 else 0
    level = envelope_level(heights, offsets, asking, k, 1.0) if asking > k else 0.0
    for i in range(size):
        weight = weights[i] if weighted else 1.0
        z = abs(row[i]) / unit
        ridge = z / (1 + strength * weight / metric[i])
        soft = max(z - level * (strength * math.sqrt(weight) / metric[i]), 0.0)
        y = min(ridge, soft) * unit
        row[i] = y if row[i] > 0 else -y


@register_jitable
def envelope_level(heights, offsets, size, places, slack):
    """The level T with  sum_i clip((heights_i - T offsets_i)/(T slack), 0, 1) = places: the shares of the places.

    Heights and offsets are positive; there are more heights than places. Variable fixing (Bitran & Hax 1981): as if no
    share were clipped, T = sum heights/(places slack + sum offsets). If shares then exceed 1 by more than others fall
    below 0, those above 1 are 1 at the root too; else those below 0 are 0 there. What is settled is left out: a few
    passes over ever fewer terms; as many as there are terms in the worst case. No sorting. ``heights`` and ``offsets``
    are overwritten.
    """
    height = 0.0
    offset = 0.0
    for i in range(size):
        height += heights[i]
        offset += offsets[i]
    level = 0.0
    while size > 0:
        if places == 0:  # no share is left: the level is just above the one where the next would get some
            level = 0.0
            for i in range(size):
                level = max(level, heights[i] / offsets[i])
            return level * JUST_ABOVE
        level = height / (places * slack + offset)
        above = 0.0
        below = 0.0
        for i in range(size):
            above += max(heights[i] - level * (offsets[i] + slack), 0.0)
            below += max(level * offsets[i] - heights[i], 0.0)
        if above == below:  # 0 as a rule
            return level
        height = 0.0
        offset = 0.0
        count = 0
        full = 0
        for i in range(size):
            h = heights[i]
            o = offsets[i]
            heights[count] = h
            offsets[count] = o
            is_full = h > level * (o + slack)
            stays = (not is_full) if above > below else h >= level * o  # not to be predicted, hence no branch
            full += select(is_full, 1, 0)
            height += select(stays, h, 0.0)
            offset += select(stays, o, 0.0)
            count += select(stays, 1, 0)
        if above > below:
            places -= full
        size = count
    return level


@register_jitable
def power_of_two(row):
    """The largest that is no larger than all magnitudes of the row; 1 for zeros. Division by it is exact."""
    largest = 0.0
    for i in range(len(row)):
        largest = max(largest, abs(row[i]))
    return math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 0 else 1.0
