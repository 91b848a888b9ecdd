"""The reference on a task: every parameter is a run of its own, with its own clock.

Plain functions of explicit states, in which mistakes can be made by small edits, as in the algorithms themselves: see
`rmda_ref.crosscheck.edits`.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rmda_ref.crosscheck.task import Parameter, Task, at
from rmda_ref.regularizers import L1, Regularizer, Zero
from rmda_ref.schedules import Stage, decayed_stages, ramped_stages

if TYPE_CHECKING:
    from rmda_ref.crosscheck.mutants import Implementation

States = dict[str, Any]


def regularizer(task: Task, parameter: Parameter, parts: "Implementation") -> Regularizer:
    """psi of one parameter."""
    lam, axis = parameter.lam, parameter.axis
    if parameter.penalty == "l1":
        return L1(lam)
    if parameter.penalty == "group_lasso":
        penalty: Regularizer = parts.GroupLasso(lam, axis=axis)
        return penalty
    return Zero()


def stages(task: Task) -> tuple[Stage, ...]:
    """By the rule of the task."""
    lengths = [stage.n_steps for stage in task.stages]
    step_size, momentum = at(task.stages[0].step_size, 1), at(task.stages[0].momentum, 1)
    if task.rule == "decayed":
        return decayed_stages(step_size, momentum, task.gamma, lengths)
    if task.rule == "ramped":
        return ramped_stages(step_size, momentum, task.gamma, lengths, first=1)
    return task.stages


def algorithm(task: Task, parameter: Parameter, stage: Stage, parts: "Implementation") -> Any:
    """What moves one parameter in one stage."""
    psi = regularizer(task, parameter, parts)
    if task.algorithm == "rda":
        return parts.RDA(psi, 1 / at(stage.step_size, 1))
    kind = parts.RMDA if task.algorithm == "rmda" else parts.ProxSGD
    return kind(psi, stage.step_size, stage.momentum)


def step(task: Task, algorithms: States, states: States, grads: States) -> States:
    """The states after a step; a parameter without a gradient stays as it is, and its clock stands still."""
    following = {}
    for parameter in task.parameters:
        name = parameter.name
        state, grad = states[name], grads[name]
        following[name] = state if grad is None else algorithms[name].step(state, grad)
    return following


def restart(algorithms: States, states: States) -> States:
    """A new stage for every parameter, those that never had a gradient included."""
    return {name: algorithms[name].restart(state) for name, state in states.items()}


def run(
    task: Task,
    parts: "Implementation",
    start: States,
    gradient: Callable[[States], States | None],
    adapted: Callable[[Any], Any] = lambda algorithm: algorithm,
    kept: Callable[[States, States], States] = lambda before, after: after,
) -> Iterator[tuple[States, States]]:
    """The states before and after each step of all stages.

    ``gradient`` gives the gradients at the states, None to end; ``adapted`` what runs in place of an algorithm;
    ``kept`` what is gone on with after a step.
    """
    states: States = {}
    algorithms: States = {}
    for number, stage in enumerate(stages(task)):
        if number > 0:
            states = restart(algorithms, states)
        algorithms = {p.name: adapted(algorithm(task, p, stage, parts)) for p in task.parameters}
        if number == 0:
            states = {name: algorithms[name].init(w0) for name, w0 in start.items()}
        for _ in range(stage.n_steps):
            grads = gradient(states)
            if grads is None:
                return
            before, states = states, kept(states, step(task, algorithms, states, grads))
            yield before, states
