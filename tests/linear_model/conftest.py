"""The helpers are plain modules beside the tests; what a missing package leaves out is said by name."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

MISSING = [name for name in ("skglm", "celer", "pandas") if importlib.util.find_spec(name) is None]


def pytest_collection_modifyitems(items):
    for item in items:
        for name in item.iter_markers("needs"):
            if name.args[0] in MISSING:
                how = "pip install 'rmda-ref[benchmark]'" if name.args[0] != "pandas" else "pip install pandas"
                item.add_marker(pytest.mark.skip(reason=f"not run: {name.args[0]} is not installed ({how})"))
