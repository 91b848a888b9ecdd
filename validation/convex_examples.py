"""The convex regularizers of the library, in every layout, or one of each class."""

from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.regularizers import REGISTRY
from validation.claim import Setting
from validation.on_arrays import evaluated

__all__ = ["CONVEX", "convex_examples"]

CONVEX = {name: example for name, example in REGISTRY.items() if example[0].convex}
_FIRST = {type(example[0]): name for name, example in reversed(CONVEX.items())}.values()  # of its class


def convex_examples(implementation: Implementation, setting: Setting) -> list[str]:
    """Names in ``CONVEX``: one a class in the quick profile, which has no time to compile them all; else every one.

    Of those that the implementation can evaluate.
    """
    names = setting.size([name for name in CONVEX if name in set(_FIRST)], list(CONVEX))
    return evaluated(implementation, {name: CONVEX[name] for name in names})
