"""The prox of the sparse envelope, and of the k-support norm."""

import math

from numba import float64
from numba.extending import register_jitable

ROUNDS = 200  # of a bracketed Newton or secant iteration; about ten are used


@register_jitable
def shares(row, strength, metric, out, k, weights):
    """The shares theta_i in [0, 1], sum theta_i <= k, of the sparse envelope's prox; into ``out``.

    min_x strength weight_i x^2/(2 theta) + metric_i/2 (x - row_i)^2 is smallest, over the shares, where the marginal
    gains are equal: theta_i = clip(c a_i - b_i, 0, 1) with a_i = |row_i| sqrt(weight_i), b_i = strength
    weight_i/metric_i, and c the root of the increasing piecewise linear sum theta_i = k. All shares are 1 where no more
    than k entries ask for one.
    """
    size = len(row)
    each = 1 if len(weights) > 1 else 0  # one weight is that of all entries
    largest = 0.0
    wanted = 0
    for i in range(size):
        out[i] = float64(abs(row[i])) * math.sqrt(weights[i * each])
        largest = max(largest, out[i])
        wanted += 1 if out[i] > 0 else 0
    if wanted <= k:
        for i in range(size):
            out[i] = 1.0
        return
    # In units of the largest a_i: at ``low`` no share is positive, at ``high`` all that are asked for are 1.
    low, high = math.inf, 0.0
    for i in range(size):
        if out[i] > 0:
            b = float64(strength) * weights[i * each] / float64(metric[i])
            low = min(low, b * (largest / out[i]))
            high = max(high, (1 + b) * (largest / out[i]))
    c = low
    for _ in range(ROUNDS):
        total, slope = 0.0, 0.0
        for i in range(size):
            share = c * (out[i] / largest) - float64(strength) * weights[i * each] / float64(metric[i])
            if share >= 1:
                total += 1
            elif share >= 0:
                total += share
                slope += out[i] / largest
        if total < k:
            low = c
        else:
            high = c
        step = c + (k - total) / slope if slope > 0 else math.inf
        if not low < step < high:
            step = math.sqrt(low) * math.sqrt(high) if low > 0 else high / 2
        if total == k or step == c or not low < step < high:
            break
        c = step
    full = 0
    for i in range(size):
        b = float64(strength) * weights[i * each] / float64(metric[i])
        out[i] = min(max(c * (out[i] / largest) - b, 0.0), 1.0)
        full += 1 if out[i] == 1 else 0
    if full == k:  # the sum is flat here, and rounding may have left the others a share
        for i in range(size):
            out[i] = 1.0 if out[i] == 1 else 0.0


@register_jitable
def sparse_envelope(row, strength, metric, scratch, k, weights):
    """In place: argmin_x  strength/2 min_theta sum_i weight_i x_i^2/theta_i + 1/2 <x - row, metric (x - row)>.

    The minimum over 0 <= theta <= 1, sum theta_i <= k is the biconjugate of sum_i weight_i x_i^2/2 plus the indicator
    of at most k nonzero entries [Beck & Refael 2022; for unit weights half the squared k-support norm, Argyriou et
    al. 2012]. With the shares theta found, x_i = row_i theta_i metric_i / (theta_i metric_i + strength weight_i).
    """
    if strength == 0:
        return
    theta = scratch[0]
    each = 1 if len(weights) > 1 else 0
    shares(row, strength, metric, theta, k, weights)
    for i in range(len(row)):
        share = theta[i] * float64(metric[i])
        row[i] = row[i] * (share / (share + float64(strength) * weights[i * each]))


@register_jitable
def largest_norm(row, metric, k, scratch):
    """Euclidean norm of the k largest of |metric_i row_i|: quickselect on a copy."""
    size = len(row)
    copy = scratch[0]
    top = 0.0
    for i in range(size):
        copy[i] = float64(metric[i]) * float64(abs(row[i]))
        top = max(top, copy[i])
    if top == 0:
        return 0.0
    low, high = 0, size - 1
    while low < high and k < size:
        pivot = copy[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while copy[i] > pivot:
                i += 1
            while copy[j] < pivot:
                j -= 1
            if i <= j:
                copy[i], copy[j] = copy[j], copy[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    square = 0.0
    for i in range(min(k, size)):
        square += (copy[i] / top) ** 2
    return top * math.sqrt(square)


@register_jitable
def k_support(row, strength, metric, scratch, k, weights):
    """In place: argmin_x  strength ||x||_sp + 1/2 <x - row, metric (x - row)>, the k-support norm [Argyriou et al.
    2012].

    x = 0 iff the k largest of metric row have Euclidean norm at most the strength (the dual norm). Otherwise x is the
    prox of mu/2 ||.||_sp^2 where mu ||x||_sp = strength, that is, where the dual norm of metric (row - x) is the
    strength. It increases with mu: a bracketed secant iteration on 1/dual norm as a function of 1/mu, which is a
    straight line where no entry is shared.
    """
    if strength == 0:
        return
    size = len(row)
    dual = largest_norm(row, metric, k, scratch)
    if dual <= strength:
        for i in range(size):
            row[i] = 0
        return
    theta = scratch[0]
    heaviest = 0.0
    for i in range(size):
        heaviest = max(heaviest, float64(metric[i]))
    # With u = 1/mu, f(u) = strength/dual norm - 1 increases from f(0) < 0 to infinity.
    below, f_below = 0.0, float64(strength) / dual - 1
    above, f_above = math.inf, math.inf
    u = 1 / heaviest
    for _ in range(ROUNDS):
        shares(row, 1 / u, metric, theta, k, weights)
        f = float64(strength) / dual_of_rest(row, 1 / u, metric, theta, k) - 1
        if f == 0:
            break
        if above == math.inf and f < 0:  # further out along the line through the last two points
            guess = u - f * (u - below) / (f - f_below) if f > f_below else 2 * u
            below, f_below = u, f
            guess = max(guess, u * (1 + 1e-12))
        else:
            if f < 0:
                below, f_below, f_above = u, f, f_above / 2  # Illinois: an end that stays loses weight
            else:
                above, f_above, f_below = u, f, f_below / 2
            guess = below - f_below * (above - below) / (f_above - f_below)
        if not below < guess < above:
            guess = (below + above) / 2
        if guess == u or not below < guess < above:
            break
        u = guess
    mu = 1 / u  # of the last shares, but for a rounding
    for i in range(size):
        share = theta[i] * float64(metric[i])
        row[i] = row[i] * (share / (share + mu))


@register_jitable
def dual_of_rest(row, mu, metric, theta, k):
    """Norm of the k largest of metric (row - x), x_i = row_i theta_i metric_i/(theta_i metric_i + mu): entries with
    share 1 count first, the others in between all have one level, and that fills up to k."""
    top = 0.0
    for i in range(len(row)):
        top = max(top, float64(metric[i]) * float64(abs(row[i])))
    square, level, count = 0.0, 0.0, 0
    for i in range(len(row)):
        weight = float64(metric[i])
        rest = weight * float64(abs(row[i])) / top * (mu / (theta[i] * weight + mu))
        if theta[i] == 1:
            square += rest * rest
            count += 1 if rest > 0 else 0
        else:
            level = max(level, rest)
    return top * math.sqrt(square + max(k - count, 0) * level * level)
