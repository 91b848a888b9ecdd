"""What a fused step costs on a device: ``python -m validation.benchmarks.device_step``  (CuPy and a CUDA device).

The yardstick is the device's own copy: bytes read and written a second. A step of float32 parameters reads W, W^0, V
and g and writes V and W, 24 bytes an entry; its fraction of the copy's rate counts these, whatever it moves. Groups too
long for the chip are read again, 32 bytes; the check for gradients that are not finite reads g once more. The same step
as an array expression, in CuPy and (with the extra ``torch``) in PyTorch, is timed beside it.

Small parameters stay in the device's cache, so that fractions above 1 are no mistake there.
"""

import statistics
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from math import isqrt, sqrt
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from rmda_ref import L1, MCP, RMDA, GroupLasso
from rmda_ref.regularizers import Regularizer

SIZES = (10**6, 10**7, 10**8)
BYTES = 24  # an entry of a step
ROUNDS = 20
STEPS = 5  # of a round
ETA, LAM, C = 0.01, 0.1, 0.5

Shape = tuple[int, ...]
Clock = Callable[[Callable[[], object]], float]  # the seconds that the device takes for what a function starts
Prox = Callable[[Any, Any, float], Any]  # of a namespace, an array and a threshold


class Case(NamedTuple):
    """A regularizer, the shape of about n parameters, its prox as one would write it, and its bar."""

    name: str
    regularizer: Regularizer
    shape: Callable[[int], Shape]
    prox: Prox
    bar: str = ""


class Line(NamedTuple):
    """Of one case and size: fractions of the copy's rate, and how often as long others take as the checked step."""

    name: str
    shape: Shape
    step: float
    checked: float
    expression: float
    torch: float | None
    bar: str


def soft(xp: Any, x: Any, t: float) -> Any:
    return xp.sign(x) * xp.maximum(xp.abs(x) - t, xp.zeros_like(x))


def firm(xp: Any, x: Any, t: float) -> Any:
    """MCP with gamma 3: t is step lam, and the step is far below gamma."""
    return xp.where(xp.abs(x) <= 3 * LAM, soft(xp, x, t) / (1 - t / (3 * LAM)), x)


def of_groups(*axes: int) -> Prox:
    def prox(xp: Any, x: Any, t: float) -> Any:
        size = int(np.prod([x.shape[axis] for axis in axes]))
        norms = xp.sqrt(xp.sum(x * x, axis=axes, keepdims=True))
        return x * xp.maximum(1 - t * sqrt(size) / xp.maximum(norms, xp.full_like(norms, 1e-30)), xp.zeros_like(norms))

    return prox


CASES = (
    Case("l1", L1(lam=LAM), lambda n: (n,), soft, ">= 0.85"),
    Case("MCP", MCP(lam=LAM, gamma=3.0), lambda n: (n,), firm),
    Case("group lasso, rows of 10", GroupLasso(lam=LAM, axis=1), lambda n: (n // 10, 10), of_groups(1), ">= 0.70"),
    Case("group lasso, columns", GroupLasso(lam=LAM, axis=0), lambda n: (isqrt(n), isqrt(n)), of_groups(0), ">= 0.70"),
    Case(
        "group lasso, conv channels",
        GroupLasso(lam=LAM, axis=(0, 2, 3)),
        lambda n: (isqrt(n // 9), isqrt(n // 9), 3, 3),
        of_groups(0, 2, 3),
        ">= 0.70",
    ),
)
LAYER = Case("group lasso, columns", GroupLasso(lam=LAM, axis=0), lambda n: (4096, 4096), of_groups(0))


def expression(xp: Any, prox: Prox, w: Any, w0: Any, v: Any, g: Any, t: int, alpha: float) -> tuple[Any, Any]:
    """The five lines of Algorithm 1 as one would write them on arrays."""
    beta = sqrt(t)
    s = ETA * beta
    v = v + s * g
    y = prox(xp, w0 - v / beta, LAM * (alpha + s) / beta)
    return (1 - C) * w + C * y, v


def measured(case: Case, n: int, rate: float, device: Any, clock: Clock, torch: Any, torch_clock: Clock) -> Line:
    """One line of the table; ``device`` is the namespace of the arrays, ``rate`` the copy's bytes a second."""
    stepper_on = import_module("rmda_ref.algorithms.device_stepper").DeviceStepper
    shape = case.shape(n)
    rng = np.random.default_rng(0)
    start, gradient = (rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    w0, g = device.asarray(start), device.asarray(gradient)
    algorithm = RMDA(case.regularizer, step_size=ETA, momentum=C)
    state = algorithm.init(w0)
    plain = stepper_on(algorithm, state, checked=False)
    alone = median(clock, partial(plain.step, g))
    del plain  # its room is needed
    guarded = stepper_on(algorithm, state)
    checked = median(clock, partial(guarded.step, g))
    guarded.synchronize()
    del guarded, state
    v = device.zeros_like(w0)
    written = median(clock, lambda: expression(device, case.prox, w0, w0, v, g, 5, 1.0))
    by_torch = None
    if torch is not None:
        tw, tg = (torch.asarray(array, device="cuda") for array in (start, gradient))
        tv = torch.zeros_like(tw)
        by_torch = median(torch_clock, lambda: expression(torch, case.prox, tw, tw, tv, tg, 5, 1.0)) / checked
    fastest = BYTES * start.size / rate
    return Line(case.name, shape, fastest / alone, fastest / checked, written / checked, by_torch, case.bar)


def median(clock: Clock, step: Callable[[], object]) -> float:
    """Seconds of one step, the median over rounds of a few steps; compiled and warm before."""

    def steps() -> None:
        for _ in range(STEPS):
            step()

    clock(steps)
    return statistics.median(clock(steps) for _ in range(ROUNDS)) / STEPS


def by_events(library: Any) -> Clock:
    """The device's clock by events of its stream, in ``cupy.cuda`` or ``torch.cuda``."""

    def seconds(run: Callable[[], object]) -> float:
        timed = {"enable_timing": True} if library.__name__.startswith("torch") else {}
        begin, end = library.Event(**timed), library.Event(**timed)
        begin.record()
        run()
        end.record()
        end.synchronize()
        between = begin.elapsed_time(end) if timed else library.get_elapsed_time(begin, end)
        return float(between) / 1e3

    return seconds


def copy_rate(device: Any, clock: Clock, n: int) -> float:
    """Bytes read and written a second by the device's copy of n float32 numbers."""
    source, target = device.ones(n, dtype=device.float32), device.zeros(n, dtype=device.float32)

    def copy() -> None:
        target[...] = source

    return 8 * n / median(clock, copy)


def table(name: str, rate: float, lines: list[Line]) -> Table:
    shown = Table(title=f"Fused steps of float32 on {name}; its copy moves {rate / 1e9:.0f} GB/s, read and written")
    for heading in ("regularizer", "shape", "step / copy", "bar at 1e8", "with check", "expression", "PyTorch"):
        shown.add_column(heading, justify="left" if heading == "regularizer" else "right")
    for line in lines:
        large = int(np.prod(line.shape)) > 5e7
        by_torch = "not installed" if line.torch is None else f"{line.torch:.1f}x"
        numbers = (
            f"{line.step:.2f}",
            line.bar if large else "",
            f"{line.checked:.2f}",
            f"{line.expression:.1f}x",
            by_torch,
        )
        shown.add_row(line.name, " x ".join(map(str, line.shape)), *numbers)
    return shown


def show(console: Console) -> None:
    """Measure on the current device, and print the table; ImportError or RuntimeError where there is no device."""
    name = import_module("rmda_ref.backends.cupy").device_name()
    cupy = import_module("cupy")
    torch = import_module("torch") if find_spec("torch") else None
    if torch is not None and not torch.cuda.is_available():
        torch = None
    clock = by_events(cupy.cuda)
    torch_clock = by_events(torch.cuda) if torch is not None else clock
    rate = copy_rate(cupy, clock, SIZES[-1])
    lines = [measured(case, n, rate, cupy, clock, torch, torch_clock) for case in CASES for n in SIZES]
    lines.append(measured(LAYER, 4096**2, rate, cupy, clock, torch, torch_clock))
    console.print(table(name, rate, lines))


def main() -> None:
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        show(console)
    except (ImportError, RuntimeError) as error:
        console.print(f"error: {error}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
