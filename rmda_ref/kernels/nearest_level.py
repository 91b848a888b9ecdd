"""The projection onto finitely many levels."""

from numba.extending import register_jitable

from rmda_ref.kernels.select import select


@register_jitable
def nearest_level(x, strength, metric, levels, middles):
    """argmin over the given levels of (y - x)^2.

    A tie goes to the smaller magnitude, between opposites to the positive. The levels increase, and middles[k] lies
    halfway between levels[k] and levels[k + 1]. Entries are compared with the middles: the distances of a large entry
    to all levels would round to the same number.
    """
    nearest = float(levels[0]) + 0 * x
    for k in range(len(middles)):
        middle = float(middles[k])
        beyond = (x > middle) | ((x == middle) & (middle <= 0))
        nearest = select(beyond, float(levels[k + 1]), nearest)
    return nearest
