"""Pairs of data sets that differ in one sample, and an algorithm run on both in the same order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import Implementation
from validation.stability_law import Transition, X, recursion

__all__ = ["Apart", "Neighbours", "Structures", "Subject", "run", "run_sparse"]


@dataclass(frozen=True)
class Subject:
    """An algorithm: made for a psi; its linear form where psi = 0; and which component of that is W~."""

    make: Callable[[Implementation, Any], Any]
    transition: Transition
    structured: int


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Least squares: (n, pairs, d) samples, (n, pairs) targets, and of each pair the index of the sample that the
    second set has another one for, (pairs,), that one, (pairs, d), and its target, (pairs,)."""

    samples: np.ndarray
    targets: np.ndarray
    replaced: np.ndarray
    other: np.ndarray
    other_target: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, n: int, n_pairs: int, solution: np.ndarray, sigma: float) -> "Neighbours":
        """Samples of signs, errors +-sigma; each index is replaced equally often, if n divides the pairs."""
        samples = rng.choice([-1.0, 1.0], (n + 1, n_pairs, solution.size))
        targets = samples @ solution + sigma * rng.choice([-1.0, 1.0], (n + 1, n_pairs))
        return cls(samples[:n], targets[:n], np.arange(n_pairs) * n // n_pairs, samples[n], targets[n])

    def in_order(self, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of both runs, (2, pairs, d) and (2, pairs), without end: each pass in an order of its own, one for both.

        The first is that in which the samples, which are independent, were drawn.
        """
        n, n_pairs = self.targets.shape
        order = np.tile(np.arange(n), (n_pairs, 1))
        while True:
            for index in order.T:
                pick, hit = (index, np.arange(n_pairs)), index == self.replaced
                rows, targets = np.stack((self.samples[pick],) * 2), np.stack((self.targets[pick],) * 2)
                rows[1, hit], targets[1, hit] = self.other[hit], self.other_target[hit]
                yield rows, targets
            order = rng.permuted(order, axis=1)


def slope(w: np.ndarray, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The gradient of half the squared error of each row at its own w."""
    return np.asarray((np.einsum("...i,...i->...", rows, w) - targets)[..., None] * rows)


@dataclass(frozen=True, eq=False)
class Apart:
    """Of the pairs after each step: ||.||^2 of the differences of W, of W~, and of the average of W^1, ..., W^t, each
    (steps, pairs); and how far those of W and W~ were off the recursion."""

    iterate: np.ndarray
    structured: np.ndarray
    average: np.ndarray
    error: float


def run(
    implementation: Implementation, subject: Subject, data: Neighbours, n_steps: int, rng: np.random.Generator
) -> Apart:
    """All pairs at once from 0, psi = 0. The recursion runs beside them, from the samples and the first run's W."""
    batches, shape = data.in_order(rng), data.other.shape
    predicted, jump = np.zeros((4, *shape)), np.zeros(shape)

    def gradient(w: np.ndarray) -> np.ndarray:
        nonlocal jump
        rows, targets = next(batches)
        grad = slope(w, rows, targets)
        jump = grad[0] - slope(w[0], rows[1], targets[1]) + slope(predicted[X], rows[1], np.zeros(1))
        return grad

    algorithm = subject.make(implementation, Zero())
    total, found, error = np.zeros(shape), [], 0.0
    states = implementation.steps(algorithm, algorithm.init(np.zeros((2, *shape))), gradient, n_steps)
    for t, state in enumerate(states, 1):
        predicted = recursion(subject.transition, t, predicted, jump)
        w, y = (point[0] - point[1] for point in (state.iterate, state.prox_iterate))
        total = total + w
        error = max(error, np.abs(w - predicted[X]).max(), np.abs(y - predicted[subject.structured]).max())
        found.append([np.sum(point**2, axis=-1) for point in (w, y, total / t)])
    iterate, structured, average = np.array(found).swapaxes(0, 1)
    return Apart(iterate, structured, average, float(error))


@dataclass(frozen=True, eq=False)
class Structures:
    """Of W~ of both runs after each step, (steps, pairs): whether their supports are the same, whether both are that of
    the solution, ||W~ - W~'||^2, and its part off the solution's support."""

    same: np.ndarray
    right: np.ndarray
    square: np.ndarray
    off: np.ndarray


def run_sparse(
    implementation: Implementation,
    algorithm: Any,
    data: Neighbours,
    active: np.ndarray,
    n_steps: int,
    rng: np.random.Generator,
) -> Structures:
    """All pairs at once from 0, with the algorithm's regularizer; ``active``, (d,), is the solution's support."""
    batches = data.in_order(rng)
    start, found = algorithm.init(np.zeros((2, *data.other.shape))), []
    for state in implementation.steps(algorithm, start, lambda w: slope(w, *next(batches)), n_steps):
        support, squares = state.prox_iterate != 0, (state.prox_iterate[0] - state.prox_iterate[1]) ** 2
        same, right = (support[0] == support[1]).all(axis=-1), (support == active).all(axis=(0, -1))
        found.append((same, right, squares.sum(axis=-1), squares[:, ~active].sum(axis=-1)))
    return Structures(*(np.array(part) for part in zip(*found, strict=True)))
