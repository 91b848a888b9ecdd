"""The projection on a Euclidean ball in a diagonal metric."""

from rmda_ref.backends.whole_rows.row_sum import row_sum
from rmda_ref.kernels.l2_ball import NEWTON_STEPS
from rmda_ref.namespace import Array, namespace


def metric_l2_ball(rows: Array, strength: Array | float, metric: Array | None, radius: float) -> Array:
    """argmin <y - row, metric (y - row)> over ||y|| <= radius   [More & Sorensen 1983].

    The kernel's iteration, of all rows at once: Newton's method from below on a concave function. The steps never
    decrease, so a row that has come to its end stays there while others go on.
    """
    xp = namespace(rows)
    metric = xp.ones_like(rows) if metric is None else metric
    largest = xp.max(xp.abs(rows), axis=1, keepdims=True)
    largest = xp.where(largest > 0, largest, 1.0)
    x, rho = rows / largest, radius / largest
    pull = metric * x
    norm = xp.sqrt(row_sum(x * x))
    square = row_sum(pull * pull)
    bend = row_sum(pull * pull * metric) / xp.where(square > 0, square, 1.0)
    least = xp.min(metric, axis=1, keepdims=True)
    sigma = xp.maximum(least * (norm - rho), xp.sqrt(square) - rho * bend)
    inside = norm <= rho
    sigma = xp.where(inside, 1.0, sigma)  # any number will do there
    for _ in range(NEWTON_STEPS):
        inverse = 1.0 / (rho * metric + sigma)
        q = pull * inverse
        square = row_sum(q * q)
        decrease = row_sum(q * q * inverse)  # -1/2 d||q||^2/dsigma; 0 for a zero row
        increase = square * (xp.sqrt(square) - 1.0) / xp.where(decrease > 0, decrease, 1.0)
        sigma = xp.where(inside, sigma, xp.maximum(sigma, sigma + increase))
    q = pull / (rho * metric + sigma)
    length = xp.sqrt(row_sum(q * q))
    return xp.where(inside, rows, radius * (q / xp.where(length > 0, length, 1.0)))
