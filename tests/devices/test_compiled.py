"""Every loop that a device would run compiles to its machine code, and takes what it is given."""

import numpy as np
import pytest
from cuda import pathfinder
from laws import SUPPORTED, example
from simulated import HOPPER, on_device

from rmda_ref import RMDA, GroupLasso
from rmda_ref.backends import cuda, cuda_loops, drivers
from rmda_ref.backends.panel import Strips, cut
from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.regularizers import REGISTRY, Blocks

WIDE = ["l1", "mcp, lists", "log sum", "group lasso, columns", "sparse group lasso, rows", "total variation"]


# An example of each class on each layout.
KINDS = {
    (type(psi), "blocks" if isinstance(psi, Blocks) else type(psi.layout)): name
    for name, (psi, _) in REGISTRY.items()
    if name in SUPPORTED
}


@pytest.mark.parametrize("name", KINDS.values())
def test_every_step_compiles(compiled, name):
    algorithm, w0, grads = example(name, np.float32)
    algorithm.stepper(on_device(w0)).step(on_device(grads[0]))


@pytest.mark.parametrize("name", WIDE)
def test_every_step_compiles_in_float64(compiled, name):
    algorithm, w0, _ = example(name, np.float64)
    algorithm.stepper(on_device(w0))


@pytest.mark.parametrize("shape", [(4096, 4096), (512, 64, 3, 3)])
def test_long_groups_compile(compiled, shape):
    psi = GroupLasso(lam=0.1, axis=0 if len(shape) == 2 else (0, 2, 3))
    big = np.broadcast_to(np.float32(0), shape)
    assert isinstance(cut(psi.layout, shape), Strips)
    RMDA(psi, step_size=0.1).stepper(on_device(big))


def arguments(stored):
    f, n = np.float32, np.ones(5, np.float32)
    w = np.ones(5, stored)
    return (w, w, n, w, f(1), f(1), f(1), 1.0, f(1), f(1), 0.5, (), np.zeros(1, np.int64))


LOOP = cuda.Loop(cuda_loops.step_entrywise, (soft_threshold, drivers.from_anchor))


def test_half_precision_compiles_to_conversions(compiled):
    program = cuda.compile_loop(LOOP, cuda.signature_of(arguments(np.float16)), HOPPER)
    assert program.ptx.count("cvt.f32.f16") == 3 and program.ptx.count("cvt.rn.f16.f32") == 1
    assert cuda.machine_code(program, HOPPER)[1:4] == b"ELF"


def test_an_entry_is_read_and_written_once(compiled):
    """W, W^0, V and g are read, W and V written: 24 bytes an entry of float32, and no local memory."""
    program = cuda.compile_loop(LOOP, cuda.signature_of(arguments(np.float32)), HOPPER)
    body = program.ptx.partition(".visible .entry")[2].partition("{")[2]
    assert body.count("ld.global.f32") == 4 and body.count("st.global.f32") == 2
    assert ".local" not in body and "call" not in body


def test_a_missing_compiler_names_the_extra(monkeypatch):
    def fails(name):
        raise pathfinder.DynamicLibNotFoundError(name)

    cuda._libraries.cache_clear()
    monkeypatch.setattr(pathfinder, "load_nvidia_dynamic_lib", fails)
    with pytest.raises(RuntimeError, match=r"compiler library nvvm is not installed; pip install 'rmda-ref\[cupy\]'"):
        cuda.compile_loop(LOOP, cuda.signature_of(arguments(np.float32)), (8, 0))


def test_the_wrong_arguments_are_noticed(compiled):
    """What `compiled` checks of each loop rejects one number too few."""
    from simulated import _check_arguments

    program = cuda.compile_loop(LOOP, cuda.signature_of(arguments(np.float32)), HOPPER)
    given = tuple(on_device(a) if isinstance(a, np.ndarray) else a for a in arguments(np.float32))
    _check_arguments(program, given)
    for wrong in (given[:-1], (*given[:4], 1.0, *given[5:])):
        with pytest.raises(AssertionError):
            _check_arguments(program, wrong)
