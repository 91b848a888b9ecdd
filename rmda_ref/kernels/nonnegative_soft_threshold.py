"""Soft thresholding onto the nonnegative half-line."""

from numba.extending import register_jitable


@register_jitable
def nonnegative_soft_threshold(x, strength, metric):
    """argmin_{y >= 0}  strength y + metric/2 (y - x)^2  =  (x - strength/metric)_+."""
    return max(x - strength / metric, 0 * x) + 0  # + 0: no negative zeros
