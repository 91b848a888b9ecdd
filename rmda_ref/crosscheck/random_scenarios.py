"""Scenarios drawn at random: shapes, penalties, parameter groups, schedules, stages, absent gradients.

Gradients are absent only where step size and momentum are constant: whether a schedule follows the clock of a parameter
or that of the run is a matter of taste.
"""

import random
from dataclasses import replace

from rmda_ref.crosscheck.candidate import Feature
from rmda_ref.crosscheck.scenario import Scenario
from rmda_ref.crosscheck.task import Algorithm, Parameter, Task
from rmda_ref.schedules import PowerDecay, Schedule, SqrtRamp, Stage


def random_scenario(number: int, seed: int, algorithm: Algorithm = "rmda") -> Scenario:
    """Scenario ``number`` of those that the seed gives, the same everywhere."""
    draw = random.Random(f"{seed} {number}")
    parameters = tuple(_parameter(draw, k) for k in range(draw.randint(1, 3)))
    constant = draw.random() < 0.5
    stages = tuple(_stage(draw, constant or algorithm == "rda") for _ in range(draw.randint(1, 3)))
    task = Task(parameters, stages, algorithm=algorithm)
    without = {p.name: _absent(draw, task.n_steps) for p in parameters if constant and draw.random() < 0.6}
    needs: list[Feature] = ["restart"] if len(stages) > 1 else []
    needs += ["absent gradients"] if any(without.values()) else []
    return Scenario(
        f"random {seed}.{number}",
        "nothing in particular: drawn at random",
        task,
        needs=tuple(needs),
        loop="open" if draw.random() < 0.5 else "closed",
        without=without,
        strided=draw.random() < 0.3,
        dead=draw.random() < 0.2,
        algorithms=(algorithm,),
    )


def _parameter(draw: random.Random, k: int) -> Parameter:
    shape = tuple(draw.randint(1, 5) for _ in range(draw.randint(1, 5)))
    bare = Parameter(f"parameter{k}", shape, group=k)
    match draw.choice(("none", "l1", "group_lasso", "group_lasso")):
        case "l1":
            return replace(bare, penalty="l1", lam=draw.uniform(0, 0.5))
        case "group_lasso":
            axes = tuple(sorted(draw.sample(range(len(shape)), draw.randint(1, len(shape)))))
            return replace(bare, penalty="group_lasso", lam=draw.uniform(0, 0.3), axis=axes)
    return bare


def _stage(draw: random.Random, constant: bool) -> Stage:
    step_size: Schedule = draw.uniform(0.05, 0.6)
    momentum: Schedule = draw.choice((1.0, draw.uniform(0.05, 1)))
    if not constant:
        step_size = PowerDecay(draw.uniform(0.05, 0.6), draw.uniform(0, 1))
        momentum = SqrtRamp(draw.uniform(0.05, 1))
    return Stage(draw.randint(1, 8), step_size, momentum)


def _absent(draw: random.Random, n_steps: int) -> frozenset[int]:
    return frozenset(t for t in range(1, n_steps + 1) if draw.random() < 0.4)
