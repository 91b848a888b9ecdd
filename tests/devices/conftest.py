"""Tests on a device: simulated ones run everywhere, real ones are listed as not run where there is no device."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def no_device():
    """Why there is no device to test with; empty where there is one."""
    try:
        import_module("rmda_ref.backends.cupy").device_name()
    except (ImportError, RuntimeError) as error:
        return str(error).split(";")[0]
    return ""


def pytest_collection_modifyitems(items):
    real = [item for item in items if item.get_closest_marker("gpu")]
    reason = no_device() if real else ""
    for item in real:
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not run: {reason} (make test-gpu)"))


@pytest.fixture
def simulated(monkeypatch):
    """array-api-strict in the place of CuPy; blocks of few threads, since the simulator starts one for each."""
    from simulated import run_by_threads

    from rmda_ref.algorithms import device_step
    from rmda_ref.backends import cuda_groups, cuda_loops, panel

    monkeypatch.setattr(panel, "MOST_GROUPS", 8)
    for module in (cuda_loops, cuda_groups, device_step):
        monkeypatch.setattr(module, "THREADS", 8)
    return as_launched(monkeypatch, run_by_threads)


@pytest.fixture
def compiled(monkeypatch):
    """The same; loops are compiled for a device and not run."""
    from numba.cuda.cudadrv.nvvm import NVVM
    from simulated import compile_only

    NVVM()  # an error here says that the compiler library is not installed
    return as_launched(monkeypatch, compile_only)


def as_launched(monkeypatch, prepare):
    from rmda_ref import namespace

    launch = ModuleType("rmda_ref.backends.launch")
    launch.prepare = prepare
    monkeypatch.setitem(sys.modules, "rmda_ref.backends.launch", launch)
    monkeypatch.setattr(namespace, "CUPY", "array_api_strict")
    return launch
