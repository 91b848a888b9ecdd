"""How far a point can be from the optimum of a convex problem: the duality gap, from a dual point that is feasible.

    P(w, b) = F(X w + b) + psi(w),      D(u) = -F^*(u) - psi^*(-X^T u),      sum_i u_i = 0 for each free intercept.

Weak duality, D(u) <= P(w, b) for every feasible u, makes P - D a bound on P - P*, whatever u is (Fenchel's duality;
Rockafellar 1970, section 31). The natural u is grad F at the predictor; it becomes feasible by `balanced` (intercepts)
and, where psi is a norm, by a factor that takes X^T u into the dual ball.
"""

import math

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.losses.design import matching
from rmda_ref.namespace import Array, NoEvaluation
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

    Both are of the namespace of the data, on their device: only the value comes to the host.

    Raises
    ------
    TypeError
        If they are of another namespace or device, or psi has a conjugate, but not on this namespace.
    """
    u, correlation = matching("u", u, loss.X), matching("correlation", correlation, loss.X)
    try:
        size, of_psi = _conjugate(regularizer, -correlation)
    except NoEvaluation:  # it has one, but not on these arrays
        raise
    except TypeError:  # none is known
        return -math.inf
    if math.isinf(size):  # a coefficient without penalty, not yet at its optimum
        return -math.inf
    return -loss.conjugate(u / max(size, 1.0)) - of_psi


def _conjugate(regularizer: Regularizer, v: Array) -> tuple[float, float]:
    """The size of v in the dual norm, and psi^* there, or where it comes into the dual ball; 0 for no norm."""
    if regularizer.homogeneity == 1.0:
        return float(regularizer.dual_norm(v)), 0.0
    return 0.0, float(regularizer.conjugate(v))
