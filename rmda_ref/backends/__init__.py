"""How a kernel is driven over an array.

``drivers``   the plain loops (interpreted reference) and the fused steps
``numba``     the same loops compiled, for NumPy arrays
``array_api`` whole-array evaluation, for every other namespace: ``on_arrays`` and ``whole_rows``
``cupy``      that, and loops compiled for a device: ``cuda_loops``, compiled by ``cuda``
"""

from importlib import import_module
from types import ModuleType

import numpy as np

from rmda_ref.backends import array_api, numba
from rmda_ref.namespace import Array, is_cupy


def backend_of(x: Array) -> ModuleType:
    """The backend that drives kernels over arrays like ``x``."""
    if isinstance(x, np.ndarray):
        return numba
    return import_module("rmda_ref.backends.cupy") if is_cupy(x) else array_api
