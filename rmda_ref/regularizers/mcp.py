"""psi(w) = sum_i weight_i phi(z_i), the minimax concave penalty of magnitudes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.mcp import mcp
from rmda_ref.layout import Entries, Groups, Rows, Spectrum
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.scalar import ScalarPenalty


@dataclass(frozen=True, eq=False)
class MCP(ScalarPenalty):
    """psi(w) = sum_i weight_i phi(z_i), phi(z) = lam z - z^2/(2 gamma) up to gamma lam, then constant (Zhang 2010).

    Of entries, group norms (group MCP) or singular values, as the layout says. The prox is a global minimiser for
    every step: firm thresholding below gamma / weight, hard thresholding from there; ties go to 0. O(n). Weakly convex
    with rho = max weight / gamma. Partly smooth except at z = gamma lam, where phi has no second derivative.

    Parameters
    ----------
    lam : float, at least 0
        Slope at 0.
    gamma : float, positive
        Concavity; large values approach the lasso.
    layout : Entries, Rows, Groups or Spectrum
    weights : array, one number at least 0 per magnitude, optional
        1 by default, for groups too.

    >>> MCP(lam=1.0, gamma=3.0).prox(np.array([0.5, 2.0, -4.0]), step=1.0)
    array([ 0. ,  1.5, -4. ])
    >>> MCP(lam=1.0, gamma=0.5).prox(np.array([0.5, 2.0, -4.0]), step=1.0)  # beyond gamma: all or nothing
    array([ 0.,  2., -4.])
    """

    lam: float
    gamma: float = 3.0
    layout: Entries | Rows | Groups | Spectrum = Entries()
    weights: Any = field(default=None, repr=False)
    convex = False
    kernel = mcp

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive("gamma", self.gamma)

    @property
    def weak_convexity(self) -> float:
        largest = 1.0 if self.weights is None else float(np.max(self.weights))
        return largest / self.gamma if self.lam > 0 else 0.0

    @property
    def strength(self) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[float, ...]:
        return (float(self.lam), float(self.gamma))

    def penalty(self, z: Array) -> Array:
        xp, end = namespace(z), self.gamma * self.lam
        return xp.where(z < end, self.lam * z - z * z / (2 * self.gamma), xp.full_like(z, self.gamma * self.lam**2 / 2))

    def slope(self, z: Array) -> Array:
        xp = namespace(z)
        return xp.where(z < self.gamma * self.lam, self.lam - z / self.gamma, xp.zeros_like(z))

    @property
    def slope_at_zero(self) -> float:
        return float(self.lam)
