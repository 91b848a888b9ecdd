"""What proximal operators cost, as ratios within one run: ``python -m validation.benchmarks.prox_speed``.

Operators that are O(n) are compared with a bare kernel that reads an array, multiplies once and writes another; those
that rank the entries of a row with NumPy's sort of the same rows (a copy into a buffer, sorted in place); total
variation is measured in entries per second. All in float32 on one thread.

The bars are for the kernel: the compiled driver, over an output that is there already. ``prox`` is the public call: it
also looks for non-finite entries and allocates its result. Other implementations are given as multiples of ours: a
loop over skglm's functions of a number or a group, compiled and with its output given, of our kernel; pyproximal and
plain NumPy, which allocate, of our ``prox``. Where they solve the problem only approximately (pyproximal's bisections
and its total variation) that is how they come.

Each round times all of a table once, one after the other, so that they share whatever else the machine is doing; a
ratio is the median over rounds of the ratio within a round.
"""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "1")  # one thread: a ratio to one core's memory bandwidth

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from numba import njit
from rich.console import Console
from rich.table import Table

from rmda_ref import regularizers
from rmda_ref.backends import numba as backend
from rmda_ref.layout import Rows
from rmda_ref.regularizers import Regularizer
from validation.benchmarks import rivals

N_ENTRYWISE = 10_000_000
N_SORTING = 1_000_000
N_VARIATION = 10_000_000
ROUNDS = 25
ROUNDS_OTHERS = 5

Call = Callable[[], object]


@njit(cache=True)
def bare(x: np.ndarray, out: np.ndarray) -> None:
    """Read, multiply, write."""
    for i in range(x.size):
        out[i] = 2 * x[i]


def sort(x: np.ndarray, out: np.ndarray) -> None:
    out[...] = x
    out.sort(axis=-1)


def seconds(call: Call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def driver_alone(regularizer: Regularizer, x: np.ndarray, step: float) -> Call:
    """The last compiled driver that ``regularizer.prox(x, step)`` calls, with the arguments and the output it got."""
    called: list[Call] = []
    compiled = backend.compiled

    def recording(*chosen: Any) -> Callable[..., Any]:
        driver = compiled(*chosen)

        def call(*arguments: Any) -> Any:
            called.append(lambda: driver(*arguments))
            return driver(*arguments)

        return call

    with patch.object(backend, "compiled", recording):
        regularizer.prox(x, step)
    return called[-1]


@dataclass(frozen=True)
class Case:
    """An operator at a point, and the same elsewhere."""

    name: str
    regularizer: Regularizer
    x: np.ndarray
    step: float
    yardstick: str
    bar: str
    others: dict[str, Call | None]


def measure(cases: list[Case], yardsticks: dict[str, Call]) -> list[tuple[str, ...]]:
    """Rows of a table: kernel and prox by the yardstick, others by ours."""
    ours: dict[str, Call] = dict(yardsticks)
    pairs: dict[tuple[str, str], tuple[Call, Call]] = {}
    for case in cases:
        kernel = ours[case.name] = driver_alone(case.regularizer, case.x, case.step)
        prox = partial(case.regularizer.prox, case.x, case.step)
        pairs[case.name, "prox"] = prox, yardsticks[case.yardstick]
        for library, call in case.others.items():
            if call is not None:
                pairs[case.name, library] = call, kernel if library == "skglm" else prox
    for call in (*ours.values(), *itertools.chain(*pairs.values())):
        call()  # compiled or loaded, and every page touched
    rounds = [{name: seconds(call) for name, call in ours.items()} for _ in range(ROUNDS)]
    ratios = {
        pair: statistics.median(seconds(one) / seconds(other) for _ in range(ROUNDS_OTHERS))
        for pair, (one, other) in pairs.items()
    }

    rows: list[tuple[str, ...]] = []
    for case in cases:
        measured = statistics.median(times[case.name] / times[case.yardstick] for times in rounds)
        cells = [case.name, f"{measured:.3g}", case.bar, f"{ratios[case.name, 'prox']:.3g}"]
        for library in rivals.LIBRARIES:
            absent = "not installed" if library in case.others else ""
            cells.append(f"{ratios[case.name, library]:.3g}" if (case.name, library) in ratios else absent)
        rows.append(tuple(cells))
    milliseconds = {name: 1e3 * statistics.median(times[name] for times in rounds) for name in yardsticks}
    return [*rows, *((f"{name}, ms", f"{spent:.3g}") for name, spent in milliseconds.items())]


def made(name: str, **fields: Any) -> Regularizer | None:
    """The regularizer of this name; None where it is not exported (yet)."""
    found = getattr(regularizers, name, None)
    return None if found is None else found(**fields)


def entrywise_cases(x: np.ndarray) -> list[Case]:
    rows = x.reshape(-1, 10)
    ones = np.ones(len(rows))
    given: list[tuple[str, Regularizer | None, np.ndarray, float, rivals.Calls]] = [
        ("l1", made("L1", lam=1.0), x, 0.5, rivals.l1(x, 0.5)),
        ("elastic net", made("ElasticNet", lam=1.0, l1_ratio=0.5), x, 0.5, rivals.elastic_net(x, 0.25, 0.25)),
        ("MCP", made("MCP", lam=1.0, gamma=3.0), x, 0.5, rivals.mcp(x, 0.5, 1.0, 3.0)),
        ("MCP, step beyond gamma", made("MCP", lam=1.0, gamma=0.3), x, 0.5, {}),
        ("SCAD", made("SCAD", lam=0.5, a=3.7), x, 0.5, rivals.scad(x, 0.5, 0.5, 3.7)),
        ("SCAD, step beyond a - 1", made("SCAD", lam=0.5, a=3.7), x, 4.0, {}),
        ("l0", made("L0", lam=1.0), x, 0.5, rivals.l0(x, 0.5, 1.0)),
        ("box", made("Box", lower=-0.5, upper=1.0), x, 0.5, rivals.box(x, -0.5, 1.0)),
        ("group l2", made("GroupLasso", lam=1.0, axis=1, weights=ones), rows, 1.5, rivals.group_l2(rows, 1.5)),
        (
            "sparse group",
            made("SparseGroupLasso", lam=1.0, l1_ratio=0.25, axis=1, weights=ones),
            rows,
            1.0,
            rivals.sparse_group(rows, 0.25, 0.75),
        ),
    ]
    return [Case(name, psi, at, step, "bare copy", "<= 2", other) for name, psi, at, step, other in given if psi]


def sorting_cases(x: np.ndarray) -> tuple[list[Case], dict[str, Call]]:
    cases: list[Case] = []
    yardsticks: dict[str, Call] = {}
    for length, suffix in ((10, "rows of 10"), (1000, "rows of 1000"), (x.size, f"a row of {x.size:.0e}")):
        rows = x.reshape(-1, length)
        # Levels at which a good part of the entries stays.
        layout, k, total, u = Rows(1), max(length // 10, 2), 0.2 * length, 1 / length
        strengths = np.linspace(1, 0, length)
        given: list[tuple[str, Regularizer | None, rivals.Calls]] = [
            ("l1-inf", made("GroupMax", lam=total, layout=layout), rivals.group_max(rows, total)),
            ("exclusive lasso", made("ExclusiveLasso", lam=u, layout=layout), rivals.exclusive_lasso(rows, u)),
            ("simplex", made("Simplex", radius=total, layout=layout), rivals.simplex(rows, total)),
            ("l1 ball", made("L1Ball", radius=total, layout=layout), rivals.l1_ball(rows, total)),
            ("OWL", made("Slope", lam=1.0, weights=strengths, layout=layout), rivals.slope(rows, strengths)),
            ("top-k", made("TopK", k=k, layout=layout), rivals.top_k(rows, k)),
            ("trimmed l1", made("TrimmedL1", lam=0.5, k=k, layout=layout), rivals.trimmed_l1(rows, k, 0.5)),
            ("k-support", made("KSupport", lam=0.5, k=k, layout=layout), {}),
            ("sparse envelope", made("SparseEnvelope", lam=0.5, k=k, layout=layout), {}),
        ]
        yardsticks[f"sort {suffix}"] = partial(sort, rows, np.empty_like(rows))
        cases += [
            Case(f"{name}, {suffix}", psi, rows, 1.0, f"sort {suffix}", "<= 1.5", other)
            for name, psi, other in given
            if psi
        ]
    fours = x.reshape(-1, 4)
    if psi := made("NM", n=2, m=4):
        yardsticks["sort rows of 4"] = partial(sort, fours, np.empty_like(fours))
        cases.append(Case("2:4", psi, x, 1.0, "sort rows of 4", "<= 1.5", rivals.top_k(fours, 2)))
    return cases, yardsticks


def variation() -> list[tuple[str, ...]]:
    """Total variation of one row, noise upon steps; the kernel in entries per second."""
    psi = made("TotalVariation", lam=1.0)
    if psi is None:
        return []
    rng = np.random.default_rng(0)
    steps = np.repeat(rng.standard_normal(N_VARIATION // 100, dtype=np.float32), 100)
    x = steps + np.float32(0.3) * rng.standard_normal(N_VARIATION, dtype=np.float32)
    calls: dict[str, Call | None] = {"kernel": driver_alone(psi, x, 1.0), "prox": partial(psi.prox, x, 1.0)}
    calls |= rivals.total_variation(x, 1.0)
    times = {
        name: statistics.median(seconds(call) for _ in range(ROUNDS_OTHERS)) for name, call in calls.items() if call
    }
    pyproximal = f"{times['pyproximal'] / times['prox']:.3g}" if "pyproximal" in times else "not installed"
    per_second = [f"{N_VARIATION / times[name]:.3g}" for name in ("kernel", "prox")]
    return [("total variation", per_second[0], "> 1e7", per_second[1], pyproximal, "", "")]


def show(title: str, rows: list[tuple[str, ...]]) -> None:
    table = Table(title=title)
    for column in ("operator", "kernel", "bar", "prox", *(f"{library} / ours" for library in rivals.LIBRARIES)):
        table.add_column(column, justify="left" if column == "operator" else "right")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def main() -> None:
    x = np.random.default_rng(0).standard_normal(N_ENTRYWISE, dtype=np.float32)
    out = np.empty_like(x)
    rows = measure(entrywise_cases(x), {"bare copy": partial(bare, x, out)})
    show(f"O(n) operators by a bare copy, {N_ENTRYWISE:.0e} entries, groups of 10", rows)
    rows = measure(*sorting_cases(x[:N_SORTING].copy()))
    show(f"Operators that rank, by NumPy's sort of the same rows, {N_SORTING:.0e} entries", rows)
    show(f"Entries per second, one row of {N_VARIATION:.0e} entries", variation())


if __name__ == "__main__":
    main()
