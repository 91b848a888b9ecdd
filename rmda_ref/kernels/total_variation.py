"""The prox of the total variation of a row, by the taut string, and of the fused lasso."""

from numba.extending import register_jitable

from rmda_ref.kernels.soft_threshold import soft_threshold

HUGE = 1e100  # rows with larger entries are scaled down, so that sums times sums of weights stay in range
SCALE = 2.0**-600


@register_jitable
def total_variation(row, strength, metric, scratch):
    """In place: argmin_y  strength sum_i |y_{i+1} - y_i| + 1/2 <y - row, metric (y - row)>.

    The cumulative sums of metric y, drawn over those of the metric, are the shortest string between two walls: the
    cumulative sums of metric row, plus and minus the strength; it is fixed between them at both ends (the taut string,
    Davies & Kovac 2001). Here it is found as a shortest path by a funnel (Lee & Preparata 1984): from the bend up to
    which the string is settled, a convex chain of links along the upper wall, and a concave one along the lower. A new
    point lengthens the chain of its wall; links that would spoil its shape are joined to one. If they all are, and it
    crosses the other chain, then the string bends around the first links of that one: each is a piece of the
    solution. A link comes and goes once, so this takes O(n) for every row.

    Links of equal slope are joined. Slopes are compared by products. The value of a piece is summed anew from the row:
    its mean, plus or minus the strength over its weight for each end around which the string bends.
    """
    size = len(row)
    if size < 2 or strength == 0:
        return
    largest = 0.0
    for i in range(size):
        largest = max(largest, abs(row[i]))
    scale = 1.0 if largest < HUGE else SCALE
    width = strength * scale
    # Of each link: what the string rises along it, its weight, the entry before which it ends.
    up_rise, up_weight, up_end = scratch[0], scratch[1], scratch[2]
    low_rise, low_weight, low_end = scratch[3], scratch[4], scratch[5]
    up_first = up_past = low_first = low_past = 0
    bend = 0  # entries before it are settled, and the string is there
    offset = 0.0  # above the cumulative sum of metric row
    for i in range(size):
        entry_weight = metric[i]
        entry_rise = entry_weight * (row[i] * scale)
        inner = i < size - 1  # else both walls meet the end of the string

        weight = entry_weight
        rise = entry_rise
        if i == 0:
            rise += width
        if not inner:
            rise -= width
        while up_past > up_first and rise * up_weight[up_past - 1] <= up_rise[up_past - 1] * weight:
            up_past -= 1
            rise += up_rise[up_past]
            weight += up_weight[up_past]
        if up_past == up_first:
            while low_first < low_past and rise * low_weight[low_first] < low_rise[low_first] * weight:
                end = int(low_end[low_first])
                settle(row, metric, bend, end, -width - offset, scale)
                bend = end
                offset = -width
                rise -= low_rise[low_first]
                weight -= low_weight[low_first]
                low_first += 1
            up_first = up_past = 0
        up_rise[up_past] = rise
        up_weight[up_past] = weight
        up_end[up_past] = i + 1
        up_past += 1

        if inner:
            weight = entry_weight
            rise = entry_rise
            if i == 0:
                rise -= width
            while low_past > low_first and rise * low_weight[low_past - 1] >= low_rise[low_past - 1] * weight:
                low_past -= 1
                rise += low_rise[low_past]
                weight += low_weight[low_past]
            if low_past == low_first:
                # The last link of the upper chain ends above the end of this one: crossed by rounding only, so kept.
                while up_first < up_past - 1 and rise * up_weight[up_first] > up_rise[up_first] * weight:
                    end = int(up_end[up_first])
                    settle(row, metric, bend, end, width - offset, scale)
                    bend = end
                    offset = width
                    rise -= up_rise[up_first]
                    weight -= up_weight[up_first]
                    up_first += 1
                low_first = low_past = 0
            low_rise[low_past] = rise
            low_weight[low_past] = weight
            low_end[low_past] = i + 1
            low_past += 1
    for link in range(up_first, up_past):
        end = int(up_end[link])
        to = width if end < size else 0.0
        settle(row, metric, bend, end, to - offset, scale)
        bend = end
        offset = to


@register_jitable
def settle(row, metric, begin, end, rise, scale):
    """Give the entries from ``begin`` to ``end`` the value (their weighted sum + rise)/(their weight)."""
    weight = 0.0
    for i in range(begin, end):
        weight += metric[i]
        rise += metric[i] * (row[i] * scale)
    value = rise / weight / scale
    for i in range(begin, end):
        row[i] = value


@register_jitable
def fused_lasso(row, strength, metric, scratch, l1_ratio):
    """In place: argmin_y  strength ((1 - l1_ratio) sum_i |y_{i+1} - y_i| + l1_ratio ||y||_1) + 1/2 ||y - row||^2.

    Total variation, then soft thresholding   [Friedman et al. 2007]: where two entries are in order, or equal, so are
    their thresholds, hence the subgradients of the first remain subgradients. A metric would move equal entries apart:
    it must be constant.
    """
    total_variation(row, strength * (1 - l1_ratio), metric, scratch)
    for i in range(len(row)):
        row[i] = soft_threshold(row[i], strength * l1_ratio, metric[i])
