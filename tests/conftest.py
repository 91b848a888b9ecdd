"""Under NUMBA_DISABLE_JIT=1 the kernels run interpreted: the two claims with the most replicates are left out."""

import os

from hypothesis import settings

settings.register_profile("house", max_examples=8, deadline=None, derandomize=True)
settings.register_profile("full", parent=settings.get_profile("house"), max_examples=1000)
settings.load_profile("house")

LONG = ("B1", "C4") if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else ()


def pytest_report_header():
    return f"numba: interpreted, without the tests of the claims {', '.join(LONG)}" if LONG else "numba: compiled"


def pytest_collection_modifyitems(config, items):
    """Deselected, so that pytest counts them in its last line."""
    long = [item for item in items if any(f"[{claim}" in item.name for claim in LONG)]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)
