"""How a kernel is driven over an array: plain Python loops over NumPy arrays, closed over the kernel.

Called as they are, the drivers are the interpreted reference; `rmda_ref.backends.numba` compiles these same
functions. Arrays come flat, in C order and of one dtype. ``strengths`` is a number, or an array with one number per
entry (entrywise) or per group (radial, row); the kernel sees ``prox_step * strength``.

All of it stands in one file because numba notices a stale disk cache by the file of the compiled function only.
"""

import math

import numpy as np
from numba import prange, types, uintp
from numba.extending import overload, register_jitable

CHUNKS = 64  # units of parallel work for row kernels; each owns its scratch rows


def at(values, i):
    """``values[i]`` of an array, or the number itself."""
    return values[i] if isinstance(values, np.ndarray) else values


@overload(at)
def _at(values, i):
    if isinstance(values, types.Array):
        return lambda values, i: values[i]
    return lambda values, i: values


# Where entry j of group a lies: ``entry(begin(starts, members, a), members, j)``, fixed at compile time so that
# contiguous rows stay a plain loop. Unsigned, since a signed index is tested for counting from the end.


@register_jitable
def contiguous_begin(starts, members, a):
    return uintp(a * len(members))


@register_jitable
def contiguous_entry(begin, members, j):
    return begin + j


@register_jitable
def begin_at_start(starts, members, a):
    return uintp(starts[a])


@register_jitable
def strided_entry(begin, members, j):
    return begin + uintp(members[j])


@register_jitable
def indexed_entry(begin, members, j):
    return uintp(members[begin + j])


@register_jitable
def same_length(starts, members, a):
    return uintp(len(members))


@register_jitable
def own_length(starts, members, a):
    return uintp(starts[a + 1] - starts[a])


def may_overflow(x):
    """Whether squares of the entries of ``x`` can leave the range of float64, known when compiling."""
    return x.itemsize > 4


@overload(may_overflow)
def _may_overflow(x):
    wide = x.dtype.bitwidth > 32
    return lambda x: wide


# The point whose prox is taken.


@register_jitable
def from_anchor(iterate, anchor, direction, scale, i):
    """Dual averaging: W^0 - V / beta."""
    return anchor[i] - direction / scale


@register_jitable
def from_iterate(iterate, anchor, direction, scale, i):
    """Proximal gradient: W - eta M."""
    return iterate[i] - scale * direction


# Proximal operators: x -> out.


def prox_entrywise(kernel):
    def prox(x, prox_step, strengths, metric, parameters, out):
        real = x.dtype.type
        for i in prange(x.size):
            out[i] = kernel(x[i], real(prox_step * at(strengths, i)), real(at(metric, i)), *parameters)

    return prox


def prox_radial(kernel, begin_of, entry, length_of):
    def prox(x, prox_step, strengths, starts, members, n_groups, parameters, out):
        real = x.dtype.type
        for a in prange(n_groups):
            begin, length = begin_of(starts, members, a), length_of(starts, members, a)
            square = 0.0
            for j in range(length):
                value = float(x[entry(begin, members, j)])
                square += value * value
            norm = math.sqrt(square)
            if may_overflow(x) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for j in range(length):
                    norm = math.hypot(norm, x[entry(begin, members, j)])
            # A zero row has no direction: it stays zero.
            factor = kernel(norm, prox_step * at(strengths, a), *parameters) if norm > 0 else 0.0
            for j in range(length):
                i = entry(begin, members, j)
                out[i] = real(factor) * x[i] + real(0)  # + 0: no negative zeros

    return prox


def prox_row(kernel, begin_of, entry, length_of):
    def prox(x, prox_step, strengths, metric, starts, members, n_groups, longest, parameters, out):
        real = x.dtype.type
        per_chunk = (n_groups + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            row = np.empty(longest, x.dtype)
            row_metric = np.empty(longest, x.dtype)
            for a in range(chunk * per_chunk, min((chunk + 1) * per_chunk, n_groups)):
                begin, length = begin_of(starts, members, a), length_of(starts, members, a)
                for j in range(length):
                    i = entry(begin, members, j)
                    row[j] = x[i]
                    row_metric[j] = at(metric, i)
                kernel(row[:length], real(prox_step * at(strengths, a)), row_metric[:length], *parameters)
                for j in range(length):
                    out[entry(begin, members, j)] = row[j]

    return prox


# Fused steps, in place:  V <- decay V + s g;  y = prox(centre);  W <- (1 - c) W + c y.


def step_entrywise(kernel, centre):
    def step(
        iterate,
        anchor,
        grad_sum,
        grad,
        decay,
        weighted_step,
        scale,
        prox_step,
        momentum,
        strengths,
        parameters,
    ):
        real = iterate.dtype.type
        d, s, b, keep, c = real(decay), real(weighted_step), real(scale), real(1 - momentum), real(momentum)
        for i in prange(iterate.size):
            v = d * grad_sum[i] + s * grad[i]
            grad_sum[i] = v
            x = centre(iterate, anchor, v, b, i)
            y = kernel(x, real(prox_step * at(strengths, i)), real(1), *parameters)
            iterate[i] = keep * iterate[i] + c * y

    return step


def step_radial(kernel, centre, begin_of, entry, length_of):
    def step(
        iterate,
        anchor,
        grad_sum,
        grad,
        decay,
        weighted_step,
        scale,
        prox_step,
        momentum,
        strengths,
        parameters,
        starts,
        members,
        n_groups,
    ):
        real = iterate.dtype.type
        d, s, b, keep, c = real(decay), real(weighted_step), real(scale), real(1 - momentum), real(momentum)
        for a in prange(n_groups):
            begin, length = begin_of(starts, members, a), length_of(starts, members, a)
            square = 0.0
            for j in range(length):
                i = entry(begin, members, j)
                v = d * grad_sum[i] + s * grad[i]
                grad_sum[i] = v
                x = float(centre(iterate, anchor, v, b, i))
                square += x * x
            norm = math.sqrt(square)
            if may_overflow(iterate) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for j in range(length):
                    i = entry(begin, members, j)
                    norm = math.hypot(norm, centre(iterate, anchor, grad_sum[i], b, i))
            factor = real(kernel(norm, prox_step * at(strengths, a), *parameters) if norm > 0 else 0.0)
            # The row is in cache now; its centre is cheaper to compute again than to store.
            for j in range(length):
                i = entry(begin, members, j)
                y = factor * centre(iterate, anchor, grad_sum[i], b, i) + real(0)
                iterate[i] = keep * iterate[i] + c * y

    return step


def step_row(kernel, centre, begin_of, entry, length_of):
    def step(
        iterate,
        anchor,
        grad_sum,
        grad,
        decay,
        weighted_step,
        scale,
        prox_step,
        momentum,
        strengths,
        parameters,
        starts,
        members,
        n_groups,
        longest,
    ):
        real = iterate.dtype.type
        d, s, b, keep, c = real(decay), real(weighted_step), real(scale), real(1 - momentum), real(momentum)
        per_chunk = (n_groups + CHUNKS - 1) // CHUNKS
        for chunk in prange(CHUNKS):
            row = np.empty(longest, iterate.dtype)
            ones = np.ones(longest, iterate.dtype)
            for a in range(chunk * per_chunk, min((chunk + 1) * per_chunk, n_groups)):
                begin, length = begin_of(starts, members, a), length_of(starts, members, a)
                for j in range(length):
                    i = entry(begin, members, j)
                    v = d * grad_sum[i] + s * grad[i]
                    grad_sum[i] = v
                    row[j] = centre(iterate, anchor, v, b, i)
                kernel(row[:length], real(prox_step * at(strengths, a)), ones[:length], *parameters)
                for j in range(length):
                    i = entry(begin, members, j)
                    iterate[i] = keep * iterate[i] + c * row[j]

    return step


def all_finite(x):
    """Whether no entry is infinite or NaN."""
    infinity = x.dtype.type(np.inf)
    bad = False
    for i in range(x.size):
        bad |= not abs(x[i]) < infinity  # no early exit, so that it vectorises
    return not bad
