"""PyTorch: a factory of a ``torch.optim.Optimizer``."""

import inspect
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

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


class TorchCandidate(Candidate):
    """``make(groups, task)`` returns an optimizer, or (optimizer, scheduler) where it makes its own schedule.

    ``groups`` are parameter groups as torch wants them: dictionaries with "params", and besides "names", "penalty"
    ("none", "l1" or "group_lasso"), "lam", "axis" (the axes within a group), "lr" and "momentum".
    Ours is the schedule of an optimizer that comes alone: before each step ``lr`` and ``momentum`` of all its parameter
    groups are set, and at a restart ``optimizer.restart()`` is called. With a scheduler, ``scheduler.step()`` is called
    after each step and has to do all this by itself, restarts included. Optional: ``optimizer.sparsity()``, and in
    ``optimizer.state[p]`` tensors "grad_sum" and "prox_iterate", which are then compared as well.
    """

    dtypes = ("float16", "bfloat16", "float32", "float64")

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def begin(self, task: Task, start: Arrays) -> None:
        self._task, self._dtype = task, getattr(torch, task.dtype)
        self._tensors = {name: self._parameter(array) for name, array in start.items()}
        self._build()

    def _tensor(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(np.array(array, order="K")).to(self._dtype)  # strides stay as they are

    def _parameter(self, array: Any) -> torch.nn.Parameter:
        return torch.nn.Parameter(self._tensor(array))

    def _build(self) -> None:
        made = guarded("factory", "the factory", self._make, self._groups(), self._task)
        pair: Any = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
        self._optimizer, self._scheduler = pair
        if not (hasattr(self._optimizer, "step") and hasattr(self._optimizer, "param_groups")):
            kind = type(self._optimizer).__name__
            raise Misbehaviour("factory", f"the factory returned a {kind}, no torch.optim.Optimizer")

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[int, dict[str, Any]] = {}
        told = self._task.with_arrays(lambda lam: torch.tensor(lam, dtype=self._dtype))
        for parameter in told.parameters:
            group = groups.setdefault(
                parameter.group,
                {"params": [], "names": [], "penalty": parameter.penalty, "lam": parameter.lam, "axis": parameter.axis}
                | {"lr": self._task.step_size(1), "momentum": self._task.momentum(1)},
            )
            group["params"].append(self._tensors[parameter.name])
            group["names"].append(parameter.name)
        return [groups[number] for number in sorted(groups)]

    def step(self, grads: Grads, step_size: float, momentum: float) -> Observation:
        lent = {name: None if grad is None else self._tensor(grad) for name, grad in grads.items()}
        kept = {name: None if grad is None else grad.clone() for name, grad in lent.items()}
        for name, tensor in self._tensors.items():
            tensor.grad = lent[name]
        self._schedule(step_size, momentum)
        guarded("raises", "step()", self._optimizer.step)
        self._intact(lent, kept)
        return self._seen()

    def step_by_closure(
        self, gradient: Callable[[Arrays], Arrays], step_size: float, momentum: float
    ) -> tuple[Observation, Arrays]:
        asked: list[Arrays] = []

        def closure() -> torch.Tensor:
            asked.append(self._arrays())
            for name, grad in gradient(asked[-1]).items():
                self._tensors[name].grad = self._tensor(grad)
            return torch.zeros(())

        self._schedule(step_size, momentum)
        guarded("raises", "step(closure)", self._optimizer.step, closure)
        if not asked:
            raise Misbehaviour("raises", "step(closure) never called the closure")
        return self._seen(), asked[0]

    def _schedule(self, step_size: float, momentum: float) -> None:
        if self._scheduler is None:
            for group in self._optimizer.param_groups:
                group["lr"], group["momentum"] = step_size, momentum

    def _intact(self, lent: dict[str, Any], kept: dict[str, Any]) -> None:
        for name, grad in kept.items():
            if grad is not None and not torch.equal(torch.nan_to_num(grad), torch.nan_to_num(lent[name])):
                raise Misbehaviour("mutates", f"the gradient of {name!r} was changed in place")

    def _arrays(self) -> Arrays:
        seen = {}
        for parameter in self._task.parameters:
            tensor = self._tensors[parameter.name].detach()
            if tensor.dtype != self._dtype:
                dtype = str(tensor.dtype).removeprefix("torch.")
                raise Misbehaviour("dtype", f"parameter {parameter.name!r} became {dtype}, given {self._task.dtype}")
            seen[parameter.name] = checked(
                parameter.name, tensor.to(torch.float64).numpy().copy(), parameter.shape, "float64"
            )
        return seen

    def _seen(self) -> Observation:
        """What there is after the optimizer's step, before a scheduler has its turn."""
        seen, shown = self._arrays(), self._shown()
        if self._scheduler is not None:
            guarded("raises", "scheduler.step()", self._scheduler.step)
        return Observation(seen, shown)

    def _shown(self) -> dict[str, Arrays]:
        shown: dict[str, Arrays] = {quantity: {} for quantity in QUANTITIES}
        for name, tensor in self._tensors.items():
            state = getattr(self._optimizer, "state", {}).get(tensor, {})
            for quantity in QUANTITIES:
                value = state.get(quantity) if isinstance(state, dict) else None
                if isinstance(value, torch.Tensor) and value.shape == tensor.shape:
                    shown[quantity][name] = value.detach().to(torch.float64).numpy().copy()
        return {quantity: arrays for quantity, arrays in shown.items() if arrays}

    def restart(self) -> None:
        if self._scheduler is None:
            guarded("raises", "restart()", self._optimizer.restart)

    def resume(self) -> None:
        parts = [part for part in (self._optimizer, self._scheduler) if part is not None]
        file = io.BytesIO()
        guarded(
            "checkpoint", "torch.save of state_dict()", lambda: torch.save([part.state_dict() for part in parts], file)
        )
        file.seek(0)
        saved: Any = guarded("checkpoint", "torch.load(weights_only=True)", lambda: torch.load(file, weights_only=True))
        self._tensors = {name: self._parameter(array) for name, array in self._arrays().items()}
        self._build()
        parts = [part for part in (self._optimizer, self._scheduler) if part is not None]
        for part, state in zip(parts, saved, strict=True):
            guarded("checkpoint", "load_state_dict", part.load_state_dict, state)

    def sparsity(self) -> float:
        return float(guarded("raises", "sparsity()", self._optimizer.sparsity))

    def lacks(self, feature: Feature) -> str:
        match feature:
            case "restart":
                able = self._scheduler is not None or hasattr(self._optimizer, "restart")
                return "" if able else "the optimizer has no restart(), and no scheduler came with it"
            case "own schedule":
                return "" if self._scheduler is not None else "the factory returned no scheduler beside the optimizer"
            case "sparsity":
                return "" if hasattr(self._optimizer, "sparsity") else "it reports no sparsity"
            case "closure":
                able = bool(inspect.signature(self._optimizer.step).parameters)
                return "" if able else "its step takes no closure"
        return ""
