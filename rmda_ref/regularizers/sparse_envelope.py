"""The convex envelope of half the square on sparse vectors, of entries and of groups."""

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.backends.array_api import widest
from rmda_ref.kernels.sparse_envelope import sparse_envelope
from rmda_ref.layout import Groups, Norms, Rows, Segments, Shape, Spectrum
from rmda_ref.namespace import Array, moved, namespace, on_host
from rmda_ref.regularizers.group_lasso import axis_or_groups
from rmda_ref.regularizers.row import FloatArray, RowPenalty, column, row_max, row_norm


class _Envelope(RowPenalty):
    """psi(w) = lam sum over rows of the envelope of z, weighted or not."""

    lam: float
    k: int
    weights: Any
    homogeneity = 2.0
    scratch_rows = 2
    kernel = sparse_envelope

    def _check_fields(self) -> None:
        checks.nonnegative("lam", self.lam)
        checks.count("k", self.k, 1, "it is how many magnitudes may be nonzero at no extra cost")
        if self.weights is not None:
            checks.weights("weights", self.weights)
            if isinstance(self.layout, Spectrum):
                raise ValueError("weights have no place in a spectrum, whose values come in no order; leave them out")

    def check(self, shape: Shape) -> None:
        self.layout.check(shape)
        match self.layout:
            case Norms(of):
                checks.one_each("weights", self.weights, prod(of.group_shape(shape)), "groups")
            case Rows() | Groups() | Segments():
                for size in np.unique(self.layout.sizes(shape)):
                    checks.one_each("weights", self.weights, int(size), "entries of a row")

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    @cached_property
    def _weights(self) -> FloatArray:
        """Empty where all are 1."""
        return np.array([] if self.weights is None else self.weights, dtype=np.float64).reshape(-1)

    @cached_property
    def _roots(self) -> FloatArray:
        return np.ones(1) if self.weights is None else np.sqrt(self._weights)

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (int(self.k), self._weights)

    @property
    def symmetries(self) -> frozenset[str]:
        return super().symmetries - ({"within"} if self.weights is not None else set())

    def _roots_like(self, z: Array) -> Array:
        return moved(self._roots, z, widest(z))

    def row_value(self, z: Array) -> FloatArray:
        scaled = self._roots_like(z) * namespace(z).astype(z, widest(z))
        return half_square(scaled, self.k, *shares(scaled, self.k))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """From s sqrt(weight) times `slope_distance`'s subdifferential at sqrt(weight) z."""
        roots = self._roots_like(z)
        scaled = roots * namespace(z).astype(z, widest(z))
        return slope_distance(scaled, v, column(strength, z) * roots, shares(scaled, self.k)[1])

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """The sum of the k largest v^2/weight, over 2 s; infinite if v is not 0 where the weight or s is."""
        xp, roots = namespace(v), self._roots_like(v)
        quotients = xp.where(roots > 0, v / xp.where(roots > 0, roots, 1.0), xp.where(v > 0, np.inf, xp.zeros_like(v)))
        squares = largest_norm(quotients, self.k) ** 2
        free = np.where(squares > 0, np.inf, 0.0)
        return np.where(strength > 0, squares / np.where(strength > 0, 2 * strength, 1), free)


@dataclass(frozen=True, eq=False)
class SparseEnvelope(_Envelope):
    """psi(w) = lam times the biconjugate of 1/2 ||z||^2 + the indicator of at most k nonzeros in z.

    The sparse envelope function (Beck & Refael 2022). It is half the square of the k-support norm, and

        min { 1/2 sum_i z_i^2/theta_i : 0 <= theta_i <= 1, sum_i theta_i <= k }.

    The prox solves a scalar equation for a level T: a magnitude is shrunk as by a ridge, or soft-thresholded at T,
    whichever gives less. No sorting: a few passes over ever fewer entries, as in a projection on the simplex. Exact in
    a metric; every step. Convex; for k = 1 the exclusive lasso, from k = n on half the square.

    Its structure is the support; which shares are 1 leaves no trace in it. psi is partly smooth relative to the support
    where that has at least k elements, as it has at the prox of every point with as many. At points with fewer, psi is
    differentiable, and nothing holds their zeros.

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 1
    layout : Rows, Groups, Segments, Norms or Spectrum
        By default all entries are one row.
    weights : array, one number at least 0 per magnitude of a row, optional
        They multiply z_i^2, in both formulas; 1 by default. A magnitude of weight 0 is free.

    >>> SparseEnvelope(lam=1.0, k=1).prox(np.array([3.0, 2.5, -0.5]), step=1.0)
    array([1.16666667, 0.66666667, 0.        ])
    """

    lam: float
    k: int
    layout: Rows | Groups | Segments | Norms | Spectrum = Rows(None)
    weights: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._check_fields()


@dataclass(frozen=True, eq=False)
class GroupSparseEnvelope(_Envelope):
    """psi(w) = lam times the biconjugate of 1/2 sum_g weight_g ||w_g||^2 + the indicator of at most k nonzero groups.

    A weighted group sparse envelope, after the WGSEF of arXiv 2212.12921 (Refael, Arbel & Huleihel), for k-level
    structured sparsity of networks. It is

        min { 1/2 sum_g weight_g ||w_g||^2/theta_g : 0 <= theta_g <= 1, sum_g theta_g <= k }.

    These two are equal, as for entries: both are closed and convex, with the conjugate 1/2 max over k groups of
    sum_g ||v_g||^2/weight_g. The definition is the one stated here; whether the weights of the paper enter in the same
    way was not checked against its text.

    The prox is `SparseEnvelope`'s on the norms of the groups; every step; no metric. Convex. Its structure is which
    groups are nonzero (see there for points with fewer than k).

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 1
    axis : int or tuple of int, optional
        The axes *within* a group, as in a NumPy reduction.
    groups : array of int labels, one per entry, or list of lists of int, optional
        Any partition of the entries (in C order), instead of ``axis``.
    weights : sequence of float, one per group (in C order), at least 0, optional
        1 by default. A group of weight 0 is not penalised, and does not count.

    >>> psi = GroupSparseEnvelope(lam=1.0, k=1, axis=0)
    >>> psi.prox(np.array([[3.0, 0.6, 0.0], [4.0, 0.8, 1.0]]), step=1.0)
    array([[1.5, 0. , 0. ],
           [2. , 0. , 0. ]])
    """

    lam: float
    k: int
    axis: int | tuple[int, ...] | None = None
    groups: Any = field(default=None, repr=False)
    weights: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        axis_or_groups(self.axis, self.groups)
        self._check_fields()

    @cached_property
    def layout(self) -> Norms:  # type: ignore[override]  # depends on axis or groups
        return Norms(Rows(self.axis) if self.axis is not None else Groups(self.groups))


def shares(z: Array, k: int) -> tuple[Array, Array]:
    """Of each row, which share k places in proportion, but with at most 1 each: how many of the largest have 1, and the
    level T = (sum of the rest)/(places left). All have min(1, z/T)   [Argyriou et al. 2012, Proposition 2.1]."""
    xp, k = namespace(z), min(k, z.shape[1])
    if k == 0:
        return xp.zeros(z.shape[0], dtype=xp.int64, device=z.device), xp.sum(z, axis=1)
    ordered = xp.sort(z, axis=1)
    tails = xp.flip(xp.cumulative_sum(ordered, axis=1), axis=1)[:, :k]
    levels = tails / xp.arange(k, 0, -1, dtype=z.dtype, device=z.device)
    settled = levels >= xp.flip(ordered, axis=1)[:, :k]
    full = xp.argmax(xp.astype(settled, xp.int8), axis=1)  # true in the last column
    return full, xp.take_along_axis(levels, full[:, None], axis=1)[:, 0]


def half_square(z: Array, k: int, full: Array, level: Array) -> FloatArray:
    """min 1/2 sum_i z_i^2/theta_i at the given `shares`: half the square of the k-support norm; on the host."""
    xp, k = namespace(z), min(k, z.shape[1])
    largest = xp.flip(xp.sort(z, axis=1), axis=1)[:, :k]
    places = xp.arange(k, device=z.device)
    squares = xp.where(places < full[:, None], largest, level[:, None]) ** 2
    return np.asarray(on_host(xp.sum(squares, axis=1) / 2))


def slope_distance(z: Array, v: Array, factor: Array, level: Array) -> FloatArray:
    """Distance of v from factor times the subdifferential of half the square at z: z_i/theta_i = max(z_i, T) where
    z_i > 0, [-T, T] where it is 0: the v with <z, v> = half_square(z) + 1/2 (sum of the k largest v^2). On the host."""
    xp = namespace(z)
    slope = factor * xp.maximum(z, level[:, None])
    at_positive = v - xp.where(z > 0, slope, 0.0)
    return row_norm(xp.where((z > 0) | (factor == 0), at_positive, xp.maximum(xp.abs(v) - slope, 0.0)))


def largest_norm(v: Array, k: int) -> FloatArray:
    """Euclidean norm of the k largest magnitudes of each row, on the host."""
    xp, k = namespace(v), min(k, v.shape[1])
    largest = xp.flip(xp.sort(xp.astype(xp.abs(v), widest(v)), axis=1), axis=1)[:, :k]
    unit = row_max(largest)
    unit = xp.where((unit > 0) & (unit < np.inf), unit, 1.0)
    return np.asarray(on_host(unit * xp.linalg.vector_norm(largest / unit[:, None], axis=1)))
