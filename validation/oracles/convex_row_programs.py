"""The convex penalties of groups as cvxpy expressions: a second oracle of each, to an interior-point accuracy."""

from collections.abc import Callable
from typing import Any

import numpy as np

from validation.oracles import row_values as values
from validation.oracles.convex_program import RESOLUTION, prox_minimiser
from validation.oracles.oracle import Oracle

Expression = Callable[[Any, Any], Any]  # (psi, cvxpy vector of one group) -> expression, or a list of constraints


def _cvxpy() -> Any:
    import cvxpy

    return cvxpy


def _flat(x: Any) -> Any:
    return _cvxpy().reshape(x, (int(np.prod(x.shape)),), order="C")


def _over_groups(expression: Expression, weighted: bool = True) -> Expression:
    """The weighted sum, or all constraints."""

    def total(psi: Any, x: Any) -> Any:
        lists, flat = values.group_lists(psi, x.shape), _flat(x)
        terms = [expression(psi, flat[group]) for group in lists]
        if isinstance(terms[0], list):
            return [constraint for term in terms for constraint in term]
        weights = values.group_weights(psi, lists) if weighted else [1.0] * len(lists)
        return sum(g * term for g, term in zip(weights, terms, strict=True))

    return total


def _of_norms(expression: Expression) -> Expression:
    def of_norms(psi: Any, x: Any) -> Any:
        cp, flat = _cvxpy(), _flat(x)
        return expression(psi, cp.hstack([cp.norm2(flat[group]) for group in values.group_lists(psi, x.shape)]))

    return of_norms


def _norm(psi: Any, x: Any) -> Any:
    return psi.lam * _cvxpy().norm2(x)


def _sparse_group(psi: Any, x: Any) -> Any:
    groups = _over_groups(lambda psi, part: psi.lam * (1 - psi.l1_ratio) * _cvxpy().norm2(part))(psi, x)
    return psi.lam * psi.l1_ratio * _cvxpy().norm1(_flat(x)) + groups


def _exclusive(psi: Any, x: Any) -> Any:
    return psi.lam / 2 * _cvxpy().square(_cvxpy().norm1(x))


def _largest(psi: Any, x: Any) -> Any:
    return psi.lam * _cvxpy().norm_inf(x)


def _sorted_l1(psi: Any, x: Any) -> Any:
    """Sums of the k largest, weighted by the drops of the weights."""
    cp, weights = _cvxpy(), np.append(np.asarray(psi.weights, dtype=float)[: x.size], 0.0)
    drops = zip(range(1, x.size + 1), weights[:-1] - weights[1:], strict=True)
    return psi.lam * sum(drop * cp.sum_largest(cp.abs(x), k) for k, drop in drops)


def _sorted_spectrum(psi: Any, x: Any) -> Any:
    """Sums of the k largest singular values: of eigenvalues of [[0, X], [X^T, 0]]."""
    cp, (rows, columns) = _cvxpy(), x.shape
    dilation = cp.bmat([[np.zeros((rows, rows)), x], [x.T, np.zeros((columns, columns))]])
    weights = np.append(np.asarray(psi.weights, dtype=float), 0.0)
    drops = zip(range(1, min(x.shape) + 1), weights[:-1] - weights[1:], strict=True)
    return psi.lam * sum(drop * cp.lambda_sum_largest(dilation, k) for k, drop in drops if drop > 0)


def _simplex(psi: Any, x: Any) -> Any:
    return [x >= 0, _cvxpy().sum(x) == psi.radius]


def _l1_ball(psi: Any, x: Any) -> Any:
    return [_cvxpy().norm1(x) <= psi.radius]


def _l2_ball(psi: Any, x: Any) -> Any:
    return [_cvxpy().norm2(x) <= psi.radius]


def _nuclear(psi: Any, x: Any) -> Any:
    return psi.lam * _cvxpy().normNuc(x)


def _nuclear_ball(psi: Any, x: Any) -> Any:
    return [_cvxpy().normNuc(x) <= psi.radius]


def _blocks(psi: Any, x: Any) -> Any:
    cp, total, start = _cvxpy(), 0.0, 0
    for block in psi.blocks:
        part, start = x[start : start + block.size], start + block.size
        if hasattr(block.regularizer, "groups"):
            total += _over_groups(_norm)(block.regularizer, cp.reshape(part, block.shape, order="C"))
        elif hasattr(block.regularizer, "lam"):
            total += block.regularizer.lam * cp.norm1(part)
    return total


def _program(value: values.Value, expression: Expression) -> Oracle:
    return Oracle("convex program", value, prox_minimiser(expression), RESOLUTION)


def _of_groups(value: values.Value, expression: Expression, weighted: bool = True) -> Oracle:
    return _program(values.over_groups(value, weighted), _over_groups(expression, weighted))


GROUP_LASSO = _of_groups(values.scaled_norm, _norm)
SPARSE_GROUP_LASSO = _program(values.sparse_group, _sparse_group)
EXCLUSIVE_LASSO = _of_groups(values.half_square, _exclusive)
GROUP_MAX = _of_groups(values.largest, _largest)
SLOPE = _of_groups(values.sorted_l1, _sorted_l1, weighted=False)
SLOPE_OF_NORMS = _program(values.of_norms(values.sorted_l1), _of_norms(_sorted_l1))
SLOPE_OF_SPECTRUM = _program(values.of_spectrum(values.sorted_l1), _sorted_spectrum)
SIMPLEX = _of_groups(values.in_simplex, _simplex)
L1_BALL = _of_groups(values.in_l1_ball, _l1_ball)
L1_BALL_OF_NORMS = _program(values.of_norms(values.in_l1_ball), _of_norms(_l1_ball))
L1_BALL_OF_SPECTRUM = _program(values.of_spectrum(values.in_l1_ball), _nuclear_ball)
L2_BALL = _of_groups(values.in_l2_ball, _l2_ball)
NUCLEAR = _program(values.of_spectrum(values.l1), _nuclear)
BLOCKS = _program(values.blocks, _blocks)
