"""Denormal numbers taken for zero in training.

What belongs to a zero group or a dead neuron has no weight or no gradient, and its average, (1 - c)^k times something,
stalls at a denormal number and stays there (claim N3): correct, and five times slower on x86, where such numbers are
left to microcode. Frameworks flush them (`torch.set_flush_denormal`; GPUs in their fast modes), and so do the training
runs here. It shifts no number by more than 1.2e-38 a rounding, but W becomes exactly zero where it would have stalled.
"""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

__all__ = ["flushed"]

FLUSH = 0x8040  # of MXCSR: results (FTZ, bit 15) and operands (DAZ, bit 6)


def _register_access(name: str, loads: bool) -> Any:
    """An intrinsic of LLVM that reads or writes the control register of the SSE unit, through memory."""

    def access(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.alloca(ir.IntType(32))
        if loads:
            builder.store(arguments[0], word)
        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        builder.call(function, [builder.bitcast(word, ir.IntType(8).as_pointer())])
        return builder.load(word)

    return access


def _loading(typing_context: Any, value: Any) -> Any:
    return types.uint32(types.uint32), _register_access("llvm.x86.sse.ldmxcsr", loads=True)


def _storing(typing_context: Any) -> Any:
    return types.uint32(), _register_access("llvm.x86.sse.stmxcsr", loads=False)


_load: Any = intrinsic(_loading)
_store: Any = intrinsic(_storing)


def _swap(bits: Any) -> Any:
    """Set the two bits, and return the register as it was."""
    before = _store()
    _load(types.uint32((before & ~FLUSH) | bits))
    return before


_exchange: Any = njit(_swap)


@contextmanager
def flushed() -> Iterator[None]:
    """Within, this thread takes denormal numbers for zero: on x86, by compiled code; elsewhere nothing changes."""
    compiles = not config.DISABLE_JIT  # type: ignore[attr-defined]
    if not compiles or platform.machine().lower() not in ("x86_64", "amd64"):
        yield
        return
    before = _exchange(FLUSH)
    try:
        yield
    finally:
        _exchange(before & FLUSH)
