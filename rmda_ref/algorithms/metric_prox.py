"""A proximal step in a metric that is not diagonal, and the points that a Newton step along a manifold may reach."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rmda_ref.regularizers import Regularizer
from rmda_ref.regularizers.tangent import Tangent

Vector = npt.NDArray[np.float64]
Map = Callable[[Vector], Vector]

NEWTON_HALVINGS = 4  # where more are needed the manifold is not yet the right one: the next proximal step tells
ACTIVE_SETS = 50
SLOW = 40  # steps of the accelerated method on one manifold after which a Newton step is tried
POWER_STEPS = 20
ACCURACY = 0.05  # of the proximal step: its residual over that at the start


class Metric(Protocol):
    """A positive semidefinite matrix M near the Hessian of f, cheap to multiply with and to invert."""

    diagonal: Vector  # positive; about that of M
    exact: bool  # whether it is the Hessian of f, or as near as need be
    inverts: bool  # whether `inverse` is more than that of a diagonal
    steps: int  # accelerated proximal gradients that a proximal step in the metric may take

    def largest(self, scale: Vector) -> float:
        """About the largest eigenvalue of diag(scale)^(-1/2) M diag(scale)^(-1/2), not below it."""

    def product(self, direction: Vector) -> Vector:
        """M times a direction."""

    def damped(self, damping: float) -> "Metric":
        """M + damping diag(M)."""

    def inverse(self, along: Tangent) -> Map:
        """About the inverse of M plus the Hessian of psi, on the active entries of ``along`` alone."""


def metric_prox(psi: Regularizer, w: Vector, gradient: Vector, metric: Metric) -> Vector:
    """About argmin_x Q(x) = <gradient, x - w> + 1/2 <x - w, M (x - w)> + psi(x).

    Accelerated proximal gradients from w (Beck & Teboulle 2009), in the diagonal D of M where psi has a prox in it, so
    that the scales of the features do not matter; restarted where momentum points uphill (O'Donoghue & Candes 2015).
    If they are slow on one manifold, a Newton step of Q along it, by the inverse of M that is at hand.
    """
    scale = scale_of(psi, metric)
    weight = metric.largest(scale) * scale
    prox = prox_in(psi, weight)
    x = at = w
    theta, first, active = 1.0, 0.0, None
    for k in range(metric.steps):
        slope = gradient + metric.product(at - w) if k else gradient
        new = prox(at - slope / weight)
        move = new - at
        residual = float(np.sqrt(move @ (scale * move)))
        first = first or residual
        if residual <= ACCURACY * first * (k > 0):
            return new
        uphill = float((scale * move) @ (new - x)) < 0
        theta, momentum = (1.0, 0.0) if uphill else _next(theta)
        at, x = new + momentum * (new - x), new
        if k % SLOW == SLOW - 1 and metric.inverts:
            before, active = active, x != 0
            if before is not None and np.array_equal(active, before):
                at = x = _model_newton(psi, w, gradient, metric, x)
                theta = 1.0
    return x


def _model_newton(psi: Regularizer, w: Vector, gradient: Vector, metric: Metric, x: Vector) -> Vector:
    """x after Newton steps of Q along manifolds, each within the one before, until one is whole: active sets."""

    def Q(at: Vector) -> float:
        return float(gradient @ (at - w) + (at - w) @ metric.product(at - w) / 2) + psi.value(at)

    value = Q(x)
    for _ in range(ACTIVE_SETS):
        along = psi.tangent(x)
        if along is None or not along.active.any():
            return x
        slope = (gradient + metric.product(x - w) + along.gradient)[along.active]
        direction = np.zeros_like(x)
        direction[along.active] = -metric.inverse(along)(slope)
        better = next((pair for pair in trials(along, x, direction) if Q(pair[0]) < value), None)
        if better is None:
            return x
        x, whole = better
        value = Q(x)
        if whole:
            return x
    return x


def trials(along: Tangent, x: Vector, direction: Vector) -> Iterator[tuple[Vector, bool]]:
    """Points along a direction, the first the whole step; and whether nothing had to turn back.

    What would turn back is zero there. Then the point where the first of it becomes zero: up to there psi is smooth, so
    that a convex quadratic decreases. Then shorter steps.
    """
    full = x + direction
    new = along.retract(full)
    back = new != full
    yield new, not back.any()
    if back.any():
        bent = along.bend > 0
        radial = direction - np.where(bent & (along.unit != 0), along.hessian(direction), 0) / np.where(
            bent, along.bend, 1
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            lengths = np.where(back & (radial != 0), -x / radial, np.inf)
        first = float(lengths.min())
        if 0 < first < 1:
            yield np.where(lengths <= first * (1 + 1e-9), 0.0, x + first * direction), False
    for halvings in range(1, NEWTON_HALVINGS):
        yield along.retract(x + 0.5**halvings * direction), False


def scale_of(psi: Regularizer, metric: Metric) -> Vector:
    """The diagonal D in which proximal steps are taken: a multiple of the identity where psi has no prox in another."""
    D = metric.diagonal
    return D if psi.metric_prox else np.full_like(D, D.max(initial=0.0))


def prox_in(psi: Regularizer, weight: Vector) -> Map:
    """The map x -> argmin_p psi(p) + 1/2 <p - x, weight (p - x)>."""
    if psi.metric_prox:
        return psi.prox_in(weight)
    step = 1 / float(weight[0])
    return lambda x: np.asarray(psi.prox(x, step))


def _next(theta: float) -> tuple[float, float]:
    following = (1 + np.sqrt(1 + 4 * theta * theta)) / 2
    return following, (theta - 1) / following


def largest_eigenvalue(product: Map, scale: Vector) -> float:
    """About that of diag(scale)^(-1/2) M diag(scale)^(-1/2), M positive semidefinite, by the power method."""
    root = np.sqrt(scale)
    v = np.random.default_rng(0).standard_normal(scale.size)
    size = float(np.linalg.norm(v))
    for _ in range(POWER_STEPS):
        v = product(v / (size * root)) / root
        before, size = size, float(np.linalg.norm(v))
        if size == 0 or abs(size - before) <= 0.01 * size:
            break
    return max(1.1 * size, float(np.finfo(float).tiny))
