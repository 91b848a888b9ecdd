"""Penalties of one number: dense grids see every valley; levels are enumerated; psi is written apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.oracles.grid import magnitudes_minimiser, magnitudes_value, scalar_minimiser
from validation.oracles.oracle import Oracle

Array = NDArray[np.float64]
RESOLUTION = (
    1e-9  # four zooms of a grid of 2001 points; the objective is quadratic around a minimum, or has a kink there
)


def soft(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * z)


def ridge(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * (psi.l1_ratio * z + (1 - psi.l1_ratio) / 2 * z**2))


def mcp(psi: Any, z: Array) -> Array:
    """The integral of (lam - x/gamma)_+ over [0, z]."""
    end = np.minimum(z, psi.gamma * psi.lam)
    return np.asarray(end * (psi.lam - end / psi.gamma + psi.lam) / 2)


def scad(psi: Any, z: Array) -> Array:
    """lam over [0, lam], then the area of a trapezoid whose side falls to 0 at a lam."""
    lam, a = psi.lam, psi.a
    beyond = np.clip(z - lam, 0, (a - 1) * lam)
    return np.asarray(lam * np.minimum(z, lam) + beyond * (lam + lam - beyond / (a - 1)) / 2)


def count(psi: Any, z: Array) -> Array:
    return np.where(z > 0, psi.lam, 0.0)


def capped(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * np.minimum(z, psi.gamma))


def root(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * np.exp(0.5 * np.log(z, out=np.full_like(z, -np.inf), where=z > 0)))


def two_thirds(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * np.cbrt(z * z))


def logarithm(psi: Any, z: Array) -> Array:
    return np.asarray(psi.lam * (np.log(psi.epsilon + z) - np.log(psi.epsilon)))


def _of_magnitudes(phi: Any) -> Oracle:
    return Oracle("grid", magnitudes_value(phi), magnitudes_minimiser(phi), RESOLUTION)


def _entries(minimise: Any) -> Any:
    """A minimiser entry by entry: minimise(psi, x, step times weight, metric) -> y."""

    def minimiser(psi: Any, w: Array, step: float, metric: Array | None) -> Array:
        weights = getattr(psi, "weights", None)
        steps = step * (np.ones(w.shape) if weights is None else np.reshape(weights, w.shape))
        metrics = np.ones_like(w) if metric is None else metric
        found = [
            minimise(psi, x, s, m) for x, s, m in zip(w.reshape(-1), np.ravel(steps), np.ravel(metrics), strict=True)
        ]
        return np.array(found).reshape(w.shape)

    return minimiser


def _signed_value(phi: Any, low: Any, high: Any) -> Any:
    def value(psi: Any, w: Array) -> float:
        if w.min() < low(psi) or w.max() > high(psi):
            return np.inf
        weights = getattr(psi, "weights", None)
        return float(np.sum(phi(psi, w) * (1.0 if weights is None else np.reshape(weights, w.shape))))

    return value


def _interval(phi: Any, low: Any, high: Any) -> Oracle:
    """phi on [low, high]: the grid spans what of it can hold the minimiser."""

    def minimise(psi: Any, x: float, step: float, metric: float) -> float:
        reach = abs(x) + 1.0
        left, right = max(low(psi), -reach), min(high(psi), reach)
        left, right = min(left, high(psi)), max(right, low(psi))  # where x lies far outside
        return scalar_minimiser(lambda y: phi(psi, y), x, step, metric, left, right)

    return Oracle("grid", _signed_value(phi, low, high), _entries(minimise), RESOLUTION)


def _level_value(psi: Any, w: Array) -> float:
    return 0.0 if all(float(x) in psi.levels for x in w.reshape(-1)) else np.inf


def _every_level(psi: Any, x: float, step: float, metric: float) -> float:
    return float(min(psi.levels, key=lambda level: abs(x - level)))


def _zero_value(psi: Any, w: Array) -> float:
    return 0.0


LEVELS = Oracle("enumeration", _level_value, _entries(_every_level), 1e-12)
NONNEGATIVE = _interval(soft, lambda psi: 0.0, lambda psi: np.inf)
BOX = _interval(lambda psi, z: 0 * z, lambda psi: psi.lower, lambda psi: psi.upper)

ORACLES: dict[str, Oracle] = {
    "zero": Oracle("gradient", _zero_value, lambda psi, w, step, metric: w.copy(), 1e-12),
    **dict.fromkeys(("l1", "l1, weights"), _of_magnitudes(soft)),
    "elastic net": _of_magnitudes(ridge),
    **dict.fromkeys(("nonnegative l1", "nonnegative l1, weights"), NONNEGATIVE),
    **dict.fromkeys(
        ("mcp", "mcp, weights", "mcp, gamma small", "mcp, rows", "mcp, lists", "mcp, spectrum"), _of_magnitudes(mcp)
    ),
    **dict.fromkeys(("scad", "scad, weights", "scad, columns", "scad, spectrum"), _of_magnitudes(scad)),
    **dict.fromkeys(("l0", "l0, lists", "l0, spectrum"), _of_magnitudes(count)),
    **dict.fromkeys(("capped l1", "capped l1, rows"), _of_magnitudes(capped)),
    **dict.fromkeys(("l1/2", "l1/2, rows", "l1/2, spectrum"), _of_magnitudes(root)),
    **dict.fromkeys(("l2/3", "l2/3, columns"), _of_magnitudes(two_thirds)),
    **dict.fromkeys(("log sum", "log sum, epsilon small", "log sum, rows"), _of_magnitudes(logarithm)),
    **dict.fromkeys(("box", "box, nonnegative"), BOX),
    **dict.fromkeys(("binary", "ternary", "grid of levels"), LEVELS),
}
