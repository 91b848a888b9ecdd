"""Which array-API namespace an array belongs to."""

from contextlib import AbstractContextManager, nullcontext, suppress
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # an array of any array-API namespace
CUPY = "cupy"  # the package whose arrays have loops compiled for a device


class NoEvaluation(TypeError):
    """Something has no evaluation on arrays of this kind, and they are not copied to the host unasked."""

    def __init__(self, what: str, array: Array) -> None:
        super().__init__(f"{what} has no evaluation on {type_name(array)} arrays; use NumPy arrays for it")


def namespace(array: Array) -> Any:
    """The array-API namespace of ``array`` (NumPy itself for NumPy arrays).

    PyTorch's and CuPy's arrays do not know theirs; for them the package array-api-compat (of the extras ``torch`` and
    ``cupy``) is asked.

    Raises
    ------
    TypeError
        If ``array`` belongs to no array-API namespace (a list, say).
    """
    if isinstance(array, np.ndarray):
        return np
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    return _compat(array).array_namespace(array)


def on_host(array: Array) -> Any:
    """A NumPy array of the same numbers: where a result lives on the host by its nature, and the copy is meant."""
    if hasattr(array, "get"):  # CuPy's
        return array.get()
    if isinstance(array, np.ndarray) or hasattr(array, "__array_namespace__"):
        return np.asarray(array)
    return np.asarray(_compat(array).to_device(array, "cpu"))


def is_cupy(array: Array) -> bool:
    """Whether it is an array of CuPy, without importing that."""
    return type(array).__module__.partition(".")[0] == CUPY


def beside(array: Array) -> AbstractContextManager[Any]:
    """A context in which CuPy makes and launches things on the device of ``array``; of other arrays, none."""
    device = array.device if is_cupy(array) else None
    return device if isinstance(device, AbstractContextManager) else nullcontext()


def together(array: Array, like: Array) -> bool:
    """Whether two arrays are of one namespace and on one device (what JAX traces is on none)."""
    if type(array) is not type(like) and namespace(array) is not namespace(like):
        return False
    here, there = getattr(array, "device", None), getattr(like, "device", None)
    return here is None or there is None or bool(here == there)


def moved(values: Any, like: Array, dtype: Any = None) -> Array:
    """Numbers of the host in the namespace and on the device of ``like``."""
    return namespace(like).asarray(values, dtype=dtype, device=getattr(like, "device", None))


def kind(array: Array) -> str:
    """What an array is and where, for messages: ``numpy.ndarray``, ``cupy.ndarray on <CUDA Device 1>``."""
    host = isinstance(array, np.ndarray) or not hasattr(array, "device")
    return type_name(array) if host else f"{type_name(array)} on {array.device}"


def type_name(array: Array) -> str:
    """``numpy.ndarray`` or ``cupy.ndarray``, which call themselves alike."""
    return f"{type(array).__module__.partition('.')[0]}.{type(array).__qualname__}"


def _compat(array: Array) -> Any:
    """array-api-compat, for an array that does not know its namespace."""
    array_api_compat: Any = None
    with suppress(ImportError):
        array_api_compat = import_module("array_api_compat")
    if array_api_compat is None or not array_api_compat.is_array_api_obj(array):
        raise TypeError(
            f"expected an array, got {type(array).__name__}; convert it with numpy.asarray "
            "(PyTorch's and CuPy's arrays also need an extra: pip install 'rmda-ref[torch]' or 'rmda-ref[cupy]')"
        )
    return array_api_compat
