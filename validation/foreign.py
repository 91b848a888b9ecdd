"""A user's own algorithm in the place of RMDA, so that the claims can be put to it."""

import dataclasses
import importlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

from rmda_ref.crosscheck.mutants import REFERENCE, Implementation

__all__ = ["ForeignError", "StandIn", "is_foreign", "load"]

_WANTED = "name a class or function that is called with (regularizer, step_size, momentum), as module:attribute"


class ForeignError(Exception):
    """An algorithm that cannot be had: the message names it, and what was looked for."""


def is_foreign(name: str) -> bool:
    """Whether an implementation's name is that of a user's algorithm, ``module:attribute``."""
    return ":" in name


def load(name: str) -> Implementation:
    """The reference with a user's algorithm for RMDA.

    Parameters
    ----------
    name : ``module:attribute``
        Called with (regularizer, step_size, momentum), positional, it gives an object with ``init(w0)``,
        ``step(state, grad)`` and ``restart(state)``. Its states have ``iterate``, where the next gradient is taken,
        and ``prox_iterate``, the structured point. Step size and momentum are floats or functions of t = 1, 2, ….

    Raises
    ------
    ForeignError
        If the module cannot be imported or has no such attribute.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ForeignError(f"algorithm {name!r} is not of the form module:attribute; {_WANTED}")
    try:
        imported = importlib.import_module(module)
    except Exception as error:  # a user's module may raise anything
        raise ForeignError(f"algorithm {name!r}: module {module!r} cannot be imported: {error!r}; {_WANTED}") from error
    try:
        factory = getattr(imported, attribute)
    except AttributeError as error:
        raise ForeignError(f"algorithm {name!r}: {module} has no {attribute!r}; {_WANTED}") from error
    if not callable(factory):
        raise ForeignError(f"algorithm {name!r} is of type {type(factory).__name__}; {_WANTED}")
    return dataclasses.replace(REFERENCE, name=name, RMDA=StandIn(factory))


class StandIn:
    """Makes the user's algorithm, and remembers what it has made and what states it has seen."""

    def __init__(self, factory: Callable[..., Any]) -> None:
        self.factory = factory
        self.asked = False
        self.state_types: set[type] = set()

    def __call__(self, regularizer: Any, step_size: Any, momentum: Any = 1.0) -> "Foreign":
        self.asked = True
        return Foreign(self, regularizer, step_size, momentum)

    def lacks(self, error: AttributeError) -> str:
        """What a claim asked for that the user's algorithm need not have; empty where the error is of another kind."""
        if isinstance(error.obj, Foreign):
            return f"{error.name} is none of init, step and restart"
        return f"its state has no {error.name}" if type(error.obj) in self.state_types else ""


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A user's algorithm with its hyper-parameters as fields, so that stages can change them."""

    maker: StandIn
    regularizer: Any
    step_size: Any
    momentum: Any

    @cached_property
    def _algorithm(self) -> Any:
        return self.maker.factory(self.regularizer, self.step_size, self.momentum)

    def init(self, w0: Any) -> Any:
        return self._called("init", w0)

    def step(self, state: Any, grad: Any) -> Any:
        return self._called("step", state, grad)

    def restart(self, state: Any) -> Any:
        return self._called("restart", state)

    def _called(self, method: str, *arguments: Any) -> Any:
        try:
            state = getattr(self._algorithm, method)(*arguments)
        except AttributeError as error:  # the user's own mistake; `lacks` hears of what a claim asked for
            raise RuntimeError(f"{method} raised {error!r}") from error
        missing = [name for name in ("iterate", "prox_iterate") if not hasattr(state, name)]
        if missing:
            raise TypeError(f"{method} gave a {type(state).__name__}, which has no {' and no '.join(missing)}")
        self.maker.state_types.add(type(state))
        return state
