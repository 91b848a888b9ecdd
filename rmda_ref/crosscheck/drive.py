"""Run an implementation through a scenario, and keep what it was given and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from rmda_ref.crosscheck.candidate import Candidate, Misbehaviour, Observation, guarded
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.scenario import Gradients, Scenario
from rmda_ref.crosscheck.task import Arrays, Task, at
from rmda_ref.crosscheck.watchdog import Watchdog


@dataclass(frozen=True)
class Record:
    """A run of an implementation.

    Attributes
    ----------
    scenario, task : what was run; the task has the dtype
    start : parameters before the first step
    grads : what was given in each step
    seen : what came back from each step
    asked_at : where gradients were asked for, in each step, if the implementation asks by itself
    finding : what ended the run early, if anything did; a refusal where that is right is none
    sparsity : what the implementation reports at the end
    adds_updates : whether W is formed as W + (new - W)
    """

    scenario: Scenario
    task: Task
    start: Arrays
    grads: tuple[Gradients, ...]
    seen: tuple[Observation, ...]
    asked_at: tuple[Arrays, ...] = ()
    finding: Misbehaviour | None = None
    sparsity: float | None = None
    adds_updates: bool = False


@dataclass
class _Run:
    grads: list[Gradients] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    asked_at: list[Arrays] = field(default_factory=list)
    sparsity: float | None = None


def drive(candidate: Candidate, scenario: Scenario, task: Task, watchdog: Watchdog) -> Record | str:
    """The record of a run, or why the implementation cannot be asked.

    ``task`` is that of the scenario, in the dtype of the run.
    """
    start, run, finding = scenario.start(), _Run(), None
    try:
        _asked(watchdog, "the start", candidate.begin, task, {name: array.copy() for name, array in start.items()})
        for feature in scenario.needs:
            if reason := candidate.lacks(feature):
                return reason
        _steps(candidate, scenario, task, run, watchdog)
    except Misbehaviour as misbehaviour:
        finding = misbehaviour
    kept = tuple(run.grads[: len(run.seen)])
    return Record(
        scenario, task, start, kept, tuple(run.seen), tuple(run.asked_at), finding, run.sparsity, candidate.adds_updates
    )


def _steps(candidate: Candidate, scenario: Scenario, task: Task, run: _Run, watchdog: Watchdog) -> None:
    parameters, t = scenario.start(), 0
    planned = plan(scenario) if scenario.loop == "open" else ()
    for number, stage in enumerate(task.stages):
        if number > 0:
            _asked(watchdog, "restart", candidate.restart)
        for k in range(1, stage.n_steps + 1):
            t += 1
            hyper = at(stage.step_size, k), at(stage.momentum, k)
            if scenario.loop == "closure":
                observation, asked = _asked(
                    watchdog, f"step {t}", candidate.step_by_closure, lambda w, t=t: scenario.gradient(w, t), *hyper
                )
                run.asked_at.append(asked)
                run.grads.append(scenario.gradient(asked, t))
            else:
                run.grads.append(planned[t - 1] if planned else scenario.gradient(parameters, t))
                observation = _asked(
                    watchdog, f"step {t}", candidate.step, _laid(run.grads[-1], scenario.strided), *hyper
                )
            _fits(observation, task)
            run.seen.append(observation)
            _finite(observation, t)
            parameters = observation.parameters
            if scenario.resume_after == t:
                _asked(watchdog, "the checkpoint", candidate.resume)
    if scenario.reports:
        run.sparsity = _asked(watchdog, "sparsity", candidate.sparsity)


def _asked(watchdog: Watchdog, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """What the implementation answers; whatever goes wrong there is a finding."""
    return guarded("raises", what, watchdog.call, what, call, *arguments)


def _fits(observation: Observation, task: Task) -> None:
    """What is shown besides the parameters has their names and shapes."""
    shapes = {p.name: p.shape for p in task.parameters}
    for quantity, arrays in observation.shown.items():
        for name, array in arrays.items():
            if shapes.get(name) != array.shape:
                raise Misbehaviour("shape", f"{quantity} of {name!r} has shape {array.shape}, not that of a parameter")


def _finite(observation: Observation, t: int) -> None:
    for name, array in observation.parameters.items():
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise Misbehaviour("not finite", f"parameter {name!r} has {array[where]} at {where} after step {t}")


def _laid(grads: Gradients, strided: bool) -> Gradients:
    """The same gradients, if wanted with the axes the other way round in memory."""
    if not strided:
        return grads
    return {name: None if grad is None else np.asfortranarray(grad) for name, grad in grads.items()}


@cache
def plan(scenario: Scenario) -> tuple[Gradients, ...]:
    """Open loop: gradients at the reference's own iterates, in float64."""
    start = scenario.start()
    planned: list[Gradients] = []

    def gradient(states: dict[str, Any]) -> Gradients:
        parameters = {name: state.iterate for name, state in states.items()}
        planned.append(scenario.gradient(parameters, len(planned) + 1))
        return planned[-1]

    if scenario.verdict == "refusal":  # the reference refuses too: gradients at the start
        return tuple(scenario.gradient(start, t + 1) for t in range(scenario.task.n_steps))
    for _ in REFERENCE.network.run(scenario.task, REFERENCE, start, gradient):
        pass
    return tuple(planned)


def unmoved(record: Record) -> bool:
    """Whether all parameters stayed where they started."""
    return all(
        np.array_equal(array, record.start[name]) for seen in record.seen for name, array in seen.parameters.items()
    )
