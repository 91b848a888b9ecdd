"""The reference on a task: every parameter is a run of its own, with its own clock.

Plain functions of explicit states, in which `mistakes` can be made by small edits, as in the algorithms themselves.
"""

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
