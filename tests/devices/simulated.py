"""A device without a device: arrays of array-api-strict for CuPy's, and loops run by numba's simulator, or compiled.

Arrays of array-api-strict do nothing but the standard, and the host cannot read them unnoticed: `reads` counts how
often it asks for a number, which on a device would be to wait for it.
"""

from contextlib import contextmanager

import array_api_strict as strict
import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="not run: numba-cuda is not installed (it is for Linux)")

from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray
from numba.cuda.simulator.kernel import FakeCUDAKernel

from rmda_ref.backends import cuda, cuda_loops

HOPPER = (9, 0)


def on_device(x):
    return strict.asarray(np.array(x))


def _within(argument):
    """The array within, of which the simulator's threads change the entries; shared, where two arguments are one."""
    if isinstance(argument, tuple):
        return tuple(map(_within, argument))
    if type(argument).__module__ == "torch":
        return FakeCUDAArray(argument.numpy())
    return FakeCUDAArray(argument._array) if hasattr(argument, "_array") else argument


def run_by_threads(loop, blocks, *example, threads=None):
    """In the place of `rmda_ref.backends.launch.prepare`."""
    built = loop.built()

    def start(*arguments):
        assert cuda.signature_of(arguments) == cuda.signature_of(example)  # it is compiled for these
        if blocks:
            kernel = FakeCUDAKernel(built, device=False)[blocks, threads or cuda_loops.THREADS]
            kernel(*map(_within, arguments))

    return start


def compile_only(loop, blocks, *example, threads=None):
    """The same; the loop is compiled to machine code, and not run: what it would write for others is 1/2."""
    program = cuda.compile_loop(loop, cuda.signature_of(example), HOPPER)
    assert cuda.machine_code(program, HOPPER)[1:4] == b"ELF"
    _check_arguments(program, example)

    def start(*arguments):
        if loop.factory in (cuda_loops.prox_rows, cuda_loops.centre_pass):
            arguments[-1]._array[...] = 0.5

    return start


def _check_arguments(program, example):
    """That the entry takes what is given: the sizes in the PTX, one by one."""
    header = program.ptx.partition(".visible .entry")[2].partition("{")[0]
    declared = [line.split()[1] for line in header.splitlines() if line.lstrip().startswith(".param")]
    given = [
        ".u64" if hasattr(argument, "_array") else {"f": ".f", "i": ".u"}[argument.dtype.kind]
        + str(8 * argument.dtype.itemsize)
        for argument in cuda.by_value(example)
    ]  # fmt: skip
    assert declared == given


@contextmanager
def reads():
    """A list that grows by one whenever the host reads a number of a device array."""
    seen = []
    array = type(strict.zeros(1))
    names = ("__bool__", "__float__", "__int__", "__index__", "__array__", "__buffer__")
    kept = {name: getattr(array, name) for name in names if hasattr(array, name)}

    def noting(name):
        def read(this, *arguments, **options):
            seen.append(name)
            return kept[name](this, *arguments, **options)

        return read

    for name in kept:
        setattr(array, name, noting(name))
    try:
        yield seen
    finally:
        for name, method in kept.items():
            setattr(array, name, method)
