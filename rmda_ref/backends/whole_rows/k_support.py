"""The prox of the k-support norm."""

import math

from rmda_ref.backends.whole_rows.row_sum import row_sum
from rmda_ref.backends.whole_rows.sparse_envelope import envelope_level, power_of_two
from rmda_ref.kernels.k_support import EXACT, LEAST_OFFSET
from rmda_ref.namespace import Array, namespace

ROUNDS = 20  # of Newton's method, safeguarded by bisection: of 4000 rows in extreme metrics none needed more than seven


def k_support(rows: Array, strength: Array | float, metric: Array | None, k: int) -> Array:
    """argmin_y  strength ||y||_sp + 1/2 <y - row, metric (y - row)>   [k-support norm: Argyriou et al. 2012].

    The kernel's iteration, of all rows at once: y is the prox of the sparse envelope at the strength strength/tau for
    which the dual norm of metric (row - y)/strength is 1. Newton's method for its inverse as a function of tau, from
    tau = 0, where y = 0; safeguarded by bisection. A row that has come to its end stays there while others go on.
    """
    xp = namespace(rows)
    sizes = xp.abs(rows)
    unit = power_of_two(sizes)
    strength = strength + xp.zeros_like(rows[:, :1])
    some = strength > 0
    heights = sizes / unit
    o = xp.where(some, strength, unit) / unit / (xp.ones_like(rows) if metric is None else metric)
    offsets = xp.maximum(o, LEAST_OFFSET)

    dual, descent = _at_zero(heights / offsets, 1.0 / offsets, k)
    zero = dual <= 1.0
    tau = xp.where(zero, 1.0, dual * dual * (dual - 1.0) / xp.where(zero, 1.0, descent))
    low, high = xp.zeros_like(tau), xp.full_like(tau, math.inf)
    for _ in range(ROUNDS):
        level = envelope_level(heights, offsets, k, tau)
        dual, descent = _at(heights, offsets, k, tau, level)
        low, high = xp.where(dual > 1.0, tau, low), xp.where(dual > 1.0, high, tau)
        new = tau + dual * dual * (dual - 1.0) / xp.where(descent > 0, descent, 1.0)
        bounded = xp.where(high < math.inf, high, 0.0)
        middle = xp.where(high < math.inf, low + (bounded - low) / 2, 2.0 * tau)
        new = xp.where((new > low) & (new < high), new, middle)
        tau = xp.where(zero | (xp.abs(dual - 1.0) <= EXACT), tau, new)
    level = envelope_level(heights, offsets, k, tau)
    shrunk = xp.minimum(sizes * (tau / (o + tau)), xp.maximum(sizes - (level * unit) * o, 0.0))
    return xp.where(some, xp.where(zero, 0.0, xp.sign(rows) * shrunk), rows)


def _at_zero(v: Array, per_height: Array, k: int) -> tuple[Array, Array]:
    """The dual norm at tau = 0, the Euclidean norm of the k largest v, and the weight of its descent there."""
    xp = namespace(v)
    k = min(k, v.shape[1])
    largest = -xp.sort(-v, axis=1)[:, :k]
    counts = (v >= largest[:, k - 1 :]) & (v > 0)
    return xp.sqrt(row_sum(largest * largest)), row_sum(xp.where(counts, v * v * per_height, 0.0))


def _at(heights: Array, offsets: Array, k: int, tau: Array, level: Array) -> tuple[Array, Array]:
    """The same at tau, where the envelope's prox has the given level."""
    xp = namespace(heights)
    full = heights >= level * (offsets + tau)
    per_height = 1.0 / (offsets + tau)
    v = xp.where(full, heights * per_height, 0.0)
    terms = v * v
    between = ~full & (heights > level * offsets)
    places = xp.maximum(k - row_sum(xp.astype(full, heights.dtype)), 0.0)
    at_level = xp.where(level > 0, places * level, 0.0)
    offset = row_sum(xp.where(between, offsets, 0.0))
    dual = xp.sqrt(row_sum(terms) + at_level * level)
    return dual, row_sum(terms * per_height) + at_level * at_level / (places * tau + offset + LEAST_OFFSET)
