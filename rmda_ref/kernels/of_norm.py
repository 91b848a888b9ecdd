"""From a penalty of a number to the same penalty of a row's Euclidean norm."""

from functools import cache

from numba.extending import register_jitable


@cache
def of_norm(kernel):
    """The radial kernel of the penalty whose entrywise kernel is given: the prox keeps a row's direction.

    Drivers never ask for the factor of a zero row.
    """

    @register_jitable
    def factor(norm, strength, *parameters):
        return kernel(norm, strength, 1.0, *parameters) / norm

    return factor


@register_jitable
def keep(x, strength, metric):
    """The prox of 0: what is done to entries before the norm of their row is taken, where nothing is."""
    return x
