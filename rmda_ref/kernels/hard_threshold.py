"""Hard thresholding: the prox of the counting of nonzero entries."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def hard_threshold(x, strength, metric):
    """A global argmin_y  strength [y != 0] + metric/2 (y - x)^2   [Blumensath & Davies 2008].

    x where |x| > sqrt(2 strength/metric), else 0; the tie goes to 0.
    """
    return select(abs(x) > math.sqrt(2 * strength / metric), x, 0 * x) + 0  # + 0: no negative zeros
