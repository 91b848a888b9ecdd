"""Soft thresholding: the prox of the absolute value."""

from numba.extending import register_jitable


@register_jitable
def soft_threshold(x, strength, metric):
    """argmin_y  strength |y| + metric/2 (y - x)^2  =  sign(x) (|x| - strength/metric)_+   [Donoho 1995].

    Written as x minus its projection on [-threshold, threshold] (Moreau), which is exactly zero inside.
    """
    threshold = strength / metric
    return x - min(max(x, -threshold), threshold)
