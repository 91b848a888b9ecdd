"""The prox of the sparse envelope, of entries or of weighted magnitudes."""

from rmda_ref.backends.whole_rows.leading import leading
from rmda_ref.backends.whole_rows.row_sum import row_sum
from rmda_ref.kernels.sparse_envelope import LEAST_OFFSET
from rmda_ref.namespace import Array, moved, namespace

ROOM = 1e-8  # points lie that far below the largest number, so that heights times them stay in range


def sparse_envelope(rows: Array, strength: Array | float, metric: Array | None, k: int, weights: Array) -> Array:
    """argmin_y  strength/2 min_theta sum_i weights_i y_i^2/theta_i + 1/2 <y - row, metric (y - row)>, with shares
    0 <= theta_i <= 1, sum_i theta_i <= k   [Beck & Refael 2022]. No weights are weights of 1.

    |y_i| = min(|row_i|/(1 + o_i), (|row_i| - T o_i/sqrt(weights_i))_+) with o_i = strength weights_i/metric_i: ridge
    shrinkage or soft thresholding at the level T, whichever gives less. See the kernel.
    """
    xp = namespace(rows)
    sizes = xp.abs(rows)
    unit = power_of_two(sizes)
    strength = strength + xp.zeros_like(rows[:, :1])
    per_weight = strength / (xp.ones_like(rows) if metric is None else metric)
    weight = moved(weights, rows, rows.dtype) if len(weights) > 0 else xp.ones_like(rows[0, :])
    root = xp.sqrt(weight)
    offsets = per_weight * weight
    level = envelope_level(root * (sizes / unit), xp.maximum(offsets, LEAST_OFFSET), k, xp.ones_like(unit))
    soft = xp.maximum(sizes - (level * unit) * (per_weight * root), 0.0)
    return xp.where(strength > 0, xp.sign(rows) * xp.minimum(sizes / (1.0 + offsets), soft), rows)


def envelope_level(heights: Array, offsets: Array, places: int, slack: Array) -> Array:
    """The level T of each row with  sum_i clip((heights_i - T offsets_i)/(T slack), 0, 1) = places, as a column; 0
    where no more than ``places`` heights are positive. Offsets and slack are positive.

    As a function of u = 1/T the sum of the shares increases, and is linear between the 2n points where a share leaves 0
    or reaches 1. These are sorted, and the piece of the root is found by binary search: so nothing cancels, as it would
    in cumulative sums. On the piece  T = sum heights/(places left slack + sum offsets)  over the shares between.
    """
    xp = namespace(heights)
    asking = heights > 0
    safe = xp.where(asking, heights, 1.0)
    highest = ROOM * float(xp.finfo(heights.dtype).max)
    begin = xp.where(asking, xp.minimum(offsets / safe, highest), 0.0)
    end = xp.where(asking, xp.minimum((offsets + slack) / safe, highest), 0.0)

    def below(u: Array) -> Array:
        share = xp.where(u >= end, 1.0, xp.where(u <= begin, 0.0, (heights * u - offsets) / slack))
        return row_sum(xp.where(asking, xp.minimum(share, 1.0), 0.0)) < places

    points = xp.sort(xp.concat([begin, end], axis=1), axis=1)
    found = xp.minimum(leading(points, below), points.shape[1] - 1)
    after = xp.take_along_axis(points, found, axis=1)
    before = xp.take_along_axis(points, xp.maximum(found - 1, 0), axis=1)
    full = asking & (end <= before)
    between = asking & (begin <= before) & (end >= after)
    left = places - row_sum(xp.astype(full, heights.dtype))
    height, offset = row_sum(xp.where(between, heights, 0.0)), row_sum(xp.where(between, offsets, 0.0))
    # None are between where so little separates a share of 0 from one of 1 that it is lost in rounding.
    none = height == 0
    level = xp.where(none, 1.0, height) / xp.where(none, xp.maximum(after, LEAST_OFFSET), left * slack + offset)
    return xp.where(row_sum(xp.astype(asking, heights.dtype)) > places, level, 0.0)


def power_of_two(sizes: Array) -> Array:
    """One near the largest magnitude of each row, as a column; 1 for zeros. Division by it is exact."""
    xp = namespace(sizes)
    largest = xp.max(sizes, axis=1, keepdims=True)
    exponent = xp.minimum(xp.floor(xp.log2(xp.where(largest > 0, largest, 1.0))), 1023.0)
    return xp.pow(xp.full_like(largest, 2.0), exponent)
