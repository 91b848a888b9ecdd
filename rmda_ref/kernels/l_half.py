"""The prox of the square root of the absolute value."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select

NEWTON_STEPS = 6  # errors of at most 0.23, 0.1, 1e-2, 2e-4, 5e-8, 3e-15, and then rounding


@register_jitable
def l_half(x, strength, metric):
    """A global argmin_y  strength sqrt(|y|) + metric/2 (y - x)^2   [Xu et al. 2012].

    With t = strength/metric it is 0 up to |x| = 3/2 t^(2/3) (the tie goes to 0). Beyond, y = |x| s^2 with s the largest
    root of s^3 - s + k = 0, k = t/2 |x|^(-3/2) <= 0.28: Newton's method from s = 1, above the root, decreases to it.
    (The closed form by cosines loses digits in float32, and |x|^3 would overflow.)
    """
    t = strength / metric
    size = abs(x)
    least = 1.5 * t ** (2 / 3)
    far = select(size > least, size, least + 1)  # where the root is sought; below the threshold it is not used
    k = t / 2 / far / math.sqrt(far)
    s = 1 + 0 * k
    for _ in range(NEWTON_STEPS):
        s = s - (s * s * s - s + k) / (3 * s * s - 1)
    y = select(size > least, far * s * s, 0 * size)
    return select(x < 0, 0 - y, y)  # 0 - y: no negative zeros
