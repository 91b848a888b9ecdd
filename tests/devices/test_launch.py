"""What is said to CuPy, of which a double stands in; and what is said where there is none, or no device for it."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from simulated import on_device

from rmda_ref.backends import cuda, cuda_loops, cupy, drivers
from rmda_ref.kernels.soft_threshold import soft_threshold

LOOP = cuda.Loop(cuda_loops.step_entrywise, (soft_threshold, drivers.from_anchor))


class CUDARuntimeError(RuntimeError):
    pass


def double(*, devices=1, driver=13000, runtime=13000):
    """As much of CuPy as `rmda_ref.backends.launch` asks for."""

    def count():
        if devices is None:
            raise CUDARuntimeError("cudaErrorInsufficientDriver")
        return devices

    calls = []

    class Module:
        def load(self, code):
            calls.append(("load", code[1:4]))

        def get_function(self, name):
            return lambda grid, block, arguments: calls.append((grid, block, arguments))

    return SimpleNamespace(
        __version__="14.2.0",
        calls=calls,
        cuda=SimpleNamespace(
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=count,
                getDevice=lambda: 0,
                getDeviceProperties=lambda device: {"name": b"NVIDIA H100"},
                driverGetVersion=lambda: driver,
                runtimeGetVersion=lambda: runtime,
            ),
            Device=lambda device: SimpleNamespace(compute_capability="90"),
            function=SimpleNamespace(Module=Module),
        ),
    )


@pytest.fixture
def launch_with(monkeypatch):
    def load(module):
        monkeypatch.setitem(sys.modules, "cupy", module)
        monkeypatch.delitem(sys.modules, "rmda_ref.backends.launch", raising=False)
        return importlib.import_module("rmda_ref.backends.launch")

    yield load
    sys.modules.pop("rmda_ref.backends.launch", None)


def test_a_loop_is_compiled_once_and_given_plain_numbers(launch_with):
    cupy_double = double()
    launch = launch_with(cupy_double)
    w, v, f = on_device(np.ones(5, np.float32)), on_device(np.zeros(1, np.int64)), np.float32
    arguments = (w, w, w, w, f(1), f(2), f(3), 4.0, f(5), f(6), 0.7, (), v)
    for _ in range(2):
        launch.prepare(LOOP, 2, *arguments)(*arguments)
    load, first, second = cupy_double.calls
    assert load == ("load", b"ELF") and first[:2] == second[:2] == ((2,), (256,))
    array = [0, 0, 5, 4, w, 5, 4]  # nobody owns it; entries, bytes of one, where, shape, strides
    given = list(first[2])
    assert all(a is b or a == b for a, b in zip(given[:7], array, strict=True))
    assert given[28:35] == [1, 2, 3, 4, 5, 6, 0.7] and given[35:39] == [0, 0, 1, 8]
    assert all(argument is w or argument is v or isinstance(argument, np.generic) for argument in given)
    assert [type(number) for number in given[28:32]] == [np.float32, np.float32, np.float32, np.float64]


def test_nothing_is_launched_for_no_entries(launch_with):
    cupy_double = double()
    launch = launch_with(cupy_double)
    w, f = on_device(np.ones(0, np.float32)), np.float32
    arguments = (w, w, w, w, f(1), f(2), f(3), 4.0, f(5), f(6), 0.7, (), on_device(np.zeros(1, np.int64)))
    launch.prepare(LOOP, 0, *arguments)(*arguments)
    assert [call[0] for call in cupy_double.calls] == ["load"]


def test_the_device_has_a_name(launch_with):
    assert launch_with(double()).device_name() == "NVIDIA H100"


@pytest.mark.parametrize(
    ("cupy_double", "message"),
    [
        (double(devices=None, driver=0), r"no NVIDIA driver is installed; NumPy arrays need none"),
        (double(devices=None, driver=12040), r"for CUDA 13, the driver for CUDA 12; install cupy-cuda12x in its place"),
        (double(devices=0), r"none is to be seen \(CUDA_VISIBLE_DEVICES\)"),
        (double(devices=None), r"no device for CuPy: cudaErrorInsufficientDriver"),
    ],
)
def test_no_device(launch_with, cupy_double, message):
    with pytest.raises(RuntimeError, match=message):
        launch_with(cupy_double).device_name()


def test_no_cupy(launch_with):
    launch_with(double())  # so that what is loaded is put back
    with pytest.raises(ImportError, match=r"CuPy cannot be imported .* pip install 'rmda-ref\[cupy\]' for CUDA 13"):
        launch_with(None)
    with pytest.raises(ImportError, match="pip install"):
        cupy.device_name()


@pytest.mark.needs("cupy")
def test_cupy_itself_without_a_device():
    """Where there is one this says its name."""
    code = "from rmda_ref.backends import cupy; print(cupy.device_name())"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() or "there is no device for CuPy: " in ran.stderr


def test_nobody_who_asks_for_no_device_loads_one():
    code = """
import sys
import numpy as np
import rmda_ref
rmda_ref.RMDA(rmda_ref.L1(lam=1.0), step_size=0.1).stepper(np.zeros(3)).step(np.ones(3))
loaded = [name for name in ("cupy", "numba_cuda", "numba.cuda.dispatcher", "array_api_compat") if name in sys.modules]
print(loaded)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
