"""Which of some numbers are the k largest."""

from numba.extending import register_jitable

from rmda_ref.kernels.kth_largest import kth_largest

SHORT = 32  # numbers that are all compared with each other


@register_jitable
def mark_largest(keys, spare, size, k):
    """``keys[:size]`` become 1 where they are among the k largest, else 0; of equal keys the first count as larger.

    O(size) on average: by quickselect, or by comparing all pairs of a short row, which takes no branches.
    """
    if size <= SHORT:
        marked = 0
        for i in range(size):
            key = keys[i]
            larger = 0
            for j in range(size):
                larger += 1 if keys[j] > key else 0
            spare[i] = larger
        for i in range(size):
            marked += 1 if spare[i] < k else 0
        if marked == k:
            for i in range(size):
                keys[i] = 1 if spare[i] < k else 0
            return
        # Several are equal to the k-th: they have the same number of larger ones, the largest below k.
        last = 0.0
        for i in range(size):
            last = max(last, spare[i] if spare[i] < k else 0.0)
        for i in range(size):
            keys[i] = -spare[i]
        threshold = -last
        ties = k - last
    else:
        for i in range(size):
            spare[i] = keys[i]
        threshold = kth_largest(spare, size, k)
        ties = float(k)
        for i in range(size):
            ties -= 1 if keys[i] > threshold else 0
    for i in range(size):
        tie = keys[i] == threshold
        keys[i] = 1 if (keys[i] > threshold) | (tie & (ties > 0)) else 0
        ties -= 1 if tie else 0


@register_jitable
def marks_of_four(a, b, c, d, k):
    """The same of four numbers, which need no memory."""
    ab = 1 if a >= b else 0
    ac = 1 if a >= c else 0
    ad = 1 if a >= d else 0
    bc = 1 if b >= c else 0
    bd = 1 if b >= d else 0
    cd = 1 if c >= d else 0
    first = 1 if 3 - ab - ac - ad < k else 0
    second = 1 if 2 + ab - bc - bd < k else 0
    third = 1 if 1 + ac + bc - cd < k else 0
    fourth = 1 if ad + bd + cd < k else 0
    return first, second, third, fourth
