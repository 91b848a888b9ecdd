"""The second phase: Newton on the manifold within a working set, until the duality gap is proved.

Each round certifies the point on all features. If the gap is too large, the features that violate optimality join the
support in a working set, at most as many as it has or `FEWEST` in all, and `ManifoldNewton` solves the problem on it
until its own gap is a fraction of the one to be closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rmda_ref.algorithms.manifold_newton import ManifoldNewton, NewtonState
from rmda_ref.linear_model.problem import Gap, Problem
from rmda_ref.linear_model.working_set import Indices, Vector

SHARE = 0.3  # of the gap that a round is to leave to the working set
FEWEST = 200  # features that a working set may hold, however small the support
ROUNDS = 50  # of the method within a working set


@dataclass(frozen=True, eq=False)
class Round:
    """A point with its certificate; ``prox_step`` serves the next."""

    w: Vector
    predictor: Vector
    certificate: Gap
    prox_step: float


def rounds(problem: Problem, w: Vector, prox_step: float, target: float) -> Iterator[Round]:
    """Certified points, the first at ``w``; each round aims at a gap of ``target`` at most.

    Where psi has no gap, the target is one of the KKT residual.
    """
    z = problem.model.forward(w)
    before: Indices | None = None
    while True:
        certificate = problem.certify(w, z)
        yield Round(w, z, certificate, prox_step)
        features = problem.violators(w, certificate.correlation, largest_set(problem, w))
        part = problem.on(features)
        places = slice(None) if features is None else part.model.places(features, problem.model.n_features)
        units = np.ones(part.model.size)
        units[part.model.n_coef :] = part.model.unit
        if features is None:
            goal = target
        elif before is not None and np.array_equal(features, before):  # the working set is right: finish
            goal = SHARE * target
        else:
            goal = SHARE * max(certificate.gap if np.isfinite(certificate.gap) else 0.0, target)
        before = features
        state = _solve(part, w[places] / units, prox_step, goal)
        w = w.copy()
        w[places] = units * state.iterate
        z, prox_step = state.predictor, state.prox_step


def largest_set(problem: Problem, w: Vector) -> int:
    """How many features the next working set may hold: twice the support, so that a wrong guess costs little."""
    return max(2 * int(problem.model.features_of(w).sum()), FEWEST)


def _solve(part: Problem, w: Vector, prox_step: float, goal: float) -> NewtonState:
    """Until the gap on the part is ``goal`` or the objective no longer falls."""
    method = ManifoldNewton(part.regularizer)
    state = method.init(part.model, w, prox_step)
    best = np.inf
    for _ in range(ROUNDS):
        before = state
        state = method.step(part.model, before, 0.1 * goal / max(float(np.linalg.norm(before.iterate)), 1.0))
        gap = part.gap(state.objective, state.dual, state.gradient).gap
        if np.isinf(gap):
            gap = part.kkt_residual(state.iterate, state.predictor)
        if gap <= goal or (state.objective >= before.objective and gap >= best):
            break
        best = min(best, gap)
    return state
