"""Plain Python: a function ``step(params, grads) -> params`` on dictionaries of NumPy arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rmda_ref.crosscheck.candidate import (
    QUANTITIES,
    Candidate,
    Feature,
    Grads,
    Misbehaviour,
    Observation,
    checked,
    guarded,
)
from rmda_ref.crosscheck.task import Arrays, Task


class FunctionCandidate(Candidate):
    """``make(task)`` returns ``step``, which is called ``step(params, grads)`` and returns the new parameters.

    It knows step sizes and momenta from the task: ``task.step_size(t)``, ``task.momentum(t)``, t = 1, 2, …. At a
    restart ``step.restart(task)`` is called with the next stage's task if there is one, else ``make`` once more.
    Optional too: ``step.save()``, which returns anything that pickle can keep, and ``step.load(saved)``;
    ``step.sparsity(params)``; ``step.shown()``, a dictionary of "grad_sum" and "prox_iterate", each a dictionary like
    the parameters.
    """

    dtypes = ("float16", "float32", "float64")

    def __init__(self, make: Callable[[Task], Any]) -> None:
        self._make = make

    def begin(self, task: Task, start: Arrays) -> None:
        self._task, self._stage = task, 0
        self._parameters: dict[str, Any] = {name: array.astype(task.dtype) for name, array in start.items()}
        self._step = self._made()

    def _made(self) -> Any:
        step = guarded("factory", "the factory", self._make, self._told())
        if not callable(step):
            raise Misbehaviour(
                "factory", f"the factory returned a {type(step).__name__}, no function step(params, grads)"
            )
        return step

    def _told(self) -> Task:
        return self._task.stage(self._stage).with_arrays(lambda lam: np.array(lam, dtype=self._task.dtype))

    def step(self, grads: Grads, step_size: float, momentum: float) -> Observation:
        lent = {
            name: None if grad is None else np.array(grad, dtype=self._task.dtype, order="K")
            for name, grad in grads.items()
        }
        kept = {name: None if grad is None else grad.copy() for name, grad in lent.items()}
        after = guarded("raises", "step", self._step, self._parameters, lent)
        for name, grad in kept.items():
            if grad is not None and not np.array_equal(grad, np.asarray(lent[name]), equal_nan=True):
                raise Misbehaviour("mutates", f"the gradient of {name!r} was changed in place")
        if not isinstance(after, dict) or after.keys() != self._parameters.keys():
            raise Misbehaviour("shape", f"step must return a dictionary with the keys {sorted(self._parameters)}")
        seen = {
            p.name: checked(p.name, np.asarray(after[p.name]), p.shape, self._task.dtype) for p in self._task.parameters
        }
        self._parameters = after
        return Observation(seen, self._shown())

    def _shown(self) -> dict[str, Arrays]:
        shown = self._step.shown() if hasattr(self._step, "shown") else {}
        return {
            quantity: {name: np.asarray(array, dtype=np.float64) for name, array in shown[quantity].items()}
            for quantity in QUANTITIES
            if quantity in shown
        }

    def restart(self) -> None:
        self._stage += 1
        if hasattr(self._step, "restart"):
            guarded("raises", "restart", self._step.restart, self._told())
        else:
            self._step = self._made()

    def resume(self) -> None:
        saved = guarded("checkpoint", "save", self._step.save)
        self._step = self._made()
        guarded("checkpoint", "load", self._step.load, saved)

    def sparsity(self) -> float:
        return float(guarded("raises", "sparsity", self._step.sparsity, self._parameters))

    def lacks(self, feature: Feature) -> str:
        step = self._step
        match feature:
            case "checkpoint":
                return "" if hasattr(step, "save") and hasattr(step, "load") else "it has no save and load"
            case "sparsity":
                return "" if hasattr(step, "sparsity") else "it reports no sparsity"
            case "closure" | "own schedule":
                return "a function takes its gradients and schedules from the caller"
        return ""
