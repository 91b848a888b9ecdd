"""The prox of the logarithm of the absolute value."""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def log_sum(x, strength, metric, epsilon):
    """A global argmin_y  strength log(1 + |y|/epsilon) + metric/2 (y - x)^2   [Prater-Bennette, Shen & Tripp 2022].

    With t = strength/metric, a stationary y > 0 solves y^2 + (epsilon - |x|) y + t - |x| epsilon = 0.

    - t <= epsilon^2: the objective is convex; the minimiser is the larger root if that is positive, else 0;
    - t > epsilon^2: the larger root is a local minimiser if it is real and positive; 0 is the other candidate, and the
      smaller objective wins (the tie goes to 0).

    The larger root is computed without cancellation, and the objectives are compared divided by y, so that nothing
    overflows.
    """
    t = strength / metric
    size = abs(x)
    total = size + epsilon
    ratio = 4 * (t / total) / total
    root = total * math.sqrt(max(1 - ratio, 0))
    above = size > epsilon
    larger = (size - epsilon) / 2 + root / 2
    both = root + (epsilon - size)  # 0 where no root is positive; not used above epsilon
    rationalised = 2 * (size * epsilon - t) / select(above | (both <= 0), total, both)
    y = max(select(above, larger, rationalised), 0)
    safe = select(y > 0, y, 1)
    small = math.log1p(min(safe, epsilon) / epsilon)
    penalty = select(safe > epsilon, math.log(safe + epsilon) - math.log(epsilon), small)
    better = t / safe * penalty < size - safe / 2
    kept = select(t <= epsilon * epsilon, y, select((ratio <= 1) & (y > 0) & better, y, 0 * size))
    return select(x < 0, 0 - kept, kept)  # 0 - kept: no negative zeros
