"""Total variation and the fused lasso as convex programs, and the dual path of a prox."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.oracles.convex_program import RESOLUTION, prox_minimiser
from validation.oracles.oracle import Oracle

Array = NDArray[np.float64]


def _strengths(psi: Any) -> tuple[float, float]:
    """Of jumps, and of sizes."""
    ratio = getattr(psi, "l1_ratio", 0.0)
    return psi.lam * (1 - ratio), psi.lam * ratio


def value(psi: Any, w: Array) -> float:
    jumps, sizes = _strengths(psi)
    moved = np.moveaxis(w, psi.axis, 0)
    return float(jumps * np.abs(moved[1:] - moved[:-1]).sum() + sizes * np.abs(w).sum())


def _program(psi: Any, x: Any) -> Any:
    import cvxpy as cp

    jumps, sizes = _strengths(psi)
    return jumps * cp.sum(cp.abs(cp.diff(x, axis=psi.axis % len(x.shape)))) + sizes * cp.sum(cp.abs(x))


def dual_path_violation(w: Array, u: Array, strength: float, metric: Array | None = None) -> float:
    """How far u is from the prox of strength times the total variation of one row, by its dual path.

    The cumulative sums of metric (w - u) must lie in [-strength, strength], end at 0, and be the strength before a fall
    of u, minus that before a rise. In extended precision: only the rounding of u is left.
    """
    pull = w.astype(np.longdouble) - u
    path = np.cumsum(pull if metric is None else metric.astype(np.longdouble) * pull)
    jumps = np.sign(np.diff(u))
    at_jumps = np.abs(path[:-1] + strength * jumps)[jumps != 0]
    return float(max(np.abs(path).max() - strength, np.abs(path[-1]), at_jumps.max(initial=0)))


PROGRAM = Oracle("convex program", value, prox_minimiser(_program), RESOLUTION)

ORACLES: dict[str, Oracle] = dict.fromkeys(
    ("total variation", "total variation, columns", "fused lasso", "fused lasso, columns"), PROGRAM
)
