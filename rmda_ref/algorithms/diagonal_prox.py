"""The prox in a diagonal metric: exact where psi has one, else by accelerated proximal gradients that certify it."""

from collections.abc import Callable
from math import sqrt

from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import Blocks, Regularizer
from rmda_ref.regularizers.base import norm

MAX_ITERATIONS = 20_000
ROUNDINGS = 64  # allowed in a comparison of two values of Q
FLOOR = 8  # roundings of the largest metric times x: no residual is known better


def check_diagonal(name: str, psi: Regularizer) -> None:
    """Raise TypeError if the subproblem of algorithm ``name`` cannot be solved for psi, exactly or inexactly."""
    parts = [block.regularizer for block in psi.blocks] if isinstance(psi, Blocks) else [psi]
    for part in parts:
        if part.metric_prox is None and not part.convex:
            raise TypeError(
                f"{name} steps in a diagonal metric; {type(part).__name__} has no exact prox in one, and as it is not "
                "convex an inexact one proves nothing; use RMDA"
            )


def diagonal_prox(psi: Regularizer, centre: Array, step: float, metric: Array, start: Array, tolerance: float) -> Array:
    """argmin_x Q(x) = step psi(x) + 1/2 <x - centre, metric (x - centre)>, exact where ``psi.metric_prox`` says so.

    Elsewhere a point x with min ||s|| <= ``tolerance`` over s in the subdifferential of Q at x, and Q(x) <= Q(start):
    the condition on inexact steps in Huang & Lee (NeurIPS 2024, arXiv 2403.14398), for convex psi. As Q is strongly
    convex, x is then within tolerance / min(metric) of the minimiser. Both are computed in the dtype of the arrays:
    values of Q are compared up to rounding, and no tolerance is taken to be below 8 eps max(metric) ||x||.

    Raises
    ------
    ValueError
        If ``centre`` or ``metric`` is not finite, or the metric not positive.
    ArithmeticError
        If the tolerance is not reached.
    """
    if psi.metric_prox:
        return psi.prox(centre, step, metric)
    if not isinstance(psi, Blocks):
        return _inexact(psi, centre, step, metric, start, tolerance)
    inexact = sum(block.regularizer.metric_prox is None for block in psi.blocks)
    share = tolerance / sqrt(inexact)  # the residuals of the blocks are orthogonal
    xp, (centres, metrics, starts) = namespace(centre), map(psi.split, (centre, metric, start))
    found = (
        diagonal_prox(block.regularizer, centres[block.name], step, metrics[block.name], starts[block.name], share)
        for block in psi.blocks
    )
    return xp.concat([xp.reshape(part, (-1,)) for part in found])


def _inexact(psi: Regularizer, centre: Array, step: float, metric: Array, start: Array, tolerance: float) -> Array:
    """Beck & Teboulle (2009), restarted where momentum points uphill (O'Donoghue & Candes 2015)."""
    curvature = float(namespace(metric).max(metric))
    objective = _objective(psi, centre, step, metric)
    x = at = start
    theta, bound, residual = 1.0, objective(start), float("inf")
    eps = float(namespace(x).finfo(x.dtype).eps)
    bound += ROUNDINGS * eps * abs(bound)  # the start may be the minimiser itself
    for _ in range(MAX_ITERATIONS):
        new = psi.prox(at - metric / curvature * (at - centre), step / curvature)
        # curvature (at - new) - metric (at - centre) is in step d psi(new); plus metric (new - centre), in dQ.
        residual = norm((curvature - metric) * (at - new))
        if residual <= max(tolerance, FLOOR * eps * curvature * norm(new)) and objective(new) <= bound:
            return new
        uphill = float(namespace(x).sum((at - new) * (new - x))) > 0
        following = 1.0 if uphill else (1 + sqrt(1 + 4 * theta * theta)) / 2
        at = new if uphill else new + (theta - 1) / following * (new - x)
        x, theta = new, following
    raise ArithmeticError(
        f"the prox of {type(psi).__name__} in a diagonal metric is within {residual:.3g} of optimal after "
        f"{MAX_ITERATIONS} iterations, above the tolerance {tolerance:.3g}; raise tolerance or epsilon"
    )


def _objective(psi: Regularizer, centre: Array, step: float, metric: Array) -> Callable[[Array], float]:
    xp = namespace(centre)

    def Q(x: Array) -> float:
        return step * psi.value(x) + float(xp.sum(metric * (x - centre) ** 2)) / 2

    return Q
