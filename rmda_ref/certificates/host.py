"""What runs on the host by its nature: a few numbers a step in NumPy, or exact fractions."""

from typing import Any

import numpy as np

from rmda_ref.namespace import kind, namespace


def host_only(**arrays: Any) -> None:
    """Raise TypeError if one of these is an array of a namespace other than NumPy, which is not copied unasked."""
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray | np.generic | float | int | list | tuple) and _is_foreign(array):
            raise TypeError(
                f"{name} is {kind(array)}: this certificate runs on the host and takes NumPy arrays; "
                f"give it rmda_ref.namespace.on_host({name})"
            )


def _is_foreign(array: Any) -> bool:
    try:
        return namespace(array) is not np
    except TypeError:  # no array at all: what is asked of it next will say so
        return False
