"""Points that might have a smaller prox objective than the prox: where wrong operators are found out."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rmda_ref.testing.case import Case, FloatArray, Outcome, dot, size_of
from rmda_ref.testing.traits import ULPS


def objective(regularizer: Any, x: FloatArray, w: FloatArray, step: float, metric: FloatArray | None) -> float:
    """step psi(x) + 1/2 <x - w, metric (x - w)>, psi in the dtype of x, the rest in float64."""
    difference = x.astype(np.float64) - w
    weighted = difference if metric is None else metric * difference
    return step * float(regularizer.value(x)) + dot(difference, weighted) / 2


def rivals(case: Case, u: FloatArray) -> Iterator[FloatArray]:
    """Candidates from w, u and random directions: zeroed, kept, thresholded, flipped, moved."""
    w, rng = case.w, case.rng
    yield w
    yield 0 * w
    flat_w, flat_u = w.reshape(-1), u.reshape(-1)
    order = np.argsort(-np.abs(flat_w), kind="stable")
    for k in range(1, w.size):  # the k largest of w, and of u
        kept = np.zeros_like(flat_w)
        kept[order[:k]] = flat_w[order[:k]]
        yield kept.reshape(w.shape)
        kept = kept.copy()
        kept[order[:k]] = flat_u[order[:k]]
        yield kept.reshape(w.shape)
    for i in range(w.size):  # one entry otherwise
        for value in (0.0, flat_w[i], -flat_u[i], (flat_u[i] + flat_w[i]) / 2, flat_u[i] / 2, np.sign(flat_w[i])):
            if value != flat_u[i]:
                changed = flat_u.copy()
                changed[i] = value
                yield changed.reshape(w.shape)
    for axis in range(w.ndim):  # one slice zero, or back at w
        for i in range(w.shape[axis]):
            place = (slice(None),) * axis + (i,)
            for values in (0.0, w[place]):
                changed = u.copy()
                changed[place] = values
                yield changed
    for factor in (0.5, 0.9, 0.999, 1.001, 1.1, 2.0):
        yield (factor * u).astype(w.dtype)
        yield (u + (factor - 1) * (w - u)).astype(w.dtype)
    for size in (1.0, 1e-1, 1e-2, 1e-3, 1e-4):
        yield (u + size * size_of(w) * rng.standard_normal(w.shape) / np.sqrt(w.size)).astype(w.dtype)
        yield (u + size * size_of(w) * rng.standard_normal(w.shape) * (u != 0) / np.sqrt(w.size)).astype(w.dtype)


def undercut(regularizer: Any, case: Case, metric: FloatArray | None = None) -> Outcome:
    """Whether some rival has a smaller prox objective, or the prox lies outside the domain."""
    w, step = case.w, case.step
    u = regularizer.prox(w, step) if metric is None else regularizer.prox(w, step, metric)
    ours = objective(regularizer, u, w, step, metric)
    if not np.isfinite(ours):
        return Outcome(np.inf, lambda: f"the objective at prox(w) = {u!r} is {ours}")
    others = [*rivals(case, u)]
    for other_step in (step / 10, step * 10):  # feasible points, where psi is an indicator
        others.append(regularizer.prox(w, other_step))
        others.append(regularizer.prox(case.other, other_step))
    values = np.array([objective(regularizer, x, w, step, metric) for x in others])
    best = int(np.argmin(values))
    largest = 1.0 if metric is None else float(metric.max())
    # A set may lie far from w, and its points are known to their own rounding.
    scale = largest * (size_of(w) + size_of(u) + step) ** 2 + step * abs(float(regularizer.value(u)))
    excess = (ours - values[best]) / (ULPS * case.eps * scale)
    return Outcome(
        excess,
        lambda: (
            f"prox(w) = {u!r} has objective {ours:.9g}\nbut      x = {others[best]!r} has objective {values[best]:.9g}"
        ),
    )
