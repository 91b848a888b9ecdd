"""psi(w) = lam sum_i weight_i log(1 + z_i/epsilon)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.log_sum import log_sum
from rmda_ref.layout import Entries, Groups, Rows, Segments, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class LogSum(ScalarPenalty):
    """psi(w) = lam sum_i weight_i log(1 + z_i/epsilon)  (Candes, Wakin & Boyd 2008).

    Of entries, group norms or singular values, as the layout says. The prox solves a quadratic and compares with 0
    (Prater-Bennette, Shen & Tripp 2022): a global minimiser for every step; ties go to 0. O(n). Weakly convex with
    rho = lam max weight / epsilon^2.

    Parameters
    ----------
    lam : float, at least 0
    epsilon : float, positive
    layout : Entries, Rows, Groups, Segments or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> import numpy as np
    >>> LogSum(lam=1.0, epsilon=0.5).prox(np.array([1.0, -2.0]), step=1.0)
    array([ 0. , -1.5])
    """

    lam: float
    epsilon: float = 1.0
    layout: Entries | Rows | Groups | Segments | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    kernel = log_sum

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive("epsilon", self.epsilon)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.epsilon),)

    @property
    def weak_convexity(self) -> float:
        largest = 1.0 if self.weights is None else float(np.max(self.weights))
        return largest * self.lam / self.epsilon**2

    def penalty(self, z: Array) -> Array:
        return namespace(z).log1p(z / self.epsilon)

    def slope(self, z: Array) -> Array:
        return 1 / (self.epsilon + z)

    @property
    def slope_at_zero(self) -> float:
        return 1 / self.epsilon
