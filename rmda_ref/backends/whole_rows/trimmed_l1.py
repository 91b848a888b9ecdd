"""The prox of the sum of magnitudes beyond the k largest."""

from rmda_ref.backends.on_arrays import on_arrays
from rmda_ref.backends.whole_rows.mark_largest import mark_largest
from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.namespace import Array, namespace


def trimmed_l1(rows: Array, strength: Array | float, metric: Array | None, count: Array) -> Array:
    """A global argmin_y  strength psi(y) + 1/2 <y - row, metric (y - row)>, psi the least sum of |y_i| outside k.

    An entry outside is soft-thresholded; the k = count[0] stay for which that would cost most (the Moreau envelope of
    strength |.|), bit for bit; of equal ones those that come first. In a constant metric these are the largest.
    """
    xp, k = namespace(rows), int(count[0])
    if k >= rows.shape[1]:
        return rows
    keys = sizes = xp.abs(rows)
    threshold = strength + xp.zeros_like(rows[:, :1])
    if metric is not None:
        s, threshold = threshold, threshold / metric
        beyond = xp.sqrt(s) * xp.sqrt(xp.maximum(sizes - s / metric / 2, 0.0))
        costs = xp.where(metric * sizes <= s, sizes * xp.sqrt(metric / 2), beyond)  # their roots, which do not overflow
        keys = xp.where(xp.all(metric == metric[:, :1], axis=1, keepdims=True), sizes, costs)
    thresholded = on_arrays(soft_threshold, xp)(rows, threshold, 1.0)
    return xp.where(mark_largest(keys, k), rows, thresholded)
