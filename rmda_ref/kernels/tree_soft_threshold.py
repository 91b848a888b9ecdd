"""The prox of a sum of norms of nested or disjoint groups."""

from numba.extending import register_jitable

from rmda_ref.kernels.incidence import norm_of


@register_jitable
def tree_soft_threshold(x, starts, members, radii):
    """In place: argmin_y  sum_g radius_g ||y_g|| + 1/2 ||y - x||^2, groups nested or disjoint   [Jenatton et al. 2011].

    The composition of the group soft thresholds, small groups first: a group must come after the groups inside it. One
    pass, O(sum of the group sizes) = O(n depth). The tie ||x_g|| = radius_g goes to 0.
    """
    for g in range(len(radii)):
        norm = norm_of(starts, members, x, g)
        if norm <= radii[g]:
            for k in range(starts[g], starts[g + 1]):
                x[members[k]] = 0.0
        elif radii[g] > 0:
            factor = (norm - radii[g]) / norm
            for k in range(starts[g], starts[g + 1]):
                x[members[k]] *= factor
