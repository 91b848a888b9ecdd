"""The second phase: Newton on the manifold within a working set, until the duality gap is proved.

Each round certifies the point on all features. If the gap is too large, the features that violate optimality join the
support in a working set, at most as many as it has or `FEWEST` in all, and `ManifoldNewton` solves the problem on it
until its own gap is a fraction of the one to be closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rmda_ref.algorithms.manifold_newton import ManifoldNewton, NewtonState
from rmda_ref.linear_model.problem import Point, Problem
from rmda_ref.linear_model.working_set import Indices, Vector

SHARE = 0.3  # of the gap that a round is to leave to the working set
FEWEST = 100  # features that a working set may hold, however small the support
SLACK = 2.0  # times as many features as are asked for may a working set hold that is kept
ROUNDS = 50  # of the method within a working set


def rounds(start: Point, target: float) -> Iterator[Point]:
    """Points that are better and better, the first one the start; each round aims at a gap of ``target`` at most.

    Where psi has no gap, the target is one of the KKT residual.
    """
    point, prox_step, held = start, 1.0, None
    while True:
        yield point
        problem, certificate = point.problem, point.certificate
        features = problem.violators(point.w, certificate.correlation, largest_set(point))
        goal = target
        if features is not None and held is not None and held.serves(features):  # it is right: finish
            goal = SHARE * target
        elif features is not None:
            goal = SHARE * max(certificate.gap if np.isfinite(certificate.gap) else 0.0, target)
            held = Held.of(problem, features)
        elif held is None or held.features is not None:
            held = Held.of(problem, None)
        w = point.w.copy()
        method = ManifoldNewton(held.part.regularizer)
        state = method.init(held.part.model, w[held.places] / held.units, prox_step, point.predictor)
        state = _solve(held.part, method, state, goal)
        w[held.places], prox_step = held.units * state.iterate, state.prox_step
        point = problem.at(w, state.predictor)


@dataclass(frozen=True, eq=False)
class Held:
    """A working set: the problem on it, where its parameters lie in the flat vector, and in which units."""

    features: Indices | None
    part: Problem
    places: Indices | slice
    units: Vector

    @classmethod
    def of(cls, problem: Problem, features: Indices | None) -> "Held":
        part = problem.on(features)
        places = slice(None) if features is None else part.model.places(features, problem.model.n_features)
        units = np.ones(part.model.size)
        units[part.model.n_coef :] = part.model.unit
        return cls(features, part, places, units)

    def serves(self, features: Indices) -> bool:
        """Whether these are all in it, and not much fewer."""
        if self.features is None or len(self.features) > SLACK * len(features):
            return False
        return bool(np.isin(features, self.features, assume_unique=True).all())


def largest_set(point: Point) -> int:
    """How many features the next working set may hold: twice the support, so that a wrong guess costs little."""
    return max(2 * int(point.problem.model.features_of(point.w).sum()), FEWEST)


def _solve(part: Problem, method: ManifoldNewton, state: NewtonState, goal: float) -> NewtonState:
    """Until the gap on the part is ``goal`` or the objective no longer falls."""
    best = np.inf
    for _ in range(ROUNDS):
        before = state
        state = method.step(part.model, before, 0.1 * goal / max(float(np.linalg.norm(before.iterate)), 1.0))
        gap = part.gap(state.objective, state.dual, state.gradient).gap
        if np.isinf(gap):
            gap = part.regularizer.subdiff_distance(state.iterate, -state.gradient)
        if gap <= goal or (state.objective >= before.objective and gap >= best):
            break
        best = min(best, gap)
    return state
