"""Convex penalties of groups: the equations of duality by bisection, and convex programs where there is no equation.

Every one has its convex program besides, in `convex_row_programs`, to an interior-point method's accuracy.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from validation.oracles import convex_row_programs as programs
from validation.oracles.oracle import Oracle
from validation.oracles.row_values import Array, group_lists, group_weights, norm

Minimiser = Callable[[Any, Array, float, Array | None], Array]
RowMinimiser = Callable[[Any, Array, Array, float], Array]  # (psi, row, its metric, step times weight) -> minimiser
RESOLUTION = 1e-12  # bisection ends where no float64 lies between


def bisected(decreasing: Callable[[float], float], low: float, high: float) -> float:
    """The root between ``low``, where the function is positive, and ``high``."""
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if decreasing(middle) > 0 else (low, middle)
    return high


def by_group(minimise: RowMinimiser) -> Minimiser:
    """The minimiser group by group."""

    def minimiser(psi: Any, w: Array, step: float, metric: Array | None) -> Array:
        flat, out, lists = w.reshape(-1), np.empty(w.size), group_lists(psi, w.shape)
        metrics = np.ones(w.size) if metric is None else metric.reshape(-1)
        for group, weight in zip(lists, group_weights(psi, lists), strict=True):
            out[group] = minimise(psi, flat[group], metrics[group], step * weight)
        return out.reshape(w.shape)

    return minimiser


def cut(x: Array, level: Any) -> Array:
    """sign(x) (|x| - level)_+."""
    return np.asarray(np.sign(x) * np.clip(np.abs(x) - level, 0, None))


def group_lasso(psi: Any, x: Array, d: Array, step: float) -> Array:
    """w - D^-1 p, with p the point of the ball of radius s that is nearest to D w in the metric D^-1 (Moreau)."""
    s, pull = psi.lam * step, d * x
    if norm(pull) <= s:
        return 0 * x
    if s == 0:
        return x.copy()
    mu = bisected(lambda mu: norm(pull / (1 + mu * d)) - s, 0.0, norm(x) / s)
    return np.asarray(x - pull / (1 + mu * d) / d)


def sparse_group_lasso(psi: Any, w: Array, step: float, metric: Array | None) -> Array:
    """Given the norm r of the solution each entry is that of an elastic net, a |y| + b y^2/(2 r): r by bisection."""
    flat, out, lists = w.reshape(-1), np.zeros(w.size), group_lists(psi, w.shape)
    metrics = np.ones(w.size) if metric is None else metric.reshape(-1)
    a = step * psi.lam * psi.l1_ratio
    for group, weight in zip(lists, group_weights(psi, lists), strict=True):
        d, b = metrics[group], step * psi.lam * (1 - psi.l1_ratio) * weight
        pull = cut(d * flat[group], a)
        if norm(pull) > b:
            out[group] = _elastic(pull, d, b, norm(pull / d))
    return out.reshape(w.shape)


def _elastic(pull: Array, d: Array, b: float, high: float) -> Array:
    r = bisected(lambda r: norm(pull / (d * r + b)) - 1, 0.0, high) if b > 0 else high
    return np.asarray(pull * r / (d * r + b))


def group_max(psi: Any, x: Array, d: Array, step: float) -> Array:
    """By Moreau the projection of D w on the l1 ball of radius s in the metric D^-1."""
    s, pull = psi.lam * step, d * np.abs(x)
    if pull.sum() <= s:
        return 0 * x
    mu = bisected(lambda mu: float(np.clip(pull - mu * d, 0, None).sum()) - s, 0.0, float(np.abs(x).max()))
    return np.asarray(x - cut(x, mu))


def exclusive_lasso(psi: Any, x: Array, d: Array, step: float) -> Array:
    """By Moreau the prox of ||.||_inf^2/(2 s) at D w in the metric D^-1: magnitudes are cut at t."""
    s, pull = psi.lam * step, d * x
    if not pull.any():
        return 0 * x
    t = bisected(lambda t: float((np.abs(cut(pull, t)) / d).sum()) - t / s, 0.0, float(np.abs(pull).max()))
    return np.asarray(cut(pull, t) / d)


def slope(psi: Any, x: Array, d: Array, step: float) -> Array:
    """The min-max formula of isotonic regression (Robertson, Wright & Dykstra 1988), over all intervals."""
    order, n = np.argsort(-np.abs(x)), len(x)
    sums = np.append(0, np.cumsum(np.abs(x)[order] - step * psi.lam * np.asarray(psi.weights, dtype=float)[:n]))
    fitted = [
        min(max((sums[b] - sums[a]) / (b - a) for b in range(k + 1, n + 1)) for a in range(k + 1)) for k in range(n)
    ]
    out = np.empty(n)
    out[order] = np.clip(fitted, 0, None)
    return np.asarray(np.sign(x) * out)


def simplex(psi: Any, x: Array, d: Array, step: float) -> Array:
    low, high = float((d * (x - psi.radius)).min()), float((d * x).max())
    tau = bisected(lambda tau: float(np.clip(x - tau / d, 0, None).sum()) - psi.radius, low, high)
    return np.clip(x - tau / d, 0, None)


def l1_ball(psi: Any, x: Array, d: Array, step: float) -> Array:
    inside = np.abs(x).sum() <= psi.radius
    return x.copy() if inside else np.asarray(np.sign(x) * simplex(psi, np.abs(x), d, step))


def l2_ball(psi: Any, x: Array, d: Array, step: float) -> Array:
    if norm(x) <= psi.radius:
        return x.copy()
    if psi.radius == 0:
        return 0 * x
    mu = bisected(lambda mu: norm(d * x / (d + mu)) - psi.radius, 0.0, norm(d * x) / psi.radius)
    return np.asarray(d * x / (d + mu))


def blocks(psi: Any, w: Array, step: float, metric: Array | None) -> Array:
    """Group lasso, l1 or nothing for each part."""
    out, start = w.copy(), 0
    for block in psi.blocks:
        part = slice(start, start := start + block.size)
        x = w[part].reshape(block.shape)
        d = np.ones_like(x) if metric is None else metric[part].reshape(block.shape)
        if hasattr(block.regularizer, "groups"):
            out[part] = by_group(group_lasso)(block.regularizer, x, step, d).reshape(-1)
        elif hasattr(block.regularizer, "lam"):
            out[part] = cut(x, step * block.regularizer.lam / d).reshape(-1)
    return out


def _exact(program: Oracle, method: str, minimiser: Minimiser) -> Oracle:
    return replace(program, method=method, minimiser=minimiser, resolution=RESOLUTION)


GROUP_LASSO = _exact(programs.GROUP_LASSO, "conjugate, bisection", by_group(group_lasso))
SPARSE_GROUP_LASSO = _exact(programs.SPARSE_GROUP_LASSO, "bisection", sparse_group_lasso)
EXCLUSIVE_LASSO = _exact(programs.EXCLUSIVE_LASSO, "conjugate, bisection", by_group(exclusive_lasso))
GROUP_MAX = _exact(programs.GROUP_MAX, "conjugate, bisection", by_group(group_max))
SLOPE = _exact(programs.SLOPE, "min-max formula", by_group(slope))
SIMPLEX = _exact(programs.SIMPLEX, "bisection", by_group(simplex))
L1_BALL = _exact(programs.L1_BALL, "bisection", by_group(l1_ball))
L2_BALL = _exact(programs.L2_BALL, "bisection", by_group(l2_ball))

_EXAMPLES = {
    "group lasso": (("rows", "columns", "channels", "labels", "lists"), GROUP_LASSO, programs.GROUP_LASSO),
    "sparse group lasso": (("rows", "lists", "all l1", "no l1"), SPARSE_GROUP_LASSO, programs.SPARSE_GROUP_LASSO),
    "exclusive lasso": (("", "columns", "lists"), EXCLUSIVE_LASSO, programs.EXCLUSIVE_LASSO),
    "group max": (("", "columns", "lists"), GROUP_MAX, programs.GROUP_MAX),
    "slope": (("", "oscar columns", "lists"), SLOPE, programs.SLOPE),
    "simplex": (("", "columns", "lists"), SIMPLEX, programs.SIMPLEX),
    "l1 ball": (("", "columns", "lists"), L1_BALL, programs.L1_BALL),
    "l2 ball": (("columns", "lists", "one point"), L2_BALL, programs.L2_BALL),
    "blocks": (("",), _exact(programs.BLOCKS, "bisection by parts", blocks), programs.BLOCKS),
}
_ONLY_PROGRAMS = {
    "slope, norms": programs.SLOPE_OF_NORMS,
    "slope, spectrum": programs.SLOPE_OF_SPECTRUM,
    "l1 ball, norms": programs.L1_BALL_OF_NORMS,
    "l1 ball, spectrum": programs.L1_BALL_OF_SPECTRUM,
    "nuclear": programs.NUCLEAR,
}

ORACLES: dict[str, Oracle] = {}
PROGRAMS: dict[str, Oracle] = {}
for _kind, (_layouts, _oracle, _its_program) in _EXAMPLES.items():
    for _layout in _layouts:
        _name = f"{_kind}, {_layout}" if _layout else _kind
        ORACLES[_name], PROGRAMS[_name] = _oracle, _its_program
ORACLES |= _ONLY_PROGRAMS
PROGRAMS |= _ONLY_PROGRAMS
