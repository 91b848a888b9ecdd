"""Total variation and the fused lasso as convex programs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.oracles.convex_program import prox_minimiser
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
    axis = psi.axis % len(x.shape)
    difference = x[1:] - x[:-1] if axis == 0 else x[:, 1:] - x[:, :-1]
    return jumps * cp.sum(cp.abs(difference)) + sizes * cp.sum(cp.abs(x))


PROGRAM = Oracle("convex program", value, prox_minimiser(_program), 1e-7)

ORACLES: dict[str, Oracle] = dict.fromkeys(("total variation", "total variation, columns", "fused lasso"), PROGRAM)
