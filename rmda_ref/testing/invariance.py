"""Laws of structure and of changes that psi does not see."""

import dataclasses
from functools import partial
from typing import Any

import numpy as np

from rmda_ref.regularizers.manifold import Rank
from rmda_ref.testing.case import Case, FloatArray, Outcome, size_of, worst
from rmda_ref.testing.symmetry import actions
from rmda_ref.testing.traits import rounding, trait


def structure(regularizer: Any, case: Case) -> Outcome:
    """At points in general position, in float64: float32 has no room between rounding and a margin."""
    rng = case.rng
    w = rng.standard_normal(case.w.shape) * max(1e-2, min(1e2, size_of(case.w)))
    u = regularizer.prox(w, case.step)
    found = regularizer.manifold(u)
    if isinstance(found, Rank):  # rounding entries would raise it
        exact = np.linalg.matrix_rank(u.reshape(len(u), -1), tol=1e-9) == found.rank
    else:
        exact = regularizer.manifold(np.round(u, 9)) == found
    if not exact:
        return Outcome(np.inf, lambda: f"the structure of prox(w) = {u!r} is not exact: rounding to 1e-9 changes it")
    for size in (1e-6, 1e-9, 1e-12):
        moved = [w + size * size_of(w) * rng.standard_normal(w.shape) for _ in range(3)]
        if all(regularizer.manifold(regularizer.prox(point, case.step)) == found for point in moved):
            return Outcome(0.0)
    return Outcome(np.inf, lambda: f"perturbing w = {w!r} by 1e-12 changes the structure of its prox")


def equivariance(regularizer: Any, case: Case) -> Outcome:
    w = case.rng.standard_normal(case.w.shape).astype(case.w.dtype) * np.asarray(
        max(1e-2, min(1e2, size_of(case.w))), case.w.dtype
    )
    u, outcomes = regularizer.prox(w, case.step), []
    magnified = 1.0 if trait(regularizer, "convex", False) else _magnification(regularizer, case, w, u)
    for name, act in actions(regularizer, case.rng, w.shape):
        allowed = magnified * rounding(case.at(w=w), case.step)
        apart = size_of(regularizer.prox(act(w), case.step) - act(u)) / allowed
        outcomes.append(Outcome(apart, partial("prox does not commute with {}".format, name)))
    degree = trait(regularizer, "homogeneity", None)
    if degree is not None:
        factor = 4.0
        other_step = case.step * factor ** (degree - 2)
        left = regularizer.prox(np.asarray(factor, w.dtype) * w, case.step)
        right = np.asarray(factor, w.dtype) * regularizer.prox(w, other_step)
        apart = size_of(left - right) / rounding(case.at(w=factor * w), case.step)
        outcomes.append(Outcome(apart, lambda: f"prox(4 w, s) is not 4 prox(w, s 4^(d-2)), d = {degree:g}"))
    return worst(*outcomes) if outcomes else Outcome(0.0)


def _magnification(regularizer: Any, case: Case, w: FloatArray, u: FloatArray) -> float:
    """How much a small move of w is magnified in u = prox(w): near a tie of a nonconvex psi rounding is magnified too,
    that of singular vectors above all."""
    aside = np.random.default_rng([case.seed, 2]).standard_normal(w.shape) * np.sqrt(case.eps) * size_of(w)
    nearby = w + aside.astype(w.dtype)
    return max(1.0, size_of(regularizer.prox(nearby, case.step) - u) / size_of(nearby - w))


def metrics(regularizer: Any, case: Case) -> Outcome:
    """The metric of ones is none, that of fours is a quarter of the step."""
    w, ones = case.w, np.ones_like(case.w)
    outcomes = []
    for weight in (1.0, 4.0):
        apart = regularizer.prox(w, case.step, np.asarray(weight, w.dtype) * ones) - regularizer.prox(
            w, case.step / weight
        )
        outcomes.append(
            Outcome(
                size_of(apart) / rounding(case, case.step),
                partial("with the constant metric {:g}".format, weight),
            )
        )
    return worst(*outcomes)


def no_step(regularizer: Any, case: Case) -> Outcome:
    """prox with step 0, and with strength 0, is the identity (where psi is finite), also at zero."""
    free: Any = None
    if dataclasses.is_dataclass(regularizer) and "lam" in {field.name for field in dataclasses.fields(regularizer)}:
        free = dataclasses.replace(regularizer, lam=0.0)  # type: ignore[type-var]
    outcomes = []
    for point in (case.w, np.zeros_like(case.w)):
        if not np.isfinite(float(regularizer.value(point))):
            point = regularizer.prox(point, case.step)
        still = {"step 0": regularizer.prox(point, 0.0)}
        if free is not None:
            still["lam = 0"] = free.prox(point, case.step)
        for what, found in still.items():
            outcomes.append(
                Outcome(
                    size_of(found - point) / rounding(case.at(w=point)),
                    partial("{} moves {!r} to {!r}".format, what, point, found),
                )
            )
    return worst(*outcomes)


def idempotence(regularizer: Any, case: Case) -> Outcome:
    u = regularizer.prox(case.w, case.step)
    again = regularizer.prox(u, case.step)
    other_step = regularizer.prox(case.w, 7 * case.step)
    allowed = rounding(case.at(w=u), size_of(case.w))
    return worst(
        Outcome(size_of(again - u) / allowed, lambda: f"projecting {u!r} again gives {again!r}"),
        Outcome(size_of(other_step - u) / allowed, lambda: f"a projection that depends on the step: {other_step!r}"),
    )
