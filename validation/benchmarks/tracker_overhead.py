"""What tracking costs a fused step, as ratios within one run: ``python -m validation.benchmarks.tracker_overhead``.

A tracked and an untracked stepper take the same steps in turn, so that they share whatever else the machine is doing;
the ratio is the median over rounds of tracked / untracked. The gradients alternate in sign and have sizes of two
decades, so that some of the support is lost at every step; a support that stays costs the same, as there are no
branches. Beside it stands the cost of the pass that would be needed if the step did not look itself, which is possible
without momentum only: over the iterate, read once more and compared with a byte mask.
"""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", str(min(2, os.cpu_count() or 1)))

import itertools
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import get_num_threads, njit, set_num_threads, uint8
from rich.console import Console
from rich.table import Table

from rmda_ref import L1, RMDA, GroupLasso, Regularizer
from rmda_ref.certificates import IdentificationTracker

N_PARAMETERS = 1_000_000
ROUNDS = 60  # of two steps each
BAR = 0.10
DTYPES: tuple[Any, ...] = (np.float64, np.float32)
PENALTIES: dict[str, tuple[Regularizer, tuple[int, ...]]] = {
    "l1": (L1(lam=0.005), (N_PARAMETERS,)),
    "group lasso, rows of 10": (GroupLasso(lam=0.005, axis=1), (N_PARAMETERS // 10, 10)),
}


@njit(cache=True)
def another_pass(w: np.ndarray, mask: np.ndarray) -> int:
    """Whether the support of ``w`` is that of the mask, a vectorised pass that writes nothing."""
    differs = uint8(0)
    for i in range(w.size):
        differs = uint8(differs | (mask[i] ^ uint8(w[i] != 0)))
    return int(differs)


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def overhead(
    psi: Regularizer, shape: tuple[int, ...], dtype: type[np.floating[Any]], momentum: float
) -> tuple[float, float, float]:
    """Of tracking, and of another pass, relative to an untracked step; and the milliseconds of that."""
    rng = np.random.default_rng(0)
    sizes = 10 ** rng.uniform(-2, 0, (shape[0], *(1 for _ in shape[1:])))
    grad = (sizes * rng.standard_normal(shape)).astype(dtype)
    start = np.zeros(shape, dtype)
    algorithm = RMDA(psi, step_size=1.0, momentum=momentum)
    tracker = IdentificationTracker(psi, target=psi.manifold(start))
    plain, tracked = algorithm.stepper(start), algorithm.stepper(start, tracker)
    mask = np.zeros(start.size, np.uint8)
    rounds = []
    for number in range(ROUNDS + 1):
        times = {"plain": 0.0, "tracked": 0.0, "pass": 0.0}
        for g in (grad, -grad):
            for stepper, name in ((plain, "plain"), (tracked, "tracked"))[:: 1 if number % 2 else -1]:
                times[name] += seconds(partial(stepper.step, g))
            times["pass"] += seconds(lambda: another_pass(plain.iterate.reshape(-1), mask))
        rounds.append(times)
    del rounds[0]  # compiled, and every page touched
    assert tracker.current.n_changes == tracker.current.n_steps - 1, "the support should change at every step"
    by_tracking = statistics.median(times["tracked"] / times["plain"] for times in rounds) - 1
    by_pass = statistics.median(times["pass"] / times["plain"] for times in rounds)
    return by_tracking, by_pass, 500 * statistics.median(times["plain"] for times in rounds)


def main() -> None:
    table = Table(title=f"Tracking in a fused step of RMDA, {N_PARAMETERS:.0e} parameters, bar {BAR:.0%}")
    for column in ("penalty", "dtype", "c", "threads", "tracked", "another pass", "untracked, ms"):
        table.add_column(column, justify="left" if column == "penalty" else "right")
    threads = range(1, get_num_threads() + 1)
    for n_threads, dtype, momentum in itertools.product(threads, DTYPES, (1.0, 0.5)):
        set_num_threads(n_threads)
        for name, (psi, shape) in PENALTIES.items():
            by_tracking, by_pass, milliseconds = overhead(psi, shape, dtype, momentum)
            figures = (f"{by_tracking:+.1%}", f"{by_pass:+.1%}", f"{milliseconds:.2f}")
            table.add_row(name, dtype.__name__, f"{momentum:g}", str(n_threads), *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
