"""Group soft thresholding in a diagonal metric."""

from rmda_ref.backends.whole_rows.row_sum import row_sum
from rmda_ref.kernels.metric_group_soft_threshold import NEWTON_STEPS
from rmda_ref.namespace import Array, namespace


def metric_group_soft_threshold(rows: Array, strength: Array | float, metric: Array | None) -> Array:
    """argmin_y  strength ||y|| + 1/2 <y - row, metric (y - row)>   [Deleu & Bengio 2021].

    The kernel's iteration, of all rows at once: Newton's method from below on a concave function. The steps never
    decrease, so a row that has come to its end stays there while others go on.
    """
    xp = namespace(rows)
    metric = xp.ones_like(rows) if metric is None else metric
    strength = strength + xp.zeros_like(rows[:, :1])
    pull = metric * rows
    largest = xp.max(xp.abs(pull), axis=1, keepdims=True)
    largest = xp.where(largest > 0, largest, 1.0)
    u = pull / largest  # its squares stay in range
    square = row_sum(u * u)
    mean = row_sum(u * metric * u) / xp.where(square > 0, square, 1.0)
    norm = largest * xp.sqrt(square)
    zero = norm <= strength
    moves = ~zero & (strength > 0)
    # A lower bound despite rounding; where the result is known, any number will do.
    radius = xp.where(moves, (norm - strength) / xp.where(zero, 1.0, mean) * (1.0 - 1e-12), 1.0)
    for _ in range(NEWTON_STEPS):
        share = metric / (metric * radius + strength)
        p = share * xp.where(moves, rows, 0.0)
        square = row_sum(p * p)
        decrease = row_sum(p * p * share)  # -1/2 d||p||^2/dr
        increase = square * (xp.sqrt(square) - 1.0) / xp.where(decrease > 0, decrease, 1.0)
        radius = xp.where(moves, xp.maximum(radius, radius + increase), radius)
    shrunk = rows * (metric * radius / (metric * radius + strength))
    return xp.where(zero, 0.0, xp.where(strength > 0, shrunk, rows))
