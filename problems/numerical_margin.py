"""The margin of any convex psi, from the distance to its subdifferential alone.

Let C = d psi(w) and N the space parallel to its affine hull: what is normal to the manifold of w. For u in the
relative interior of C and small e, the projection of u + e d on C is u + e P_N d, so that dist(u + e d, C)^2 is
e^2 <d, P_T d> with P_T the projection on the complement of N: a quadratic form, read off by polarisation.

The margin of u is its distance to the relative boundary, min over unit d in N of h(d) - <u, d> with h the support
function of C. From any d, go to the boundary along d and take the outward normal d' there: C lies on one side, so that
the boundary is no further in direction d' than the hyperplane is. Repeated, this ends at a local minimum; several
starts make it likely, not certain, that it is the least (in the few dimensions of the examples: see the tests).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.regularizers import Regularizer

Array = npt.NDArray[Any]

EPSILON = 1e-5  # steps within the relative interior, and for normals; distances are exact to some 1e-15
EXACT = 1e-13  # a distance that is rounding
INSIDE = 1e-8  # distance up to which a point counts as one of C
FARTHEST = 1e6  # an unbounded C (a normal cone) has directions without a boundary
STARTS, ROUNDS = 12, 12


@dataclass(frozen=True, eq=False)
class Subdifferential:
    """d psi(w), seen through `subdiff_distance`; points are flat."""

    regularizer: Regularizer
    w: Array

    def distance(self, v: Array) -> float:
        return float(self.regularizer.subdiff_distance(self.w, v.reshape(self.w.shape)))

    def project(self, v: Array) -> Array:
        """The nearest point: v less the gradient of half the squared distance, again until nothing is left."""
        while (away := self.distance(v)) > EXACT:
            closer = v - away * self._outward(v, np.eye(v.size), 1e-4 * away)
            if not self.distance(closer) < away / 2:  # rounding
                break
            v = closer
        return v

    def interior(self, rng: np.random.Generator, scale: float) -> Array:
        """A point of the relative interior: the mean of the projections of random points."""
        return np.asarray(np.mean([self.project(scale * rng.standard_normal(self.w.size)) for _ in range(20)], axis=0))

    def normal_space(self, u: Array) -> Array:
        """An orthonormal basis of N, one vector a column."""
        n, identity = u.size, np.eye(u.size)

        def form(d: Array) -> float:
            return (self.distance(u + EPSILON * d) / EPSILON) ** 2

        diagonal = np.array([form(e) for e in identity])
        gram = np.diag(diagonal)
        for i in range(n):
            for j in range(i):
                gram[i, j] = gram[j, i] = (form(identity[i] + identity[j]) - diagonal[i] - diagonal[j]) / 2
        values, vectors = np.linalg.eigh(gram)
        if np.any(np.minimum(np.abs(values), np.abs(values - 1)) > 1e-3):
            raise ValueError("the subgradient lies on the relative boundary; its margin is 0")
        return np.asarray(vectors[:, values < 0.5])

    def _outward(self, v: Array, basis: Array, step: float) -> Array:
        """The gradient of the distance at v outside C, within the span of ``basis``: a unit vector."""
        slopes = [(self.distance(v + step * b) - self.distance(v - step * b)) / (2 * step) for b in basis.T]
        found = basis @ np.array(slopes)
        return np.asarray(found / (np.linalg.norm(found) or 1.0))


@dataclass(frozen=True, eq=False)
class Nearest:
    """The margin, and the unit direction in which the relative boundary is nearest."""

    margin: float
    direction: Array


@dataclass(frozen=True, eq=False)
class Interior:
    """A point u of the relative interior of C, and a basis of N."""

    subdifferential: Subdifferential
    u: Array
    basis: Array

    @classmethod
    def of(cls, subdifferential: Subdifferential, rng: np.random.Generator, scale: float = 1.0) -> "Interior":
        """Some such point."""
        u = subdifferential.interior(rng, scale)
        return cls(subdifferential, u, subdifferential.normal_space(u))

    def moved(self, away: Array) -> "Interior":
        """Another point, in C to rounding; N is the same."""
        return Interior(self.subdifferential, self.subdifferential.project(self.u + away), self.basis)

    def room(self, d: Array) -> float:
        """How far u may go along the unit vector d and stay in C, less what ``INSIDE`` lets it err along a normal."""
        low, high = 0.0, 0.1
        while self.contains(high * d):
            low, high = high, 4 * high
            if low > FARTHEST:
                return np.inf
        while high - low > 1e-9 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if self.contains(middle * d) else (low, middle)
        return max(low - INSIDE, 0.0)

    def nearest(self, rng: np.random.Generator) -> Nearest:
        """The nearest point of the relative boundary; infinitely far where C is one point or a subspace."""
        best = Nearest(np.inf, np.zeros_like(self.u))
        axes = [*np.eye(self.u.size), *-np.eye(self.u.size)]
        starts = [self.basis @ (self.basis.T @ d) for d in axes]
        starts += [self.basis @ rng.standard_normal(self.basis.shape[1]) for _ in range(STARTS)]
        for d in starts:
            if np.linalg.norm(d) > 1e-6:
                found = self._descend(d / np.linalg.norm(d))
                best = found if found.margin < best.margin else best
        return best

    def _descend(self, d: Array) -> Nearest:
        room = self.room(d)
        for _ in range(ROUNDS):
            if not np.isfinite(room):
                break
            normal = self.subdifferential._outward(self.u + (room + 10 * EPSILON) * d, self.basis, EPSILON)
            further = self.room(normal)
            if further >= room * (1 - 1e-9):
                break
            room, d = further, normal
        return Nearest(room, d)

    def contains(self, away: Array) -> bool:
        return self.subdifferential.distance(self.u + away) <= INSIDE
