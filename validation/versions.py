"""What a number may depend on besides our sources."""

import platform

import numba
import numpy as np
import scipy

__all__ = ["VERSIONS"]

VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "numba": numba.__version__,
    "scipy": scipy.__version__,
}
