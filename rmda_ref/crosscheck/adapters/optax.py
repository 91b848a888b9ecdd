"""JAX: a factory of an Optax-style ``GradientTransformation``."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

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


class OptaxCandidate(Candidate):
    """``make(task)`` returns a gradient transformation: ``init(params)``, ``update(grads, state, params)``.

    Parameters are a dictionary of arrays; updates are added by ``optax.apply_updates``. The transformation knows step
    sizes and momenta from the task: ``task.step_size(t)``, ``task.momentum(t)``, t = 1, 2, …. A restart is a new
    transformation, made for the next stage, and a new ``init``. If its state has attributes ``grad_sum`` or
    ``prox_iterate``, dictionaries like the parameters, they are compared as well. In float64 JAX's 64-bit mode is on.
    """

    dtypes = ("float16", "bfloat16", "float32", "float64")
    adds_updates = True

    def __init__(self, make: Callable[[Task], Any]) -> None:
        self._make = make

    def _mode(self) -> AbstractContextManager[Any]:
        return jax.enable_x64(True) if self._task.dtype == "float64" else nullcontext()

    def begin(self, task: Task, start: Arrays) -> None:
        self._task, self._stage = task, 0
        with self._mode():
            self._parameters: Any = {name: jnp.asarray(array, dtype=task.dtype) for name, array in start.items()}
            self._build()

    def _build(self) -> None:
        told = self._task.stage(self._stage).with_arrays(lambda lam: jnp.asarray(lam, dtype=self._task.dtype))
        made = guarded("factory", "the factory", self._make, told)
        if not (hasattr(made, "init") and hasattr(made, "update")):
            raise Misbehaviour("factory", f"the factory returned a {type(made).__name__}, no GradientTransformation")
        self._transformation: Any = made
        self._state: Any = guarded("raises", "init", made.init, self._parameters)

    def step(self, grads: Grads, step_size: float, momentum: float) -> Observation:
        with self._mode():
            lent = {name: jnp.asarray(grad, dtype=self._task.dtype) for name, grad in grads.items()}
            taken: Any = guarded("raises", "update", self._transformation.update, lent, self._state, self._parameters)
            updates, self._state = taken
            self._parameters = guarded("raises", "apply_updates", optax.apply_updates, self._parameters, updates)
            return Observation(self._arrays(), self._shown())

    def _arrays(self) -> Arrays:
        return {
            p.name: checked(p.name, np.asarray(self._parameters[p.name]), p.shape, self._task.dtype)
            for p in self._task.parameters
        }

    def _shown(self) -> dict[str, Arrays]:
        found = {quantity: getattr(self._state, quantity, None) for quantity in QUANTITIES}
        return {
            quantity: {name: np.asarray(array).astype(np.float64) for name, array in arrays.items()}
            for quantity, arrays in found.items()
            if isinstance(arrays, dict)
        }

    def restart(self) -> None:
        self._stage += 1
        with self._mode():
            self._build()

    def resume(self) -> None:
        """Leaves and structure, as checkpoints of pytrees keep them."""
        with self._mode():
            leaves, structure = jax.tree.flatten(self._state)
            if strange := [leaf for leaf in leaves if not hasattr(leaf, "dtype") and not isinstance(leaf, int | float)]:
                raise Misbehaviour("checkpoint", f"the state holds a {type(strange[0]).__name__}, which is no array")
            saved = [np.array(leaf) for leaf in leaves]
            self._build()
            self._state = jax.tree.unflatten(structure, [jnp.asarray(leaf) for leaf in saved])

    def lacks(self, feature: Feature) -> str:
        match feature:
            case "absent gradients":
                return "a pytree of gradients has one for every parameter"
            case "sparsity":
                return "a gradient transformation reports no sparsity"
            case "closure" | "own schedule":
                return "a gradient transformation takes its gradients from the caller, and its schedule from the task"
        return ""
