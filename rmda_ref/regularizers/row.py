"""Penalties of a row of magnitudes at once: sorted, counted, or taken by their largest."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.backends.array_api import widest
from rmda_ref.layout import Entries, Layout, Norms, Shape, Spectrum
from rmda_ref.namespace import Array, NoEvaluation, moved, namespace, on_host
from rmda_ref.regularizers.base import Regularizer
from rmda_ref.regularizers.manifold import Levels, Manifold, Rank, Support

FloatArray = npt.NDArray[Any]


class RowPenalty(Regularizer):
    """psi(w) = sum_r strength_r h(z_r) over the rows z_r of magnitudes that the layout gives.

    `Rows` and `Groups` give the absolute entries of each group as a row; `Norms` the norms of all groups as one row,
    `Spectrum` the singular values. A subclass has such a ``layout``, a row kernel, and h on rows of magnitudes with its
    convex analysis, each as a function of an (n_rows, n) array: `row_value`, `row_distance`, `row_conjugate`. They
    reduce the rows where these are, and give one number a row on the host. (Some distances are for NumPy arrays only.)
    """

    driven = "row"
    layout: Layout

    @abstractmethod
    def row_value(self, z: Array) -> FloatArray:
        """h of each row of magnitudes; z has shape (n_rows, n), the result (n_rows,), a NumPy array."""

    @abstractmethod
    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """Distance of each row of v from strength d h(z), with v along z (`rmda_ref.layout.Coordinates`).

        z and v have shape (n_rows, n), strength (n_rows,), the result (n_rows,); the last two are NumPy arrays.
        """

    def row_conjugate(self, v: Array, strength: FloatArray) -> FloatArray:
        """(strength h)* of each row of dual magnitudes v >= 0 (convex h only)."""
        raise TypeError(f"{type(self).__name__} is not convex and has no useful conjugate")

    def row_levels(self, z: FloatArray) -> npt.NDArray[np.int64] | None:
        """The level set of each magnitude, on the host, as a small integer; None where the support is all there is."""
        return None

    @property
    def symmetries(self) -> frozenset[str]:
        match self.layout:
            case Spectrum():
                return frozenset({"spectrum"})
            case Norms():
                return frozenset({"rotation"})
            case _:
                return frozenset({"signs", "within"})

    def _rows(self, z: Array) -> list[tuple[Array, slice]]:
        """The rows of magnitudes in matrices, and which of the strengths are theirs."""
        assert not isinstance(self.layout, Entries)
        start = 0
        return [(matrix, slice(start, start := start + matrix.shape[0])) for matrix in self.layout.rows(z)]

    def _only_numpy(self, z: Array) -> None:
        """Raise TypeError for arrays of other namespaces."""
        if not isinstance(z, np.ndarray):
            raise NoEvaluation(f"this function of {type(self).__name__}", z)

    def _strengths(self, shape: Shape, n_rows: int) -> FloatArray:
        return np.broadcast_to(np.asarray(self.strengths(shape), dtype=np.float64), (n_rows,))

    def value(self, w: Array) -> float:
        rows = self._rows(self.layout.magnitudes(w))
        strengths = self._strengths(w.shape, rows[-1][1].stop)
        values = [self.row_value(z) for z, _ in rows]
        # Where the strength is 0 nothing is asked, except to lie in the domain.
        return float(
            sum(
                np.sum(np.where(np.isinf(value) | (strengths[place] > 0), value, 0) * self._factor(strengths[place]))
                for value, (_, place) in zip(values, rows, strict=True)
            )
        )

    def _factor(self, strengths: FloatArray) -> FloatArray:
        return np.ones_like(strengths) if self.indicator else strengths

    def subdiff_distance(self, w: Array, v: Array) -> float:
        """From ``v`` to the subdifferential at ``w``; to the limiting one where psi is not convex."""
        z, along, across = self.layout.coordinates(w, v)
        rows, others = self._rows(z), self._rows(along)
        strengths = self._strengths(w.shape, rows[-1][1].stop)
        distances = [self.row_distance(a, b, strengths[place]) for (a, place), (b, _) in zip(rows, others, strict=True)]
        return float(np.hypot(np.linalg.norm(np.concatenate(distances)), across))

    def conjugate(self, v: Array) -> float:
        rows = self._rows(self.layout.magnitudes(v))
        strengths = self._strengths(v.shape, rows[-1][1].stop)
        return float(sum(np.sum(self.row_conjugate(z, strengths[place])) for z, place in rows))

    def manifold(self, w: Array) -> Manifold:
        z = on_host(self.layout.magnitudes(w))
        levels = [self.row_levels(row) for row, _ in self._rows(z)]
        if any(level is None for level in levels):
            return Rank(int((z > 0).sum())) if isinstance(self.layout, Spectrum) else Support.of(z > 0)
        return Levels.of(np.concatenate([np.ravel(level) for level in levels if level is not None]))


def row_max(z: Array) -> Array:
    """The largest magnitude of each row; 0 of a row without entries."""
    return namespace(z).max(z, axis=1) if z.shape[1] else namespace(z).sum(z, axis=1)


def row_sum(z: Array) -> FloatArray:
    """The sum of each row, in float64, on the host."""
    return np.asarray(on_host(namespace(z).sum(z, axis=1, dtype=widest(z))))


def row_norm(z: Array) -> FloatArray:
    """The Euclidean norm of each row, on the host."""
    return np.asarray(on_host(namespace(z).linalg.vector_norm(z, axis=1)))


def column(per_row: FloatArray, z: Array) -> Array:
    """One number a row -> a column where the rows ``z`` are."""
    return moved(np.array(per_row[:, None]), z, widest(z))


def row_weights(lam: float, weights: Any) -> float | FloatArray:
    """lam times the weights: a number where none are given, else one for each row."""
    return float(lam) if weights is None else lam * np.asarray(np.ravel(weights), dtype=np.float64)
