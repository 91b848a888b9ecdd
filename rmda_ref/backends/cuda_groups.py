"""Fused steps of groups on a device: see `rmda_ref.backends.cuda_loops`.

    V <- decay V + s g;  y = prox(centre);  W <- (1 - c) W + c y

Squares are summed in float64, in an order that depends on the shape alone: a step taken twice gives the same bits.
"""

import math
from typing import Any

from numba import cuda, float64, uint32, uintp

from rmda_ref.backends.cuda_loops import THREADS, summed
from rmda_ref.backends.drivers import at, may_overflow
from rmda_ref.backends.panel import Strips, Tiles

MOST_LANES = 32  # threads that sum one group


def sum_by_lanes(partial, mine, lane, lanes, n_groups):
    """The sums of groups from those of their lanes, into ``partial[group * lanes]``."""
    cuda.syncthreads()
    if lane == 0 and mine < uintp(n_groups):
        total = 0.0
        for other in range(uintp(lanes)):
            total += partial[mine * uintp(lanes) + other]
        partial[mine * uintp(lanes)] = total
    cuda.syncthreads()


def lanes_for(n_groups):
    """How many threads of a block sum one of so many groups: a power of two."""
    lanes = 1
    while 2 * lanes * n_groups <= THREADS and 2 * lanes <= MOST_LANES:
        lanes *= 2
    return lanes


def step_tiles(kernel, inner, centre, tiles: Tiles, real_type: Any):
    """A step of groups that fit on the chip, in one pass over memory: a block has whole groups.

    The centres and what is kept of W wait there while the norms are taken: all reads come first, as many at once as
    can be. ``real_type`` is the type of V, which an array on the chip must know when it is compiled.
    """
    panel, per_tile = tiles.panel, tiles.per_tile
    assert per_tile <= THREADS  # a thread, or some, for each group
    run, lines, line, groups, size = panel.run, panel.lines, panel.line, panel.groups, panel.size
    width = per_tile * run
    across = min(width, THREADS)  # neighbouring threads have neighbouring entries
    down = THREADS // across
    lanes = lanes_for(per_tile)
    by_line = run < lanes  # whether the threads of a group share its lines, or each of its runs
    line_lanes, run_lanes = (lanes, 1) if by_line else (1, lanes)
    tiles_of_batch = -(-groups // per_tile)
    entries, slots = lines * width, per_tile * lanes

    def step(
        iterate, anchor, grad_sum, grad, decay, weighted_step, scale, prox_step, keep, momentum, inner_strength,
        strengths, parameters, status
    ):  # fmt: skip
        if status[0] != 0:
            return
        real = grad_sum.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        centres = cuda.shared.array(entries, real_type)
        kept = cuda.shared.array(entries, real_type)
        factors = cuda.shared.array(per_tile, real_type)
        partial = cuda.shared.array(slots, float64)
        thread, block = uint32(cuda.threadIdx.x), uint32(cuda.blockIdx.x)
        batch, tile = block // uint32(tiles_of_batch), block % uint32(tiles_of_batch)
        first = uintp(tile) * uintp(width)  # place in a line
        begin = uintp(batch) * uintp(size) + first
        past = uintp(min(uintp(width), uintp(line) - first))
        column = uintp(thread % uint32(across))
        upper = uintp(thread // uint32(across)) if thread < uint32(down * across) else uintp(lines)
        for of_line in range(upper, uintp(lines), uintp(down)):
            for place in range(column, past, uintp(across)):
                i = begin + of_line * uintp(line) + place
                v = summed(grad_sum, grad, decay, weighted_step, i)
                e = of_line * uintp(width) + place
                centres[e] = inner(real(centre(iterate, anchor, v, scale, i)), threshold, one)
                kept[e] = keep * real(iterate[i])
                grad_sum[i] = v
        cuda.syncthreads()
        mine, lane = uintp(thread // uint32(lanes)), uintp(thread % uint32(lanes))
        there = mine < uintp(per_tile) and mine * uintp(run) < past
        if there:
            square = 0.0
            for of_line in range(lane % uintp(line_lanes), uintp(lines), uintp(line_lanes)):
                for m in range(lane % uintp(run_lanes), uintp(run), uintp(run_lanes)):
                    x = float64(centres[of_line * uintp(width) + mine * uintp(run) + m])
                    square += x * x
            partial[uintp(thread)] = square
        sum_by_lanes(partial, mine, lane, lanes, per_tile)
        if there and lane == 0:
            norm = math.sqrt(partial[uintp(thread)])
            if may_overflow(grad_sum) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for of_line in range(uintp(lines)):
                    for m in range(uintp(run)):
                        norm = math.hypot(norm, centres[of_line * uintp(width) + mine * uintp(run) + m])
            group = uintp(batch) * uintp(groups) + uintp(tile) * uintp(per_tile) + mine
            # A zero row has no direction: it stays zero.
            factors[mine] = real(kernel(norm, prox_step * at(strengths, group), *parameters) if norm > 0 else 0.0)
        cuda.syncthreads()
        for of_line in range(upper, uintp(lines), uintp(down)):
            for place in range(column, past, uintp(across)):
                i = begin + of_line * uintp(line) + place
                e = of_line * uintp(width) + place
                y = factors[uintp(uint32(place) // uint32(run))] * centres[e] + real(0)  # + 0: no negative zeros
                iterate[i] = kept[e] + momentum * y

    return step


def part_of_block(n_chunks, n_strips):
    """Which strip, of which chunk, of which batch of a panel a block has."""
    block = uint32(cuda.blockIdx.x)
    strip, rest = block % uint32(n_strips), block // uint32(n_strips)
    return uintp(strip), uintp(rest % uint32(n_chunks)), uintp(rest // uint32(n_chunks))


def square_strips(inner, centre, strips: Strips):
    """Of groups that are longer: V, and the sum of squares of each part of a group, ``sums[group, strip]``.

    Where squares may overflow the norms of the parts follow, which do not.
    """
    panel, per_chunk, per_strip = strips.panel, strips.per_chunk, strips.per_strip
    run, line, groups, size = panel.run, panel.line, panel.groups, strips.size
    width, n_chunks, n_strips, n_parts = strips.width, strips.chunks, strips.strips, strips.parts
    lanes = lanes_for(per_chunk)
    at_once = THREADS // lanes  # groups

    def square(iterate, anchor, grad_sum, grad, decay, weighted_step, scale, prox_step, inner_strength, sums, status):
        if status[0] != 0:
            return
        real = grad_sum.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        squares = cuda.shared.array(width, float64)
        partial = cuda.shared.array(THREADS, float64)
        thread = uint32(cuda.threadIdx.x)
        strip, chunk, batch = part_of_block(n_chunks, n_strips)
        first, from_line = chunk * uintp(width), strip * uintp(per_strip)
        past = uintp(min(uintp(width), uintp(line) - first))
        to_line = from_line + uintp(per_strip)  # or further than there are lines: ``within`` tells
        for place in range(uintp(thread), past, uintp(THREADS)):
            total = 0.0
            for of_line in range(from_line, to_line):
                within = of_line * uintp(line) + first + place
                if within < uintp(size):
                    i = batch * uintp(size) + within
                    v = summed(grad_sum, grad, decay, weighted_step, i)
                    x = float64(inner(real(centre(iterate, anchor, v, scale, i)), threshold, one))
                    total += x * x
                    grad_sum[i] = v
            squares[place] = total
        cuda.syncthreads()
        lane = uintp(thread % uint32(lanes))
        for begin in range(uintp(0), uintp(per_chunk), uintp(at_once)):
            mine = begin + uintp(thread // uint32(lanes))
            there = mine * uintp(run) < past
            total = 0.0
            if there:
                for m in range(lane, uintp(run), uintp(lanes)):
                    total += squares[mine * uintp(run) + m]
            partial[uintp(thread)] = total
            sum_by_lanes(partial, uintp(thread // uint32(lanes)), lane, lanes, at_once)
            if there and lane == 0:
                group = batch * uintp(groups) + chunk * uintp(per_chunk) + mine
                part = group * uintp(n_strips) + strip
                sums[part] = partial[uintp(thread)]
                if may_overflow(grad_sum):
                    norm = math.sqrt(partial[uintp(thread)])
                    if not 1e-140 < norm < 1e150:
                        norm = 0.0
                        for of_line in range(from_line, to_line):
                            for m in range(uintp(run)):
                                within = of_line * uintp(line) + first + mine * uintp(run) + m
                                if within < uintp(size):
                                    i = batch * uintp(size) + within
                                    x = inner(real(centre(iterate, anchor, grad_sum[i], scale, i)), threshold, one)
                                    norm = math.hypot(norm, x)
                    sums[uintp(n_parts) + part] = norm
            cuda.syncthreads()

    return square


def settle_strips(kernel, inner, centre, strips: Strips, real_type: Any):
    """Then the norms of the groups from these sums, and W."""
    panel, per_chunk, per_strip = strips.panel, strips.per_chunk, strips.per_strip
    run, line, groups, size = panel.run, panel.line, panel.groups, strips.size
    width, n_chunks, n_strips, n_parts = strips.width, strips.chunks, strips.strips, strips.parts
    lanes = lanes_for(per_chunk)
    at_once = THREADS // lanes

    def settle(
        iterate, anchor, grad_sum, scale, prox_step, keep, momentum, inner_strength, strengths, parameters, sums, status
    ):
        if status[0] != 0:
            return
        real = grad_sum.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        factors = cuda.shared.array(per_chunk, real_type)
        partial = cuda.shared.array(THREADS, float64)
        thread = uint32(cuda.threadIdx.x)
        strip, chunk, batch = part_of_block(n_chunks, n_strips)
        first, from_line = chunk * uintp(width), strip * uintp(per_strip)
        past = uintp(min(uintp(width), uintp(line) - first))
        to_line = from_line + uintp(per_strip)  # or further than there are lines: ``within`` tells
        lane = uintp(thread % uint32(lanes))
        for begin in range(uintp(0), uintp(per_chunk), uintp(at_once)):
            mine = begin + uintp(thread // uint32(lanes))
            there = mine * uintp(run) < past
            group = batch * uintp(groups) + chunk * uintp(per_chunk) + mine
            total = 0.0
            if there:
                for part in range(lane, uintp(n_strips), uintp(lanes)):
                    total += sums[group * uintp(n_strips) + part]
            partial[uintp(thread)] = total
            sum_by_lanes(partial, uintp(thread // uint32(lanes)), lane, lanes, at_once)
            if there and lane == 0:
                norm = math.sqrt(partial[uintp(thread)])
                if may_overflow(grad_sum) and not 1e-140 < norm < 1e150:
                    norm = 0.0
                    for part in range(uintp(n_strips)):
                        norm = math.hypot(norm, sums[uintp(n_parts) + group * uintp(n_strips) + part])
                factors[mine] = real(kernel(norm, prox_step * at(strengths, group), *parameters) if norm > 0 else 0.0)
            cuda.syncthreads()
        for place in range(uintp(thread), past, uintp(THREADS)):
            factor = factors[uintp(uint32(place) // uint32(run))]
            for of_line in range(from_line, to_line):
                within = of_line * uintp(line) + first + place
                if within < uintp(size):
                    i = batch * uintp(size) + within
                    x = inner(real(centre(iterate, anchor, grad_sum[i], scale, i)), threshold, one)
                    y = factor * x + real(0)
                    iterate[i] = keep * real(iterate[i]) + momentum * y

    return settle


def square_groups(inner, centre, begin_of, entry, length_of):
    """The same of groups that lie anywhere, a block a group: V, and ``sums[group]``, its norm."""

    def square(
        iterate, anchor, grad_sum, grad, decay, weighted_step, scale, prox_step, inner_strength, starts, members, norms,
        status
    ):  # fmt: skip
        if status[0] != 0:
            return
        real = grad_sum.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        partial = cuda.shared.array(THREADS, float64)
        thread, group = uintp(cuda.threadIdx.x), uintp(cuda.blockIdx.x)
        begin, length = begin_of(starts, members, group), length_of(starts, members, group)
        total = 0.0
        for j in range(thread, length, uintp(THREADS)):
            i = entry(begin, members, j)
            v = summed(grad_sum, grad, decay, weighted_step, i)
            x = float64(inner(real(centre(iterate, anchor, v, scale, i)), threshold, one))
            total += x * x
            grad_sum[i] = v
        partial[thread] = total
        sum_by_lanes(partial, uintp(0), thread, THREADS, 1)
        if thread == 0:
            norm = math.sqrt(partial[0])
            if may_overflow(grad_sum) and not 1e-140 < norm < 1e150:
                norm = 0.0
                for j in range(length):
                    i = entry(begin, members, j)
                    x = inner(real(centre(iterate, anchor, grad_sum[i], scale, i)), threshold, one)
                    norm = math.hypot(norm, x)
            norms[group] = norm

    return square


def settle_groups(kernel, inner, centre):
    """Then W, an entry a thread; ``labels`` says whose each entry is."""

    def settle(
        iterate, anchor, grad_sum, scale, prox_step, keep, momentum, inner_strength, strengths, parameters, labels,
        norms, status
    ):  # fmt: skip
        real = grad_sum.dtype.type
        threshold, one = real(prox_step * inner_strength), real(1)
        i = uintp(cuda.grid(1))
        if i < uintp(iterate.size) and status[0] == 0:
            group = uintp(labels[i])
            norm = norms[group]
            factor = real(kernel(norm, prox_step * at(strengths, group), *parameters) if norm > 0 else 0.0)
            x = inner(real(centre(iterate, anchor, grad_sum[i], scale, i)), threshold, one)
            y = factor * x + real(0)
            iterate[i] = keep * real(iterate[i]) + momentum * y

    return settle
