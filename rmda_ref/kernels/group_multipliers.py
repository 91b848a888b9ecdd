"""Multipliers of overlapping groups: what the overlapping and the latent group lasso are computed from.

The solutions of both have one form. Each group has a multiplier lambda_g, and

    point_i = a_i / (b_i + load_i),    load_i = sum of lambda_g over the groups that contain i.

*summed*  min_x  sum_g radius_g ||x_g|| + 1/2 sum_i b_i (x_i - a_i/b_i)^2. Here radius ||x_g|| is the minimum over
          rho >= 0 of radius (||x_g||^2/rho + rho)/2; minimised over x first, that leaves the convex function
          phi(rho) = 1/2 sum_i a_i^2/b_i load_i/(b_i + load_i) + 1/2 sum_g radius_g rho_g  of rho >= 0 with
          lambda_g = radius_g/rho_g. The point is x, rho_g = ||x_g||, and lambda_g x_g the subgradient of group g.
*capped*  min_u  1/2 sum_i b_i (u_i - a_i/b_i)^2 subject to ||u_g|| <= radius_g. The Lagrange multipliers minimise the
          convex function  phi(lambda) = 1/2 sum_i a_i^2/(b_i + load_i) + 1/2 sum_g radius_g^2 lambda_g  of lambda >= 0.
          With b = 0 the point maximises <a, u> instead.

With z = rho or lambda the minimum is where z_g >= 0, dphi_g >= 0 and z_g dphi_g = 0 in each group. `follow` goes there
along the central path z_g dphi_g = mu unit_g, mu -> 0, a primal-dual interior-point method; the natural size of these
products, unit_g = radius_g ||a_g/b_g||, lets groups of any scale settle alike. `polish` ends with Newton's method on
the active groups alone, to rounding. Some fifteen steps are taken as a rule, five times as many near degeneracy.

The Newton matrix, for steps relative to z, is diag +- lambda S lambda with S_gh = sum_{i in g and h}
point_i^2/(b_i + load_i): plus for *capped*; minus for *summed*, where row g still has the positive sum
lambda_g sum_{i in g} point_i^2 b_i/(b_i + load_i) (an M-matrix). It is never formed: conjugate gradients with its
diagonal as preconditioner, each product one sweep over the groups. Memory O(sum of the group sizes).
"""

import math

from numba.extending import register_jitable

from rmda_ref.kernels.incidence import collect, spread, squares

# Rows of the scratch over groups and of that over entries.
LAMBDA, SQUARE, PRODUCT, UNIT, PATH, HELD, BEST, BARRIER, STEP, TRIAL, KEPT, ALLOWED = range(12)
DIAGONAL, RESIDUAL, DIRECTION, IMAGE = range(12, 16)
POINT, LOAD, CURVATURE, WORK, LEFT, MARK = range(6)
GROUP_ROWS, ENTRY_ROWS = 16, 6
SHORTEST = 1e-8  # of the steps that are tried
PATIENCE = 20  # with short steps, and at the end of the path
FAR = 1e4  # from the path, for the multipliers of the barrier
ROUNDING = 2.0**-52
NOISE = 8 * ROUNDING  # of the slack of a group
LEAST = 1e-33  # of mu: at degenerate groups z_g and the slack are of the size of its root


@register_jitable
def evaluate(summed, starts, members, radii, a, b, multipliers, by_group, by_entry):
    """POINT and LOAD (b included) at the multipliers, SQUARE = ||point_g||^2, PRODUCT = z_g dphi_g (0 if left out)."""
    point, load = by_entry[POINT], by_entry[LOAD]
    spread(starts, members, multipliers, load)
    for i in range(len(a)):
        load[i] += b[i]
        point[i] = a[i] / load[i] if load[i] > 0 else 0.0
    squares(starts, members, point, by_group[SQUARE])
    for g in range(len(radii)):
        multiplier, radius, square = multipliers[g], radii[g], by_group[SQUARE, g]
        if multiplier == 0:
            by_group[PRODUCT, g] = 0.0
        elif summed:
            by_group[PRODUCT, g] = 0.5 * (radius * (radius / multiplier) - multiplier * square)
        else:
            by_group[PRODUCT, g] = 0.5 * multiplier * (radius * radius - square)


@register_jitable
def newton(summed, starts, members, mu, by_group, by_entry):
    """STEP = the Newton step to products mu unit_g, up to ALLOWED; groups with multiplier 0 stay. Returns the sweeps.

    BARRIER is what the barrier adds to the diagonal of the matrix.
    """
    multipliers, step, residual = by_group[LAMBDA], by_group[STEP], by_group[RESIDUAL]
    diagonal, direction, image = by_group[DIAGONAL], by_group[DIRECTION], by_group[IMAGE]
    scale, allowed = by_group[TRIAL], by_group[ALLOWED]
    curvature, work = by_entry[CURVATURE], by_entry[WORK]
    sign = -1.0 if summed else 1.0
    n_groups = len(multipliers)
    for i in range(len(work)):
        point, load = by_entry[POINT, i], by_entry[LOAD, i]
        curvature[i] = point * (point / load) if load > 0 else 0.0
    collect(starts, members, curvature, scale)
    now = 0.0
    for g in range(n_groups):
        product = by_group[PRODUCT, g]
        diagonal[g] = by_group[BARRIER, g]
        if summed:
            diagonal[g] += multipliers[g] * by_group[SQUARE, g]
        whole = diagonal[g] + sign * multipliers[g] * scale[g] * multipliers[g]
        scale[g] = whole if whole > 0 else 1.0
        step[g] = 0.0
        residual[g] = mu * by_group[UNIT, g] - product if multipliers[g] > 0 else 0.0
        direction[g] = residual[g] / scale[g]
        now += residual[g] * direction[g]
    sweeps = 0
    while sweeps < 2 * n_groups + 10:
        unsolved = False
        for g in range(n_groups):
            unsolved |= abs(residual[g]) > allowed[g]
            image[g] = multipliers[g] * direction[g]
        if not unsolved:
            break
        spread(starts, members, image, work)
        for i in range(len(work)):
            work[i] *= curvature[i]
        collect(starts, members, work, image)
        sweeps += 1
        curved = 0.0
        for g in range(n_groups):
            image[g] = diagonal[g] * direction[g] + sign * multipliers[g] * image[g]
            curved += direction[g] * image[g]
        if not curved > 0:
            break
        length = now / curved
        then = 0.0
        for g in range(n_groups):
            step[g] += length * direction[g]
            residual[g] -= length * image[g]
            then += residual[g] * (residual[g] / scale[g])
        for g in range(n_groups):
            direction[g] = residual[g] / scale[g] + then / now * direction[g]
        now = then
    return sweeps


@register_jitable
def longest(step, drop):
    """The largest step length up to 1 that lowers no z_g by more than the fraction ``drop``."""
    length = 1.0
    for g in range(len(step)):
        if length * step[g] < -drop:
            length = -drop / step[g]
    return length


@register_jitable
def move(summed, multipliers, step, length, out):
    """The multipliers after z_g <- z_g (1 + length step_g)."""
    for g in range(len(step)):
        factor = 1.0 + length * step[g]
        out[g] = multipliers[g] / factor if summed else multipliers[g] * factor


@register_jitable
def slack_of(summed, multiplier, radius, square):
    """How far a group is below its radius: 1 - (norm/radius)^2."""
    norm = math.sqrt(square) * (multiplier if summed else 1.0)
    return (1.0 - norm / radius) * (1.0 + norm / radius)


@register_jitable
def height_of(summed, multiplier, radius, size):
    """z_g relative to its natural size."""
    return radius / multiplier / size if summed else multiplier * radius / size


@register_jitable
def unsettled(summed, radii, sizes, by_group):
    """The largest of min(height, slack) and of -slack: 0 at the solution, but for rounding."""
    worst = 0.0
    for g in range(len(radii)):
        height = height_of(summed, by_group[LAMBDA, g], radii[g], sizes[g])
        slack = slack_of(summed, by_group[LAMBDA, g], radii[g], by_group[SQUARE, g])
        worst = max(worst, max(min(height, slack), -slack - NOISE))
    return worst


@register_jitable
def advance(summed, starts, members, radii, sizes, a, b, mu, by_group, by_entry):
    """One step of Newton's method for the barrier function phi - mu sum_g unit_g log z_g. Returns (sweeps, length).

    The barrier's own curvature mu unit/z^2 is replaced by y/z, with multipliers y = dphi in the limit that take steps
    of their own (a primal-dual method). The step is cut until the slope along it has not turned up steeply.
    """
    multipliers, step, unit = by_group[LAMBDA], by_group[STEP], by_group[UNIT]
    barrier, trial = by_group[BARRIER], by_group[TRIAL]
    n_groups = len(radii)
    slope = 0.0
    noise = 0.0
    for g in range(n_groups):
        height = height_of(summed, multipliers[g], radii[g], sizes[g])
        by_group[ALLOWED, g] = (0.1 * mu + ROUNDING * height) * unit[g]
    sweeps = newton(summed, starts, members, mu, by_group, by_entry)
    dual = 1.0
    for g in range(n_groups):
        slope += (by_group[PRODUCT, g] - mu * unit[g]) * step[g]
        height = height_of(summed, multipliers[g], radii[g], sizes[g])
        noise += ROUNDING * height * unit[g] * abs(step[g])
        growth = mu * unit[g] / barrier[g] - 1 - step[g]
        if dual * growth < -0.99:
            dual = -0.99 / growth
    length = longest(step, 0.99)
    while True:
        move(summed, multipliers, step, length, trial)
        evaluate(summed, starts, members, radii, a, b, trial, by_group, by_entry)
        sweeps += 1
        turned = 0.0
        for g in range(n_groups):
            turned += (by_group[PRODUCT, g] - mu * unit[g]) / (1 + length * step[g]) * step[g]
        if turned <= 0.5 * abs(slope) + noise or length < SHORTEST:
            break
        length *= 0.5
    for g in range(n_groups):
        multipliers[g] = trial[g]
        growth = mu * unit[g] / barrier[g] - 1 - step[g]
        product = barrier[g] * (1 + dual * growth) * (1 + length * step[g])
        barrier[g] = min(max(product, mu * unit[g] / FAR), mu * unit[g] * FAR)
    return sweeps, min(length, dual)


@register_jitable
def follow(summed, starts, members, radii, sizes, a, b, mu, goal, budget, by_group, by_entry):
    """Along the central path until each group has z_g or its slack at most ``goal``, relatively. Returns (sweeps, mu).

    ``mu`` is where on the path to go on, 0 for its beginning; 0 is returned where rounding ends the progress. It is
    lowered when the steps have come near the path: tenfold, and a thousandfold at the end.
    """
    unit, barrier = by_group[UNIT], by_group[BARRIER]
    n_groups = len(radii)
    evaluate(summed, starts, members, radii, a, b, by_group[LAMBDA], by_group, by_entry)
    sweeps = 1
    if mu == 0:
        for g in range(n_groups):
            barrier[g] = by_group[PRODUCT, g]
            mu += 0.1 * barrier[g] / unit[g] / n_groups
    stalled = 0
    open_ = unsettled(summed, radii, sizes, by_group)
    while open_ > goal and sweeps < budget:
        taken, length = advance(summed, starts, members, radii, sizes, a, b, mu, by_group, by_entry)
        sweeps += taken
        open_ = unsettled(summed, radii, sizes, by_group)
        mean = 0.0
        apart = 0.0
        for g in range(n_groups):
            mean += barrier[g] / unit[g] / n_groups
            noise = 4 * ROUNDING * height_of(summed, by_group[LAMBDA, g], radii[g], sizes[g])
            apart = max(apart, abs(by_group[PRODUCT, g] - barrier[g]) / unit[g] - noise)
        stalled = stalled + 1 if length < 0.01 or mu < LEAST else 0
        if (mu < LEAST and apart <= 0.1 * mu) or (mu < ROUNDING and stalled > PATIENCE):
            return sweeps, 0.0
        if apart <= 10 * mu and mu >= LEAST:
            fraction = 0.3 if length < 0.9 else (1e-3 if open_ < 0.01 else 0.1)
            mu = min(mu, fraction * mean)
    return sweeps, mu


@register_jitable
def polish(summed, starts, members, radii, sizes, a, b, weighted, budget, by_group, by_entry):
    """Newton's method for slack 0 in all groups whose multiplier is not 0, as long as it helps. Returns the sweeps.

    What must fall is the largest |slack|; if ``weighted``, the largest of -slack and z slack, which make up the gap.
    """
    multipliers, kept = by_group[LAMBDA], by_group[KEPT]
    n_groups = len(radii)
    sweeps = 0
    before = math.inf
    while True:
        evaluate(summed, starts, members, radii, a, b, multipliers, by_group, by_entry)
        sweeps += 1
        error = 0.0
        largest = 0.0
        for g in range(n_groups):
            if multipliers[g] > 0:
                slack = slack_of(summed, multipliers[g], radii[g], by_group[SQUARE, g])
                height = min(1.0, height_of(summed, multipliers[g], radii[g], sizes[g])) if weighted else 1.0
                error = max(error, max(-slack, height * slack))
                largest = max(largest, abs(slack))
        if error > 0.5 * before or error == 0 or sweeps >= budget:
            if error > before:
                for g in range(n_groups):
                    multipliers[g] = kept[g]
                evaluate(summed, starts, members, radii, a, b, multipliers, by_group, by_entry)
            return sweeps + 1
        before = error
        for g in range(n_groups):
            kept[g] = multipliers[g]
            by_group[BARRIER, g] = 0.0 if summed else abs(by_group[PRODUCT, g])
            by_group[ALLOWED, g] = 0.0
            if kept[g] > 0:
                scale = radii[g] / kept[g] if summed else radii[g] * kept[g]
                by_group[ALLOWED, g] = 1e-4 * largest * radii[g] * scale
        sweeps += newton(summed, starts, members, 0.0, by_group, by_entry)
        move(summed, kept, by_group[STEP], longest(by_group[STEP], 0.9), multipliers)
