"""The prox of the sorted l1 norm."""

from numba.extending import register_jitable

from rmda_ref.kernels.descending import halves_of, sort_descending


@register_jitable
def slope(row, strength, metric, scratch, weights):
    """In place: argmin_y  strength sum_k weights_k |y|_(k) + 1/2 ||y - row||^2, weights nonincreasing   [Bogdan et al.
    2015].

    Signs and order of magnitudes are kept. The sorted magnitudes minus strength weights_k, averaged over blocks until
    they do not increase (pool adjacent violators), cut off at 0. Magnitudes up to strength times the last weight
    become 0 whatever the others are, so they are not sorted. Equal magnitudes stay equal.
    """
    size = len(row)
    if strength == 0:
        return
    keys = scratch[0]
    order = halves_of(scratch[1])
    least = strength * weights[size - 1]
    count = 0
    for i in range(size):
        key = abs(row[i])
        keys[count] = key
        order[count] = i
        count += 1 if key > least else 0
    sort_descending(scratch, count)
    sums = scratch[2]
    ends = order[len(keys) :]
    n_blocks = 0
    begin_before = 0  # of the last block
    for i in range(count):
        block_sum = keys[i] - strength * weights[i]
        begin = i
        # Merge while the block before is not above.
        while n_blocks > 0 and sums[n_blocks - 1] * (i + 1 - begin) <= block_sum * (begin - begin_before):
            n_blocks -= 1
            block_sum += sums[n_blocks]
            begin = begin_before
            begin_before = ends[n_blocks - 2] if n_blocks > 1 else 0
        sums[n_blocks] = block_sum
        ends[n_blocks] = i + 1
        begin_before = begin
        n_blocks += 1
    for i in range(size):
        keys[i] = 0.0
    begin = 0
    for block in range(n_blocks):
        end = ends[block]
        level = max(sums[block] / (end - begin), 0.0)
        for i in range(begin, end):
            keys[order[i]] = level
        begin = end
    for i in range(size):
        row[i] = keys[i] if row[i] > 0 else -keys[i]
