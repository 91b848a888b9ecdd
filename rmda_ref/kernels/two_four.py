"""The prox of the 2:4 regularizer."""

import math

from numba import float64
from numba.extending import register_jitable

STEPS = 80  # of Newton's method; fewer than ten but at double roots
NO_CHANGE = 1e-17  # the prox of so small a row is the row to rounding


@register_jitable
def two_four(row, strength, metric, scratch):
    """In place: a global argmin_y  strength e3(|y|) + 1/2 ||y - row||^2  of a row of four   [Kuebler et al. 2025].

    e3(y) is the sum of the four products of three. Signs and order can be restored afterwards: let w = |row| from large
    to small; some minimiser is ordered alike. In v = strength w and strength y, called y again, the strength is 1.

    *What a minimiser can be.* With at most two positive entries it is v there. With m = 3 or 4 it is stationary on its
    face, v_i - y_i = e2(y without i), and the Hessian H of the face is positive semidefinite. With E = sum_i y_i,
    V = sum_i v_i over the m entries and S_i = y_i - (E - 1)/2 this is

        m = 3:  4 S_i^2 = X^2 - 4 (V - v_i),        f = X/2 - 2 + sum_i S_i = 0,   X = E + 1
        m = 4:  4 S_i^2 = X^2 + 1 - 2 V + 4 v_i,    f = X - 2 + sum_i S_i = 0,     X = E

    and f = sum_i y_i - E. The minors of H of size two give y_1 <= 1, or y_1 + y_2 <= 1, hence S_i >= 0 for i < m. So
    all follows from one number, Z = S_m: S_i = sqrt(Z^2 + v_i - v_m) and X = sqrt(4 Z^2 + K). At one root of f at most
    H can be positive semidefinite:

    - K >= 0: f is a sum of convex functions of Z, and det H is f'(Z) times a positive number, so it is the larger root;
    - K < 0 (m = 4 only): Z < 0 would give y_m < 0, and as functions of E > 0 all terms of f increase and are convex.

    Newton's method from the right (Z = 1/2, or E = V, where f >= 0) descends to this root and never past it. It is left
    when y_m <= 0, since y_m increases with Z and with E.

    *The prox* is the best of these three points at most; of equally good ones the sparsest, and of equal entries the
    first counts as larger. None is missed, so it is global for every step. Objectives tell points apart to half their
    digits only, so a sparse point must also be stationary in the entries that it sets to zero. O(1).
    """
    size = scratch[0]
    order = scratch[1]
    y = scratch[2]
    best = scratch[3]
    for i in range(4):
        x = float64(abs(row[i]))
        j = i
        while j > 0 and size[j - 1] < x:
            size[j] = size[j - 1]
            order[j] = order[j - 1]
            j -= 1
        size[j] = x
        order[j] = i
    s = float64(strength)
    if size[2] == 0 or s == 0 or s * (size[0] + size[1] + size[2] + size[3]) < NO_CHANGE:
        return
    # From here on the strength is 1.
    kept = 2
    if s * size[0] <= 2:  # v_1 = y_1 + e2(others) <= 2 if m > 2
        for i in range(4):
            size[i] *= s
        least = math.inf
        if size[3] > 0:
            least = four(size, best)
            kept = 4
        cost = three(size, y)
        stationary = size[3] <= y[0] * y[1] + y[2] * (y[0] + y[1])
        if cost <= least and (stationary or least == math.inf):
            least = cost
            kept = 3
            for i in range(3):
                best[i] = y[i]
        cost = (size[2] * size[2] + size[3] * size[3]) / 2
        stationary = size[2] <= size[0] * size[1]
        if cost <= least and (stationary or least == math.inf):
            kept = 2
    for j in range(4):
        i = int(order[j])
        if j >= kept:
            row[i] = 0
        elif kept > 2:
            row[i] = best[j] / s if row[i] > 0 else -best[j] / s


@register_jitable
def three(v, y):
    """The objective at the stationary point on the first three, written to y; infinite if there is none.

    The unknown is t = 1/2 - Z, from 0 on, so that small v lose no digits: with q = 1 - 4 Z^2 = 4 t (1 - t) the terms
    E = X - 1 = (K - q)/(X + 1) and 2 S_i - 1 = (4 (v_i - v_3) - q)/(2 S_i + 1) are quotients.
    """
    k = 4 * (v[0] + v[1])
    a = 4 * (v[0] - v[2])
    b = 4 * (v[1] - v[2])
    t = 0.0
    for _ in range(STEPS):
        q = 4 * t * (1 - t)
        z = 1 - 2 * t
        root = math.sqrt(z * z + k)
        first = math.sqrt(z * z + a)
        second = math.sqrt(z * z + b)
        total = (k - q) / (1 + root)
        y[0] = ((a - q) / (1 + first) + total) / 2
        y[1] = ((b - q) / (1 + second) + total) / 2
        y[2] = total / 2 - t
        excess = y[0] + y[1] + y[2] - total  # half of f
        slope = 1 + z * (1 / root + 1 / max(first, 1e-300) + 1 / max(second, 1e-300))
        if y[2] <= 0 or slope <= 0:
            return math.inf
        step = excess / slope
        if step <= 4e-16 * t:
            break
        t += step
    xy = y[0] * y[1]
    xz = y[0] * y[2]
    yz = y[1] * y[2]
    return (xy * xy + xz * xz + yz * yz + v[3] * v[3]) / 2 + y[0] * yz


@register_jitable
def four(v, y):
    """The same of all four."""
    total = v[0] + v[1] + v[2] + v[3]
    k = 2 * total - 1 - 4 * v[3]
    return four_by_sum(v, y, total) if k <= 0 else four_by_last(v, y, k)


@register_jitable
def four_by_sum(v, y, total):
    """K <= 0: f is increasing and convex in E. e2(y) = (V - E)/2, and y_i is the smaller root of a quadratic."""
    e = total
    for _ in range(STEPS):
        e2 = (total - e) / 2
        if v[3] <= e2:
            return math.inf
        slope = 1.0
        sum_y = 0.0
        for i in range(4):
            root = math.sqrt(max(e * e + 1 - 2 * total + 4 * v[i], 0.0))
            y[i] = 2 * (v[i] - e2) / (1 - e + root)
            sum_y += y[i]
            slope += e / max(2 * root, 1e-300)
        step = (sum_y - e) / slope
        if step <= 4e-16 * e:
            break
        e -= step
    return objective_of_four(y)


@register_jitable
def four_by_last(v, y, k):
    """K > 0: f is convex in Z, which may have either sign; no small v is here."""
    z = 0.5
    for _ in range(STEPS):
        e = math.sqrt(4 * z * z + k)
        y[3] = z + (e - 1) / 2
        sum_y = y[3]
        slope = 1 + 4 * z / e
        for i in range(3):
            root = math.sqrt(z * z + (v[i] - v[3]))
            y[i] = root + (e - 1) / 2
            sum_y += y[i]
            slope += z / max(root, 1e-300)
        if y[3] <= 0 or slope <= 0:
            return math.inf
        step = (sum_y - e) / slope
        if step <= 1e-16:
            break
        z -= step
    return objective_of_four(y)


@register_jitable
def objective_of_four(y):
    """At a stationary point: v_i - y_i = e2 of the others."""
    a = y[1] * (y[2] + y[3]) + y[2] * y[3]
    b = y[0] * (y[2] + y[3]) + y[2] * y[3]
    c = y[3] * (y[0] + y[1]) + y[0] * y[1]
    d = y[2] * (y[0] + y[1]) + y[0] * y[1]
    return (a * a + b * b + c * c + d * d) / 2 + y[0] * y[1] * (y[2] + y[3]) + y[2] * y[3] * (y[0] + y[1])
