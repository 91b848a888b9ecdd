"""Proxes as convex programs, solved by an interior-point method through cvxpy (the extra ``oracles``)."""

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.oracles.oracle import NoAnswer

Array = NDArray[np.float64]
Penalty = Callable[[Any, Any], Any]  # (regularizer, cvxpy variable shaped like w) -> cvxpy expression
RESOLUTION = 1e-7  # the solver's tolerances are finer; its objective is off by what is left after scaling
TOLERANCES = (1e-10, 1e-9, 1e-8)


def prox_minimiser(penalty: Penalty) -> Callable[[Any, Array, float, Array | None], Array]:
    """The minimiser of step psi + 1/2 |. - w|^2 with psi an expression, a list of constraints, or a pair of both."""

    def minimiser(regularizer: Any, w: Array, step: float, metric: Array | None) -> Array:
        import cvxpy as cp

        size = max(1.0, float(np.abs(w).max(initial=0)))  # all is scaled to 1 for the solver's tolerances
        scaled = cp.Variable(w.shape)
        x = size * scaled
        weights = np.ones_like(w) if metric is None else metric
        distance = cp.sum(cp.multiply(weights, cp.square(scaled - w / size))) / 2
        psi = penalty(regularizer, x)
        psi, constraints = psi if isinstance(psi, tuple) else (psi, [])
        constraints = psi if isinstance(psi, list) else constraints
        objective = distance if isinstance(psi, list) else distance + step / size**2 * psi
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "may be inaccurate": beyond 1e-10, and 1e-7 is relied on
            for tolerance in TOLERANCES:
                problem = cp.Problem(cp.Minimize(objective), constraints)
                with suppress(cp.SolverError):  # some programs stall short of the finest
                    problem.solve(solver=cp.CLARABEL, tol_gap_abs=tolerance, tol_gap_rel=tolerance, tol_feas=tolerance)
                    break
        if x.value is None:
            raise NoAnswer(f"no solution of the convex program of {regularizer!r} at w = {w!r}, step = {step}")
        return np.asarray(x.value, dtype=np.float64).reshape(w.shape)

    return minimiser
