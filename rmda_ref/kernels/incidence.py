"""Sums over groups that may overlap: group g has the members[k] for starts[g] <= k < starts[g + 1]."""

import math

from numba.extending import register_jitable


@register_jitable
def spread(starts, members, values, out):
    """out_i = sum of the values of the groups that contain i."""
    for i in range(len(out)):
        out[i] = 0.0
    for g in range(len(starts) - 1):
        for k in range(starts[g], starts[g + 1]):
            out[members[k]] += values[g]


@register_jitable
def collect(starts, members, values, out):
    """out_g = sum of the values in group g."""
    for g in range(len(starts) - 1):
        total = 0.0
        for k in range(starts[g], starts[g + 1]):
            total += values[members[k]]
        out[g] = total


@register_jitable
def squares(starts, members, values, out):
    """out_g = sum of the squares in group g, compensated (Kahan): what is certified rests on it."""
    for g in range(len(starts) - 1):
        total = 0.0
        lost = 0.0
        for k in range(starts[g], starts[g + 1]):
            term = values[members[k]] * values[members[k]] - lost
            grown = total + term
            lost = (grown - total) - term
            total = grown
        out[g] = total


@register_jitable
def norm_of(starts, members, values, g):
    """||values_g||, whose squares stay in range."""
    largest = 0.0
    for k in range(starts[g], starts[g + 1]):
        largest = max(largest, abs(values[members[k]]))
    if largest == 0 or largest == math.inf:
        return largest
    total = 0.0
    for k in range(starts[g], starts[g + 1]):
        ratio = values[members[k]] / largest
        total += ratio * ratio
    return largest * math.sqrt(total)
