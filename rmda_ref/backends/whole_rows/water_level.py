"""The scalar equation behind projections and proxes of sums of excesses, of many rows at once."""

from rmda_ref.namespace import Array, namespace


def water_level(heights: Array, slopes: Array, total: Array | float, rate: float) -> Array:
    """The root tau of  sum_i (heights_i - tau slopes_i)_+ = total + rate tau  of each row, slopes > 0, as a column.

    Without its positive parts, the equation of any of the terms has its root at tau or below, and that of the terms
    which count at tau has it there. In the order of heights/slopes these come first. So tau is the largest root of n
    equations, those of the first term, the first two, …: a sort and two cumulative sums   [Held, Wolfe & Crowder 1974].
    ``slopes`` are a matrix, or a column where a row has one slope.
    """
    xp = namespace(heights)
    if slopes.shape[1] == 1:
        ordered = -xp.sort(-heights, axis=1)
        weights = slopes * xp.cumulative_sum(xp.ones_like(heights[:1, :]), axis=1)
    else:
        order = xp.argsort(-(heights / slopes), axis=1)
        ordered = xp.take_along_axis(heights, order, axis=1)
        weights = xp.cumulative_sum(xp.take_along_axis(slopes, order, axis=1), axis=1)
    return xp.max((xp.cumulative_sum(ordered, axis=1) - total) / (weights + rate), axis=1, keepdims=True)
