"""A choice without a branch, so that a kernel also runs on whole arrays."""

from numba.extending import register_jitable


@register_jitable
def select(condition, yes, no):
    """``yes`` where the condition holds, else ``no``; both are computed."""
    return yes if condition else no
