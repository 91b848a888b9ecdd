"""psi = 0."""

from dataclasses import dataclass

import numpy as np

from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.base import Regularizer, norm
from rmda_ref.regularizers.manifold import WholeSpace
from rmda_ref.regularizers.tangent import Tangent


@dataclass(frozen=True)
class Zero(Regularizer):
    """psi = 0: no structure; RMDA without a regularizer is modernized dual averaging (MDA).

    >>> Zero().prox(np.array([1.0, 0.0]), step=3.0)
    array([1., 0.])
    """

    layout = Entries()
    separable = True
    homogeneity = 1.0
    kernel = soft_threshold  # with strength 0 the identity

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"signs", "entries"})

    def strengths(self, shape: Shape) -> float:
        return 0.0

    def value(self, w: Array) -> float:
        return 0.0

    def conjugate(self, v: Array) -> float:
        """The indicator of {0}."""
        return 0.0 if norm(v) == 0 else np.inf

    def subdiff_distance(self, w: Array, v: Array) -> float:
        return norm(v)

    def tangent(self, w: Array) -> Tangent:
        xp = namespace(w)
        zero = xp.zeros_like(w)
        return Tangent(xp.ones(w.shape, dtype=xp.bool), zero, zero, zero, xp.zeros_like, lambda new: new)

    def manifold(self, w: Array) -> WholeSpace:
        return WholeSpace()
