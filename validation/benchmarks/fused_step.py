"""What a fused step costs, as ratios within one run: ``python -m validation.benchmarks.fused_step``.

The yardstick is a bare kernel that moves the same memory and computes next to nothing: it reads W, W0, V and G and
writes V and W. Each round times all candidates once, one after the other, so that they share whatever else the
machine is doing; the ratio printed is the median over rounds of (candidate / bare of the same round).
"""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # one thread: a ratio to one core's memory bandwidth

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from rich.console import Console
from rich.table import Table

from rmda_ref import L1, RMDA, GroupLasso

N_PARAMETERS = 20_000_000
ROUNDS = 25
ROUNDS_NUMPY = 3
SMALL = 1000
SMALL_STEPS = 20_000


@njit(cache=True)
def bare(w: np.ndarray, w0: np.ndarray, v: np.ndarray, g: np.ndarray) -> None:
    """Read W, W0, V, G; write V, W."""
    for i in range(w.size):
        v[i] += g[i]
        w[i] += w0[i] - v[i]


def numpy_step(
    w: np.ndarray, w0: np.ndarray, v: np.ndarray, g: np.ndarray, eta: float, lam: float, c: float, t: int, alpha: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """The five lines of Algorithm 1 with the l1 norm, as one would write them in NumPy."""
    beta = np.sqrt(np.float32(t))
    s = np.float32(eta) * beta
    alpha = alpha + s
    v = v + s * g
    x = w0 - v / beta
    prox = np.sign(x) * np.maximum(np.abs(x) - np.float32(lam) * alpha / beta, np.float32(0))
    return np.float32(1 - c) * w + np.float32(c) * prox, v, alpha


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def large() -> list[tuple[str, float, str]]:
    """Ratios to the bare kernel at N_PARAMETERS, float32, one thread."""
    rng = np.random.default_rng(0)
    w, w0, v, g = (rng.standard_normal(N_PARAMETERS, dtype=np.float32) for _ in range(4))
    entries = RMDA(L1(lam=0.1), step_size=0.01, momentum=0.5).stepper(w0)
    rows = RMDA(GroupLasso(lam=0.1, axis=1), step_size=0.01, momentum=0.5).stepper(w0.reshape(-1, 10))
    grad_rows = g.reshape(-1, 10)
    entries_arguments = (*entries._flat, g, *entries.algorithm.tick(5, 1.0)[2:])
    rows_arguments = (*rows._flat, g, *rows.algorithm.tick(5, 1.0)[2:])
    candidates: dict[str, Callable[[], object]] = {
        "bare": lambda: bare(w, w0, v, g),
        "l1": lambda: entries.step(g),
        "group": lambda: rows.step(grad_rows),
        "l1 alone": lambda: entries._step(*entries_arguments),
        "group alone": lambda: rows._step(*rows_arguments),
        "check": lambda: entries._all_finite(g),
    }
    for call in candidates.values():
        call()  # compiled or loaded, and every page touched
    rounds = [{name: seconds(call) for name, call in candidates.items()} for _ in range(ROUNDS)]
    by_numpy = [seconds(lambda: numpy_step(w, w0, v, g, 0.01, 0.1, 0.5, 5, 1.0)) for _ in range(ROUNDS_NUMPY)]

    def ratio(name: str) -> float:
        return statistics.median(times[name] / times["bare"] for times in rounds)

    l1_seconds = statistics.median(times["l1"] for times in rounds)
    return [
        ("l1, check included / bare", ratio("l1"), "<= 1.2"),
        ("group lasso, rows of 10, check included / bare", ratio("group"), "<= 1.4"),
        ("l1, without the check / bare", ratio("l1 alone"), ""),
        ("group lasso, without the check / bare", ratio("group alone"), ""),
        ("the check for non-finite gradients alone / bare", ratio("check"), ""),
        ("plain NumPy, l1, no check / fused l1", statistics.median(by_numpy) / l1_seconds, ">= 6"),
        ("bare kernel, milliseconds", 1e3 * statistics.median(times["bare"] for times in rounds), ""),
    ]


def small() -> tuple[str, float, str]:
    """Microseconds of a whole step on 1000 parameters, nearly all of it overhead."""
    rng = np.random.default_rng(0)
    stepper = RMDA(L1(lam=0.1), step_size=0.01).stepper(np.zeros(SMALL, dtype=np.float32))
    grad = rng.standard_normal(SMALL, dtype=np.float32)
    stepper.step(grad)
    begin = time.perf_counter()
    for _ in range(SMALL_STEPS):
        stepper.step(grad)
    each = (time.perf_counter() - begin) / SMALL_STEPS
    return ("step at n = 1000, microseconds", 1e6 * each, "< 10")


def fresh_process(what: str, script: str, bar: str, rounds: int = 5) -> tuple[str, float, str]:
    """The median over fresh processes of the seconds that ``script`` prints."""

    def once() -> float:
        printed = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        return float(printed.stdout)

    once()  # fills the disk cache
    return (what, statistics.median(once() for _ in range(rounds)), bar)


IMPORT = "import time; t = time.perf_counter(); import rmda_ref; print(time.perf_counter() - t)"
FIRST_STEP = """
import time
import numpy as np
from rmda_ref import RMDA, GroupLasso
w0 = np.zeros((100, 10), dtype=np.float32)
t = time.perf_counter()
RMDA(GroupLasso(lam=0.1, axis=1), step_size=0.1).stepper(w0).step(w0)
print(time.perf_counter() - t)
"""


def main() -> None:
    rows = [
        *large(),
        small(),
        fresh_process("import rmda_ref, seconds", IMPORT, "< 0.6"),
        fresh_process("first fused step in a fresh process, warm disk cache, seconds", FIRST_STEP, "< 1"),
    ]
    table = Table(title=f"Fused step, float32, {N_PARAMETERS:.0e} parameters, one thread")
    for column in ("quantity", "measured", "bar"):
        table.add_column(column, justify="left" if column == "quantity" else "right")
    for quantity, measured, bar in rows:
        table.add_row(quantity, f"{measured:.3g}", bar)
    Console().print(table)


if __name__ == "__main__":
    main()
