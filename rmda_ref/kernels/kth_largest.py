"""The k-th largest of some numbers, and the quota of those equal to it."""

from numba.extending import register_jitable

SHORT = 24  # numbers that are sorted by insertion
SAMPLE = 15  # numbers that a pivot is taken from


@register_jitable
def kth_largest(values, size, k):
    """The k-th largest of ``values[:size]``, 1 <= k <= size, which are left in another order. O(size) on average.

    Quickselect: around a pivot near the sought rank, the larger numbers to the front without a branch; those equal to
    the pivot are set apart, so that ties cost nothing. The pivot is taken from a sample at pseudorandom places, the
    same each time, so that no order of the numbers is a bad one but by intention.
    """
    low = 0
    high = size
    seed = 1
    halved = True
    while high - low > SHORT:
        length = high - low
        for i in range(SAMPLE):
            seed = (seed * 1103515245 + 12345) % 2147483648
            j = low + i + seed * (length - i) // 2147483648
            x = values[j]
            values[j] = values[low + i]
            values[low + i] = x
        sort_down(values, low, low + SAMPLE)
        rank = (k - low) * SAMPLE // (length + 1) if halved else SAMPLE // 2
        pivot = values[low + rank]
        larger = low
        for i in range(low, high):
            x = values[i]
            values[i] = values[larger]
            values[larger] = x
            larger += 1 if x > pivot else 0
        if k <= larger:
            high = larger
        else:
            smaller = larger
            for i in range(larger, high):
                x = values[i]
                values[i] = values[smaller]
                values[smaller] = x
                smaller += 1 if x == pivot else 0
            if k <= smaller:
                return pivot
            low = smaller
        halved = 2 * (high - low) <= length
    sort_down(values, low, high)
    return values[k - 1]


@register_jitable
def sort_down(values, low, high):
    """``values[low:high]`` from the largest on, by insertion."""
    for i in range(low + 1, high):
        x = values[i]
        j = i
        while j > low and values[j - 1] < x:
            values[j] = values[j - 1]
            j -= 1
        values[j] = x
