"""The prox of the smoothly clipped absolute deviation."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def scad(x, strength, metric, lam, a):
    """A global argmin_y  strength phi(|y|) + metric/2 (y - x)^2 of SCAD, a > 2   [Fan & Li 2001].

    phi'(z) = lam up to lam, (a lam - z)_+ / (a - 1) beyond. With t = strength/metric and soft = (|x| - t lam)_+:

    - t < a - 1: the objective is convex, and the minimiser is soft, then ((a-1)|x| - t a lam)/(a - 1 - t), then |x|,
      where each overtakes the one before;
    - t >= a - 1: it is concave between lam and a lam, so the minimiser is soft (at most lam) or |x|. Their objectives
      cross at lam (a + 1 + t)/2, or at lam sqrt(t (a + 1)) where soft is 0 there (t > a + 1). The tie goes to soft.
    """
    t = strength / metric
    size = abs(x)
    soft = max(size - t * lam, 0)
    room = a - 1 - t
    middle = ((a - 1) * size - t * a * lam) / select(room > 0, room, 1)
    convex = min(size, max(soft, middle))
    cross = lam * select(t > a + 1, math.sqrt(t * (a + 1)), (a + 1 + t) / 2)
    y = select(room > 0, convex, select(size > cross, size, soft))
    return select(x < 0, 0 - y, y)  # 0 - y: no negative zeros
