"""psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)."""

from dataclasses import dataclass

from rmda_ref import checks
from rmda_ref.kernels.elastic_net_shrink import elastic_net_shrink
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.l1 import L1
from rmda_ref.regularizers.manifold import Support
from rmda_ref.regularizers.tangent import Tangent


@dataclass(frozen=True)
class ElasticNet(Regularizer):
    """psi(w) = lam (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2), in scikit-learn's parametrisation.

    Parameters
    ----------
    lam : float, at least 0
    l1_ratio : float in (0, 1]

    >>> import numpy as np
    >>> ElasticNet(lam=2.0, l1_ratio=0.5).prox(np.array([3.0, -0.5]), step=1.0)
    array([1., 0.])
    """

    lam: float
    l1_ratio: float = 0.5
    layout = Entries()
    separable = True
    kernel = elastic_net_shrink

    def __post_init__(self) -> None:
        checks.nonnegative("lam", self.lam)
        checks.fraction("l1_ratio", self.l1_ratio, "0 would give no sparsity; 1 is the lasso")

    @property
    def symmetries(self) -> frozenset[str]:
        return frozenset({"signs", "entries"})

    @property
    def _l1(self) -> L1:
        return L1(self.lam * self.l1_ratio)

    @property
    def _ridge(self) -> float:
        return self.lam * (1 - self.l1_ratio)

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.l1_ratio),)

    def value(self, w: Array) -> float:
        return self._l1.value(w) + self._ridge / 2 * float(namespace(w).sum(w * w))

    def conjugate(self, v: Array) -> float:
        """||(|v| - lam l1_ratio)_+||^2 / (2 lam (1 - l1_ratio)); the lasso's for l1_ratio = 1."""
        if self._ridge == 0:
            return self._l1.conjugate(v)
        xp = namespace(v)
        excess = xp.abs(v) - self.lam * self.l1_ratio
        excess = xp.where(excess > 0, excess, xp.zeros_like(excess))
        return float(xp.sum(excess * excess)) / (2 * self._ridge)

    def subdiff_distance(self, w: Array, v: Array) -> float:
        return self._l1.subdiff_distance(w, v - self._ridge * w)

    def tangent(self, w: Array) -> Tangent | None:
        along, ridge = self._l1.tangent(w), self._ridge
        if along is None:
            return None
        return along._replace(
            gradient=along.gradient + ridge * w,
            bend=along.bend + ridge,
            hessian=lambda direction: ridge * direction,
        )

    def manifold(self, w: Array) -> Support:
        return Support.of(on_host(w != 0))
