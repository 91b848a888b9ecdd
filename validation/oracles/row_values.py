"""psi of the convex penalties of groups, written apart from the library: loops over groups, NumPy's norms."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rmda_ref.layout import Norms

Array = NDArray[Any]
Value = Callable[[Any, Array], float]
FEASIBLE = 1e-6  # relative to 1 + radius: what still counts as inside, for points of an interior-point method


def group_lists(psi: Any, shape: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """The entries of each group, by numbering them."""
    layout = psi.layout.of if isinstance(psi.layout, Norms) else psi.layout
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    return [group for matrix in layout.rows(numbers) for group in matrix]


def group_weights(psi: Any, lists: list[NDArray[np.int64]]) -> list[float]:
    """As given; by default sqrt(size) for the group lassos, else 1. The weights of a SLOPE are not of groups."""
    given = getattr(psi, "weights", None)
    if given is not None and len(np.ravel(given)) == len(lists):
        return [float(weight) for weight in np.ravel(given)]
    return [len(group) ** 0.5 if hasattr(psi, "groups") else 1.0 for group in lists]


def over_groups(value: Value, weighted: bool = True) -> Value:
    """sum_g weight_g value(w_g)."""

    def total(psi: Any, w: Array) -> float:
        lists = group_lists(psi, w.shape)
        weights = group_weights(psi, lists) if weighted else [1.0] * len(lists)
        return sum(g * value(psi, w.reshape(-1)[group]) for g, group in zip(weights, lists, strict=True) if g > 0)

    return total


def of_norms(value: Value) -> Value:
    """Of the norms of the groups."""
    return lambda psi, w: value(psi, np.array([norm(w.reshape(-1)[g]) for g in group_lists(psi, w.shape)]))


def of_spectrum(value: Value) -> Value:
    return lambda psi, w: value(psi, np.linalg.svd(w.reshape(len(w), -1), compute_uv=False))


def norm(x: Array) -> float:
    return float(np.sqrt(np.dot(x, x)))


def scaled_norm(psi: Any, x: Array) -> float:
    return float(psi.lam) * norm(x)


def l1(psi: Any, x: Array) -> float:
    return float(psi.lam * np.abs(x).sum())


def largest(psi: Any, x: Array) -> float:
    return float(psi.lam * np.abs(x).max())


def half_square(psi: Any, x: Array) -> float:
    return float(psi.lam / 2 * sum(abs(a) * abs(b) for a in x for b in x))


def sorted_l1(psi: Any, z: Array) -> float:
    ordered = sorted(map(abs, z.reshape(-1)), reverse=True)
    return float(psi.lam * sum(w * x for w, x in zip(psi.weights, ordered, strict=False)))


def in_simplex(psi: Any, x: Array) -> float:
    return _indicator(psi, max(-x.min(), abs(x.sum() - psi.radius)))


def in_l1_ball(psi: Any, x: Array) -> float:
    return _indicator(psi, np.abs(x).sum() - psi.radius)


def in_l2_ball(psi: Any, x: Array) -> float:
    return _indicator(psi, norm(x) - psi.radius)


def _indicator(psi: Any, excess: float) -> float:
    return 0.0 if excess <= FEASIBLE * (1 + psi.radius) else np.inf


def sparse_group(psi: Any, w: Array) -> float:
    lists = group_lists(psi, w.shape)
    norms = sum(g * norm(w.reshape(-1)[group]) for g, group in zip(group_weights(psi, lists), lists, strict=True))
    return float(psi.lam * (psi.l1_ratio * np.abs(w).sum() + (1 - psi.l1_ratio) * norms))


def blocks(psi: Any, w: Array) -> float:
    """Group lasso, l1 or nothing for each part."""
    total, start = 0.0, 0
    for block in psi.blocks:
        x, start = w[start : start + block.size].reshape(block.shape), start + block.size
        part = block.regularizer
        total += over_groups(scaled_norm)(part, x) if hasattr(part, "groups") else l1(part, x) if _has(part) else 0.0
    return total


def _has(part: Any) -> bool:
    return hasattr(part, "lam")
