"""Newton's method on the manifold that psi selects: how a convex problem is finished once its structure is known.

For min_w f(w) + psi(w), f(w) = F(A w) smooth and convex. Where w has the structure of the solution, psi is smooth along
its manifold (`rmda_ref.regularizers.tangent`) and Newton's method there converges quadratically. Before each Newton
step a proximal step keeps the manifold honest (Lee, Accelerating inexact successive quadratic approximation for
regularized optimization through manifold identification, Math. Program. 201, 2023): what violates optimality enters by
it, what turns back along a Newton step leaves, and the objective rises in neither.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse.linalg import LinearOperator, cg

from rmda_ref.algorithms.corrected_metric import CorrectedMetric
from rmda_ref.algorithms.metric_prox import NEWTON_HALVINGS, Map, Metric, Vector, metric_prox, prox_in, scale_of
from rmda_ref.namespace import NoEvaluation
from rmda_ref.regularizers import Regularizer
from rmda_ref.regularizers.tangent import Tangent

ARMIJO = 1e-4  # share of the predicted decrease that a step must reach
HALVINGS = 30
CG_STEPS = 200
LEAST_DAMPING = 1e-3
MOVES = 3  # along which a metric is made exact
RIDGE = 1e-10  # of the metric's diagonal: no direction is quite without curvature
GROWTH = 1.3  # of the proximal step after one that was not too long
UNSEEN = 1e-12  # of the objective: the size of a decrease that rounding may hide
ROUNDING = 8 * np.finfo(np.float64).eps  # of the objective, relative: a decrease below is not seen


class Composite(Protocol):
    """f(w) = F(A w): what is asked of the smooth part."""

    def forward(self, w: Vector) -> Vector:
        """z = A w."""

    def adjoint(self, u: Vector) -> Vector:
        """A^T u."""

    def value_at(self, z: Vector) -> float:
        """F(z)."""

    def dual_at(self, z: Vector) -> Vector:
        """grad F(z)."""

    def hessian_at(self, z: Vector) -> Map:
        """The Hessian of F at z, as a map of directions."""

    def metric_at(self, z: Vector) -> Metric:
        """The Hessian of f, or a metric near it."""


@dataclass(frozen=True, eq=False)
class NewtonState:
    """Where the method stands.

    Attributes
    ----------
    iterate, predictor : w and A w
    dual, gradient : grad F(A w) and grad f(w)
    smooth, objective : f(w) and f(w) + psi(w)
    prox_step : length of the next proximal gradient step
    damping : of the metric, where the last step in it was too long (Levenberg 1944, Marquardt 1963)
    settled : whether the last step was a whole Newton step
    refused : the entries along which the last Newton step did not decrease the objective, if so
    moves : the last changes of (iterate, predictor), the latest first
    """

    iterate: Vector
    predictor: Vector
    dual: Vector
    gradient: Vector
    smooth: float
    objective: float
    prox_step: float
    damping: float = 0.0
    settled: bool = False
    refused: npt.NDArray[np.bool_] | None = None
    moves: tuple[tuple[Vector, Vector], ...] = ()


def corrected(metric: Metric, f: Composite, state: NewtonState) -> Metric:
    """The metric, made exact along the last moves: steps turn back along these where it is not (of digits, four times
    too little curvature)."""
    if metric.exact or not state.moves:
        return metric
    hessian = f.hessian_at(state.predictor)
    moves, along = zip(*state.moves, strict=True)
    return CorrectedMetric(metric, moves, [f.adjoint(hessian(z)) for z in along])


@dataclass(frozen=True)
class ManifoldNewton:
    """A proximal step, then a damped Newton step along the manifold it has reached.

    Parameters
    ----------
    regularizer : Regularizer
        psi. Where it has no `tangent`, the proximal steps are all.
    """

    regularizer: Regularizer

    def init(self, f: Composite, w: Vector, prox_step: float, predictor: Vector | None = None) -> NewtonState:
        """The state at ``w``, ``predictor`` = A w if known; ``prox_step`` is a guess, halved or grown as needed.

        Raises NoEvaluation, a TypeError, for arrays other than NumPy's.
        """
        if not isinstance(w, np.ndarray):
            raise NoEvaluation("ManifoldNewton", w)
        z = f.forward(w) if predictor is None else predictor
        return self._at(f, w, z, f.value_at(z), prox_step)

    def step(self, f: Composite, state: NewtonState, accuracy: float = 0.0) -> NewtonState:
        """One round; the objective does not rise, but for rounding.

        A proximal step in the metric finds the manifold; once Newton steps are whole, a proximal gradient step confirms
        it. ``accuracy`` is the gradient along the manifold, in norm, below which no Newton direction need be exact.
        """
        new = self._step(f, state, accuracy)
        move = new.iterate - state.iterate
        latest = ((move, new.predictor - state.predictor),) if move.any() else ()
        return replace(new, moves=(*latest, *state.moves)[:MOVES])

    def _step(self, f: Composite, state: NewtonState, accuracy: float) -> NewtonState:
        metric = f.metric_at(state.predictor)
        near = None
        if not state.settled:
            near = self.metric_step(f, state, corrected(metric, f, state).damped(state.damping))
        metric = metric.damped(state.damping)
        if near is None:
            damping = state.damping if state.settled else max(10 * state.damping, LEAST_DAMPING)
            near = replace(self.prox_gradient_step(f, state, metric), damping=damping)
        along = self.regularizer.tangent(near.iterate)
        if along is None or not np.array_equal(near.iterate != 0, state.iterate != 0):
            return near
        if state.refused is not None and np.array_equal(along.active, state.refused):
            return replace(near, refused=state.refused)
        new = self.newton_step(f, near, along, metric, accuracy)
        return replace(near, refused=along.active) if new is near else new

    def prox_gradient_step(self, f: Composite, state: NewtonState, metric: Metric) -> NewtonState:
        """p = argmin <grad f(w), p> + ||p - w||_D^2/(2 tau) + psi(p), tau halved until f is below its model at p."""
        w, gradient, step = state.iterate, state.gradient, state.prox_step
        scale = scale_of(self.regularizer, metric)
        for _ in range(HALVINGS):
            p = prox_in(self.regularizer, scale / step)(w - step * gradient / scale)
            move = p - w
            z = f.forward(p)
            smooth = f.value_at(z)
            model = state.smooth + float(gradient @ move) + float(move @ (scale * move)) / (2 * step)
            if smooth <= model + ROUNDING * abs(state.smooth):
                return self._at(f, p, z, smooth, GROWTH * step)
            step /= 2
        return replace(state, prox_step=step)

    def metric_step(self, f: Composite, state: NewtonState, metric: Metric) -> NewtonState | None:
        """Towards argmin_x <grad f(w), x> + 1/2 <x - w, M (x - w)> + psi(x); None if that decreases too little."""
        psi, w = self.regularizer, state.iterate
        target = metric_prox(psi, w, state.gradient, metric)
        move = target - w
        before = state.objective - state.smooth
        predicted = float(state.gradient @ move) + psi.value(target) - before
        t = 1.0
        while predicted < 0 and t > 0.1:
            new = target if t == 1 else w + t * move
            z = f.forward(new)
            smooth = f.value_at(z)
            decrease = ARMIJO * t * predicted + ROUNDING * abs(state.objective)
            if smooth + psi.value(new) <= state.objective + decrease:
                damping = state.damping / 3 if t == 1 else state.damping
                near = self._at(f, new, z, smooth, state.prox_step)
                return replace(near, damping=damping if damping >= LEAST_DAMPING else 0.0)
            t /= 2
        return None

    def newton_step(
        self, f: Composite, state: NewtonState, along: Tangent, metric: Metric, accuracy: float
    ) -> NewtonState:
        """w + t d, retracted, with d the Newton direction and t halved until f + psi decreases enough."""
        w, active = state.iterate, np.flatnonzero(along.active)
        slope = (state.gradient + along.gradient)[active]
        if active.size == 0 or not slope.any():
            return state
        direction = np.zeros_like(w)
        direction[active] = self._newton_direction(f, state, along, metric, active, slope, accuracy)
        if not np.isfinite(direction).all():  # a direction without curvature
            return state
        # Where the decrease is lost in the rounding of the objective, the gradient along the manifold tells instead.
        unseen = abs(float(slope @ direction[active])) <= UNSEEN * abs(state.objective)
        for t in 0.5 ** np.arange(NEWTON_HALVINGS):
            new = along.retract(w + t * direction)
            z = f.forward(new)
            smooth = f.value_at(z)
            decrease = ARMIJO * min(float(slope @ (new - w)[active]), 0.0) + ROUNDING * abs(state.objective)
            lower = smooth + self.regularizer.value(new) <= state.objective + decrease
            if not lower and not unseen:
                continue
            near = self._at(f, new, z, smooth, state.prox_step)
            if lower or self._flatter(near, slope, active):
                return replace(near, settled=bool(t == 1) and state.damping == 0, damping=state.damping)
        return state

    def _flatter(self, state: NewtonState, slope: Vector, active: npt.NDArray[np.intp]) -> bool:
        """Whether the gradient along the manifold is smaller than ``slope``."""
        along = self.regularizer.tangent(state.iterate)
        assert along is not None
        return bool(np.linalg.norm((state.gradient + along.gradient)[active]) < np.linalg.norm(slope))

    def _newton_direction(
        self,
        f: Composite,
        state: NewtonState,
        along: Tangent,
        metric: Metric,
        active: npt.NDArray[np.intp],
        slope: Vector,
        accuracy: float,
    ) -> Vector:
        """About -(Hessian along the manifold)^-1 slope, by preconditioned conjugate gradients."""
        hessian = f.hessian_at(state.predictor)
        full = np.zeros_like(state.iterate)

        def product(direction: Vector) -> Vector:
            full[active] = direction
            damped = max(state.damping, RIDGE) * (metric.diagonal * full)
            return np.asarray((f.adjoint(hessian(f.forward(full))) + along.hessian(full) + damped)[active])

        size = (active.size, active.size)
        inverse = LinearOperator(size, metric.inverse(along), dtype=np.float64)
        operator = LinearOperator(size, product, dtype=np.float64)
        rtol = min(0.1, float(np.linalg.norm(slope)))  # quadratic convergence
        return np.asarray(cg(operator, -slope, rtol=rtol, atol=accuracy, maxiter=CG_STEPS, M=inverse)[0])

    def _at(self, f: Composite, w: Vector, z: Vector, smooth: float, prox_step: float) -> NewtonState:
        dual = f.dual_at(z)
        objective = smooth + self.regularizer.value(w)
        return NewtonState(w, z, dual, f.adjoint(dual), smooth, objective, prox_step)
