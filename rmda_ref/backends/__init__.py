"""How a kernel is driven over an array.

``drivers``   the plain loops (interpreted reference) and the fused steps
``numba``     the same loops compiled, for NumPy arrays
``array_api`` whole-array evaluation of branch-free kernels, for every other namespace
"""

from types import ModuleType

import numpy as np

from rmda_ref.backends import array_api, numba
from rmda_ref.namespace import Array


def backend_of(x: Array) -> ModuleType:
    """The backend that drives kernels over arrays like ``x``."""
    return numba if isinstance(x, np.ndarray) else array_api
