"""A metric near the Hessian, with the Hessian's own curvature along a few directions."""

from collections.abc import Sequence

import numpy as np

from rmda_ref.algorithms.metric_prox import Map, Metric, Vector, largest_eigenvalue
from rmda_ref.regularizers.tangent import Tangent

DEPENDENT = 1e-6  # of the largest eigenvalue: below, directions count as dependent
FLATTEST = 0.2  # curvature over that of the metric, at least: where there is less, a metric must still bound steps


class CorrectedMetric:
    """M - M S (S^T M S)^-1 S^T M + H S (S^T H S)^-1 S^T H: positive semidefinite, and H on the span of S.

    A block BFGS update (Schnabel, Quasi-Newton methods using multiple secant equations, 1983) by products with H.
    Where H is much flatter than M on the span, H S is mixed with M S (Powell 1978).

    Parameters
    ----------
    metric : M
    directions : the columns of S, none of them 0
    images : H times each
    """

    exact = True

    def __init__(self, metric: Metric, directions: Sequence[Vector], images: Sequence[Vector]) -> None:
        self.metric, self.directions, self.images = metric, directions, images
        self.diagonal, self.inverts, self.steps = metric.diagonal, metric.inverts, metric.steps
        sizes = np.array([[float(np.linalg.norm(s))] for s in directions])
        S, HS = np.stack(directions) / sizes, np.stack(images) / sizes
        MS = np.stack([metric.product(s) for s in S])
        values, Q = np.linalg.eigh((S @ MS.T + MS @ S.T) / 2)
        kept = values > DEPENDENT * max(float(values[-1]), np.finfo(float).tiny)
        conjugate = (Q[:, kept] / np.sqrt(values[kept])).T  # S^T M S becomes the identity
        S, HS, self.removed = conjugate @ S, conjugate @ HS, conjugate @ MS
        values, Q = np.linalg.eigh((S @ HS.T + HS @ S.T) / 2)
        least = min(float(values.min(initial=1.0)), 1.0)
        share = max(FLATTEST - least, 0.0) / (1 - least) if least < 1 else 0.0
        HS, values = (1 - share) * HS + share * self.removed, (1 - share) * values + share
        self.added = np.asarray((Q / np.sqrt(values)).T @ HS)

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M' diag(scale)^(-1/2), not below it."""
        return largest_eigenvalue(self.product, scale)

    def product(self, direction: Vector) -> Vector:
        """The corrected matrix times a direction."""
        more, less = self.added @ direction, self.removed @ direction
        return np.asarray(self.metric.product(direction) + more @ self.added - less @ self.removed)

    def damped(self, damping: float) -> "CorrectedMetric":
        """With what damping adds to M added to H too."""
        if damping == 0:
            return self
        damped, pairs = self.metric.damped(damping), zip(self.directions, self.images, strict=True)
        images = [image + damped.product(s) - self.metric.product(s) for s, image in pairs]
        return CorrectedMetric(damped, self.directions, images)

    def inverse(self, along: Tangent) -> Map:
        """That of M."""
        return self.metric.inverse(along)
