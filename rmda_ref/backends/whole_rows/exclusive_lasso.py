"""The prox of half the square of the l1 norm of a row."""

from rmda_ref.backends.on_arrays import on_arrays
from rmda_ref.backends.whole_rows.water_level import water_level
from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.namespace import Array, namespace


def exclusive_lasso(rows: Array, strength: Array | float, metric: Array | None) -> Array:
    """argmin_y  strength/2 ||y||_1^2 + 1/2 <y - row, metric (y - row)>   [Kowalski 2009].

    Soft thresholding at T strength/metric_i, where T = ||y||_1 is the root of sum_i (|row_i| - T strength/metric_i)_+ =
    T.
    """
    xp = namespace(rows)
    sizes = xp.abs(rows)
    strength = strength + xp.zeros_like(rows[:, :1])
    some = strength > 0
    weights = 1.0 if metric is None else metric
    level = xp.where(some, strength, 0.0) * water_level(sizes, xp.where(some, strength, 1.0) / weights, 0.0, 1.0)
    return on_arrays(soft_threshold, xp)(rows, level, weights)
