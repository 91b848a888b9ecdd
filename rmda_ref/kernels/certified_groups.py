"""The overlapping and the latent group lasso with a certificate: screening, solution, exact zeros, duality gap.

Names and forms of the two problems, *summed* and *capped*, are those of `rmda_ref.kernels.group_multipliers`.
"""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.group_multipliers import (
    BARRIER,
    BEST,
    HELD,
    LAMBDA,
    LEAST,
    LEFT,
    LOAD,
    MARK,
    NOISE,
    PATH,
    POINT,
    SQUARE,
    STEP,
    TRIAL,
    UNIT,
    WORK,
    evaluate,
    follow,
    height_of,
    polish,
    slack_of,
)
from rmda_ref.kernels.incidence import norm_of, spread, squares

TINY = 1e-70  # the largest entry is about 1: radii and entries below this change nothing within rounding
EPS = 2.0**-52
SCREENINGS = 10  # rounds; what is left is for the iteration
SETTLED = 1e-14  # how well the norms of capped groups must meet their radii
FLOOR = 1e-26  # of the height of a group that is not zero, where nothing else tells
COUNTS = 1e-10  # the height of a group whose subgradient must be exact
SHARES = (1.0, 1e-6)  # of the slack: groups with less height are taken as zero


@register_jitable
def screen(summed, starts, members, radii, a, b, kept, left):
    """Decide groups that need no iteration: kept_g = False, and left = a without the entries that became 0.

    *summed*: a group with ||a_g|| <= radius is zero, a_g being its subgradient; without its entries others may follow.
    *capped*: a group with ||a_g/b_g|| <= radius does not bind; one of radius 0 is zero.
    """
    n_groups = len(radii)
    for i in range(len(a)):
        left[i] = a[i] if summed else (a[i] / b[i] if b[i] > 0 else (math.inf if abs(a[i]) > TINY else 0.0))
    for g in range(n_groups):
        kept[g] = True
    for _ in range(SCREENINGS):
        changed = False
        for g in range(n_groups):
            if not kept[g]:
                continue
            below = norm_of(starts, members, left, g) <= radii[g]
            if below or radii[g] < TINY:
                kept[g] = False
                if below == summed:
                    changed = True
                    for k in range(starts[g], starts[g + 1]):
                        left[members[k]] = 0.0
        if not changed:
            break
    for g in range(n_groups):
        kept[g] = kept[g] and norm_of(starts, members, left, g) > 0
    for i in range(len(a)):
        left[i] = a[i] if left[i] != 0 else 0.0


@register_jitable
def certify_summed(starts, members, radii, a, b, by_group, by_entry):
    """The duality gap at the point x in LEFT: 1/2 sum_i r_i^2/b_i for a subgradient r of the objective at x.

    A group that is not zero has the subgradient radius x_g/||x_g||. The entries MARKed zero are shared out between the
    zero groups in proportion to their multipliers on the path (PATH), each share cut to its radius. The objective is
    strongly convex, hence within this gap of its minimum; nothing cancels in a sum of squares, so the gap can be far
    below the rounding of the objective.
    """
    x, share, load, rest = by_entry[LEFT], by_entry[POINT], by_entry[LOAD], by_entry[WORK]
    slopes, shares = by_group[STEP], by_group[TRIAL]
    n_groups = len(radii)
    squares(starts, members, x, by_group[SQUARE])
    for g in range(n_groups):
        norm = math.sqrt(by_group[SQUARE, g])
        slopes[g] = radii[g] / norm if norm > 0 else 0.0
        shares[g] = 0.0 if norm > 0 else by_group[PATH, g]
    spread(starts, members, slopes, rest)
    spread(starts, members, shares, load)
    for i in range(len(a)):
        rest[i] = b[i] * x[i] - a[i] + rest[i] * x[i]
        share[i] = a[i] / load[i] if by_entry[MARK, i] > 0 else 0.0  # of a group with multiplier 1
    squares(starts, members, share, by_group[SQUARE])
    for g in range(n_groups):
        norm = shares[g] * math.sqrt(by_group[SQUARE, g])
        if norm > radii[g]:
            shares[g] *= radii[g] / norm
    spread(starts, members, shares, load)
    gap = 0.0
    for i in range(len(a)):
        if by_entry[MARK, i] > 0:
            rest[i] = a[i] - load[i] * share[i]
        gap += 0.5 * rest[i] * (rest[i] / b[i])
    return gap


@register_jitable
def certify_path(starts, members, radii, sizes, a, b, by_group, by_entry):
    """The duality gap at a point of the path (*summed*), groups of height below FLOOR taken as zero; the point to LEFT.

    For solutions with groups too small to tell from zero that still are not, down a chain of overlaps: only groups that
    count get their subgradient, as in `certify_summed`; the others keep that of the path, lambda_g point_g, of norm up
    to the radius, and add radius ||x_g|| - <lambda_g point_g, x_g> to the gap, which is small as x_g is.
    """
    point, x, load, rest = by_entry[POINT], by_entry[LEFT], by_entry[LOAD], by_entry[WORK]
    slopes, loose, path = by_group[STEP], by_group[TRIAL], by_group[PATH]
    n_groups = len(radii)
    evaluate(True, starts, members, radii, a, b, path, by_group, by_entry)
    for i in range(len(a)):
        x[i] = point[i]
    for g in range(n_groups):
        norm = path[g] * math.sqrt(by_group[SQUARE, g])
        loose[g] = path[g] * min(1.0, radii[g] / norm)
        if height_of(True, path[g], radii[g], sizes[g]) < FLOOR:
            for k in range(starts[g], starts[g + 1]):
                x[members[k]] = 0.0
    squares(starts, members, x, by_group[SQUARE])
    gap = 0.0
    for g in range(n_groups):
        norm = math.sqrt(by_group[SQUARE, g])
        slopes[g] = 0.0
        if norm > 0 and height_of(True, path[g], radii[g], sizes[g]) > COUNTS:
            slopes[g] = radii[g] / norm
            loose[g] = 0.0
        else:
            gap += norm * max(radii[g] - loose[g] * norm, 4 * EPS * radii[g])
    spread(starts, members, slopes, rest)
    spread(starts, members, loose, load)
    for i in range(len(a)):
        rest[i] = b[i] * x[i] - a[i] + rest[i] * x[i] + load[i] * point[i]
        gap += 0.5 * rest[i] * (rest[i] / b[i])
    for i in range(len(a)):
        point[i] = x[i]
    return gap


@register_jitable
def certify_capped(starts, members, radii, a, b, by_group, by_entry):
    """(gap, value, error) at the multipliers: x_i = load_i u_i (to LEFT) against u, shrunk into its constraints.

    x = sum_g lambda_g u_g is a decomposition of cost ``value`` = sum_g radius_g lambda_g ||u_g||, and ``error`` the
    most by which the norm of a group in use differed from its radius, or another's exceeded it, relatively.
    """
    point, x = by_entry[POINT], by_entry[LEFT]
    spread(starts, members, by_group[LAMBDA], x)
    shrink = 1.0
    error = 0.0
    for g in range(len(radii)):
        ratio = math.sqrt(by_group[SQUARE, g]) / radii[g]
        shrink = max(shrink, ratio)
        error = max(error, abs(ratio - 1.0) if by_group[LAMBDA, g] > 0 else ratio - 1.0)
    gap = 0.0
    for i in range(len(a)):
        x[i] *= point[i]
        rest = x[i] + b[i] * (point[i] / shrink) - a[i]
        if b[i] > 0:
            gap += 0.5 * rest * (rest / b[i])
        elif abs(rest) > 8 * EPS * abs(a[i]):
            gap = math.inf  # not decomposed
    value = 0.0
    for g in range(len(radii)):
        norm = math.sqrt(by_group[SQUARE, g])
        gap += by_group[LAMBDA, g] * norm * (radii[g] - norm / shrink)
        value += by_group[LAMBDA, g] * norm * radii[g]
    return gap, value, error


@register_jitable
def settle(summed, starts, members, radii, sizes, a, b, share, weighted, budget, by_group, by_entry):
    """From a point on the path (PATH) to one with exact zeros. Returns (gap, value, error, sweeps).

    A group is out (its z is 0) where its height is below ``share`` of its slack, less NOISE; the others are polished.
    """
    multipliers = by_group[LAMBDA]
    n_groups = len(radii)
    for g in range(n_groups):
        multipliers[g] = by_group[PATH, g]
    evaluate(summed, starts, members, radii, a, b, multipliers, by_group, by_entry)
    for i in range(len(a)):
        by_entry[MARK, i] = 0.0
    for g in range(n_groups):
        height = height_of(summed, multipliers[g], radii[g], sizes[g])
        slack = slack_of(summed, multipliers[g], radii[g], by_group[SQUARE, g])
        if height < max(LEAST, share * (slack if share == 1 else slack - NOISE)):
            multipliers[g] = 0.0
            for k in range(starts[g], starts[g + 1]):
                by_entry[MARK, members[k]] = 1.0
    for i in range(len(a)):
        by_entry[LEFT, i] = 0.0 if summed and by_entry[MARK, i] > 0 else a[i]
    squares(starts, members, by_entry[LEFT], by_group[SQUARE])
    for g in range(n_groups):
        if by_group[SQUARE, g] == 0:  # its entries are in other zero groups
            multipliers[g] = 0.0
    spread(starts, members, multipliers, by_entry[LOAD])
    for g in range(n_groups):  # where b = 0 an entry cannot be left to no group
        for k in range(starts[g], starts[g + 1]):
            i = members[k]
            if not summed and by_entry[LOAD, i] + b[i] == 0:
                multipliers[g] = by_group[PATH, g]
    sweeps = 3 + polish(summed, starts, members, radii, sizes, by_entry[LEFT], b, weighted, budget, by_group, by_entry)
    if not summed:
        gap, value, error = certify_capped(starts, members, radii, a, b, by_group, by_entry)
        return gap, value, error, sweeps
    for i in range(len(a)):
        by_entry[LEFT, i] = by_entry[POINT, i]
    gap = certify_summed(starts, members, radii, a, b, by_group, by_entry)
    for i in range(len(a)):
        by_entry[POINT, i] = by_entry[LEFT, i]
    return gap, 0.0, 0.0, sweeps


@register_jitable
def solve(summed, starts, members, radii, sizes, a, b, aim, reference, budget, by_group, by_entry):
    """(gap, value, sweeps) with the solution in POINT, for groups that screening kept; for *capped* x in LEFT.

    Ends when the gap is at most ``aim`` times ``reference``, or times the value if that is 0, and norms meet their
    radii; or with the best that there was, when rounding ends the progress or the sweeps exceed the budget. A group
    that is neither clearly in nor clearly out is tried as out, then as in.
    """
    multipliers, path, best = by_group[LAMBDA], by_group[PATH], by_group[BEST]
    n_groups = len(radii)
    for g in range(n_groups):
        multipliers[g] = radii[g] / (2 * sizes[g]) if summed else 2 * sizes[g] / radii[g]
        by_group[UNIT, g] = radii[g] * sizes[g]
    sweeps = 0
    mu = 0.0
    goal = 1e-7
    least_gap = math.inf
    least_error = math.inf
    way = 0
    while True:
        left = max(1, budget - sweeps)
        taken, mu = follow(summed, starts, members, radii, sizes, a, b, mu, goal, left, by_group, by_entry)
        sweeps += taken
        for g in range(n_groups):
            path[g] = multipliers[g]
            by_group[HELD, g] = by_group[BARRIER, g]
        for trial in range(2 if summed else 4):
            left = max(1, budget - sweeps)
            gap, value, error, taken = settle(
                summed, starts, members, radii, sizes, a, b, SHARES[trial % 2], trial > 1, left, by_group, by_entry
            )
            sweeps += taken
            enough = aim * (reference if reference > 0 else value)
            if gap <= enough and error <= SETTLED:
                return gap, value, sweeps
            if (gap < least_gap and least_gap > enough) or (gap <= enough and error < least_error):
                least_gap = gap
                least_error = error
                way = trial
                for g in range(n_groups):
                    best[g] = path[g]
        if (least_gap <= enough and goal < 1e-15) or mu == 0 or sweeps >= budget:
            break
        for g in range(n_groups):
            multipliers[g] = path[g]
            by_group[BARRIER, g] = by_group[HELD, g]
        goal = goal * 1e-3 if goal > 1e-15 else 0.0
    if summed and mu == 0 and sweeps < budget:
        gap = certify_path(starts, members, radii, sizes, a, b, by_group, by_entry)
        if gap < least_gap:
            return gap, 0.0, sweeps + 4
    for g in range(n_groups):
        path[g] = best[g]
    gap, value, error, taken = settle(
        summed, starts, members, radii, sizes, a, b, SHARES[way % 2], way > 1, budget, by_group, by_entry
    )
    return gap, value, sweeps + taken
