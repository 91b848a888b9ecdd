"""psi(w) = lam sum_i weight_i |w_i|."""

from dataclasses import dataclass, field
from typing import Any

from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.layout import Entries
from rmda_ref.regularizers.magnitude_sum import MagnitudeSum


@dataclass(frozen=True, eq=False)
class L1(MagnitudeSum):
    """psi(w) = lam sum_i weight_i |w_i|, the lasso penalty (Tibshirani 1996; its prox: Donoho 1995).

    prox_i = sign(w_i) (|w_i| - step lam weight_i / metric_i)_+ in O(n), for every step. Convex.

    Parameters
    ----------
    lam : float, at least 0
    weights : array like the parameter, at least 0, optional
        1 by default.

    >>> import numpy as np
    >>> L1(lam=1.0).prox(np.array([3.0, -0.5, -2.0]), step=1.0)
    array([ 2.,  0., -1.])
    """

    lam: float
    weights: Any = field(default=None, repr=False)
    layout = Entries()
    kernel = soft_threshold
