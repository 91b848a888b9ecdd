"""Laws of the minimiser: what makes a function the prox of psi."""

from functools import partial
from typing import Any

import numpy as np

from rmda_ref.testing.case import Case, FloatArray, Outcome, dot, size_of, worst
from rmda_ref.testing.rivals import undercut
from rmda_ref.testing.traits import ULPS, curvature_of, has_metric, rounding


def optimality(regularizer: Any, case: Case) -> Outcome:
    outcomes = [undercut(regularizer, case), _inclusion(regularizer, case, None), _distance(regularizer, case)]
    if has_metric(regularizer):
        outcomes += [undercut(regularizer, case, case.metric), _inclusion(regularizer, case, case.metric)]
    return worst(*outcomes)


def _inclusion(regularizer: Any, case: Case, metric: FloatArray | None) -> Outcome:
    if not hasattr(regularizer, "subdiff_distance"):
        return Outcome(0.0)
    w, step = case.w, case.step
    u = regularizer.prox(w, step) if metric is None else regularizer.prox(w, step, metric)
    pull = (w - u) if metric is None else metric * (w - u)
    largest = 1.0 if metric is None else float(metric.max())
    distance = regularizer.subdiff_distance(u, pull / np.asarray(step, w.dtype))
    allowed = 4 * largest / step * rounding(case, step)
    return Outcome(
        distance / allowed, lambda: f"(w - u)/step is {distance:.3g} away from the subdifferential at u = {u!r}"
    )


def _distance(regularizer: Any, case: Case) -> Outcome:
    """Bounds on the distance of any v from the subdifferential at u, in float64.

    No more than to v0 = (w - u)/step, which is in it; and no less than |u - prox_s(u + s v)| (1 - s rho)/s, because u
    is prox_s(u + s v') for each v' in it, and the prox has the Lipschitz constant 1/(1 - s rho).
    """
    if not hasattr(regularizer, "subdiff_distance"):
        return Outcome(0.0)
    w, s = case.w.astype(np.float64), case.step / 64
    u = regularizer.prox(w, case.step)
    v0 = (w - u) / case.step
    away = case.rng.standard_normal(w.shape) * 10.0 ** case.rng.uniform(-2, 0) * (1 + size_of(v0)) / np.sqrt(w.size)
    distance = float(regularizer.subdiff_distance(u, v0 + away))
    size = size_of(w) + case.step * (1 + size_of(away))
    least = size_of(u - regularizer.prox(u + s * (v0 + away), s)) * curvature_of(regularizer, s) / s
    allowed = ULPS * np.finfo(np.float64).eps * size / s

    def said() -> str:
        bounds = f"at least {least:.9g} and at most {size_of(away):.9g}"
        return f"the distance of v = {v0 + away!r} at u = {u!r} is {distance:.9g}, not {bounds}"

    return worst(Outcome((distance - size_of(away)) / allowed, said), Outcome((least - distance) / allowed, said))


def three_points(regularizer: Any, case: Case) -> Outcome:
    w, step = case.w, case.step
    u = regularizer.prox(w, step)
    curvature, at_u = curvature_of(regularizer, step), float(regularizer.value(u))
    outcomes = []
    for x in (case.other, regularizer.prox(case.other, step), regularizer.prox(case.other, step / 4)):
        at_x = float(regularizer.value(x))
        if np.isinf(at_x):
            continue
        left = step * at_u + dot(u - w, u - w) / 2 + curvature / 2 * dot(x - u, x - u)
        right = step * at_x + dot(x - w, x - w) / 2
        scale = (size_of(w) + size_of(x) + step) ** 2 + step * (abs(at_u) + abs(at_x))
        outcomes.append(
            Outcome(
                (left - right) / (ULPS * case.eps * scale),
                partial("at u = {!r} and x = {!r}: {:.9g} on the left, {:.9g} on the right".format, u, x, left, right),
            )
        )
    return worst(*outcomes) if outcomes else Outcome(0.0)


def monotonicity(regularizer: Any, case: Case) -> Outcome:
    w, other, step = case.w, case.other, case.step
    difference = regularizer.prox(w, step).astype(np.float64) - regularizer.prox(other, step)
    left = curvature_of(regularizer, step) * dot(difference, difference)
    right = dot(difference, w.astype(np.float64) - other)
    scale = (size_of(w) + size_of(other) + step) ** 2
    return Outcome(
        (left - right) / (ULPS * case.eps * scale), lambda: f"{left:.9g} on the left, {right:.9g} on the right"
    )


def fenchel(regularizer: Any, case: Case) -> Outcome:
    """In float64: a conjugate that is an indicator of a thin set has room for its rounding only."""
    case = case.at(w=case.w.astype(np.float64), other=case.other.astype(np.float64))
    w, other, step = case.w, case.other, case.step
    u = regularizer.prox(w, step)
    error_of_v = rounding(case, step) / step  # it may put v outside an indicator's domain: pull it inside
    v = (w - u) / step * max(1 - error_of_v, 0)
    feasible = regularizer.prox(other, step)
    psi, conjugate = float(regularizer.value(u)), float(regularizer.conjugate(v))
    error = 4 * error_of_v * (1 + size_of(w)) * (1 + size_of(v)) + ULPS * case.eps * (abs(psi) + abs(conjugate))
    at = float(regularizer.value(feasible))
    young_error = 4 * error_of_v * (1 + size_of(feasible)) * (1 + size_of(v)) + ULPS * case.eps * abs(at)
    return worst(
        Outcome(
            abs(psi + conjugate - dot(u, v)) / error,
            lambda: f"psi(u) + psi*(v) = {psi:.9g} + {conjugate:.9g}, <u, v> = {dot(u, v):.9g} at u = {u!r}",
        ),
        Outcome(
            (dot(feasible, v) - at - conjugate) / young_error,
            lambda: (
                f"psi(x) + psi*(v) = {at:.9g} + {conjugate:.9g} < <x, v> = {dot(feasible, v):.9g} at x = {feasible!r}"
            ),
        ),
    )


def envelope(regularizer: Any, case: Case) -> Outcome:
    """e(w') - e(w) - <w - u, w' - w> <= |w' - w|^2/2 both ways, with e = step psi(u) + |u - w|^2/2; for a step below
    1/rho also the central difference, whose error is at most that of a gradient with its Lipschitz constant."""
    step, rng = case.step, case.rng
    w = case.w.astype(np.float64)
    direction = rng.standard_normal(w.shape)
    direction *= 1e-3 * max(size_of(w), 1e-2) / size_of(direction)

    def at(point: FloatArray) -> tuple[float, FloatArray]:
        u = regularizer.prox(point, step)
        return step * float(regularizer.value(u)) + dot(u - point, u - point) / 2, point - u

    here, gradient = at(w)
    there, gradient_there = at(w + direction)
    back, _ = at(w - direction)
    square = dot(direction, direction)
    scale = ULPS * np.finfo(np.float64).eps * ((size_of(w) + step) ** 2 + abs(here) + abs(there))
    outcomes = [
        Outcome((there - here - dot(gradient, direction) - square / 2) / scale, lambda: "forward"),
        Outcome((here - there + dot(gradient_there, direction) - square / 2) / scale, lambda: "backward"),
    ]
    curvature = curvature_of(regularizer, step)
    if curvature > 0:
        lipschitz = max(1.0, 1 / curvature - 1)
        error = abs(there - back - 2 * dot(gradient, direction)) - lipschitz * square
        outcomes.append(Outcome(error / scale, lambda: f"(e(w + d) - e(w - d))/2 is off by {error / 2:.3g}"))
    return worst(*outcomes)


def ties(regularizer: Any, case: Case) -> Outcome:
    quarters = np.floor(4 * case.step) / 4 or case.step  # thresholds then meet the entries, multiples of 1/2
    tied = Case.draw(case.seed, case.w.shape, case.w.dtype, float(quarters), "tied")
    first = regularizer.prox(tied.w, tied.step)
    second = regularizer.prox(np.asfortranarray(tied.w), tied.step)
    if not np.array_equal(first, second):
        return Outcome(np.inf, lambda: f"two calls give {first!r} and {second!r}")
    return undercut(regularizer, tied)


def any_step(regularizer: Any, case: Case) -> Outcome:
    """For a step up to a thousand times smaller or larger, where thresholds lie: at a point of its size, or root."""
    rng = case.rng
    step = case.step * float(10.0 ** rng.uniform(-3, 3))
    size = step ** rng.choice([0.5, 1.0])
    w = (size * rng.standard_normal(case.w.shape)).astype(case.w.dtype)
    try:
        return undercut(regularizer, case.at(w=w, step=step))
    except ValueError:  # the limit is named
        return Outcome(0.0)
