"""Starting compiled loops on a device: the one file that imports CuPy."""

from collections.abc import Callable
from typing import Any

from rmda_ref.backends.cuda import Loop, by_value, compile_loop, machine_code, signature_of
from rmda_ref.backends.cuda_loops import THREADS

try:
    import cupy
except ImportError as error:
    raise ImportError(
        f"CuPy cannot be imported ({error}); install the one for your driver: pip install 'rmda-ref[cupy]' for "
        "CUDA 13, 'rmda-ref[cupy-cuda12]' for CUDA 12"
    ) from error

_functions: dict[tuple[Loop, tuple[Any, ...], int], Any] = {}  # compiled and loaded, by loop, types and device


def device_name() -> str:
    """The name of the current device.

    Raises
    ------
    RuntimeError
        If there is none that this CuPy can use, saying why and what to do.
    """
    runtime = cupy.cuda.runtime
    try:
        if runtime.getDeviceCount() > 0:
            return str(runtime.getDeviceProperties(runtime.getDevice())["name"].decode())
        reason = "none is to be seen (CUDA_VISIBLE_DEVICES)"
    except runtime.CUDARuntimeError as error:
        reason = str(error)
    driver, built_for = runtime.driverGetVersion() // 1000, runtime.runtimeGetVersion() // 1000
    if driver == 0:
        reason = "no NVIDIA driver is installed"
    elif driver < built_for:
        reason = (
            f"CuPy {cupy.__version__} is for CUDA {built_for}, the driver for CUDA {driver}; install "
            f"cupy-cuda{driver}x in its place, or a newer driver"
        )
    raise RuntimeError(f"there is no device for CuPy: {reason}; NumPy arrays need none")


def prepare(loop: Loop, blocks: int, *arguments: Any, threads: int = THREADS) -> Callable[..., None]:
    """What starts ``loop`` on arguments of the types of these, on the current device and stream, and does not wait.

    Arguments are contiguous arrays of that device, numbers, and tuples of these.
    """
    device = cupy.cuda.runtime.getDevice()
    key = (loop, signature_of(arguments), device)
    if key not in _functions:
        digits = cupy.cuda.Device(device).compute_capability  # "90"
        capability = (int(digits[:-1]), int(digits[-1]))
        program = compile_loop(loop, key[1], capability)
        module = cupy.cuda.function.Module()
        module.load(machine_code(program, capability))
        _functions[key] = module.get_function(program.entry)
    function = _functions[key]

    def start(*arguments: Any) -> None:
        if blocks > 0:
            function((blocks,), (threads,), tuple(by_value(arguments)))

    return start
