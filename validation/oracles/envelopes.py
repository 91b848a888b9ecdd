"""Sparse envelopes and k-support norms: their variational form as a convex program, their value by bisection."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmda_ref.layout import Norms
from validation.oracles.convex_program import prox_minimiser
from validation.oracles.oracle import Oracle

Array = NDArray[np.float64]
RESOLUTION = 1e-6  # an interior point method in rotated cones; its point is nearer than its objective


def rows_of_groups(psi: Any, shape: tuple[int, ...]) -> list[list[Array]]:
    """For each row that psi sees, the entries behind each of its magnitudes."""
    layout, places = psi.layout, np.arange(int(np.prod(shape))).reshape(shape)
    if isinstance(layout, Norms):
        return [[group for matrix in layout.of.rows(places) for group in matrix]]
    return [[np.array([entry]) for entry in row] for matrix in layout.rows(places) for row in matrix]


def half_square(a: Array, k: int) -> float:
    """min sum a_i^2/(2 theta_i) over 0 <= theta <= 1, sum theta <= k: theta_i = min(1, a_i/tau), tau by bisection."""
    a = a[a > 0]
    if len(a) <= k:
        return float(np.sum(a**2)) / 2
    low, high = 0.0, float(a.sum())
    for _ in range(200):
        tau = (low + high) / 2
        low, high = (tau, high) if np.minimum(1, a / tau).sum() > k else (low, tau)
    return float(np.sum(a**2 / np.minimum(1, a / high))) / 2


def _magnitudes(psi: Any, w: Array) -> list[Array]:
    weights = getattr(psi, "weights", None)
    flat, found = w.reshape(-1), []
    for row in rows_of_groups(psi, w.shape):
        root = np.ones(len(row)) if weights is None else np.sqrt(np.ravel(weights))
        found.append(root * np.array([np.linalg.norm(flat[group]) for group in row]))
    return found


def envelope_value(psi: Any, w: Array) -> float:
    return float(psi.lam * sum(half_square(a, psi.k) for a in _magnitudes(psi, w)))


def norm_value(psi: Any, w: Array) -> float:
    return float(psi.lam * sum(np.sqrt(2 * half_square(a, psi.k)) for a in _magnitudes(psi, w)))


def _quotients(psi: Any, x: Any, row: list[Array], theta: Any) -> Any:
    """sum_i weight_i |x_i|^2 / theta_i."""
    import cvxpy as cp

    weights = np.ones(len(row)) if getattr(psi, "weights", None) is None else np.ravel(psi.weights)
    flat = cp.vec(x, order="C")
    return cp.sum(
        [
            weight * cp.quad_over_lin(flat[group], theta[i])
            for i, (group, weight) in enumerate(zip(row, weights, strict=True))
        ]
    )


def _envelope(psi: Any, x: Any) -> tuple[Any, list[Any]]:
    import cvxpy as cp

    terms, constraints = [], []
    for row in rows_of_groups(psi, x.shape):
        theta = cp.Variable(len(row))
        terms.append(_quotients(psi, x, row, theta) / 2)
        constraints += [theta >= 0, theta <= 1, cp.sum(theta) <= psi.k]
    return psi.lam * cp.sum(terms), constraints


def _norm(psi: Any, x: Any) -> tuple[Any, list[Any]]:
    """||x||_sp = min (sum x_i^2/theta_i + tau)/2 over 0 <= theta <= tau, sum theta <= k tau."""
    import cvxpy as cp

    terms, constraints = [], []
    for row in rows_of_groups(psi, x.shape):
        theta, tau = cp.Variable(len(row)), cp.Variable()
        terms.append((_quotients(psi, x, row, theta) + tau) / 2)
        constraints += [theta >= 0, theta <= tau, cp.sum(theta) <= psi.k * tau]
    return psi.lam * cp.sum(terms), constraints


ENVELOPE = Oracle("convex program", envelope_value, prox_minimiser(_envelope), RESOLUTION)
NORM = Oracle("convex program", norm_value, prox_minimiser(_norm), RESOLUTION)

ORACLES: dict[str, Oracle] = {
    **dict.fromkeys(("k-support", "k-support, columns", "k-support, norms"), NORM),
    **dict.fromkeys(("sparse envelope", "sparse envelope, rows", "group sparse envelope"), ENVELOPE),
}
