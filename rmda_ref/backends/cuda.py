"""The loops of `rmda_ref.backends.cuda_loops` compiled for a device, which need not be there.

A kernel is registered with numba's CUDA target as the object that it is, and so are the functions that it calls: the
compiler inlines the same Python code that runs on the CPU. The result is machine code for one kind of device, made by
NVIDIA's libraries (libNVVM and nvJitLink) without a driver, so that it can be made, and read, anywhere.
"""

from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from math import prod
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba import cuda, types
from numba.cuda import dispatcher as numba_dispatcher
from numba.cuda import extending

from rmda_ref.backends import drivers
from rmda_ref.kernels import descending

if find_spec("numba_cuda") is None:  # what numba itself still ships is older
    raise ImportError("numba's CUDA compiler is not installed; pip install 'rmda-ref[cupy]'")

Function = Callable[..., Any]
Capability = tuple[int, int]  # of a device: (9, 0) is an H100


class Loop(NamedTuple):
    """A loop closed over kernels and shapes; hashable, so that it is compiled once."""

    factory: Function
    parts: tuple[Any, ...]

    def built(self) -> Function:
        built: Function = self.factory(*self.parts)
        return built


class Program(NamedTuple):
    """A compiled loop: its PTX, that of what it is linked with, and the name of its entry."""

    ptx: str
    linked: tuple[str, ...]  # conversions of bfloat16
    entry: str


@cache
def compile_loop(loop: Loop, signature: tuple[Any, ...], capability: Capability) -> Program:
    """``loop`` for arguments of these numba types, on devices of this capability or later of its generation.

    Raises
    ------
    RuntimeError
        If NVIDIA's compiler libraries are not installed, naming the extra that brings them.
    """
    _libraries()
    built = loop.built()
    _overloads()
    _register(built)
    asked = numba_dispatcher.get_current_device
    # Functions called from a loop are compiled for "the current device", which need not be there, or be this one.
    numba_dispatcher.get_current_device = lambda: _Kind(capability)
    try:
        (ptx, *linked), _ = cuda.compile_all(built, signature, device=False, abi="numba", output="ptx", cc=capability)
    finally:
        numba_dispatcher.get_current_device = asked
    entry = next(line.split()[2].rstrip("(") for line in ptx.splitlines() if line.startswith(".visible .entry"))
    return Program(ptx, tuple(linked), entry)


@cache
def _libraries() -> None:
    """Raise RuntimeError if one of the compiler's libraries is not there; else numba would, at length."""
    from cuda import pathfinder  # a part of the compiler

    for name in ("nvvm", "nvrtc"):
        try:
            pathfinder.load_nvidia_dynamic_lib(name)
        except pathfinder.DynamicLibNotFoundError as error:
            raise RuntimeError(
                f"NVIDIA's compiler library {name} is not installed; pip install 'rmda-ref[cupy]'"
            ) from error


@cache
def machine_code(program: Program, capability: Capability) -> bytes:
    """What a device runs, by nvJitLink: no driver has to know this version of PTX."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    major, minor = capability
    options = LinkerOptions(arch=f"sm_{major}{minor}")
    parts = [
        ObjectCode.from_ptx(ptx if isinstance(ptx, bytes) else ptx.encode()) for ptx in (program.ptx, *program.linked)
    ]
    code: bytes = Linker(*parts, options=options).link("cubin").code
    return code


def signature_of(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The numba types of arrays (of any namespace, flat or contiguous), numbers, and tuples of these."""
    return tuple(_type_of(argument) for argument in arguments)


def by_value(arguments: tuple[Any, ...]) -> Iterator[Any]:
    """The arguments as a compiled loop takes them: an array of one axis is seven, each further axis is two more.

    These are owner and parent (none), entries, bytes of one, the array (CuPy passes its address), shape, strides.
    """
    for argument in arguments:
        if isinstance(argument, tuple):
            yield from by_value(argument)
        elif _is_array(argument):
            shape, width = argument.shape, _width(argument.dtype)
            strides = [width * prod(shape[axis + 1 :]) for axis in range(len(shape))]
            yield from (np.int64(0), np.int64(0), np.int64(prod(shape)), np.int64(width), argument)
            yield from map(np.int64, (*shape, *strides))
        else:
            yield argument if isinstance(argument, np.generic) else np.array(argument)[()]


@cache
def _width(dtype: Any) -> int:
    """Bytes of an entry."""
    name = str(dtype).rpartition(".")[2]
    return 2 if name == "bfloat16" else np.dtype(name).itemsize


def _is_array(argument: Any) -> bool:
    return hasattr(argument, "shape") and not isinstance(argument, np.generic)


def _type_of(argument: Any) -> Any:
    if isinstance(argument, tuple):
        return types.Tuple(signature_of(argument))
    if _is_array(argument):
        return types.Array(element(argument), len(argument.shape), "C")
    if isinstance(argument, np.generic):
        return getattr(types, argument.dtype.name)
    return types.int64 if isinstance(argument, int) else types.float64


def element(array: Any) -> Any:
    """The numba type of the entries of an array."""
    return getattr(cuda.types, str(array.dtype).rpartition(".")[2])


def scalar_type(array: Any) -> Any:
    """NumPy's type of the entries of an array of float32 or float64."""
    return np.dtype(str(element(array))).type


class _Kind(NamedTuple):
    """All that numba asks of a device when it compiles for one."""

    compute_capability: Capability


@cache
def _overloads() -> None:
    """What the drivers and kernels compile in two ways, said to the CUDA target too."""
    for function, implementation in (
        (drivers.at, drivers._at),
        (drivers.may_overflow, drivers._may_overflow),
        (descending.bits_of, descending._bits_of),
        (descending.halves_of, descending._halves_of),
    ):
        extending.overload(function)(implementation)


_OVERLOADED = {drivers.at, drivers.may_overflow, descending.bits_of, descending.halves_of}
_registered: set[Function] = set()


def _register(loop: Function) -> None:
    """Make known what a loop calls: kernels that it closes over, functions of its module, and what these call."""
    called = [loop.__globals__.get(name) for name in loop.__code__.co_names]
    called += [cell.cell_contents for cell in loop.__closure__ or ()]
    for function in called:
        if isinstance(function, FunctionType) and function not in _registered | _OVERLOADED:
            _registered.add(function)
            extending.register_jitable(function)
            _register(function)
