"""The prox of the capped absolute value."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def capped_soft_threshold(x, strength, metric, lam, gamma):
    """A global argmin_y  strength lam min(|y|, gamma) + metric/2 (y - x)^2   [Zhang 2010].

    With t = lam strength/metric the minimiser is (|x| - t)_+, below gamma, or |x|, above it. Their objectives cross at
    gamma + t/2, or at sqrt(2 t gamma) where the former is 0 there (t > 2 gamma). The tie goes to the former.
    """
    t = lam * strength / metric
    size = abs(x)
    cross = select(t > 2 * gamma, math.sqrt(2 * t * gamma), gamma + t / 2)
    y = select(size > cross, size, max(size - t, 0))
    return select(x < 0, 0 - y, y)  # 0 - y: no negative zeros
