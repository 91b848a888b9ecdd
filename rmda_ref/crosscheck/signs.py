"""The mistakes that are known by what is seen of them: crashes, NaN, wrong reports, groups that are nearly zero."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from rmda_ref.crosscheck.drive import Record
from rmda_ref.crosscheck.judge import replay
from rmda_ref.crosscheck.mistake import GRADIENT, PROX, PSI, RESTART, WEIGHTED, Mistake
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.scenario import Scenario
from rmda_ref.crosscheck.verdict import Run
from rmda_ref.layout import Rows

SHARE = 1e-6  # a share of groups may be reported in float32
_LOOSE = 1e-3  # a direction or a length is meant, in float32 or float64, not a bound
_NEAR = 0.05  # of the length of what the prox is taken of
_SMALL = 1e-2  # of its length, what is left of a group that should be zero, in any direction

SIGNS = (
    Mistake(
        "zero_group_nan",
        "0/0 on a zero group where the threshold is 0",
        PROX,
        "divide only where the norm exceeds the threshold, e.g. by max(norm, threshold) where that is positive",
    ),
    Mistake(
        "restart_needs_gradient",
        "a restart fails for a parameter that never had a gradient",
        RESTART,
        "leave a parameter without state as it is",
    ),
    Mistake(
        "norm_three_axes",
        "a norm over three axes raises",
        PSI,
        "use a vector norm over all axes of a group, or flatten it: a matrix norm takes two axes",
    ),
    Mistake(
        "state_other_shape",
        "a state of another shape than the parameter meets it at a restart",
        RESTART,
        "keep V and W^0 in the shape of the parameter, and reshape inside the prox only",
    ),
    Mistake(
        "sparsity_per_kernel",
        "sparsity is counted per kernel, the penalty groups channels",
        PSI,
        "count the groups of the penalty",
    ),
    Mistake(
        "sparsity_of_entries",
        "sparsity is counted per entry, the penalty has groups",
        PSI,
        "count the groups of the penalty",
    ),
    Mistake(
        "sparsity_forced_0",
        "sparsity is reported as 0 where the strength is 0",
        PSI,
        "count zero groups whatever the strength",
    ),
    Mistake(
        "prox_inexact",
        "the prox is solved inexactly: groups that should be zero are not",
        PROX,
        "use the closed form; a stopping rule must count the smooth part once, not once a group",
    ),
    Mistake(
        "zero_layer_crash", "a crash when all groups of a layer are zero", PROX, "let a selection of groups be empty"
    ),
    Mistake(
        "step_size_0_nan",
        "a step size of 0 is accepted, and gives NaN or moves",
        WEIGHTED,
        "refuse step sizes that are not positive",
    ),
    Mistake(
        "checkpoint_fails",
        "a checkpoint cannot be written or read",
        "the state is arrays and counters",
        "keep functions out of the optimizer's state and parameter groups: pass them to the constructor",
    ),
    Mistake(
        "checkpoint_forgets",
        "a run that is resumed is another run",
        "the state is W^0, W, V, alpha and t",
        "save all of them: keep them in the optimizer's state",
    ),
    Mistake(
        "grad_at_prox",
        "the gradient is taken at the structured point",
        GRADIENT,
        "evaluate the closure before the parameters are touched",
    ),
)


def signs_of(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """The mistakes that are known by what is seen of them, each with the runs in which it is seen."""
    wrong = [run for run in runs if run.wrong]
    agreeing = {run.record.scenario.name for run in runs} - {run.record.scenario.name for run in runs if not run.agrees}

    def where(kind: str, *scenarios: str) -> list[Run]:
        found = (run for run in wrong if run.record.finding is not None and run.record.finding.kind == kind)
        return [run for run in found if not scenarios or run.record.scenario.name in scenarios]

    table = {
        "zero_group_nan": where("not finite", "strength 0", "sparsity at strength 0"),
        "step_size_0_nan": [run for run in wrong if run.record.scenario.verdict == "refusal"],
        "checkpoint_fails": where("checkpoint"),
        "zero_layer_crash": where("raises", "all-zero layer") if "groups" in agreeing else [],
        "restart_needs_gradient": where("raises", "restart before a gradient") if "restart" in agreeing else [],
    }
    images = [run for run in where("raises") if _has_image(run.record.scenario)] if "groups" in agreeing else []
    if any(run.record.scenario.name == "4 axes" for run in images):
        table["norm_three_axes"] = images
    elif "restart" in agreeing:
        table["state_other_shape"] = where("raises", "restart, 1 to 4 axes")
    if table["zero_layer_crash"]:  # wherever else a layer becomes zero
        table["zero_layer_crash"] = [run for run in where("raises") if run not in images]
    yield from ((name, found) for name, found in table.items() if found)
    for run in wrong:
        if run.record.sparsity is not None:
            if name := _sparsity(run):
                yield name, [other for other in wrong if other.record.sparsity is not None]
            break
    departing = [run for run in runs if run.comparison is not None and run.comparison.departure is not None]
    asked = [run for run in departing if _first(run) == "asked_at"]
    if asked and all(_at_prox(run.record) for run in asked):
        yield "grad_at_prox", asked


def _first(run: Run) -> str:
    """The quantity that departs first."""
    return run.comparison.departure.quantity if run.comparison and run.comparison.departure else ""


def _has_image(scenario: Scenario) -> bool:
    return any(len(p.shape) >= 4 for p in scenario.task.parameters)


def forgets(run: Run) -> bool:
    """Whether a run departs after it was resumed, and no sooner."""
    departure = run.comparison.departure if run.comparison is not None else None
    after = run.record.scenario.resume_after
    return departure is not None and after is not None and departure.step > after


def _sparsity(run: Run) -> str:
    """What a report of zero groups that is wrong counts instead; empty where it is none of these."""
    penalised = [run.record.seen[-1].parameters[p.name] for p in run.record.task.parameters if p.penalty != "none"]
    kernels = [np.any(w, axis=tuple(range(2, w.ndim))).ravel() if w.ndim > 2 else w.ravel() != 0 for w in penalised]
    entries = [w.ravel() != 0 for w in penalised]
    shares = {name: 1 - np.mean(np.concatenate(alive)) for name, alive in (("kernel", kernels), ("entry", entries))}
    reported = run.record.sparsity
    assert reported is not None
    if run.record.scenario.name == "sparsity at strength 0" and reported == 0:
        return "sparsity_forced_0"
    if abs(shares["kernel"] - reported) <= SHARE:
        return "sparsity_per_kernel"
    return "sparsity_of_entries" if abs(shares["entry"] - reported) <= SHARE else ""


def _at_prox(record: Record) -> bool:
    """Whether every gradient was asked for at the structured point of the step before."""
    for (before, _), asked in zip(replay(record, REFERENCE), record.asked_at, strict=False):
        for name, state in before.items():
            if np.any(np.abs(asked[name] - state.prox_iterate.value) > state.prox_iterate.error):
                return False
    return True


def inexact(numeric: Sequence[Run]) -> bool:
    """Whether all runs without momentum look like subproblems whose solution was approached, and not reached.

    Groups keep the direction of what the prox is taken of, and their lengths are nearly right (in float32 and float64).
    """
    fine = [run.record for run in numeric if run.record.task.dtype in ("float32", "float64")]
    plain = [record for record in fine if all(stage.momentum == 1 for stage in record.task.stages)]
    return bool(plain) and all(near for record in plain for near in _approaches(record))


def _approaches(record: Record) -> Iterator[bool]:
    """For each parameter and step that departs: whether it is nearly right."""
    for (_, after), seen in zip(replay(record, REFERENCE), record.seen, strict=False):
        for p in record.task.parameters:
            state, found = after[p.name], seen.parameters[p.name]
            if np.any(np.abs(found - state.iterate.value) > state.iterate.error):
                yield p.axis is not None and _nearly(Rows(p.axis), state, found)


def _nearly(rows: Rows, state: Any, found: Any) -> bool:
    centre = np.asarray(state.anchor.value - state.grad_sum.value / np.sqrt(state.t), dtype=float)
    left, norms, lengths = (rows.norms(np.asarray(x, dtype=float)) for x in (state.iterate.value, found, centre))
    cosines = rows.dots(found, centre) / np.where(norms * lengths > 0, norms * lengths, 1.0)
    parallel = (cosines > 1 - _LOOSE) | (norms <= _SMALL * lengths)
    return bool(np.all(parallel & (np.abs(norms - left) <= _NEAR * lengths)))
