"""What an implementation is asked to do: parameters, their penalties, stages."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rmda_ref.schedules import Schedule, Stage

Penalty = Literal["none", "l1", "group_lasso"]
Algorithm = Literal["rmda", "rda", "prox_sgd"]
Arrays = dict[str, npt.NDArray[Any]]


def at(schedule: Schedule, t: int) -> float:
    """The value of step t, also one that the reference refuses."""
    return float(schedule(t) if callable(schedule) else schedule)


@dataclass(frozen=True)
class Parameter:
    """A tensor of a network.

    Attributes
    ----------
    name, shape : of the tensor
    penalty : "none", "l1" or "group_lasso"
    lam : strength; a group counts lam sqrt(group size) times its Euclidean norm
    axis : for "group_lasso" the axes *within* a group, as in a NumPy reduction, sorted
    group : number of the parameter group that it belongs to, from 0
    """

    name: str
    shape: tuple[int, ...]
    penalty: Penalty = "none"
    lam: float = 0.0
    axis: tuple[int, ...] | None = None
    group: int = 0

    @property
    def size(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Task:
    """What an implementation is told before it starts.

    Attributes
    ----------
    parameters : in the order in which they are given
    stages : each with ``n_steps``, ``step_size`` and ``momentum`` (numbers, or functions of t = 1, 2, … within the
        stage); between two stages the algorithm restarts. For RDA the step size is 1/gamma.
    dtype : of parameters and gradients
    algorithm : "rmda", "rda" or "prox_sgd"
    rule : how the momentum of the stages came about, for those who make their own schedule: "given"; "decayed", times
        1/gamma per stage (RMDA's code); "ramped", held and then min(c sqrt(k), 1) in the last stage, k = 1, 2, …
        (RAMDA's code)
    gamma : factor of the step size per stage, where there is a rule
    array_lam : whether strengths are given as arrays of no axes (tensors) instead of numbers
    """

    parameters: tuple[Parameter, ...]
    stages: tuple[Stage, ...]
    dtype: str = "float64"
    algorithm: Algorithm = "rmda"
    rule: Literal["given", "decayed", "ramped"] = "given"
    gamma: float = 1.0
    array_lam: bool = False

    @property
    def n_steps(self) -> int:
        return sum(stage.n_steps for stage in self.stages)

    @property
    def restarts(self) -> tuple[int, ...]:
        """How many steps were taken before each restart."""
        ends = np.cumsum([stage.n_steps for stage in self.stages])
        return tuple(int(end) for end in ends[:-1])

    def step_size(self, t: int) -> float:
        """Step size of step t = 1, 2, … of the first stage."""
        return at(self.stages[0].step_size, t)

    def momentum(self, t: int) -> float:
        """Momentum c in (0, 1] of step t = 1, 2, … of the first stage: 1 means no momentum."""
        return at(self.stages[0].momentum, t)

    def with_arrays(self, array: Callable[[float], Any]) -> "Task":
        """The same task with strengths as arrays of no axes, where these are wanted."""
        if not self.array_lam:
            return self
        return replace(self, parameters=tuple(replace(p, lam=array(p.lam)) for p in self.parameters))

    def stage(self, number: int) -> "Task":
        """The same task with this stage alone."""
        return replace(self, stages=(self.stages[number],))
