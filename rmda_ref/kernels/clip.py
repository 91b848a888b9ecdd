"""The projection onto an interval."""

from numba.extending import register_jitable


@register_jitable
def clip(x, strength, metric, lower, upper):
    """argmin_{lower <= y <= upper}  metric/2 (y - x)^2."""
    return min(max(x, lower), upper) + 0  # + 0: no negative zeros
