"""The projection on a simplex."""

from rmda_ref.backends.whole_rows.water_level import water_level
from rmda_ref.namespace import Array, namespace


def simplex(rows: Array, strength: Array | float, metric: Array | None, radius: float) -> Array:
    """argmin <y - row, metric (y - row)> over y >= 0 with sum y = radius   [Held, Wolfe & Crowder 1974].

    As the kernel does, it measures from the entry with the largest metric_i row_i, so that nothing cancels where
    entries are much larger than the radius, and shares out what rounding leaves of the sum.
    """
    xp = namespace(rows)
    if radius == 0:
        return xp.zeros_like(rows)
    if metric is None:
        slopes = xp.ones_like(rows[:, :1])
        heights = rows - xp.max(rows, axis=1, keepdims=True)
    else:
        top = xp.argmax(metric * rows, axis=1, keepdims=True)
        slopes = xp.take_along_axis(metric, top, axis=1) / metric
        heights = rows - xp.take_along_axis(rows, top, axis=1) * slopes
    y = xp.maximum(heights - water_level(heights, slopes, radius, 0.0) * slopes, 0.0)
    return y * (radius / xp.sum(y, axis=1, keepdims=True))
