"""A scenario: a task, where its gradients come from, and what is done on the way.

Every number given to an implementation is a multiple of 1/32 below 8 in size: 8 bits, so that each dtype holds it
exactly, bfloat16 included, and the same data serve them all.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from rmda_ref.crosscheck.candidate import Feature
from rmda_ref.crosscheck.task import Algorithm, Arrays, Parameter, Task

GRID = 32
LARGEST = 255  # in units of the grid: 8 bits
Gradients = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Scenario:
    """What one run of an implementation isolates.

    Attributes
    ----------
    name : of the scenario
    isolates : in words
    task : in float64
    mistakes : numbers of the mistakes of `rmda_ref.crosscheck.mistake.PUBLIC` that it is there for
    needs : features that it cannot be run without
    loop : "open", gradients from a plan; "closed", at the implementation's own parameters; "closure", asked for by it
    without : parameters that have no gradient, and in which steps
    still : parameters whose gradient is zero in every step
    zeros : columns that start at zero, of parameters with two axes
    dead : whether the first filter (the first index of axis 0) of penalised tensors starts at zero and gets no gradient
    resume_after : the step after which a checkpoint is written and read
    reports : whether the reported sparsity is compared
    strided : whether gradients come in another memory order
    dtypes : that it makes sense in; all of them by default
    verdict : "numbers"; or "refusal": what is right is an error, or to stay where it is
    scale : of parameters; 1 or a power of two
    grad_unit : what gradients are multiples of
    levels : gradients of size 1 in that unit
    algorithms : that can be asked
    """

    name: str
    isolates: str
    task: Task
    mistakes: tuple[int, ...] = ()
    needs: tuple[Feature, ...] = ()
    loop: Literal["open", "closed", "closure"] = "open"
    without: Mapping[str, frozenset[int]] = field(default_factory=dict)
    still: tuple[str, ...] = ()
    zeros: tuple[int, ...] = ()
    dead: bool = False
    resume_after: int | None = None
    reports: bool = False
    strided: bool = False
    dtypes: tuple[str, ...] = ("float64", "float32", "float16", "bfloat16")
    verdict: Literal["numbers", "refusal"] = "numbers"
    scale: float = 1.0
    grad_unit: float = 1 / GRID
    levels: int = GRID
    algorithms: tuple[Algorithm, ...] = ("rmda",)

    def start(self) -> Arrays:
        """Parameters before the first step."""
        drawn = _draws(f"start {self.name}")
        start = {}
        for parameter in self.task.parameters:
            start[parameter.name] = _array(drawn, parameter) * self.scale
            if self.zeros and len(parameter.shape) == 2:
                start[parameter.name][:, list(self.zeros)] = 0.0
            if self.dead and parameter.penalty != "none":
                start[parameter.name][0] = 0.0
        return start

    def gradient(self, parameters: Arrays, t: int) -> Gradients:
        """Of a noisy quadratic at these parameters, in step t = 1, 2, … of the whole run; None where there is none."""
        target, noise = _draws(f"target {self.name}"), _draws(f"noise {self.name} {t}")
        grads: Gradients = {}
        for p in self.task.parameters:
            rough = 0.5 * (parameters[p.name] / self.scale - _array(target, p)) + 0.5 * _array(noise, p)
            if self.zeros and len(p.shape) == 2:
                rough[:, list(self.zeros)] *= 0.25
            if self.dead and p.penalty != "none":
                rough[0] = 0.0
            exact = np.clip(np.round(rough * self.levels), -LARGEST, LARGEST) * self.grad_unit + 0.0
            grads[p.name] = np.zeros(p.shape) if p.name in self.still else exact
            if t in self.without.get(p.name, ()):
                grads[p.name] = None
        return grads


def _draws(seed: str) -> Iterator[float]:
    """Numbers in [-1, 1), the same on every machine and in every version of Python."""
    source = random.Random(seed)
    while True:
        yield 2 * source.random() - 1


def _array(drawn: Iterator[float], parameter: Parameter) -> Any:
    """Multiples of 1/32 in [-1, 1]."""
    return np.array([round(next(drawn) * GRID) / GRID for _ in range(parameter.size)]).reshape(parameter.shape)
