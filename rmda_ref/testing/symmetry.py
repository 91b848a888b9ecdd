"""Random changes of coordinates, by the names that regularizers declare in ``symmetries``."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rmda_ref.layout import Norms
from rmda_ref.testing.case import FloatArray

Action = Callable[[FloatArray], FloatArray]


def actions(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Iterator[tuple[str, Action]]:
    """One random action for each declared symmetry, on arrays of this shape."""
    for name in sorted(getattr(regularizer, "symmetries", ())):
        yield name, _MAKE[name](regularizer, rng, shape)


def _signs(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    signs = rng.choice([-1, 1], shape)
    return lambda w: (signs * w).astype(w.dtype)


def _sign(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    return lambda w: -w


def _entries(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    order = rng.permutation(int(np.prod(shape)))
    return lambda w: w.reshape(-1)[order].reshape(shape)


def _groups(regularizer: Any, shape: tuple[int, ...]) -> list[np.ndarray]:
    layout = regularizer.layout
    groups: list[np.ndarray] = (layout.of if isinstance(layout, Norms) else layout).address(shape).lists()
    return groups


def _within(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    order = np.arange(int(np.prod(shape)))
    for group in _groups(regularizer, shape):
        order[group] = rng.permutation(group)
    return lambda w: w.reshape(-1)[order].reshape(shape)


def _rotation(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    groups = _groups(regularizer, shape)
    turns = [np.linalg.qr(rng.standard_normal((len(group), len(group))))[0] for group in groups]

    def act(w: FloatArray) -> FloatArray:
        turned = w.reshape(-1).astype(np.float64)
        for group, turn in zip(groups, turns, strict=True):
            turned[group] = turn @ turned[group]
        return turned.reshape(shape).astype(w.dtype)

    return act


def _spectrum(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    rows, columns = shape[0], int(np.prod(shape[1:]))
    left = np.linalg.qr(rng.standard_normal((rows, rows)))[0]
    right = np.linalg.qr(rng.standard_normal((columns, columns)))[0]
    return lambda w: (left @ w.reshape(rows, columns).astype(np.float64) @ right).reshape(shape).astype(w.dtype)


def _reversal(regularizer: Any, rng: np.random.Generator, shape: tuple[int, ...]) -> Action:
    order = np.arange(int(np.prod(shape)))
    for group in _groups(regularizer, shape):
        order[group] = group[::-1]
    return lambda w: w.reshape(-1)[order].reshape(shape)


_MAKE = {
    "signs": _signs,
    "sign": _sign,
    "entries": _entries,
    "within": _within,
    "rotation": _rotation,
    "spectrum": _spectrum,
    "reversal": _reversal,
}
