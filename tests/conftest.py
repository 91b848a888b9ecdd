"""Under NUMBA_DISABLE_JIT=1 the kernels run interpreted: the two claims with the most replicates are left out.

What a missing framework leaves out is said by name: a test that is marked ``needs("torch")``, say.
"""

import importlib.util
import os
import shutil
from contextlib import nullcontext
from importlib import import_module

import pytest
from hypothesis import settings

settings.register_profile("house", max_examples=8, deadline=None, derandomize=True)
settings.register_profile("full", parent=settings.get_profile("house"), max_examples=1000)
settings.load_profile("house")

LONG = ("B1", "C4") if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" else ()
MISSING = [name for name in ("torch", "jax", "optax", "cupy") if importlib.util.find_spec(name) is None]
MISSING += [name for name in ("node",) if shutil.which(name) is None]


def pytest_report_header():
    return f"numba: interpreted, without the tests of the claims {', '.join(LONG)}" if LONG else "numba: compiled"


def pytest_collection_modifyitems(config, items):
    """Deselected, so that pytest counts them in its last line."""
    long = [item for item in items if any(f"[{claim}" in item.name for claim in LONG)]
    items[:] = [item for item in items if item not in long]
    config.hook.pytest_deselected(items=long)
    for item in items:
        for needed in item.iter_markers("needs"):
            if needed.args[0] in MISSING:
                how = "make frameworks" if needed.args[0] != "node" else "install Node.js"
                item.add_marker(pytest.mark.skip(reason=f"not run: {needed.args[0]} is not installed ({how})"))


@pytest.fixture(
    params=[
        "array_api_strict",
        pytest.param("array_api_compat.torch", marks=pytest.mark.needs("torch")),
        pytest.param("jax.numpy", marks=pytest.mark.needs("jax")),
    ]
)
def xp(request):
    """Each namespace other than NumPy's; within the test JAX has float64."""
    with import_module("jax").enable_x64(True) if request.param == "jax.numpy" else nullcontext():
        yield import_module(request.param)
