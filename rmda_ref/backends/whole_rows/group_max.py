"""The prox of the largest magnitude of a row."""

from rmda_ref.backends.whole_rows.water_level import water_level
from rmda_ref.namespace import Array, namespace


def group_max(rows: Array, strength: Array | float, metric: Array | None) -> Array:
    """argmin_y  strength max_i |y_i| + 1/2 <y - row, metric (y - row)>   [Duchi et al. 2008, by Moreau].

    Magnitudes are cut at the level t with  sum_i metric_i (|row_i| - t)_+ = strength; all are 0 where the whole row
    weighs no more.
    """
    xp = namespace(rows)
    sizes = xp.abs(rows)
    weights = xp.ones_like(rows[:, :1]) if metric is None else metric
    heights = weights * sizes
    strength = strength + xp.zeros_like(rows[:, :1])
    level = water_level(heights, weights, strength, 0.0)
    level = xp.where(xp.sum(heights, axis=1, keepdims=True) <= strength, 0.0, level)
    return xp.where((strength > 0) & (sizes > level), level * xp.sign(rows), rows)
