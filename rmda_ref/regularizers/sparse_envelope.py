"""The sparse envelope, for entries and for groups, and the k-support norm."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.kernels.sparse_envelope import k_support, sparse_envelope
from rmda_ref.layout import Groups, Norms, Rows, Segments, Shape
from rmda_ref.regularizers.row import FloatArray, RowPenalty


class _TopHeavy(RowPenalty):
    """What the envelope and the norm share: k, the row's split into saturated and shared magnitudes."""

    lam: float
    k: int
    weights: Any = None
    scratch_rows = 1

    def check(self, shape: Shape) -> None:
        self.layout.check(shape)
        if self.weights is not None:
            n = self._rows(self.layout.magnitudes(np.zeros(shape)))[0][0].shape[1]
            checks.one_each("weights", self.weights, n, "entries of a row")

    def strengths(self, shape: Shape) -> float:
        return float(self.lam)

    def _check(self) -> None:
        checks.nonnegative("lam", self.lam)
        checks.count("k", self.k, 1, "at least one entry stays")

    def _split(self, z: FloatArray) -> tuple[int, float]:
        """How many of the largest magnitudes count in full, and the level T = (sum of the others)/(number of places
        left) that the others share: |z|_(k-r-1) > T >= |z|_(k-r)  (Argyriou et al. 2012, Proposition 2.1)."""
        ordered = np.sort(z.astype(np.float64))[::-1]
        k = min(self.k, len(ordered))
        tails = ordered.sum() - np.concatenate([[0.0], np.cumsum(ordered)])
        for full in range(k - 1, -1, -1):
            level = max(float(tails[full]), 0.0) / (k - full)
            if full == 0 or ordered[full - 1] > level:
                return full, level
        raise AssertionError("not reached: full = 0 always passes")

    def _half_square(self, z: FloatArray) -> float:
        """1/2 ||z||_sp^2."""
        full, level = self._split(z)
        ordered = np.sort(z.astype(np.float64))[::-1]
        k = min(self.k, len(ordered))
        return float(np.sum(ordered[:full] ** 2) + (k - full) * level**2) / 2

    def _gradient_distance(self, z: FloatArray, v: FloatArray, factor: float) -> float:
        """Distance of v from factor times the subdifferential of 1/2 ||.||_sp^2 at z: z itself where it is above the
        level, the level where it is positive, and what is no larger than the level at zeros."""
        _, level = self._split(z)
        gradient = factor * np.maximum(z, level)
        at_zero = np.maximum(np.abs(v) - factor * level, 0)
        return float(np.linalg.norm(np.where(z > 0, v - gradient, at_zero)))


@dataclass(frozen=True, eq=False)
class SparseEnvelope(_TopHeavy):
    """psi(w) = lam times the biconjugate of 1/2 sum_i weight_i z_i^2 + indicator{at most k of the z_i are nonzero}.

    For entries the sparse envelope function (Beck & Refael 2022), which is half the squared k-support norm; with
    ``layout=Norms(...)`` and weights the *weighted group sparse envelope* (WGSEF; Refael et al., arXiv 2212.12921) in
    the form min { 1/2 sum_g weight_g ||w_g||^2 / theta_g : 0 <= theta_g <= 1, sum theta_g <= k }: the convex envelope
    of the k-level structured sparsity. (The weights here multiply the squared norms; the paper's notation was not at
    hand.)

    The prox is one scalar equation, O(n) an iteration of about ten; exact in a metric; every step. Convex.
    Partly smooth relative to the support where k or more magnitudes are nonzero: with fewer nothing holds the zeros.

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 1
        Magnitudes that may be nonzero at no more cost than their squares.
    layout : Rows, Groups, Segments or Norms
        All entries as one row by default.
    weights : array, one positive number per magnitude of a row, optional
        1 by default.

    >>> SparseEnvelope(lam=1.0, k=1).prox(np.array([3.0, 1.0, -0.5]), step=1.0)
    array([1.5, 0. , 0. ])
    """

    lam: float
    k: int
    layout: Rows | Groups | Segments | Norms = Rows(None)
    weights: Any = field(default=None, repr=False)
    homogeneity = 2.0
    kernel = sparse_envelope

    def __post_init__(self) -> None:
        self._check()
        if self.weights is not None and not (np.asarray(self.weights) > 0).all():
            raise ValueError(f"weights must be positive, got {self.weights!r}; a weight 0 would make a magnitude free")

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (int(self.k), _per_entry(self.weights))

    @property
    def symmetries(self) -> frozenset[str]:
        found = super().symmetries
        return found if self.weights is None else found - {"within"}

    def _root(self, z: FloatArray) -> Any:
        return 1.0 if self.weights is None else np.sqrt(np.ravel(self.weights))

    def row_value(self, z: FloatArray) -> FloatArray:
        return np.array([self._half_square(row * self._root(row)) for row in z])

    def row_distance(self, z: FloatArray, v: FloatArray, strength: FloatArray) -> FloatArray:
        """In units of the weights' roots a = sqrt(weight) z, where v = sqrt(weight) times a subgradient at a."""
        return np.array([self._weighted(row, dual, s) for row, dual, s in zip(z, v, strength, strict=True)])

    def _weighted(self, z: FloatArray, v: FloatArray, strength: float) -> float:
        root = self._root(z)
        _, level = self._split(z * root)
        gradient = strength * root * np.maximum(z * root, level)
        at_zero = np.maximum(np.abs(v) - strength * root * level, 0)
        return float(np.linalg.norm(np.where(z > 0, v - gradient, at_zero)))

    def row_conjugate(self, v: FloatArray, strength: FloatArray) -> FloatArray:
        """Half the sum of the k largest v^2/weight, over the strength."""
        squares = np.sort((v / self._root(v)).astype(np.float64) ** 2, axis=1)[:, ::-1][:, : self.k].sum(axis=1)
        return np.where(squares > 0, squares / np.where(strength > 0, 2 * strength, np.nan), 0.0)


@dataclass(frozen=True, eq=False)
class KSupport(_TopHeavy):
    """psi(w) = lam ||z||_sp, the k-support norm: the gauge of the convex hull of {||z|| <= 1, at most k nonzero}
    (Argyriou, Foygel & Srebro 2012); k = 1 is the l1 norm, k = n the Euclidean one.

    The prox is that of a multiple of half its square, whose factor solves a scalar equation: some ten proxes of
    `SparseEnvelope`; exact in a metric; every step. Convex.

    Parameters
    ----------
    lam : float, at least 0
    k : int, at least 1
    layout : Rows, Groups, Segments or Norms
        All entries as one row by default.

    >>> KSupport(lam=1.0, k=1).prox(np.array([3.0, 1.5, -0.5]), step=1.0)
    array([2. , 0.5, 0. ])
    """

    lam: float
    k: int
    layout: Rows | Groups | Segments | Norms = Rows(None)
    homogeneity = 1.0
    kernel = k_support

    def __post_init__(self) -> None:
        self._check()

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (int(self.k), _per_entry(None))

    def row_value(self, z: FloatArray) -> FloatArray:
        return np.array([np.sqrt(2 * self._half_square(row)) for row in z])

    def row_distance(self, z: FloatArray, v: FloatArray, strength: FloatArray) -> FloatArray:
        """At 0 from the ball of the dual norm (what its projection leaves is the prox, by Moreau)."""
        out = np.empty(len(z))
        for r, (row, dual, s) in enumerate(zip(z, v, strength, strict=True)):
            size = np.sqrt(2 * self._half_square(row))
            if size > 0:
                out[r] = self._gradient_distance(row, dual, float(s) / size)
            else:
                out[r] = (
                    0.0 if _dual(dual[None], self.k)[0] <= s else np.linalg.norm(KSupport(1.0, self.k).prox(dual, s))
                )
        return out

    def row_conjugate(self, v: FloatArray, strength: FloatArray) -> FloatArray:
        """The indicator of the ball of the dual norm."""
        return np.where(_dual(v, self.k) <= strength, 0.0, np.inf)

    def dual_norm(self, v: FloatArray) -> float:
        """The Euclidean norm of the k largest magnitudes, over lam; the largest of the rows."""
        largest = max(
            float(_dual(matrix, self.k).max(initial=0)) for matrix, _ in self._rows(self.layout.magnitudes(v))
        )
        return largest / self.lam if self.lam > 0 else (np.inf if largest > 0 else 0.0)


def _dual(v: FloatArray, k: int) -> FloatArray:
    """Euclidean norm of the k largest magnitudes of each row."""
    return np.asarray(np.linalg.norm(np.sort(np.abs(v).astype(np.float64), axis=1)[:, ::-1][:, :k], axis=1))


def _per_entry(weights: Any) -> np.ndarray:
    """For the kernel: one for all, or one each."""
    return np.ones(1) if weights is None else np.asarray(np.ravel(weights), dtype=np.float64)
