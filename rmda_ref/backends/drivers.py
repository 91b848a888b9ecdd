"""How a kernel is driven over an array: plain Python loops over NumPy arrays, closed over the kernel.

Called as they are, the drivers are the interpreted reference; `rmda_ref.backends.numba` compiles these same
functions. Arrays come flat, in C order and of one dtype. ``strengths`` is a number, or an array with one number per
entry (entrywise) or per group (radial, row); the kernel sees ``prox_step * strength``.

Row kernels see float64 rows, whatever the dtype, and get ``scratch``, a float64 matrix with as many rows as they ask
for, each as long as the longest group.

All of it stands in one file because numba notices a stale disk cache by the file of the compiled function only.
"""

import math

import numpy as np
from numba import float64, prange, types, uint8, uintp
from numba.extending import overload, register_jitable

CHUNKS = 64  # units of parallel work for row kernels; each owns its scratch rows
RUN = 2048  # entries of an inner loop of an entrywise step; eight runs are its unit of parallel work


def at(values, i):
    """``values[i]`` of an array, or the number itself."""
    return values if isinstance(values, float | int | np.generic) else values[i]


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


# What a fused step leaves in ``seen`` of the structure of y = W~, which it holds only for a moment: ``look`` is given
# every entry, ``note`` whether a group is active. Of entries one bit each is kept: bit k of byte j of a block is that
# of entry j of its run k, so that runs vectorise, and the bytes of a block stay in cache for its eight runs.


@register_jitable
def look_away(seen, i, byte, bit, y):
    pass


@register_jitable
def look_for_nonzero(seen, i, byte, bit, y):
    earlier = seen[byte] if bit else uint8(0)
    seen[byte] = uint8(earlier | uint8(uint8(y != 0) << bit))


@register_jitable
def look_and_keep(seen, i, byte, bit, y):
    seen[i] = y


@register_jitable
def note_nothing(seen, a, active):
    pass


@register_jitable
def note_active(seen, a, active):
    seen[a] = active


# Proximal operators: x -> out.


def prox_entrywise(kernel):
    def prox(x, prox_step, strengths, metric, parameters, out):
        real = x.dtype.type
        for i in prange(x.size):
            out[i] = kernel(x[i], real(prox_step * at(strengths, i)), real(at(metric, i)), *parameters)

    return prox


def prox_radial(kernel, inner, begin_of, entry, length_of):
    def prox(x, prox_step, inner_strength, strengths, starts, members, n_groups, parameters, out):
        real = x.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        for a in prange(n_groups):
            begin, length = begin_of(starts, members, a), length_of(starts, members, a)
            square = 0.0
            for j in range(length):
                value = float64(inner(x[entry(begin, members, j)], threshold, one))
                square += value * value
            norm = math.sqrt(square)
            if may_overflow(x) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for j in range(length):
                    norm = math.hypot(norm, inner(x[entry(begin, members, j)], threshold, one))
            # A zero row has no direction: it stays zero.
            factor = kernel(norm, prox_step * at(strengths, a), *parameters) if norm > 0 else 0.0
            for j in range(length):
                i = entry(begin, members, j)
                out[i] = real(factor) * inner(x[i], threshold, one) + real(0)  # + 0: no negative zeros

    return prox


def prox_row(kernel):
    def prox(
        x, prox_step, strengths, metric, starts, members, n_groups, strided, scratch_rows, longest, parameters, out
    ):
        chunks = min(CHUNKS, n_groups)
        contiguous = strided and members[-1] == len(members) - 1  # members increase from 0
        for chunk in prange(chunks):
            row = np.empty(longest)
            row_metric = np.ones(longest)
            scratch = np.empty((scratch_rows, longest))
            for a in range(chunk * n_groups // chunks, (chunk + 1) * n_groups // chunks):
                # Entry j lies at base + members[first + j]; an empty metric is that of ones.
                base, first = (starts[a], 0) if strided else (0, starts[a])
                length = len(members) if strided else starts[a + 1] - first
                begin = uintp(base)
                if contiguous:  # far faster than by indices
                    for j in range(uintp(length)):
                        row[j] = x[begin + j]
                else:
                    for j in range(length):
                        row[j] = x[base + members[first + j]]
                if len(metric) > 0:
                    for j in range(length):
                        row_metric[j] = metric[base + members[first + j]]
                strength = prox_step * strengths[a % len(strengths)]
                kernel(row[:length], strength, row_metric[:length], scratch, *parameters)
                if contiguous:
                    for j in range(uintp(length)):
                        out[begin + j] = row[j] + 0.0  # + 0: no negative zeros
                else:
                    for j in range(length):
                        out[base + members[first + j]] = row[j] + 0.0

    return prox


def whole(kernel):
    """A kernel that loops by itself, for penalties that are no sum over rows."""

    def run(*arguments):
        return kernel(*arguments)

    return run


# Fused steps, in place:  V <- decay V + s g;  y = prox(centre);  W <- (1 - c) W + c y.


def step_entrywise(kernel, centre, look):
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
        seen,
    ):
        real = iterate.dtype.type
        d, s, b, keep, c = real(decay), real(weighted_step), real(scale), real(1 - momentum), real(momentum)
        n = iterate.size
        for block in prange((n + 8 * RUN - 1) // (8 * RUN)):
            for run in range(8):
                begin = (8 * block + run) * RUN
                shift = uintp(begin - block * RUN)
                for i in range(uintp(begin), uintp(max(begin, min(begin + RUN, n)))):
                    v = d * grad_sum[i] + s * grad[i]
                    grad_sum[i] = v
                    x = centre(iterate, anchor, v, b, i)
                    y = kernel(x, real(prox_step * at(strengths, i)), real(1), *parameters)
                    look(seen, i, i - shift, uint8(run), y)
                    iterate[i] = keep * iterate[i] + c * y

    return step


def step_radial(kernel, inner, centre, begin_of, entry, length_of, look, note):
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
        inner_strength,
        strengths,
        parameters,
        starts,
        members,
        n_groups,
        seen,
    ):
        real = iterate.dtype.type
        d, s, b, keep, c = real(decay), real(weighted_step), real(scale), real(1 - momentum), real(momentum)
        threshold, one = real(prox_step * inner_strength), real(1)
        for a in prange(n_groups):
            begin, length = begin_of(starts, members, a), length_of(starts, members, a)
            square = 0.0
            for j in range(length):
                i = entry(begin, members, j)
                v = d * grad_sum[i] + s * grad[i]
                grad_sum[i] = v
                x = float64(inner(centre(iterate, anchor, v, b, i), threshold, one))
                square += x * x
            norm = math.sqrt(square)
            if may_overflow(iterate) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for j in range(length):
                    i = entry(begin, members, j)
                    x = float64(inner(centre(iterate, anchor, grad_sum[i], b, i), threshold, one))
                    norm = math.hypot(norm, x)
            factor = real(kernel(norm, prox_step * at(strengths, a), *parameters) if norm > 0 else 0.0)
            note(seen, a, factor != 0)  # so active, unless all its entries fall below the range of numbers
            # The row is in cache now; its centre is cheaper to compute again than to store.
            for j in range(length):
                i = entry(begin, members, j)
                y = factor * inner(centre(iterate, anchor, grad_sum[i], b, i), threshold, one) + real(0)
                look(seen, i, i, 0, y)
                iterate[i] = keep * iterate[i] + c * y

    return step


# The same in three passes, where the prox needs more than a row: a centre, the prox outside, and then this. Nothing is
# written to the state before the prox is known, which may raise.


def centre_pass(centre):
    def centres(iterate, anchor, grad_sum, grad, decay, weighted_step, scale, out):
        real = iterate.dtype.type
        d, s, b = real(decay), real(weighted_step), real(scale)
        for i in prange(iterate.size):
            out[i] = centre(iterate, anchor, d * grad_sum[i] + s * grad[i], b, i)

    return centres


def settle_pass():
    def settle(iterate, grad_sum, grad, decay, weighted_step, momentum, y):
        real = iterate.dtype.type
        d, s, keep, c = real(decay), real(weighted_step), real(1 - momentum), real(momentum)
        for i in prange(iterate.size):
            grad_sum[i] = d * grad_sum[i] + s * grad[i]
            iterate[i] = keep * iterate[i] + c * y[i]

    return settle


def all_finite(x):
    """Whether no entry is infinite or NaN."""
    infinity = x.dtype.type(np.inf)
    bad = False
    for i in range(x.size):
        bad |= not abs(x[i]) < infinity  # no early exit, so that it vectorises
    return not bad
