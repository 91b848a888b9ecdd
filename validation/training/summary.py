"""Training runs as the tables and pictures of the report."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from validation.claim import Curve, Picture, Table
from validation.training.contest import Contest, Tried
from validation.training.methods import Stages
from validation.training.run import History
from validation.training.store import Store

__all__ = [
    "Histories",
    "boundaries",
    "curves",
    "final_table",
    "mean",
    "ordering",
    "pictures",
    "search_table",
    "spread",
]

Histories = Mapping[str, Sequence[History]]
POINTS = 50  # of a curve: structure that flickers from epoch to epoch would hide all others


def spread(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation over the seeds; the mean alone where there is one."""
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def mean(histories: Sequence[History], what: Callable[[History], float]) -> float:
    """The mean over the seeds."""
    return float(np.mean([what(history) for history in histories]))


def final_table(contest: Contest, store: Store, parts: str) -> Table:
    """The paper's kind of table: each algorithm at the end of its runs; ``parts`` is what the penalty counts."""
    last = contest.stages.epochs[-1]
    rows = []
    for entrant, histories in zip(contest.chosen(store), contest.histories(store).values(), strict=True):
        rows.append(
            (
                entrant.name,
                f"{entrant.step_size:g}",
                spread([100 * h.accuracy[-1] for h in histories], 2),
                spread([100 * h.zero[-1] for h in histories], 2),
                spread([100 * h.sparsity[-1] for h in histories], 2),
                spread([h.objective[-1] for h in histories], 5),
                spread([h.changes[-(last // 2) :].sum() for h in histories], 0),
                f"{mean(histories, lambda h: float(np.median(h.seconds))):.2f}",
            )
        )
    columns = (
        "algorithm",
        "step size",
        "accuracy, %",
        f"zero {parts}, %",
        "zero entries, %",
        "F",
        f"changes, last {last // 2} epochs",
        "s/epoch",
    )
    return Table(columns, tuple(rows))


def search_table(tried: Sequence[Tried]) -> Table:
    """All that the search tried."""
    rows = tuple(
        (one.entrant.name, f"{one.entrant.step_size:g}", one.objective, "chosen" if one.chosen else "") for one in tried
    )
    return Table(("searched", "step size", "F at the end of the search", ""), rows)


def curves(histories: Histories, what: Callable[[History], Any]) -> tuple[Curve, ...]:
    """One for each algorithm: the mean over its seeds, and over a few epochs where there are many."""
    found = []
    for name, runs in histories.items():
        values = np.mean([np.asarray(what(run), float) for run in runs], axis=0)
        window = max(1, len(values) // POINTS)
        starts = range(0, len(values), window)
        ends = tuple(min(start + window, len(values)) for start in starts)
        means = tuple(float(values[start:end].mean()) for start, end in zip(starts, ends, strict=True))
        found.append(Curve(name, ends, means, "path"))
    return tuple(found)


def boundaries(stages: Stages) -> tuple[float, ...]:
    """Where a new stage begins, in epochs."""
    return tuple(float(end) for end in accumulate(stages.epochs[:-1]))


def pictures(contest: Contest, store: Store, parts: str, where: str) -> tuple[Picture, ...]:
    """The paper's curves: objective, zero groups and changes of the support per epoch, the stages marked."""
    histories, marks = contest.histories(store), boundaries(contest.stages)
    return (
        Picture(
            f"{where}: the objective", "epoch", "F", curves(histories, lambda h: h.objective), yscale="log", marks=marks
        ),
        Picture(
            f"{where}: the structure",
            "epoch",
            f"zero {parts}, %",
            curves(histories, lambda h: 100 * h.zero),
            marks=marks,
        ),
        Picture(
            f"{where}: the structure settles, or does not",
            "epoch",
            f"{parts} that changed, per epoch",
            curves(histories, lambda h: h.changes),
            marks=marks,
        ),
    )


def ordering(histories: Histories, parts: str) -> str:
    """Who has the most structure, the best accuracy and the smallest objective at the end, whichever way it falls."""
    sentences = []
    for title, what, digits, sign in (
        (f"zero {parts}, %", lambda h: 100 * float(h.zero[-1]), 1, -1),
        ("accuracy, %", lambda h: 100 * float(h.accuracy[-1]), 2, -1),
        ("F", lambda h: float(h.objective[-1]), 4, 1),
    ):
        found = {name: mean(runs, what) for name, runs in histories.items()}
        ordered = sorted(found, key=lambda name: sign * found[name])
        sentences.append(f"{title}: " + ", ".join(f"{name} {found[name]:.{digits}f}" for name in ordered))
    return "Best first. " + "; ".join(sentences) + "."
