"""The controls are plain modules beside the tests; what a missing framework leaves out is said by name."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "controls"))

collect_ignore = ["controls", "confusion.py"]  # no doctests there

MISSING = [name for name in ("torch", "optax") if importlib.util.find_spec(name) is None]
MISSING += [name for name in ("node",) if shutil.which(name) is None]


def pytest_collection_modifyitems(items):
    for item in items:
        for name in item.iter_markers("needs"):
            if name.args[0] in MISSING:
                how = "make frameworks" if name.args[0] != "node" else "install Node.js"
                item.add_marker(pytest.mark.skip(reason=f"not run: {name.args[0]} is not installed ({how})"))
