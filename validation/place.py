"""A namespace other than NumPy where the library's algorithms run, and what the claims could ask there."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal, get_args

import numpy as np

from rmda_ref.namespace import NoEvaluation, namespace, on_host

__all__ = ["Backend", "BackendError", "NotAsked", "Place", "Seen", "asking", "is_array"]

Backend = Literal["numpy", "array-api-strict", "cupy", "jax", "torch"]

_NAMESPACES = {
    "array-api-strict": "array_api_strict",
    "cupy": "array_api_compat.cupy",
    "jax": "jax.numpy",
    "torch": "array_api_compat.torch",
}


class BackendError(Exception):
    """A backend that cannot be had: the message says why, and what to do."""


class NotAsked(Exception):
    """A claim needs what has no evaluation on the arrays; the message is the reason."""


class Place:
    """A namespace where algorithms run, and what was asked there.

    Attributes
    ----------
    xp : the namespace
    versions : of the backend, and its device where it names one
    asked : whether an algorithm was started there
    left_out : names of the examples that a claim had to leave out
    """

    def __init__(self, xp: Any, versions: Mapping[str, str] | None = None) -> None:
        self.xp = xp
        self.versions = dict(versions or {})
        self.asked = False
        self.left_out: list[str] = []

    @classmethod
    def named(cls, backend: str) -> "Place":
        """
        Raises
        ------
        BackendError
            If it is not installed, or its device cannot be used.
        """
        try:
            device = _device(backend)
            xp = namespace(import_module(_NAMESPACES[backend]).zeros(1))  # as the library sees its arrays
        except (ImportError, RuntimeError) as error:
            said = " ".join(str(error).split())
            told = isinstance(error, RuntimeError) or "pip install" in said
            remedy = "" if told else f"; pip install {_package(backend)}"
            raise BackendError(f"backend {backend!r} cannot be used: {said}{remedy}") from error
        return cls(xp, {backend: _version(backend)} | ({"device": device} if device else {}))

    def active(self) -> AbstractContextManager[Any]:
        """Within it the namespace has float64, which JAX has on demand only."""
        if self.xp.__name__ != _NAMESPACES["jax"]:
            return nullcontext()
        context: AbstractContextManager[Any] = import_module("jax").enable_x64(True)
        return context

    def into(self, value: Any) -> Any:
        """A NumPy array as one of the namespace, with memory of its own; anything else as it is."""
        if not isinstance(value, np.ndarray):
            return value
        taken = self.xp.asarray(np.array(value, order="C"))
        if str(taken.dtype).rpartition(".")[2] != value.dtype.name:
            raise TypeError(f"{self.xp.__name__} made {taken.dtype} of {value.dtype}; switch its {value.dtype} on")
        return taken

    def stands(self, state: Any) -> "Seen":
        """What a claim is given for a state, all of whose arrays must be of the namespace."""
        for field in dataclasses.fields(state):
            value = getattr(state, field.name)
            if is_array(value) and namespace(value) is not self.xp:
                raise TypeError(
                    f"{type(state).__name__}.{field.name} is a {type(value).__name__}, not of {self.xp.__name__}: an "
                    "algorithm must stay in the namespace of its arrays"
                )
        return Seen(state)

    def evaluates(self, regularizer: Any, shape: tuple[int, ...]) -> bool:
        """Whether the regularizer has a prox there."""
        try:
            with self.active(), asking():
                regularizer.prox(self.into(np.ones(shape)), 1.0)
        except NotAsked:
            return False
        return True

    def keep(self, names: Iterable[str], able: list[str]) -> list[str]:
        """``able``; the other names are kept as left out."""
        self.left_out += [name for name in names if name not in able]
        return able


class Seen:
    """A state, whose arrays are copied to the host when they are asked for, and no earlier."""

    def __init__(self, state: Any) -> None:
        self.held = state

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "held":
            raise AttributeError(name)
        value = getattr(self.held, name)
        value = on_host(value) if is_array(value) else value
        self.__dict__[name] = value  # copied once
        return value


@contextmanager
def asking() -> Iterator[None]:
    """The library's own refusal of arrays is no failure of theirs."""
    try:
        yield
    except NoEvaluation as error:
        raise NotAsked(str(error).partition(";")[0]) from error


def is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, np.generic)


def _device(backend: str) -> str:
    """The device by its name, where the backend has one to fail at."""
    return str(import_module("rmda_ref.backends.cupy").device_name()) if backend == "cupy" else ""


def _version(backend: str) -> str:
    """Of the package; CuPy's is one of many."""
    return str(import_module("cupy").__version__) if backend == "cupy" else version(backend)


def _package(backend: str) -> str:
    return backend if backend == "array-api-strict" else f"'rmda-ref[{backend}]'"


assert set(get_args(Backend)) == {"numpy", *_NAMESPACES}
