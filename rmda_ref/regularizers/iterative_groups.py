"""Penalties of overlapping groups whose prox is iterative, with a certificate."""

from abc import abstractmethod

from rmda_ref import checks
from rmda_ref.namespace import Array
from rmda_ref.regularizers.certified import CertifiedProx
from rmda_ref.regularizers.group_family import GroupFamily, Vector, like
from rmda_ref.regularizers.group_solver import GroupSolver, Solution

AIM = 1e-4  # of the tolerance: what is tried for, so that only degenerate problems can miss the tolerance


class IterativeGroups(GroupFamily):
    """A `GroupFamily` solved by `GroupSolver`. A subclass says which problem is its prox: `_solved`."""

    tolerance: float
    max_sweeps: int

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.positive("tolerance", self.tolerance)
        checks.count("max_sweeps", self.max_sweeps, 1, "the default is 100000")

    @property
    def _solver(self) -> GroupSolver:
        tolerance = float(self.tolerance)
        return GroupSolver(type(self).__name__, self.address, tolerance, int(self.max_sweeps), tolerance * AIM)

    @abstractmethod
    def _solved(self, w: Vector, radii: Vector, metric: Vector | None) -> Solution:
        """The prox of the penalty with these radii."""

    def certified_prox(self, w: Array, step: float, metric: Array | None = None) -> CertifiedProx:
        """The prox with its duality gap. Arguments and errors are those of `prox`."""
        found = self._found(w, self._checked(w, step, metric), metric)
        return CertifiedProx(found.x.reshape(w.shape) + 0.0, found.gap, found.sweeps)

    def _prox(self, w: Array, step: float, metric: Array | None) -> Array:
        return like(self._found(w, step, metric).x, w)

    def _found(self, w: Array, step: float, metric: Array | None) -> Solution:
        return self._solved(self.flat(w), step * self.radii, None if metric is None else self.flat(metric))
