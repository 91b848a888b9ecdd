"""The prox of the total variation of a row, by dynamic programming."""

from numba import float64
from numba.extending import register_jitable


@register_jitable
def total_variation(row, strength, metric, scratch):
    """In place: argmin_x  strength sum_i |x_{i+1} - x_i| + 1/2 <x - row, metric (x - row)>   [Johnson 2013].

    Let g_i be the derivative, in x_i, of the best objective over x_1, …, x_{i-1}: it is piecewise linear and
    increasing. Then g_{i+1}(x) = clip(g_i(x), -strength, strength) + metric_{i+1} (x - row_{i+1}), and cutting off at
    low_i = g_i^{-1}(-strength) and high_i = g_i^{-1}(strength) removes the knots beyond. Each knot comes and goes once,
    so all is O(n), whatever the data. Backwards, x_i = clip(x_{i+1}, low_i, high_i), which makes pieces exactly
    constant.
    """
    size = len(row)
    if size < 2 or strength == 0:
        return
    bound = float64(strength)
    low, high = scratch[0], scratch[1]
    # The knots of g: where its slope and intercept change, and by how much; both ends of a double queue.
    place, slope, intercept = scratch[2:4].reshape(-1), scratch[4:6].reshape(-1), scratch[6:8].reshape(-1)
    left = len(place) // 2
    right = left - 1
    first_slope, first_intercept = float64(metric[0]), -float64(metric[0]) * float64(row[0])
    last_slope, last_intercept = first_slope, first_intercept
    for i in range(size - 1):
        # From the left: g = first_slope x + first_intercept up to the first knot; find where it is -bound.
        while left <= right and first_slope * place[left] + first_intercept <= -bound:
            first_slope += slope[left]
            first_intercept += intercept[left]
            left += 1
        low[i] = (-bound - first_intercept) / first_slope
        # From the right, where it is bound.
        while right >= left and last_slope * place[right] + last_intercept >= bound:
            last_slope -= slope[right]
            last_intercept -= intercept[right]
            right -= 1
        high[i] = (bound - last_intercept) / last_slope
        left -= 1
        place[left], slope[left], intercept[left] = low[i], first_slope, first_intercept + bound
        right += 1
        place[right], slope[right], intercept[right] = high[i], -last_slope, bound - last_intercept
        weight, pull = float64(metric[i + 1]), -float64(metric[i + 1]) * float64(row[i + 1])
        first_slope, first_intercept = weight, pull - bound
        last_slope, last_intercept = weight, pull + bound
    while left <= right and first_slope * place[left] + first_intercept <= 0:
        first_slope += slope[left]
        first_intercept += intercept[left]
        left += 1
    x = -first_intercept / first_slope
    row[size - 1] = x
    for i in range(size - 2, -1, -1):
        x = min(max(x, low[i]), high[i])
        row[i] = x


@register_jitable
def fused_lasso(row, strength, metric, scratch, l1_ratio):
    """In place: argmin_x  strength ((1 - l1_ratio) sum_i |x_{i+1} - x_i| + l1_ratio ||x||_1) + 1/2 ||x - row||^2.

    Soft thresholding after the total variation [Friedman et al. 2007]: thresholding keeps the order of the entries, so
    that the subgradients of the former stay subgradients. Only for a constant metric.
    """
    total_variation(row, strength * (1 - l1_ratio), metric, scratch)
    threshold = strength * l1_ratio / metric[0] if len(row) > 0 else strength
    for i in range(len(row)):
        row[i] = row[i] - min(max(row[i], -threshold), threshold)
