"""Soft thresholding followed by shrinkage: the prox of |y| + ridge/2 y^2."""

from numba.extending import register_jitable

from rmda_ref.kernels.soft_threshold import soft_threshold


@register_jitable
def elastic_net_shrink(x, strength, metric, l1_ratio):
    """argmin_y  strength (l1_ratio |y| + (1 - l1_ratio)/2 y^2) + metric/2 (y - x)^2   [Zou & Hastie 2005]."""
    y = soft_threshold(x, strength * l1_ratio, metric)
    return y * (metric / (metric + strength * (1 - l1_ratio)))
