"""Put an implementation to all scenarios: `crosscheck` returns a report, `assert_agrees` raises where it departs."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from rmda_ref.crosscheck.adapters import adapt
from rmda_ref.crosscheck.ball import DTYPES
from rmda_ref.crosscheck.candidate import Candidate, Misbehaviour
from rmda_ref.crosscheck.diagnose import Diagnosis, diagnose
from rmda_ref.crosscheck.drive import Record, drive, unmoved
from rmda_ref.crosscheck.judge import compare
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.random_scenarios import random_scenario
from rmda_ref.crosscheck.report import NotRun, Report
from rmda_ref.crosscheck.scenario import Scenario
from rmda_ref.crosscheck.scenarios import scenarios
from rmda_ref.crosscheck.signs import SHARE
from rmda_ref.crosscheck.task import Algorithm, Parameter
from rmda_ref.crosscheck.verdict import Run
from rmda_ref.crosscheck.watchdog import Watchdog

TIMEOUT = 20.0
AFTER = 12  # steps beyond a departure, for the picture


class Departs(AssertionError):
    """An implementation is not the reference; the report is in ``report``, and in the message."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


def crosscheck(
    subject: Any,
    adapter: str = "function",
    *,
    algorithm: Algorithm = "rmda",
    only: Iterable[str] = (),
    dtypes: Iterable[str] = (),
    random: int = 0,
    seed: int = 0,
    timeout: float = TIMEOUT,
    watch: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Where an implementation departs from the reference, and which mistake reproduces its numbers.

    Parameters
    ----------
    subject : what the adapter takes
        A factory, its name "module:attribute", or for "process" a command (a list of words).
    adapter : "torch", "optax", "function" or "process"
    algorithm : "rmda", "rda" or "prox_sgd"
    only : names of scenarios, optional
    dtypes : names of dtypes, optional; all that the adapter offers otherwise
    random, seed : how many scenarios to draw at random besides, and from which seed
    timeout : seconds that one call of the implementation may take
    watch : called with (runs done, runs in all, scenario), optional

    Raises
    ------
    ValueError
        If an argument is none of those named.
    ImportError
        If the adapter's framework is not installed.

    >>> def make(task):
    ...     '''Gradient descent, which is not RMDA.'''
    ...     def step(params, grads):
    ...         return {n: w if grads[n] is None else w - w.dtype.type(0.3) * grads[n] for n, w in params.items()}
    ...     return step
    >>> report = crosscheck(make, only=["plain"], dtypes=["float64"])
    >>> report.agrees, report.runs[0].comparison.departure.step
    (False, 2)
    """
    wanted = scenarios_named(algorithm, only) + tuple(random_scenario(k, seed, algorithm) for k in range(random))
    watchdog = Watchdog(timeout)
    runs: list[Run] = []
    not_run: list[NotRun] = []
    name = (
        subject if isinstance(subject, str) else getattr(subject, "__qualname__", None) or " ".join(map(str, subject))
    )
    candidate: Candidate | None = None
    try:
        candidate = watchdog.call("importing it", adapt, subject, adapter)
        watchdog.call("hello", candidate.greet)
        offered = candidate.dtypes
        chosen = tuple(dtypes) or offered
        if strange := [dtype for dtype in chosen if dtype not in offered]:
            raise ValueError(
                f"dtypes must be among {', '.join(offered)} for the adapter {adapter!r}, got {strange[0]!r}"
            )
        jobs = [(scenario, dtype) for scenario in wanted for dtype in scenario.dtypes if dtype in chosen]
        for done, (scenario, dtype) in enumerate(jobs):
            if watch:
                watch(done, len(jobs), scenario.name)
            if watchdog.hung:
                not_run.append(NotRun(scenario.name, dtype, "a call before this did not return"))
                continue
            outcome = drive(candidate, scenario, replace(scenario.task, dtype=dtype), watchdog)
            if isinstance(outcome, str):
                not_run.append(NotRun(scenario.name, dtype, outcome))
            else:
                runs.append(_judged(outcome))
        lacking = sorted(set(DTYPES) - set(offered))
        not_run += [NotRun("all scenarios", dtype, f"{dtype} is not offered") for dtype in lacking]
        return Report(name, adapter, algorithm, tuple(runs), tuple(not_run), diagnose(runs))
    except Misbehaviour as misbehaviour:
        return Report(name, adapter, algorithm, tuple(runs), tuple(not_run), Diagnosis(), misbehaviour)
    finally:
        if candidate is not None:
            candidate.close()
        watchdog.close()


def assert_agrees(subject: Any, adapter: str = "function", **options: Any) -> Report:
    """`crosscheck` for a test suite: the report, or `Departs` with all that it says.

    >>> def test_my_optimizer():
    ...     assert_agrees("mypackage.rmda:make_optimizer", adapter="torch")
    """
    report = crosscheck(subject, adapter, **options)
    if not report.agrees:
        raise Departs(report)
    return report


def scenarios_named(algorithm: Algorithm, only: Iterable[str]) -> tuple[Scenario, ...]:
    """The scenarios of an algorithm, or those of the given names; ValueError for one that there is not."""
    if algorithm not in ("rmda", "rda", "prox_sgd"):
        raise ValueError(f"algorithm must be 'rmda', 'rda' or 'prox_sgd', got {algorithm!r}")
    every, only = scenarios(algorithm), tuple(only)
    known = [scenario.name for scenario in every]
    if strange := [name for name in only if name not in known]:
        raise ValueError(f"only names {strange[0]!r}, no scenario of {algorithm}; there are: {', '.join(known)}")
    return tuple(scenario for scenario in every if not only or scenario.name in only)


def _judged(record: Record) -> Run:
    if record.scenario.verdict == "refusal":
        return Run(record, None, _refusal(record))
    comparison = compare(record, REFERENCE, beyond=AFTER)
    wrong = str(record.finding) if record.finding is not None else ""
    if record.sparsity is not None and not comparison.departure:
        share = _share_of_zero_groups(record)
        if not abs(record.sparsity - share) <= SHARE:
            wrong = f"it reports a sparsity of {record.sparsity:g}; {share:g} of the groups are zero"
    return Run(record, comparison, wrong)


def _refusal(record: Record) -> str:
    """What is wrong with an answer to a step size of 0, where an error that says so is right."""
    finding = record.finding
    if finding is not None:
        cause = finding.__cause__
        refused = finding.kind in ("factory", "raises") and (
            cause is None or isinstance(cause, ValueError | AssertionError)
        )
        return "" if refused else str(finding)
    return "" if unmoved(record) else "a step size of 0 is accepted, and the parameters move"


def _share_of_zero_groups(record: Record) -> float:
    last = record.seen[-1].parameters
    alive = [_groups_alive(p, last[p.name]) for p in record.task.parameters if p.penalty != "none"]
    every = np.concatenate(alive)
    return float(np.mean(~every))


def _groups_alive(parameter: Parameter, array: Any) -> Any:
    return np.ravel(array != 0 if parameter.axis is None else np.any(array, axis=parameter.axis))
