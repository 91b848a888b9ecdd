"""The library's own algorithms on the arrays of another namespace, so that the claims can be put to a backend.

A claim is NumPy: its gradients, its bars. Here an algorithm takes its NumPy arrays to the namespace, and keeps its
state there: every operation of a step is the backend's. What a claim reads of a state comes back as NumPy.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from rmda_ref.crosscheck.mutants import REFERENCE, Implementation
from rmda_ref.namespace import Array, on_host
from validation.place import NotAsked, Place, Seen, asking, is_array

__all__ = ["OnArrays", "backend_of", "evaluated", "load", "moved", "name_on", "offered"]

_ON = f"{REFERENCE.name} on "
_ALGORITHMS = ("RMDA", "RDA", "RAMDA", "ProxSGD", "MSGD", "MDA", "GRDA", "ProxAdam", "ProxGen", "ProxSVRG", "ProxSAGA")
_NUMPY_ONLY = ("RigL", "GradualPruning")  # what moves their masks sorts


def backend_of(name: str) -> str:
    """The backend in an implementation's name; empty where there is none."""
    return name.removeprefix(_ON) if name.startswith(_ON) else ""


def name_on(backend: str) -> str:
    """The name of the reference on arrays of a backend, "reference on torch"; on NumPy's its own."""
    return REFERENCE.name if backend == "numpy" else _ON + backend


@dataclasses.dataclass(frozen=True)
class OnArrays(Implementation):
    """An implementation whose algorithms run at a place."""

    place: Place


def load(backend: str) -> OnArrays:
    """The reference on arrays of a backend; raises as `Place.named` does."""
    return moved(REFERENCE, Place.named(backend), name_on(backend))


def moved(implementation: Implementation, place: Place, name: str) -> OnArrays:
    """The same algorithms, from NumPy arrays to NumPy arrays, with all that happens in between at ``place``."""
    parts = {field.name: getattr(implementation, field.name) for field in dataclasses.fields(implementation)}
    parts |= {algorithm: _moved(parts[algorithm], place) for algorithm in _ALGORITHMS}
    parts |= {algorithm: _refused(algorithm) for algorithm in _NUMPY_ONLY}
    make = parts["GroupLasso"]
    parts |= {"name": name, "GroupLasso": lambda *a, **kw: MovedRegularizer(make(*a, **kw), place)}
    return OnArrays(**parts, place=place)


def evaluated(implementation: Implementation, examples: Mapping[str, tuple[Any, tuple[int, ...]]]) -> list[str]:
    """The names of the examples that the implementation can evaluate; its place keeps those of the others."""
    if not isinstance(implementation, OnArrays):
        return list(examples)
    place = implementation.place
    return place.keep(examples, [name for name, example in examples.items() if place.evaluates(*example)])


def offered(implementation: Implementation, algorithms: Iterable[str]) -> list[str]:
    """The names of the algorithms that the implementation has; its place keeps those of the others."""
    names = list(algorithms)
    if not isinstance(implementation, OnArrays):
        return names
    return implementation.place.keep(names, [name for name in names if name not in _NUMPY_ONLY])


def _moved(kind: Any, place: Place) -> type[Any]:
    """An algorithm's class, still a dataclass with the same fields, so that stages can change them."""

    class Moved(kind):  # type: ignore[misc]  # mutants too: the class is known at run time only
        @cached_property
        def _plain(self) -> Any:
            return kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.init})

        def init(self, *arrays: Any) -> Seen:
            place.asked = True
            with asking():
                return place.stands(self._plain.init(*map(place.into, arrays)))

        def step(self, state: Seen, *arrays: Any) -> Seen:
            with asking():
                return place.stands(self._plain.step(state.held, *map(place.into, arrays)))

        def restart(self, state: Seen, *arrays: Any) -> Seen:
            return place.stands(self._plain.restart(state.held, *map(place.into, arrays)))

        def prox_step(self, state: Seen) -> float:
            return float(self._plain.prox_step(state.held))

        def stepper(self, start: Any, tracker: Any = None) -> MovedStepper:
            if tracker is not None:
                raise NotAsked("it watches every fused step in place (a tracker), which is for NumPy arrays")
            place.asked = True
            with asking():
                given = start.held if isinstance(start, Seen) else place.into(start)
                return MovedStepper(self._plain.stepper(given), place)

    Moved.__name__, Moved.__qualname__ = kind.__name__, kind.__qualname__
    return Moved


def _refused(algorithm: str) -> Callable[..., Any]:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise NotAsked(f"{algorithm}, which sorts, takes NumPy arrays")

    return refuse


class MovedStepper:
    """Fused steps in place, where there are such at the place; what is asked of them is copied to the host."""

    def __init__(self, stepper: Any, place: Place) -> None:
        self._stepper, self._place = stepper, place

    def step(self, grad: Any) -> None:
        with asking():
            self._stepper.step(self._place.into(grad))

    def restart(self) -> None:
        self._stepper.restart()

    @property
    def state(self) -> Seen:
        return self._place.stands(self._stepper.state)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._stepper, name)
        return on_host(value) if is_array(value) else value


class MovedRegularizer:
    """A regularizer whose prox of a NumPy array is computed at a place; within an algorithm it is there already."""

    def __init__(self, regularizer: Any, place: Place) -> None:
        self._regularizer, self._place = regularizer, place

    def prox(self, w: Array, *arguments: Any) -> Array:
        with asking():
            found = self._regularizer.prox(self._place.into(w), *map(self._place.into, arguments))
        if not isinstance(w, np.ndarray):
            return found
        self._place.asked = True
        return on_host(found)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._regularizer, name)
