"""N:M sparsity: at most n nonzeros in each m consecutive entries."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rmda_ref import checks
from rmda_ref.backends import backend_of
from rmda_ref.kernels.n_of_m import n_of_m
from rmda_ref.kernels.top_k import top_k
from rmda_ref.layout import Segments, Shape
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers.manifold import Manifold, WholeSpace
from rmda_ref.regularizers.row import FloatArray
from rmda_ref.regularizers.trimmed import Trimmed


@dataclass(frozen=True)
class NM(Trimmed):
    """At most n nonzeros in each m consecutive entries along an axis (Mishra et al. 2021): 2:4, 1:4, 4:8, …

    ``lam`` infinite: psi is the indicator of these points, and the prox the projection for every step: the n largest of
    each m stay bit for bit, the rest is zero. ``lam`` finite: psi(w) = lam/2 dist(w)^2, dist the Euclidean distance to
    these points, and the prox multiplies the rest by the factor 1/(1 + step lam) instead. Of equal entries those that
    come first stay. Global for every step, and exact in a diagonal metric: entries are ranked by metric w^2 (lam
    finite: metric/(1 + metric/(step lam)) w^2). O(size). Not convex; partly smooth where exactly n of each m are
    nonzero, as at the projection of almost every point. With a finite lam psi is smooth but where entries tie, and
    there is no structure to find: `manifold` is the whole space, and nothing becomes exactly zero.

    *The decaying mask* of Kao et al. (2022) multiplies the entries outside the mask by a factor that falls from 1 to 0
    in training. As a prox that is a lam which rises to infinity, (1/factor - 1)/step: `MaskDecay.lam` in
    `rmda_ref.schedules`. With RMDA this is not the same recipe:

    - The step of its prox, alpha_t/beta_t, grows in a stage (as 2/3 eta t for constant eta). A constant finite lam
      already decays, with the factor 1/(1 + lam alpha_t/beta_t), but never to 0.
    - The factor acts on W^0 - V/beta, which each step makes anew from all gradients, not on what the last mask left.
      So an entry outside the mask is not forgotten, and comes back as soon as it is large enough.
    - Identification is not promised: psi changes within a stage, and it is not convex.

    The strength is changed between steps, on the same state:

    >>> from dataclasses import replace
    >>> from rmda_ref.algorithms import RMDA
    >>> from rmda_ref.schedules import MaskDecay
    >>> decay = MaskDecay(end=3)
    >>> algorithm = RMDA(NM(1, 2), step_size=1.0)
    >>> state = algorithm.init(np.zeros(2))
    >>> for grad in ([-2.0, -1.0], [-2.0, -1.0], [-2.0, -1.0]):
    ...     now = algorithm.tick(state.t, state.weight)
    ...     psi = NM(1, 2, lam=decay.lam(now.t, now.prox_step))
    ...     state = replace(algorithm, regularizer=psi).step(state, np.array(grad))
    ...     print(round(decay(now.t), 3), state.prox_iterate.round(3))
    0.667 [2.    0.667]
    0.333 [3.414 0.569]
    0.0 [4.788 0.   ]

    Parameters
    ----------
    n : int, at least 0
    m : int, at least 1
        Length of a block; a shape whose axis is not a multiple of it is refused.
    axis : int
        Along which the blocks lie: the input axis of a weight for sparse matrix units, -1 for (out, in).
    lam : float, at least 0, or infinite

    >>> NM(2, 4).prox(np.array([1.0, -3.0, 0.5, 2.0]), step=1.0)
    array([ 0., -3.,  0.,  2.])
    >>> NM(2, 4, lam=3.0).prox(np.array([1.0, -3.0, 0.5, 2.0]), step=1.0)
    array([ 0.25 , -3.   ,  0.125,  2.   ])
    """

    n: int
    m: int
    axis: int = -1
    lam: float = math.inf
    kernel = n_of_m

    def __post_init__(self) -> None:
        checks.count("n", self.n, 0, "it is the number of nonzeros that a block may have")
        if self.lam != math.inf:
            checks.nonnegative("lam", self.lam)
        _ = self.layout

    @cached_property
    def layout(self) -> Segments:  # type: ignore[override]  # depends on m and the axis
        return Segments(self.m, self.axis)

    @property
    def indicator(self) -> bool:  # type: ignore[override]  # depends on lam
        return self.lam == math.inf

    @property
    def homogeneity(self) -> float:  # type: ignore[override]  # depends on lam
        return 1.0 if self.indicator else 2.0

    @property
    def n_free(self) -> int:
        return self.n

    def strengths(self, shape: Shape) -> float:
        return 1.0 if self.indicator else float(self.lam)

    def penalty(self, z: Array) -> Array:
        return namespace(z).where(z > 0, np.inf, namespace(z).zeros_like(z)) if self.indicator else z * z / 2

    def slope(self, z: FloatArray) -> FloatArray:
        return np.full_like(z, np.inf) if self.indicator else z

    @property
    def slope_at_zero(self) -> float:
        return math.inf if self.indicator else 0.0

    def manifold(self, w: Array) -> Manifold:
        return super().manifold(w) if self.indicator else WholeSpace()

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        kernel, strength = (top_k, 1.0) if self.indicator else (n_of_m, float(self.lam))
        backend = backend_of(w)
        return backend.row(kernel, w, self.layout, step, strength, metric, self.scratch_rows, self.parameters)
