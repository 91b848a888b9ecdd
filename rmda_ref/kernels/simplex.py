"""The projection on a simplex."""

from numba.extending import register_jitable

from rmda_ref.kernels.water_level import water_level


@register_jitable
def simplex(row, strength, metric, scratch, radius):
    """In place: argmin <y - row, metric (y - row)> over y >= 0 with sum y = radius   [Michelot 1986; Condat 2016].

    y_i = (row_i - tau/metric_i)_+ . Measured from the entry m with the largest metric_m row_m, of which tau is no more
    than radius away: with h_i = row_i - row_m metric_m/metric_i <= 0, y_i = (h_i - t metric_m/metric_i)_+ with
    -radius <= t < 0. So nothing cancels where entries are much larger than the radius, and most terms are out of reach
    from the start. What rounding leaves of radius - sum y is shared out in proportion. The strength has no part in it.
    """
    size = len(row)
    if radius == 0:
        for i in range(size):
            row[i] = 0
        return
    top = 0
    largest = metric[0] * row[0]
    for i in range(size):
        pull = metric[i] * row[i]
        if pull > largest:
            largest = pull
            top = i
    highest = row[top]
    scale = metric[top]
    heights = scratch[0]
    slopes = scratch[1]
    count = 0
    for i in range(size):
        slope = scale / metric[i]
        height = row[i] - highest * slope
        heights[count] = height
        slopes[count] = slope
        count += 1 if height > -radius * slope else 0
    level = water_level(heights, slopes, count, radius, 0.0)
    total = 0.0
    for i in range(size):
        slope = scale / metric[i]
        y = max(row[i] - highest * slope - level * slope, 0.0)
        total += y
        row[i] = y
    share = radius / total
    if share != 1:
        for i in range(size):
            row[i] *= share
