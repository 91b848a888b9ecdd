"""The operators of `validation.benchmarks.prox_speed` as others have them: pyproximal, skglm, and plain NumPy.

Each function returns calls by library; None where the library is not installed. skglm's functions of a number or of a
group are looped over in compiled code, into a given output; those of a group do not compile for float32 (skglm 0.5)
and get float64.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

try:
    import pyproximal
except ImportError:
    pyproximal = None
try:
    from skglm.penalties import SLOPE
    from skglm.utils import prox_funcs
except ImportError:
    prox_funcs = None

Call = Callable[[], object]
Calls = dict[str, Call | None]
Array = np.ndarray[Any, np.dtype[Any]]
LIBRARIES = ("pyproximal", "skglm", "NumPy")


def of_pyproximal(name: str, x: Array, step: float, *arguments: Any, **keywords: Any) -> Calls:
    """The prox of ``pyproximal.<name>(...)`` at x."""
    if pyproximal is None:
        return {"pyproximal": None}
    operator = getattr(pyproximal, name)(*arguments, **keywords)
    return {"pyproximal": lambda: operator.prox(x, step)}


def of_skglm(make_loop: Callable[[], Callable[..., object]], x: Array, *arguments: Any) -> Calls:
    """A loop over a function of skglm, into an output; x may be one row of entries or a matrix of groups."""
    if prox_funcs is None:
        return {"skglm": None}
    loop, out = make_loop(), np.empty_like(x)
    return {"skglm": lambda: loop(x, out, *arguments)}


def entrywise(name: str) -> Callable[[], Callable[..., object]]:
    """The loop over ``skglm.utils.prox_funcs.<name>(entry, ...)``."""

    def make() -> Callable[..., object]:
        prox = getattr(prox_funcs, name)

        @njit
        def loop(x, out, *arguments):  # type: ignore[no-untyped-def]
            for i in range(x.size):
                out[i] = prox(x[i], *arguments)

        return loop  # type: ignore[no-any-return]

    return make


def l1(x: Array, u: float) -> Calls:
    def by_numpy() -> Array:
        return np.sign(x) * np.maximum(np.abs(x) - np.float32(u), 0)

    return of_pyproximal("L1", x, u) | of_skglm(entrywise("ST"), x, np.float32(u)) | {"NumPy": by_numpy}


def elastic_net(x: Array, u: float, ridge: float) -> Calls:
    def make() -> Callable[..., object]:
        soft = prox_funcs.ST

        @njit
        def loop(x, out, u, ridge):  # type: ignore[no-untyped-def]
            for i in range(x.size):
                out[i] = soft(x[i], u) / (1 + ridge)

        return loop  # type: ignore[no-any-return]

    def by_numpy() -> Array:
        return np.sign(x) * np.maximum(np.abs(x) - np.float32(u), 0) / np.float32(1 + ridge)

    return of_skglm(make, x, np.float32(u), np.float32(ridge)) | {"NumPy": by_numpy}


def mcp(x: Array, step: float, lam: float, gamma: float) -> Calls:
    def by_numpy() -> Array:
        size = np.abs(x)
        firm = np.sign(x) * np.maximum(size - np.float32(step * lam), 0) / np.float32(1 - step / gamma)
        return np.where(size <= gamma * lam, firm, x)

    arguments = (np.float32(step), np.float32(lam), np.float32(gamma))
    return of_skglm(entrywise("prox_MCP"), x, *arguments) | {"NumPy": by_numpy}


def scad(x: Array, step: float, lam: float, gamma: float) -> Calls:
    def by_numpy() -> Array:
        size = np.abs(x)
        soft = np.sign(x) * np.maximum(size - np.float32(step * lam), 0)
        middle = (np.float32(gamma - 1) * x - np.sign(x) * np.float32(step * gamma * lam)) / np.float32(
            gamma - 1 - step
        )
        return np.where(size <= (1 + step) * lam, soft, np.where(size <= gamma * lam, middle, x))

    arguments = (np.float32(step), np.float32(lam), np.float32(gamma))
    skglm = of_skglm(entrywise("prox_SCAD"), x, *arguments)
    return of_pyproximal("SCAD", x, step, lam, gamma) | skglm | {"NumPy": by_numpy}


def l0(x: Array, step: float, lam: float) -> Calls:
    def by_numpy() -> Array:
        return np.where(np.abs(x) > np.float32(np.sqrt(2 * step * lam)), x, np.float32(0))

    return of_pyproximal("L0", x, step, lam) | {"NumPy": by_numpy}


def box(x: Array, low: float, high: float) -> Calls:
    bounds = (np.float32(low), np.float32(high))
    return (
        of_pyproximal("Box", x, 1.0, *bounds)
        | of_skglm(entrywise("box_proj"), x, *bounds)
        | {"NumPy": lambda: np.clip(x, *bounds)}
    )


def group_l2(rows: Array, u: float) -> Calls:
    def make() -> Callable[..., object]:
        block = prox_funcs.BST

        @njit
        def loop(x, out, u):  # type: ignore[no-untyped-def]
            for a in range(len(x)):
                out[a] = block(x[a], u)

        return loop  # type: ignore[no-any-return]

    def by_numpy() -> Array:
        norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
        return np.asarray(rows * np.maximum(1 - np.float32(u) / norms, 0)[:, None])

    columns = np.ascontiguousarray(rows.T).reshape(-1)  # its groups lie across
    others = of_pyproximal("L21", columns, u, rows.shape[1])
    return others | of_skglm(make, rows.astype(np.float64), u) | {"NumPy": by_numpy}


def sparse_group(rows: Array, u1: float, u2: float) -> Calls:
    def make() -> Callable[..., object]:
        soft, block = prox_funcs.ST_vec, prox_funcs.BST

        @njit
        def loop(x, out, u1, u2):  # type: ignore[no-untyped-def]
            for a in range(len(x)):
                out[a] = block(soft(x[a], u1), u2)

        return loop  # type: ignore[no-any-return]

    def by_numpy() -> Array:
        y = np.sign(rows) * np.maximum(np.abs(rows) - np.float32(u1), 0)
        norms = np.sqrt(np.einsum("ij,ij->i", y, y))
        factors = (norms - np.minimum(norms, np.float32(u2))) / np.maximum(norms, np.float32(u2))
        return np.asarray(y * factors[:, None])

    columns = np.ascontiguousarray(rows.T)
    others = of_pyproximal("L21_plus_L1", columns, u1 + u2, rho=u1 / (u1 + u2))
    return others | of_skglm(make, rows.astype(np.float64), u1, u2) | {"NumPy": by_numpy}


def simplex_by_numpy(rows: Array, radius: float) -> Array:
    ordered = np.sort(rows, axis=1)[:, ::-1]
    levels = (np.cumsum(ordered, axis=1) - radius) / np.arange(1, rows.shape[1] + 1)
    last = np.count_nonzero(ordered > levels, axis=1) - 1
    return np.asarray(np.maximum(rows - np.take_along_axis(levels, last[:, None], axis=1), 0))


def l1_ball_by_numpy(rows: Array, radius: float) -> Array:
    inside = np.abs(rows).sum(axis=1, keepdims=True) <= radius
    return np.asarray(np.where(inside, rows, np.sign(rows) * simplex_by_numpy(np.abs(rows), radius)))


def group_max(rows: Array, u: float) -> Calls:
    return {"NumPy": lambda: rows - l1_ball_by_numpy(rows, u)}


def simplex(rows: Array, radius: float) -> Calls:
    others = of_pyproximal("Simplex", rows.reshape(-1), 1.0, rows.size, radius, dims=rows.shape, engine="numba")
    return others | {"NumPy": lambda: simplex_by_numpy(rows, radius)}


def l1_ball(rows: Array, radius: float) -> Calls:
    others = of_pyproximal("L1Ball", rows.reshape(-1), 1.0, rows.size, radius) if len(rows) == 1 else {}
    return others | {"NumPy": lambda: l1_ball_by_numpy(rows, radius)}


def exclusive_lasso(rows: Array, u: float) -> Calls:
    """(strength / 2) ||row||_1^2."""

    def by_numpy() -> Array:
        ordered = np.sort(np.abs(rows), axis=1)[:, ::-1]
        levels = u * np.cumsum(ordered, axis=1) / (1 + u * np.arange(1, rows.shape[1] + 1))
        last = np.count_nonzero(ordered > levels, axis=1) - 1
        level = np.take_along_axis(levels, np.maximum(last, 0)[:, None], axis=1)
        return np.sign(rows) * np.maximum(np.abs(rows) - level, 0)

    return {"NumPy": by_numpy}


def top_k(rows: Array, k: int) -> Calls:
    def by_numpy() -> Array:
        out, chosen = np.zeros_like(rows), np.argpartition(np.abs(rows), -k, axis=1)[:, -k:]
        np.put_along_axis(out, chosen, np.take_along_axis(rows, chosen, axis=1), axis=1)
        return out

    others = of_pyproximal("L0Ball", rows.reshape(-1), 1.0, k) if len(rows) == 1 else {}
    return others | {"NumPy": by_numpy}


def trimmed_l1(rows: Array, k: int, u: float) -> Calls:
    def by_numpy() -> Array:
        size = np.abs(rows)
        kept = size > np.partition(size, -k - 1, axis=1)[:, -k - 1, None]
        return np.where(kept, rows, np.sign(rows) * np.maximum(size - np.float32(u), 0))

    return {"NumPy": by_numpy}


def slope(rows: Array, strengths: Array) -> Calls:
    """Of one row; ``strengths`` decrease."""
    if len(rows) > 1:
        return {}
    if prox_funcs is None:
        return {"skglm": None}
    penalty, row = SLOPE(strengths.astype(np.float64)), rows.reshape(-1)
    return {"skglm": lambda: penalty.prox_vec(row, 1.0)}


def total_variation(row: Array, u: float) -> Calls:
    return of_pyproximal("TV", row, u, dims=row.shape)
