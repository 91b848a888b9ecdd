"""What is asked of an implementation, whatever it is written in, and what it may do wrong besides numbers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rmda_ref.crosscheck.task import Arrays, Task

# What a state may show besides the parameters, in the order in which a step computes it.
QUANTITIES = ("grad_sum", "prox_iterate")

Feature = Literal["restart", "absent gradients", "checkpoint", "sparsity", "closure", "own schedule", "array strengths"]
Grads = Mapping[str, npt.NDArray[Any] | None]
Misdeed = Literal[
    "import",
    "factory",
    "raises",
    "dtype",
    "shape",
    "not finite",
    "hang",
    "garbage",
    "mutates",
    "checkpoint",
]


class Misbehaviour(Exception):
    """Something that an implementation did and that is no number: named, never a traceback of ours.

    Attributes
    ----------
    kind : a short name
    """

    def __init__(self, kind: Misdeed, message: str) -> None:
        super().__init__(message)
        self.kind: Misdeed = kind


@dataclass(frozen=True)
class Observation:
    """What can be seen after a step: the parameters, and what of `QUANTITIES` the implementation shows."""

    parameters: Arrays
    shown: Mapping[str, Arrays] = field(default_factory=dict)


class Candidate(ABC):
    """An implementation behind an adapter. All arrays come and go in float64, which holds every dtype exactly.

    Attributes
    ----------
    dtypes : what it can run in
    adds_updates : whether a new iterate is formed as W + (new - W), which rounds once more
    """

    dtypes: tuple[str, ...]
    adds_updates = False

    def greet(self) -> None:  # noqa: B027  # most have nothing to ask
        """Find out what it can do, before anything else."""

    @abstractmethod
    def begin(self, task: Task, start: Arrays) -> None:
        """Forget everything; a new run of the task from these parameters."""

    @abstractmethod
    def step(self, grads: Grads, step_size: float, momentum: float) -> Observation:
        """One step with gradients at the present parameters; None where a parameter has none."""

    def step_by_closure(
        self, gradient: Callable[[Arrays], Arrays], step_size: float, momentum: float
    ) -> tuple[Observation, Arrays]:
        """One step that asks for gradients itself; also where it asked for them."""
        raise NotImplementedError

    def restart(self) -> None:
        """A new stage."""
        raise NotImplementedError

    def resume(self) -> None:
        """Save everything, forget it, load it."""
        raise NotImplementedError

    def sparsity(self) -> float:
        """The share of zero groups that the implementation reports."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  # most have nothing to close
        """Let go of what lies outside this process."""

    @abstractmethod
    def lacks(self, feature: Feature) -> str:
        """Why it cannot be asked for this; empty where it can."""


def guarded(kind: Misdeed, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """The result of the user's code; what it raises becomes a finding."""
    try:
        return call(*arguments)
    except Misbehaviour:
        raise
    except Exception as error:  # a user's code may raise anything
        raise Misbehaviour(kind, f"{what} raised {type(error).__name__}: {_short(error)}") from error


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "..."


def checked(name: str, found: npt.NDArray[np.generic], shape: tuple[int, ...], dtype: str) -> npt.NDArray[np.float64]:
    """A parameter that came back, in float64, if it is still of its shape and dtype."""
    if tuple(found.shape) != shape:
        raise Misbehaviour("shape", f"parameter {name!r} came back with shape {tuple(found.shape)}, given {shape}")
    if found.dtype.name != dtype:
        raise Misbehaviour("dtype", f"parameter {name!r} came back as {found.dtype.name}, given {dtype}")
    return found.astype(np.float64)
