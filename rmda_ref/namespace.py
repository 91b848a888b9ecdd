"""Which array-API namespace an array belongs to."""

from contextlib import suppress
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any  # an array of any array-API namespace


def namespace(array: Array) -> Any:
    """The array-API namespace of ``array`` (NumPy itself for NumPy arrays).

    PyTorch tensors do not know theirs; for them the package array-api-compat (the extra ``torch``) is asked.

    Raises
    ------
    TypeError
        If ``array`` belongs to no array-API namespace (a list, say).
    """
    if isinstance(array, np.ndarray):
        return np
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    array_api_compat: Any = None
    with suppress(ImportError):
        array_api_compat = import_module("array_api_compat")
    if array_api_compat is None or not array_api_compat.is_array_api_obj(array):
        raise TypeError(
            f"expected an array, got {type(array).__name__}; convert it with numpy.asarray "
            "(PyTorch tensors also need the extra: pip install 'rmda-ref[torch]')"
        )
    return array_api_compat.array_namespace(array)
