"""What a cross-check found: for people as text, for machines as JSON."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from rmda_ref.crosscheck.ball import DTYPES
from rmda_ref.crosscheck.candidate import Misbehaviour
from rmda_ref.crosscheck.diagnose import Diagnosis
from rmda_ref.crosscheck.judge import Departure
from rmda_ref.crosscheck.verdict import Run, departures

SCHEMA = 1
_NEIGHBOURS = 3
_MOST_NAMES = 6


@dataclass(frozen=True)
class NotRun:
    """A scenario that could not be asked, and why."""

    scenario: str
    dtype: str
    reason: str


@dataclass(frozen=True)
class Report:
    """The findings on one implementation.

    Attributes
    ----------
    subject, adapter, algorithm : what was asked
    runs : each scenario in each dtype
    not_run : what could not be asked
    diagnosis : the likely mistakes
    refusal : why nothing could be run at all, or None
    """

    subject: str
    adapter: str
    algorithm: str
    runs: tuple[Run, ...]
    not_run: tuple[NotRun, ...]
    diagnosis: Diagnosis
    refusal: Misbehaviour | None = None

    @property
    def agrees(self) -> bool:
        """Whether at least one scenario was run, and all that were agree with the reference."""
        return self.refusal is None and bool(self.runs) and all(run.agrees for run in self.runs)

    @property
    def wrong(self) -> tuple[Run, ...]:
        return tuple(run for run in self.runs if not run.agrees)

    def __str__(self) -> str:
        return "\n".join([*_headline(self), *_first(self), *conclusion(self)])

    def as_json(self) -> dict[str, Any]:
        """A tree of numbers, strings, lists and dictionaries, with a ``schema`` number."""
        return {
            "schema": SCHEMA,
            "version": version("rmda-ref"),
            "machine": {"python": platform.python_version(), "numpy": np.__version__, "system": platform.platform()},
            "subject": self.subject,
            "adapter": self.adapter,
            "algorithm": self.algorithm,
            "agrees": self.agrees,
            "refusal": None if self.refusal is None else {"kind": self.refusal.kind, "says": str(self.refusal)},
            "runs": [_run(run) for run in self.runs],
            "not_run": [vars(one) for one in self.not_run],
            "diagnosis": {
                "named": [
                    {"name": m.name, "says": m.says, "line": m.line, "fix": m.fix, "shown_by": shown}
                    for m, shown in zip(self.diagnosis.named, self.diagnosis.shown_by, strict=True)
                ],
                "alike": [m.name for m in self.diagnosis.alike],
                "partly": [{"name": name, "explains": count} for name, count in self.diagnosis.partly],
            },
        }


def _run(run: Run) -> dict[str, Any]:
    departure = run.comparison and run.comparison.departure
    return {
        "scenario": run.record.scenario.name,
        "dtype": run.record.task.dtype,
        "agrees": run.agrees,
        "wrong": run.wrong,
        "finding": run.record.finding.kind if run.record.finding and run.wrong else None,
        "departure": vars(departure) | {"index": list(departure.index)} if departure else None,
        "share_of_bound": None if run.comparison is None else _finite(run.comparison.worst),
        "doubtful": 0 if run.comparison is None else run.comparison.doubtful,
    }


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None


def _headline(report: Report) -> list[str]:
    if report.refusal is not None:
        return [f"{report.subject} could not be run: {report.refusal}"]
    agree = sum(run.agrees for run in report.runs)
    lines = [f"{report.subject}: {agree} of {len(report.runs)} runs agree with the reference within rounding."]
    if doubtful := sum(run.comparison.doubtful for run in report.runs if run.comparison is not None):
        lines.append(
            f"Structure is compared exactly, but for {doubtful} entries over all steps that are nearer to 0"
            " than rounding can tell."
        )
    reasons: dict[str, list[str]] = {}
    for one in report.not_run:
        names = reasons.setdefault(one.reason, [])
        if one.scenario not in names:
            names.append(one.scenario)
    return lines + [f"Not run ({reason}): {', '.join(names)}." for reason, names in reasons.items()]


def _first(report: Report) -> list[str]:
    found: dict[str, list[str]] = {}
    for run in report.runs:
        if run.wrong:
            found.setdefault(run.wrong, []).append(f"{run.record.scenario.name} ({run.record.task.dtype})")
    lines = [f"{wrong}: in {_listed(where)}." for wrong, where in found.items()]
    if runs := departures(report.runs):
        run = runs[0]
        assert run.comparison is not None and run.comparison.departure is not None
        where = f"{run.record.scenario.name!r} ({run.record.task.dtype}): {run.record.scenario.isolates}"
        lines.append(f"First departure, in the plainest scenario that shows one, {where}")
        lines += [*place(run.comparison.departure), *neighbours(run)]
    return lines


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def place(departure: Departure) -> list[str]:
    """Where, what, and by how much."""
    where = f"step {departure.step}"
    if departure.stage > 1 or departure.step != departure.step_in_stage:
        where += f" (stage {departure.stage}, step {departure.step_in_stage} in it)"
    off = abs(departure.found - departure.expected)
    lines = [
        f"  {where}, {departure.quantity} of parameter {departure.parameter!r} at {departure.index}:",
        f"  found {departure.found:.17g}, expected {departure.expected:.17g},"
        f" off by {off:.3g}; rounding explains {departure.bound:.3g}",
    ]
    if departure.structure:
        lines.append("  structure: one of the two is exactly zero, and the other cannot be")
    return lines


def neighbours(run: Run) -> list[str]:
    """The iterate at that entry in the steps around the departure, and the worst entry there beside its bound."""
    assert run.comparison is not None and run.comparison.departure is not None
    departure, deviations, bounds = run.comparison.departure, run.comparison.deviations, run.comparison.bounds
    low, high = max(departure.step - _NEIGHBOURS, 0), departure.step + _NEIGHBOURS - 1
    rows = []
    for k in range(low, min(high, len(deviations))):
        value = run.record.seen[k].parameters[departure.parameter][departure.index]
        rows.append(
            f"    step {k + 1}: iterate there {value:.6g}; worst entry off by {deviations[k]:.3g},"
            f" bound {bounds[k]:.3g}"
        )
    return rows


def conclusion(report: Report) -> list[str]:
    """The likely mistakes in words."""
    diagnosis = report.diagnosis
    if report.agrees or report.refusal is not None or not report.runs:
        return []
    lines = []
    for mistake, shown in zip(diagnosis.named, diagnosis.shown_by, strict=True):
        lines += [
            f"Likely mistake, {mistake.name}: {mistake.says}.",
            f"  It breaks: {mistake.line}",
            f"  The plainest scenario that shows it: {shown}",
            f"  Mend it: {mistake.fix}.",
        ]
    asked = [dtype for dtype in DTYPES if any(run.record.task.dtype == dtype for run in report.runs)]
    shown_in = [dtype for dtype in asked if any(run.record.task.dtype == dtype for run in report.wrong)]
    if shown_in != asked:
        lines.append(f"Only in {', '.join(shown_in)}.")
    if diagnosis.alike:
        lines.append(f"These would give the same numbers here: {', '.join(m.name for m in diagnosis.alike)}.")
    if not diagnosis.named and departures(report.runs):
        lines.append("No known mistake, nor two together, gives these numbers in all scenarios.")
        if diagnosis.partly:
            told = ", ".join(f"{name} ({count})" for name, count in diagnosis.partly)
            lines.append(f"Of the {diagnosis.departing} plainest departing runs some are explained by: {told}.")
    return lines
