"""Overlapping groups solved by `rmda_ref.kernels.certified_groups`, in float64 and at the scale of 1."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rmda_ref.backends import drivers
from rmda_ref.backends.numba import compiled
from rmda_ref.kernels import certified_groups
from rmda_ref.kernels.group_multipliers import ENTRY_ROWS, GROUP_ROWS, LAMBDA, LEFT, POINT
from rmda_ref.layout import Address
from rmda_ref.regularizers.certified import NotConverged, scale_of, scaled

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Solution:
    """
    Attributes
    ----------
    x : the minimiser of  psi + 1/2 <x - w, metric (x - w)>
    u : for latent groups the subgradient metric (w - x) of psi there
    active : for latent groups which of them x is made of
    gap : certified duality gap
    value : for latent groups the cost of the decomposition of x
    sweeps : passes over the groups
    """

    x: Vector
    u: Vector
    active: npt.NDArray[np.bool_]
    gap: float
    value: float
    sweeps: int


@dataclass(frozen=True)
class GroupSolver:
    """The two problems over one family of groups.

    Parameters
    ----------
    name : of the operator, for errors
    address : where the groups lie
    tolerance : on the gap, relative to 1/2 <w, metric w>, or to the value
    max_sweeps : passes over the groups
    aim : the gap at which to stop; rounding may end the progress before
    """

    name: str
    address: Address
    tolerance: float
    max_sweeps: int
    aim: float

    def overlapping(self, w: Vector, radii: Vector, metric: Vector | None = None) -> Solution:
        """psi(x) = sum_g radius_g ||x_g||."""
        return self._prox(True, w, radii, metric)

    def latent(self, w: Vector, radii: Vector, metric: Vector | None = None) -> Solution:
        """psi(x) = min sum_g radius_g ||v^g|| over decompositions x = sum_g v^g with v^g supported in g."""
        return self._prox(False, w, radii, metric)

    def latent_value(self, w: Vector, radii: Vector) -> Solution:
        """psi(w) itself, and a u with <u, w> = psi(w) in the dual ball: the *capped* problem with b = 0."""
        e, f = scale_of(w), scale_of(radii)
        found = self._solve(False, scaled(w, -e), scaled(radii, -f), np.zeros_like(w), 0.0)
        value, gap = (float(scaled(np.asarray(x), e + f)) for x in (found.value, found.gap))
        return Solution(w, scaled(found.u, f), found.active, gap, value, found.sweeps)

    def _prox(self, summed: bool, w: Vector, radii: Vector, metric: Vector | None) -> Solution:
        # The problem at the scale of 1 is the same to the last bit, since powers of 2 divide exactly.
        d = np.ones_like(w) if metric is None else metric
        e, f = scale_of(w), scale_of(d) - 1
        v, d = scaled(w, -e), scaled(d, -f)
        a, b = (v * d, d) if summed else (v, 1 / d)
        reference = float(np.sum(v * v * d)) / 2
        found = self._solve(summed, a, scaled(radii, -e - f), b, reference, v if summed else v * d)
        gap, value = (float(scaled(np.asarray(x), 2 * e + f)) for x in (found.gap, found.value))
        return Solution(scaled(found.x, e), scaled(found.u, e + f), found.active, gap, value, found.sweeps)

    def _solve(
        self, summed: bool, a: Vector, radii: Vector, b: Vector, reference: float, free: Vector | None = None
    ) -> Solution:
        """``free`` is the point where no group matters: a/b, but not rounded."""
        starts, members, _ = self.address
        kept, left = np.empty(len(radii), np.bool_), np.empty_like(a)
        screen = compiled(False, drivers.whole, certified_groups.screen)
        screen(summed, starts, members, radii, a, b, kept, left)
        active = np.zeros(len(radii), np.bool_)
        point = left if free is None else np.where(left != 0, free, 0.0)
        x = point.copy() if summed else np.where((left == 0) & (a != 0), a, 0.0)
        gap = value = 0.0
        sweeps = 1
        if kept.any():
            lengths = np.diff(starts)
            chosen = np.repeat(kept, lengths) & (left[members] != 0)
            begin = np.cumsum([0, *np.add.reduceat(chosen, starts[:-1], dtype=np.int64)[kept]])
            where, at = np.unique(members[chosen], return_inverse=True)
            by_group, by_entry = np.zeros((GROUP_ROWS, len(begin) - 1)), np.zeros((ENTRY_ROWS, len(where)))
            a, b = left[where], b[where]
            w = a / b if summed else a
            sizes = np.sqrt(np.add.reduceat(w[at] ** 2, begin[:-1]))
            tail = (a, b, self.aim, reference, self.max_sweeps, by_group, by_entry)
            solve = compiled(False, drivers.whole, certified_groups.solve)
            gap, value, sweeps = solve(summed, begin, at.astype(np.int64), radii[kept], sizes, *tail)
            size = reference if reference > 0 else value
            if not gap <= self.tolerance * size:
                raise NotConverged(
                    self.name, gap / size if size > 0 else np.inf, sweeps, self.tolerance, self.max_sweeps
                )
            point[where] = by_entry[POINT]
            x[where] = by_entry[POINT if summed else LEFT]
            active[kept] = by_group[LAMBDA] > 0
        return Solution(x, point, active, float(gap), float(value), int(sweeps))
