"""Which mistake made in the reference gives the numbers of an implementation.

A mistake explains a set of runs if the reference that makes it stays within its own rounding bound of *every* one of
them, the agreeing ones in the same dtypes included. One is tried first, then two together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.drive import Record
from rmda_ref.crosscheck.edits import EDITS
from rmda_ref.crosscheck.judge import compare, replay
from rmda_ref.crosscheck.mistake import Mistake
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.signs import SIGNS, forgets, inexact, signs_of
from rmda_ref.crosscheck.verdict import Run

MISTAKES = {mistake.name: mistake for mistake in (*EDITS, *SIGNS)}
_PLAINEST = 12  # departing runs that are looked at where all of them would take long


@dataclass(frozen=True)
class Diagnosis:
    """What was found out.

    Attributes
    ----------
    named : the mistakes that together explain every run, in the order of the algorithm; empty if none do
    alike : other single mistakes that explain them as well
    shown_by : for each of the named ones the plainest scenario that shows it (they are listed from the plainest on)
    partly : single mistakes that explain some of the twelve plainest departing runs, and no more: (name, how many)
    departing : how many of these there are
    """

    named: tuple[Mistake, ...] = ()
    alike: tuple[Mistake, ...] = ()
    shown_by: tuple[str, ...] = ()
    partly: tuple[tuple[str, int], ...] = ()
    departing: int = 0


def diagnose(runs: Sequence[Run]) -> Diagnosis:
    """The likely mistakes behind the runs that do not agree."""
    bad = [run for run in runs if not run.agrees]
    if not bad:
        return Diagnosis()
    signs = dict(signs_of(runs))
    known = {id(run) for found in signs.values() for run in found}
    rest = [run for run in bad if id(run) not in known]
    numeric = [run for run in rest if run.comparison is not None and run.comparison.departure]
    dtypes = {run.record.task.dtype for run in numeric}  # a mistake may be made in some and not in others
    others = [run for run in runs if run.agrees and run.comparison is not None and run.record.task.dtype in dtypes]
    singles = [mistake for mistake in EDITS if numeric and _explains((mistake,), numeric)]
    singles = [mistake for mistake in singles if _explains((mistake,), others)]
    found: tuple[Mistake, ...] = tuple(singles[:1])
    if numeric and not found and all(forgets(run) for run in numeric):
        signs["checkpoint_forgets"] = numeric
    elif numeric and not found and inexact(numeric):
        signs["prox_inexact"] = numeric
    elif numeric and not found:
        found = next(_pairs(numeric, others), ())
    explained = len(rest) == len(numeric) and (
        bool(found) or not numeric or bool(signs.keys() & {"checkpoint_forgets", "prox_inexact"})
    )
    named = (*found, *(MISTAKES[name] for name in signs)) if explained else ()
    shown_by = tuple(_shown_by(mistake, numeric, signs) for mistake in named)
    return Diagnosis(
        named, tuple(singles[1:]), shown_by, () if explained else _partly(numeric), len(numeric[:_PLAINEST])
    )


def _explains(mistakes: tuple[Mistake, ...], runs: Sequence[Run]) -> bool:
    return all(_fits(run.record, mistakes) for run in runs)


def _fits(record: Record, mistakes: tuple[Mistake, ...]) -> bool:
    concerned = [mistake for mistake in mistakes if mistake.concerns(record.task)]
    try:
        parts = (
            mutants.build(*(edit for mistake in concerned for edit in mistake.edits))
            if len(concerned) > 1
            else (concerned[0].parts if concerned else REFERENCE)
        )
        return compare(record, parts).departure is None
    except Exception:  # two edits that do not fit together, or a mistake that crashes here
        return False


def _pairs(numeric: Sequence[Run], others: Sequence[Run]) -> Iterator[tuple[Mistake, ...]]:
    """Pairs that explain all; a mistake that changes none of the departing runs has no part in it."""
    matter = [mistake for mistake in EDITS if any(not _same(run.record, mistake) for run in _one_each(numeric))]
    for pair in combinations(matter, 2):
        if _explains(pair, numeric) and _explains(pair, others):
            yield pair


def _one_each(numeric: Sequence[Run]) -> list[Run]:
    """The first run of each scenario."""
    return list({run.record.scenario.name: run for run in reversed(numeric)}.values())


def _same(record: Record, mistake: Mistake) -> bool:
    """Whether the mistake leaves the reference as it is on the first steps of this run."""
    short = replace(record, grads=record.grads[:12], seen=record.seen[:12])
    try:
        theirs, ours = list(replay(short, mistake.on(record.task))), list(replay(short, REFERENCE))
    except Exception:
        return False
    pairs = ((a[name].iterate, b[name].iterate) for (_, a), (_, b) in zip(theirs, ours, strict=True) for name in b)
    return all(np.array_equal(a.value, b.value) and np.array_equal(a.error, b.error) for a, b in pairs)


def _partly(numeric: Sequence[Run]) -> tuple[tuple[str, int], ...]:
    counts = ((mistake.name, sum(_fits(run.record, (mistake,)) for run in numeric[:_PLAINEST])) for mistake in EDITS)
    return tuple(sorted(((name, count) for name, count in counts if count), key=lambda pair: -pair[1])[:3])


def _shown_by(mistake: Mistake, numeric: Sequence[Run], signs: dict[str, list[Run]]) -> str:
    runs = signs.get(mistake.name) or [run for run in numeric if not _same(run.record, mistake)] or list(numeric)
    return runs[0].record.scenario.name
