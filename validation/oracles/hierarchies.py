"""Groups that nest or overlap, as second-order cone programs; latent ones with their decomposition as a variable."""

import warnings
from typing import Any

import numpy as np

from validation.oracles.convex_program import RESOLUTION, prox_minimiser
from validation.oracles.oracle import Array, Oracle


def _cvxpy() -> Any:
    import cvxpy

    return cvxpy


def _radii(psi: Any) -> list[float]:
    weights = [np.sqrt(len(group)) for group in psi.groups] if psi.weights is None else psi.weights
    return [float(psi.lam * weight) for weight in weights]


def _norms_value(psi: Any, w: Array) -> float:
    """sum_g radius_g ||w_g||."""
    parts = [w.reshape(-1)[list(group)] for group in psi.groups]
    return float(sum(r * np.linalg.norm(part) for r, part in zip(_radii(psi), parts, strict=True)))


def _norms_program(psi: Any, x: Any) -> Any:
    norm2 = _cvxpy().norm2
    return sum(r * norm2(x[list(group)]) for r, group in zip(_radii(psi), psi.groups, strict=True))


def _decomposition(psi: Any, x: Any) -> Any:
    """min sum_g radius_g ||v^g|| subject to sum_g v^g = x, as (objective, constraints)."""
    cp = _cvxpy()
    parts = [cp.Variable(len(group)) for group in psi.groups]
    places = [np.eye(x.shape[0])[:, list(group)] for group in psi.groups]
    total = sum(place @ part for place, part in zip(places, parts, strict=True))
    return sum(r * cp.norm2(part) for r, part in zip(_radii(psi), parts, strict=True)), [total == x]


def _decomposed_value(psi: Any, w: Array) -> float:
    """The optimum of that program at a point, at the scale of 1."""
    cp = _cvxpy()
    size = float(np.abs(w).max(initial=0))
    if size == 0:
        return 0.0
    objective, constraints = _decomposition(psi, w / size)
    problem = cp.Problem(cp.Minimize(objective), constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "may be inaccurate": beyond 1e-10, and 1e-7 is relied on
        problem.solve(solver=cp.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    return float(problem.value) * size


_NORMS = Oracle("convex program", _norms_value, prox_minimiser(_norms_program), RESOLUTION)
_LATENT = Oracle("convex program", _decomposed_value, prox_minimiser(_decomposition), RESOLUTION)

ORACLES: dict[str, Oracle] = {
    "tree groups": _NORMS,
    "tree groups, weights": _NORMS,
    "overlapping groups": _NORMS,
    "overlapping groups, weights": _NORMS,
    "overlapping groups, disjoint": _NORMS,
    "latent groups": _LATENT,
    "latent groups, weights": _LATENT,
}
