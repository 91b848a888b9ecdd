"""Penalties of all but the k largest magnitudes."""

from abc import abstractmethod
from typing import Any

import numpy as np

from rmda_ref.backends.array_api import widest
from rmda_ref.layout import Entries, Shape
from rmda_ref.namespace import Array, namespace, on_host
from rmda_ref.regularizers.row import FloatArray, RowPenalty


class Trimmed(RowPenalty):
    """psi(w) = strength sum_r (sum of phi(z) over all but the k largest magnitudes z of row r).

    For nondecreasing phi this is the least sum of phi over all but k magnitudes: the prox leaves k alone, those whose
    own prox would cost most, and is that of phi elsewhere. So a global minimiser is found for every step. psi is not
    convex. Near a point whose k-th and next largest magnitude differ, psi is a sum over entries, as smooth on the
    support as phi; elsewhere it is a minimum of such sums, and the limiting subdifferential is the union of theirs.

    A subclass gives `n_free`, a row kernel, and phi on [0, inf): `penalty`, `slope`, `slope_at_zero`, which may be
    infinite.
    """

    convex = False
    scratch_rows = 2

    def __post_init__(self) -> None:
        if isinstance(self.layout, Entries):
            raise TypeError(f"{type(self).__name__} counts in rows; for all entries as one row use layout=Rows(None)")

    @property
    @abstractmethod
    def n_free(self) -> int:
        """How many magnitudes of a row are not penalised: k."""

    @abstractmethod
    def penalty(self, z: Array) -> Array:
        """phi(z) for each of the magnitudes z >= 0."""

    @abstractmethod
    def slope(self, z: FloatArray) -> FloatArray:
        """phi'(z) for each of the magnitudes z > 0."""

    @property
    @abstractmethod
    def slope_at_zero(self) -> float:
        """phi'(0+)."""

    def strengths(self, shape: Shape) -> float:
        return 1.0

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The number of free entries, as an array: a number would become float32."""
        return (np.array([self.n_free]),)

    def row_value(self, z: Array) -> FloatArray:
        xp, n_penalised = namespace(z), z.shape[1] - self.n_free
        if n_penalised <= 0:
            return np.zeros(z.shape[0])
        # The array API has no partition.
        ordered = np.partition(z, n_penalised - 1, axis=1) if xp is np else xp.sort(z, axis=1)
        smallest = xp.astype(ordered[:, :n_penalised], widest(z))
        return np.asarray(on_host(xp.sum(self.penalty(smallest), axis=1)))

    def row_distance(self, z: Array, v: Array, strength: FloatArray) -> FloatArray:
        """Among equal magnitudes those are counted as free, up to k in all, for which this is nearest."""
        self._only_numpy(z)
        strength, v = strength[:, None], v.astype(np.float64)
        at_positive = v - strength * self.slope(z.astype(np.float64))
        at_zero = np.maximum(np.abs(v) - strength * self.slope_at_zero, 0)
        penalised = np.where(z > 0, at_positive, at_zero) ** 2
        free = v**2
        rank = np.argsort(np.lexsort((free - penalised, -z), axis=1), axis=1)
        return np.asarray(np.sqrt(np.where(rank < self.n_free, free, penalised).sum(axis=1)))
