"""How far a point can be from the optimum of a convex problem: the duality gap, from a dual point that is feasible.

    P(w, b) = F(X w + b) + psi(w),      D(u) = -F^*(u) - psi^*(-X^T u),      sum_i u_i = 0 for each free intercept.

Weak duality, D(u) <= P(w, b) for every feasible u, makes P - D a bound on P - P*, whatever u is (Fenchel's duality;
Rockafellar 1970, section 31). The natural u is grad F at the predictor; it becomes feasible by `balanced` (intercepts)
and, where psi is a norm, by a factor that takes X^T u into the dual ball.
"""

import numpy as np

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.namespace import Array
from rmda_ref.regularizers import Regularizer


def missing_certificate(regularizer: Regularizer) -> str | None:
    """Why psi has no duality gap here, in words; None where it has."""
    name = type(regularizer).__name__
    if not regularizer.convex:
        return f"{name} is not convex: a small KKT residual says that the point is nearly stationary, no more"
    return None


def dual_value(loss: LinearPredictorLoss, regularizer: Regularizer, u: Array, correlation: Array) -> float:
    """D at the best feasible multiple s u, 0 <= s <= 1; -inf where none is known.

    Parameters
    ----------
    u : array, shape of the predictor
        A dual point in the domain of F^* (with an intercept: a balanced one).
    correlation : array, shape of the coefficients
        X^T u.
    """
    try:
        if regularizer.homogeneity == 1.0:
            size = regularizer.dual_norm(-correlation)
            if np.isinf(size):  # a coefficient without penalty, not yet at its optimum
                return -np.inf
            return -loss.conjugate(u / max(size, 1.0))
        return -loss.conjugate(u) - regularizer.conjugate(-correlation)
    except TypeError:  # no conjugate is known
        return -np.inf
