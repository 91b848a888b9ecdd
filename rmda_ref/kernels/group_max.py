"""The prox of the largest magnitude of a row."""

from numba.extending import register_jitable

from rmda_ref.kernels.water_level import water_level


@register_jitable
def group_max(row, strength, metric, scratch):
    """In place: argmin_y  strength max_i |y_i| + 1/2 <y - row, metric (y - row)>   [Duchi et al. 2008, by Moreau].

    Magnitudes are cut at the level t where what is cut off weighs the strength: sum_i metric_i (|row_i| - t)_+ =
    strength; all are 0 where the whole row weighs no more. Without a metric this is row minus its projection on the
    l1 ball of radius strength.
    """
    size = len(row)
    heights = scratch[0]
    slopes = scratch[1]
    total = 0.0
    for i in range(size):
        slopes[i] = metric[i]
        heights[i] = metric[i] * abs(row[i])
        total += heights[i]
    if total <= strength:
        for i in range(size):
            row[i] = 0
        return
    if strength == 0:
        return
    level = water_level(heights, slopes, size, strength, 0.0)
    for i in range(size):
        if abs(row[i]) > level:
            row[i] = level if row[i] > 0 else -level
