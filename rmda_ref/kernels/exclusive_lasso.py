"""The prox of half the square of the l1 norm of a row."""

from numba.extending import register_jitable

from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.kernels.water_level import water_level


@register_jitable
def exclusive_lasso(row, strength, metric, scratch):
    """In place: argmin_y  strength/2 ||y||_1^2 + 1/2 <y - row, metric (y - row)>   [Kowalski 2009].

    Soft thresholding at strength T / metric_i, where T = ||y||_1 is the root of sum_i (|row_i| - T strength/metric_i)_+
    = T.
    """
    size = len(row)
    if strength == 0:
        return
    heights = scratch[0]
    slopes = scratch[1]
    for i in range(size):
        heights[i] = abs(row[i])
        slopes[i] = strength / metric[i]
    threshold = strength * water_level(heights, slopes, size, 0.0, 1.0)
    for i in range(size):
        row[i] = soft_threshold(row[i], threshold, metric[i])
