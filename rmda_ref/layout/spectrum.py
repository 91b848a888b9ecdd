"""The singular values of a matrix."""

from dataclasses import dataclass

import numpy as np

from rmda_ref.layout.address import Coordinates, Shape
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True)
class Spectrum:
    """The singular values of the parameter seen as a matrix: first axis by all the others."""

    def check(self, shape: Shape) -> None:
        if len(shape) < 2:
            raise ValueError(f"a spectrum needs a matrix, got shape {shape}; reshape the parameter to two axes")

    def sizes(self, shape: Shape) -> int:
        """A singular value counts once."""
        return 1

    def matrix(self, w: Array) -> Array:
        self.check(w.shape)
        return namespace(w).reshape(w, (w.shape[0], int(np.prod(w.shape[1:]))))

    def factors(self, w: Array) -> tuple[Array, Array, Array]:
        """Thin singular value decomposition U, s, V^T."""
        u, s, vt = namespace(w).linalg.svd(self.matrix(w), full_matrices=False)
        return u, s, vt

    def magnitudes(self, w: Array) -> Array:
        """The singular values, zero where they are below the rounding of a decomposition."""
        return self._cleaned(namespace(w).linalg.svdvals(self.matrix(w)), w.shape)

    def rank(self, w: Array) -> int:
        """Number of singular values above rounding: numpy.linalg.matrix_rank's convention."""
        xp = namespace(w)
        return int(xp.sum(xp.astype(self.magnitudes(w) > 0, xp.int64)))

    def _cleaned(self, s: Array, shape: Shape) -> Array:
        xp = namespace(s)
        if s.shape[0] == 0:
            return s
        rows, columns = shape[0], int(np.prod(shape[1:]))
        rounding = xp.max(s) * max(rows, columns) * float(xp.finfo(s.dtype).eps)
        return xp.where(s > rounding, s, xp.zeros_like(s))

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        """Along singular pairs: diag(U^T v V) at nonzero singular values, the singular values of the rest at zero."""
        xp = namespace(w)
        u, s, vt = self.factors(w)
        s = self._cleaned(s, w.shape)
        rank = int(xp.sum(xp.astype(s > 0, xp.int64)))
        u, vt, matrix = u[:, :rank], vt[:rank, :], self.matrix(v)
        active = xp.sum((u.T @ matrix) * vt, axis=1)  # diag(U^T v V)
        normal = matrix - u @ (u.T @ matrix)
        normal = normal - (normal @ vt.T) @ vt
        rest = matrix - normal - (u * active) @ vt
        inactive = xp.linalg.svdvals(normal)[: s.shape[0] - rank]
        return Coordinates(s, xp.concat([active, inactive]), float(xp.sqrt(xp.sum(rest * rest))))

    def rows(self, z: Array) -> list[Array]:
        """The one row."""
        return [namespace(z).reshape(z, (1, -1))]
