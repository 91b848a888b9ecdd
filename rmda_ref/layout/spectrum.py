"""The singular values of a matrix."""

import itertools
from dataclasses import dataclass

import numpy as np

from rmda_ref.layout.address import Coordinates, Shape
from rmda_ref.namespace import Array, namespace

TIED = 8  # roundings of a decomposition: equal values part in the product of the factors, and in its decomposition


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

    def _rounding(self, s: Array, shape: Shape) -> float:
        """What a decomposition does not tell from 0, of an array that is not empty."""
        xp = namespace(s)
        return float(xp.max(s)) * max(shape[0], int(np.prod(shape[1:]))) * float(xp.finfo(s.dtype).eps)

    def _cleaned(self, s: Array, shape: Shape) -> Array:
        xp = namespace(s)
        if s.shape[0] == 0:
            return s
        return xp.where(s > self._rounding(s, shape), s, xp.zeros_like(s))

    def coordinates(self, w: Array, v: Array) -> Coordinates:
        """Along singular pairs: diag(U^T v V) at nonzero singular values, the singular values of the rest at zero.

        Where singular values are equal their vectors may be turned together, so what counts of their block of U^T v V
        is its symmetric part, and of that the eigenvalues (Lewis 1995). Equal up to rounding is returned as equal.
        """
        xp = namespace(w)
        u, s, vt = self.factors(w)
        s = self._cleaned(s, w.shape)
        rank = int(xp.sum(xp.astype(s > 0, xp.int64)))
        u, vt, matrix = u[:, :rank], vt[:rank, :], self.matrix(v)
        core = u.T @ matrix @ vt.T
        values = [float(value) for value in s[:rank]]
        apart = TIED * self._rounding(s, w.shape) if rank else 0.0
        ends = [i for i in range(1, rank) if values[i - 1] - values[i] > apart]
        magnitudes, along, kept = [], [], xp.zeros_like(matrix)
        for start, end in itertools.pairwise([0, *ends, rank] if rank else []):
            block = core[start:end, start:end]
            symmetric = (block + block.T) / 2
            magnitudes.append(xp.zeros_like(s[start:end]) + s[start])
            along.append(xp.linalg.eigvalsh(symmetric) if end - start > 1 else block[0, :])
            kept = kept + u[:, start:end] @ symmetric @ vt[start:end, :]
        normal = matrix - u @ (u.T @ matrix)
        normal = normal - (normal @ vt.T) @ vt
        rest = matrix - normal - kept
        inactive = xp.linalg.svdvals(normal)[: s.shape[0] - rank]
        across = float(xp.sqrt(xp.sum(rest * rest)))
        return Coordinates(xp.concat([*magnitudes, s[rank:]]), xp.concat([*along, inactive]), across)

    def rows(self, z: Array) -> list[Array]:
        """The one row."""
        return [namespace(z).reshape(z, (1, -1))]
