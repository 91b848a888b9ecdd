"""The Hessian itself, as a product of maps."""

import numpy as np

from rmda_ref.algorithms.metric_prox import Map, Vector, largest_eigenvalue
from rmda_ref.linear_model.metrics.factors import floored
from rmda_ref.regularizers.tangent import Tangent


class HessianMetric:
    """M = A^T H A, for features too many for a Gram matrix; inverted by its diagonal alone."""

    steps, inverts, exact = 30, False, True

    def __init__(self, product: Map, diagonal: Vector) -> None:
        self.product, self.diagonal = product, floored(diagonal)

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M diag(scale)^(-1/2), not below it."""
        return largest_eigenvalue(self.product, scale)

    def damped(self, damping: float) -> "HessianMetric":
        """M + damping diag(M)."""
        if damping == 0:
            return self
        extra = damping * self.diagonal
        return HessianMetric(lambda v: self.product(v) + extra * v, self.diagonal + extra)

    def inverse(self, along: Tangent) -> Map:
        """Of the diagonal of M plus the Hessian of psi, on the active entries."""
        diagonal = (self.diagonal + along.bend * (1 - along.unit**2))[along.active]
        return lambda v: np.asarray(v.ravel() / diagonal)
