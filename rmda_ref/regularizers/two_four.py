"""The 2:4 regularizer: products of three of four consecutive entries."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rmda_ref import checks
from rmda_ref.backends.array_api import widest
from rmda_ref.kernels.two_four import two_four
from rmda_ref.layout import Segments, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty, column, row_norm


@dataclass(frozen=True)
class TwoFour(RowPenalty):
    """psi(w) = lam sum over blocks of |w1 w2 w3| + |w2 w3 w4| + |w3 w4 w1| + |w4 w1 w2| (Kuebler et al. 2025).

    Blocks are four consecutive entries along an axis; psi is 0 exactly where each has at most two nonzeros (2:4
    sparsity). The prox is a global minimiser for every step: the best of at most three points, found as roots of convex
    functions of one number. O(size). Of equally good points it is the sparsest; of equal entries the first counts as
    larger. A block whose largest entry exceeds 2/(step lam) is projected on 2:4 sparsity. Not convex, but regular;
    partly smooth relative to the support where no block has fewer than two nonzeros, as at the prox of almost every
    point. No prox in a metric.

    Parameters
    ----------
    lam : float, at least 0
        psi is of degree 3: the strength that matters is step lam times the size of the entries.
    axis : int
        Along which the blocks lie; its length must be a multiple of four.

    >>> TwoFour(lam=1.0).prox(np.array([1.0, -3.0, 0.5, 2.0]), step=1.0)
    array([ 0., -3.,  0.,  2.])
    >>> TwoFour(lam=1.0).prox(np.array([0.2, -0.3, 0.0, 0.1]), step=1.0).round(3)
    array([ 0.187, -0.291,  0.   ,  0.046])
    """

    lam: float
    axis: int = -1
    homogeneity = 3.0
    convex = False
    exact_in_metric = False
    scratch_rows = 4
    kernel = two_four

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)

    @cached_property
    def layout(self) -> Segments:  # type: ignore[override]  # depends on the axis
        return Segments(4, self.axis)

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def row_value(self, z: Array) -> FloatArray:
        a, b, c, d = _columns(z)
        return np.asarray(on_host(a * b * (c + d) + c * d * (a + b)))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """v_i = strength e2(z without i) where z_i > 0, |v_i| <= that where z_i = 0: also where that is 0."""
        xp, (a, b, c, d) = namespace(z), _columns(z)
        slopes = column(strength, z) * xp.stack(
            [b * (c + d) + c * d, a * (c + d) + c * d, d * (a + b) + a * b, c * (a + b) + a * b], axis=1
        )
        return row_norm(xp.where(z > 0, v - slopes, xp.maximum(xp.abs(v) - slopes, 0.0)))


def _columns(z: Array) -> list[Array]:
    z = namespace(z).astype(z, widest(z))
    return [z[:, i] for i in range(4)]
