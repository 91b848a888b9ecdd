"""One file for each way in which an implementation can be driven; a framework is imported by its file alone."""

import importlib
from collections.abc import Callable
from typing import Any

from rmda_ref.crosscheck.candidate import Candidate, Misbehaviour

ADAPTERS = {
    "torch": "TorchCandidate",
    "optax": "OptaxCandidate",
    "function": "FunctionCandidate",
    "process": "ProcessCandidate",
}
_NEEDS = {"torch": "pip install 'rmda-ref[torch]'", "optax": "pip install 'rmda-ref[optax]'"}


def adapt(subject: Any, adapter: str) -> Candidate:
    """The candidate behind an adapter: a factory, "module:attribute", or for "process" a command (a list of words).

    Raises
    ------
    ValueError
        If there is no such adapter.
    ImportError
        If its framework is not installed.
    Misbehaviour
        If "module:attribute" cannot be had.
    """
    if adapter not in ADAPTERS:
        raise ValueError(f"adapter must be one of {', '.join(ADAPTERS)}, got {adapter!r}")
    try:
        room = importlib.import_module(f"rmda_ref.crosscheck.adapters.{adapter}")
    except ModuleNotFoundError as error:
        raise ImportError(f"the adapter {adapter!r} needs {error.name}: {_NEEDS.get(adapter, '')}") from error
    if adapter != "process" and isinstance(subject, str):
        subject = load(subject)
    made: Candidate = getattr(room, ADAPTERS[adapter])(subject)
    return made


def load(name: str) -> Callable[..., Any]:
    """The factory that "module:attribute" names; Misbehaviour where there is none."""
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise Misbehaviour(
            "import", f"{name!r} is not of the form module:attribute, e.g. mypackage.rmda:make_optimizer"
        )
    try:
        found = importlib.import_module(module)
    except Exception as error:  # a user's module may raise anything
        raise Misbehaviour(
            "import", f"module {module!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    factory = getattr(found, attribute, None)
    if not callable(factory):
        lacking = "has no such attribute" if factory is None else f"has a {type(factory).__name__} there, no function"
        raise Misbehaviour("import", f"{name!r}: the module {module!r} {lacking}")
    return factory  # type: ignore[no-any-return]  # getattr tells nothing
