"""The prox of the absolute value to the power 2/3."""

from numba.extending import register_jitable

from rmda_ref.kernels.select import select

NEWTON_STEPS = 6  # from 0.21 above the root at most; quadratic


@register_jitable
def l_two_thirds(x, strength, metric):
    """A global argmin_y  strength |y|^(2/3) + metric/2 (y - x)^2   [Cao, Sun & Xu 2013].

    With c = 2/3 strength/metric it is 0 up to |x| = 2 c^(3/4) (the tie goes to 0). Beyond, y = |x| s^3 with s the
    largest root of s^4 - s + k = 0, k = c |x|^(-4/3) <= 0.4: Newton's method from s = 1, above the root, decreases to
    it.
    """
    c = 2 * strength / metric / 3
    size = abs(x)
    least = 2 * c**0.75
    far = select(size > least, size, least + 1)  # where the root is sought; below the threshold it is not used
    k = c / far / far ** (1 / 3)
    s = 1 + 0 * k
    for _ in range(NEWTON_STEPS):
        cube = s * s * s
        s = s - (s * cube - s + k) / (4 * cube - 1)
    y = select(size > least, far * s * s * s, 0 * size)
    return select(x < 0, 0 - y, y)  # 0 - y: no negative zeros
