"""The prox of the 2:4 regularizer."""

import math

from rmda_ref.kernels.two_four import NO_CHANGE, STEPS
from rmda_ref.namespace import Array, namespace

Columns = list[Array]


def two_four(rows: Array, strength: Array | float, metric: Array | None) -> Array:
    """A global argmin_y  strength e3(|y|) + 1/2 ||y - row||^2  of rows of four   [Kuebler et al. 2025].

    The kernel's three candidates, each for all rows: the two largest alone, the stationary point of the three largest,
    and that of all four. The best stays. Newton's method takes a fixed number of steps; a row that has come to its end,
    or has no such point, stays where it is.
    """
    xp = namespace(rows)
    strength = strength + xp.zeros_like(rows[:, :1])
    sizes = xp.abs(rows)
    order = xp.argsort(-sizes, axis=1, stable=True)
    ordered = xp.take_along_axis(sizes, order, axis=1)
    alone = (ordered[:, 2:3] == 0) | (strength * xp.sum(sizes, axis=1, keepdims=True) < NO_CHANGE)
    crowded = ~alone & (strength * ordered[:, :1] <= 2)  # else no more than two can be left
    s = xp.where(crowded, strength, 1.0)
    # Rows for which the rest is not asked compute harmless numbers. From here on the strength is 1.
    scaled = xp.where(crowded, s * ordered, xp.ones_like(ordered))
    v = [scaled[:, i : i + 1] for i in range(4)]

    all_four = v[3] > 0
    least, best = _four(v)
    least = xp.where(all_four, least, math.inf)
    kept = 2.0 + 2.0 * xp.astype(all_four, rows.dtype)
    cost, y = _three(v)
    stationary = v[3] <= y[0] * y[1] + y[2] * (y[0] + y[1])
    better = (cost <= least) & (stationary | (least == math.inf))
    least, kept = xp.where(better, cost, least), xp.where(better, 3.0, kept)
    best = [xp.where(better, a, b) for a, b in zip([*y, 0.0 * v[3]], best, strict=True)]
    cost = (v[2] * v[2] + v[3] * v[3]) / 2
    stationary = v[2] <= v[0] * v[1]
    two = ~crowded | ((cost <= least) & (stationary | (least == math.inf))) | (kept == 2)

    candidate = xp.concat(best, axis=1) / s
    first_two = xp.concat([ordered[:, :2], xp.zeros_like(ordered[:, 2:])], axis=1)
    result = xp.where(two, first_two, candidate)
    back = xp.take_along_axis(result, xp.argsort(order, axis=1), axis=1)
    return xp.where(alone, rows, xp.sign(rows) * back)


def _tiny(x: Array) -> float:
    """A divisor instead of 0."""
    return max(1e-300, float(namespace(x).finfo(x.dtype).smallest_normal))


def _three(v: Columns) -> tuple[Array, Columns]:
    """The objective at the stationary point on the first three, infinite if there is none; and the point."""
    xp, tiny = namespace(v[0]), _tiny(v[0])
    k, a, b = 4 * (v[0] + v[1]), 4 * (v[0] - v[2]), 4 * (v[1] - v[2])
    t = xp.zeros_like(k)
    moves, exists = t == 0, t == 0
    y: Columns = []
    for _ in range(STEPS):
        q, z = 4 * t * (1 - t), 1 - 2 * t
        root, first, second = xp.sqrt(z * z + k), xp.sqrt(z * z + a), xp.sqrt(z * z + b)
        total = (k - q) / (1 + root)
        y = [((a - q) / (1 + first) + total) / 2, ((b - q) / (1 + second) + total) / 2, total / 2 - t]
        slope = 1 + z * (1 / root + 1 / xp.maximum(first, tiny) + 1 / xp.maximum(second, tiny))
        exists = exists & (~moves | ((y[2] > 0) & (slope > 0)))
        step = (y[0] + y[1] + y[2] - total) / xp.where(slope > 0, slope, 1.0)
        moves = moves & exists & (step > 4e-16 * t)
        t = xp.where(moves, t + step, t)
    xy, xz, yz = y[0] * y[1], y[0] * y[2], y[1] * y[2]
    cost = (xy * xy + xz * xz + yz * yz + v[3] * v[3]) / 2 + y[0] * yz
    return xp.where(exists, cost, math.inf), y


def _four(v: Columns) -> tuple[Array, Columns]:
    """The same of all four, by one of two unknowns."""
    xp = namespace(v[0])
    total = v[0] + v[1] + v[2] + v[3]
    k = 2 * total - 1 - 4 * v[3]
    by_sum, by_last = _four_by_sum(v, total), _four_by_last(v, xp.where(k > 0, k, 1.0))
    exists = xp.where(k <= 0, by_sum[0], by_last[0])
    y = [xp.where(k <= 0, a, b) for a, b in zip(by_sum[1], by_last[1], strict=True)]
    e2 = [sum(y[i] * y[j] for i in others for j in others if i < j) for others in _OTHERS]  # v_i - y_i
    square = (e2[0] * e2[0] + e2[1] * e2[1] + e2[2] * e2[2] + e2[3] * e2[3]) / 2
    cost = square + y[0] * y[1] * (y[2] + y[3]) + y[2] * y[3] * (y[0] + y[1])
    return xp.where(exists, cost, math.inf), y


_OTHERS = [[j for j in range(4) if j != i] for i in range(4)]


def _four_by_sum(v: Columns, total: Array) -> tuple[Array, Columns]:
    """Whether there is one, and it: for K <= 0, where f is increasing and convex in the sum."""
    xp, tiny = namespace(total), _tiny(total)
    e = total
    moves, exists = total == total, total == total
    y: Columns = []
    for _ in range(STEPS):
        e2 = (total - e) / 2
        exists = exists & (~moves | (v[3] > e2))
        roots = [xp.sqrt(xp.maximum(e * e + 1 - 2 * total + 4 * x, 0.0)) for x in v]
        y = [2 * (x - e2) / xp.maximum(1 - e + root, tiny) for x, root in zip(v, roots, strict=True)]
        slope = 1 + sum(e / xp.maximum(2 * root, tiny) for root in roots)
        step = (y[0] + y[1] + y[2] + y[3] - e) / xp.where(slope > 0, slope, 1.0)
        moves = moves & exists & (step > 4e-16 * e)
        e = xp.where(moves, e - step, e)
    return exists, y


def _four_by_last(v: Columns, k: Array) -> tuple[Array, Columns]:
    """The same for K > 0, where f is convex in Z, which may have either sign."""
    xp, tiny = namespace(k), _tiny(k)
    z = 0.5 * xp.ones_like(k)
    moves, exists = k > 0, k > 0
    y: Columns = []
    for _ in range(STEPS):
        e = xp.sqrt(4 * z * z + k)
        roots = [xp.sqrt(z * z + (x - v[3])) for x in v[:3]]
        y = [root + (e - 1) / 2 for root in [*roots, z]]
        slope = 1 + 4 * z / e + sum(z / xp.maximum(root, tiny) for root in roots)
        exists = exists & (~moves | ((y[3] > 0) & (slope > 0)))
        step = (y[0] + y[1] + y[2] + y[3] - e) / xp.where(slope > 0, slope, 1.0)
        moves = moves & exists & (step > 1e-16)
        z = xp.where(moves, z - step, z)
    return exists, y
