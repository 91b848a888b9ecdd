"""The prox of the sorted l1 norm."""

from rmda_ref.backends.whole_rows.leading import leading
from rmda_ref.namespace import Array, moved, namespace


def slope(rows: Array, strength: Array | float, metric: Array | None, weights: Array) -> Array:
    """argmin_y  strength sum_k weights_k |y|_(k) + 1/2 ||y - row||^2, weights nonincreasing   [Bogdan et al. 2015].

    Signs and order of magnitudes are kept. The sorted magnitudes minus strength weights_k are replaced by the nearest
    nonincreasing numbers, and cut off at 0.
    """
    xp, n = namespace(rows), rows.shape[1]
    sizes = xp.abs(rows)
    order = xp.argsort(-sizes, axis=1, stable=True)
    excess = xp.take_along_axis(sizes, order, axis=1) - strength * moved(weights[:n], rows, rows.dtype)
    levels = xp.take_along_axis(nonincreasing(excess), xp.argsort(order, axis=1), axis=1)
    shrunk = xp.sign(rows) * xp.maximum(levels, 0.0)
    return xp.where(strength + xp.zeros_like(rows[:, :1]) > 0, shrunk, rows)


def nonincreasing(x: Array) -> Array:
    """The nearest nonincreasing rows: isotonic regression by halves, O(n log(n)^2) work in O(log(n)^2) passes.

    Where both halves are replaced by theirs, what the whole becomes is theirs again   [as pools of adjacent violators
    may be formed in any order: Barlow et al. 1972]. Runs of 1, 2, 4, … are merged in pairs, all pairs at once.
    """
    xp, n = namespace(x), x.shape[1]
    size = 1 << (n - 1).bit_length()
    # Behind the row its least number: there it asks for nothing.
    x = xp.concat([x, xp.min(x, axis=1, keepdims=True) + xp.zeros_like(x[:, : size - n])], axis=1) if size > n else x
    shape, half = x.shape, 1
    while half < size:
        runs = xp.reshape(x, (-1, 2 * half))
        x = xp.reshape(merged(runs[:, :half], runs[:, half:]), shape)
        half *= 2
    return x[:, :n]


def merged(left: Array, right: Array) -> Array:
    """The nearest nonincreasing rows to [left, right], both nonincreasing.

    The end of the left and the beginning of the right become one number t, those with left < t < right. It is their
    mean, so the root of the increasing function  sum (t - left)_+ - sum (right - t)_+ . Where nothing is out of order
    they are none.
    """
    xp = namespace(left)

    def excess(t: Array) -> Array:
        below = xp.sum(xp.maximum(t - left, 0.0), axis=1, keepdims=True)
        return below - xp.sum(xp.maximum(right - t, 0.0), axis=1, keepdims=True)

    stay, move = leading(left, lambda t: excess(t) >= 0), leading(right, lambda t: excess(t) > 0)
    place = xp.cumulative_sum(xp.ones_like(left[:1, :], dtype=move.dtype), axis=1)
    from_left, from_right = place > stay, place <= move
    pooled, both = xp.concat([from_left, from_right], axis=1), xp.concat([left, right], axis=1)
    number = xp.sum(xp.astype(pooled, both.dtype), axis=1, keepdims=True)
    mean = xp.sum(xp.where(pooled, both, 0.0), axis=1, keepdims=True) / xp.maximum(number, 1.0)
    return xp.where(pooled, mean, both)
