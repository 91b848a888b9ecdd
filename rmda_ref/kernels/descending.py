"""Sorting magnitudes, and remembering where they were."""

from numba import int32, int64
from numba.extending import overload, register_jitable

FEW = 64  # rows up to this length are sorted by counting, for each entry, those that come before
MOST_BITS = 11  # of a digit: more counters than that leave the first cache


def bits_of(x):
    """The float64 entries of ``x`` as the integers that have their bits: the same order, for numbers at least 0."""
    return x.view("int64")


@overload(bits_of)
def _bits_of(x):
    return lambda x: x.view(int64)


def halves_of(x):
    """The memory of ``x`` as twice as many integers of half the size."""
    return x.view("int32")


@overload(halves_of)
def _halves_of(x):
    return lambda x: x.view(int32)


@register_jitable
def sort_descending(scratch, size):
    """Sort the first ``size`` entries of ``scratch[0]``, at least 0, in descending order; equal ones keep their order.

    ``halves_of(scratch[1])`` goes along with them, its second half, ``scratch[2]`` and ``scratch[3]`` are overwritten.
    O(size) a digit: a radix sort of the bits, from the lowest to the highest in which entries differ, so that float32
    entries need fewer digits than float64 ones.
    """
    mates = halves_of(scratch[1])
    other_mates = mates[len(scratch[1]) :]
    if size <= FEW:
        _by_rank(scratch[0], mates, scratch[2], other_mates, size)
    else:
        _by_digit(scratch[0], mates, scratch[2], other_mates, scratch[3], size)


@register_jitable
def _by_rank(keys, mates, other_keys, other_mates, size):
    for i in range(size):
        other_keys[i] = keys[i]
        other_mates[i] = mates[i]
    for i in range(size):
        key = other_keys[i]
        rank = 0
        for j in range(size):  # one loop over all entries, without a branch: it vectorises
            rank += (other_keys[j] > key) | ((other_keys[j] == key) & (j < i))
        keys[rank] = key
        mates[rank] = other_mates[i]


@register_jitable
def _by_digit(keys, mates, other_keys, other_mates, counters, size):
    a = bits_of(keys)
    b = bits_of(other_keys)
    place_of = bits_of(counters)
    largest = a[0]
    for i in range(size):
        largest = max(largest, a[i])
    used = a[0] & 0  # the bits in which differences from the largest are not 0
    for i in range(size):
        a[i] = largest - a[i]
        used |= a[i]
    first = 0
    while used != 0 and (used >> first) & 1 == 0:
        first += 1
    last = first
    while last < 63 and (used >> last) != 0:
        last += 1
    most = 1
    while most < MOST_BITS and (size >> (most + 1)) > 0:  # no more counters than entries
        most += 1
    n_digits = (last - first + most - 1) // most
    in_place = True
    for digit in range(n_digits):
        low = first + (last - first) * digit // n_digits
        high = first + (last - first) * (digit + 1) // n_digits
        mask = (1 << (high - low)) - 1
        for d in range(mask + 1):
            place_of[d] = 0
        for i in range(size):
            place_of[(a[i] >> low) & mask] += 1
        start = 0
        for d in range(mask + 1):
            count = place_of[d]
            place_of[d] = start
            start += count
        for i in range(size):
            d = (a[i] >> low) & mask
            place = place_of[d]
            place_of[d] = place + 1
            b[place] = a[i]
            other_mates[place] = mates[i]
        a, b = b, a
        mates, other_mates = other_mates, mates
        in_place = not in_place
    if in_place:
        for i in range(size):
            a[i] = largest - a[i]
    else:
        for i in range(size):
            b[i] = largest - a[i]
            other_mates[i] = mates[i]
