"""One training run: what defines it, how it goes, and what is recorded at the end of each epoch."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.training.denormals import flushed
from validation.training.methods import METHODS, Entrant, Stages, Start
from validation.training.player import Player
from validation.training.task import Task

__all__ = ["History", "Training", "train"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """What is trained by what, for how long: all of it data."""

    task: Task
    entrant: Entrant
    stages: Stages
    seed: int = 0

    def __str__(self) -> str:
        widths = "-".join(map(str, self.task.sizes))
        return f"{self.entrant.name} on {widths}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class History:
    """One run at the end of each epoch; arrays of n_epochs numbers if nothing else is said.

    Attributes
    ----------
    objective : F(W~)
    accuracy : of W~ on the test samples
    n_nonzero : entries of W~ that are not zero, of ``size``
    support : which groups, entries or singular values of W~ are not zero, packed bits, (n_epochs, bytes)
    support_of_iterate : the same of W
    n_parts, size : how many groups (entries, singular values) and parameters there are
    seconds : of training in this epoch, without the evaluation
    """

    objective: Floats
    accuracy: Floats
    n_nonzero: NDArray[np.int64]
    support: NDArray[np.uint8]
    support_of_iterate: NDArray[np.uint8]
    n_parts: int
    size: int
    seconds: Floats

    def mask(self, of_iterate: bool = False) -> NDArray[np.bool_]:
        """The support at each epoch, (n_epochs, n_parts): of W~, or of W."""
        packed = self.support_of_iterate if of_iterate else self.support
        return np.unpackbits(packed, axis=1, count=self.n_parts).astype(bool)

    @property
    def zero(self) -> Floats:
        """Fraction of the groups (entries, singular values) of W~ that are zero."""
        return np.asarray(1 - self.mask().mean(axis=1))

    @property
    def sparsity(self) -> Floats:
        """Fraction of the entries of W~ that are zero."""
        return 1 - self.n_nonzero / self.size

    @property
    def changes(self) -> NDArray[np.int64]:
        """Groups (entries, …) of W~ that became zero or ceased to be since the last epoch; nan-free: the first is 0."""
        mask = self.mask()
        return np.concatenate(([0], (mask[1:] ^ mask[:-1]).sum(axis=1)))


def train(training: Training, progress: Callable[[float], None] = lambda fraction: None) -> History:
    """Perform a run; the same run gives the same numbers but for ``seconds``.

    Where the parameters or the objective leave the finite numbers the run is over: F is infinite from there on.
    Denormal numbers are flushed to zero (`validation.training.denormals`).
    """
    with flushed(), np.errstate(over="ignore", invalid="ignore"):
        return _train(training, progress)


def _train(training: Training, progress: Callable[[float], None]) -> History:
    task, entrant, stages = training.task, training.entrant, training.stages
    problem, method = task.build(), METHODS[entrant.method]
    w0, batches = task.start(training.seed), task.rng(training.seed, "batches")
    n_batches = -(-problem.n_samples // task.batch_size)
    player = method.start(entrant, Start(problem.regularizer, w0, n_batches * stages.n_epochs, training.seed))
    starts = {int(done): k for k, done in enumerate(np.cumsum(stages.epochs)[:-1], 1)}
    rows: list[tuple[Any, ...]] = []
    for done in range(stages.n_epochs):
        began = time.perf_counter()
        if k := starts.get(done):
            player.next_stage(method.restarts, **method.changes(entrant, stages.gamma, k, k == len(starts)))
        finite = _epoch(player, problem, batches, task.batch_size)
        seconds = time.perf_counter() - began
        rows.append((*_seen(problem, player.structured, player.iterate), seconds))
        progress((done + 1) / stages.n_epochs)
        if not (finite and np.isfinite(rows[-1][0])):
            _, *others = rows.pop()
            rows += [(np.inf, *others)] * (stages.n_epochs - done)
            break
    objective, accuracy, n_nonzero, support, of_iterate, took = (np.array(each) for each in zip(*rows, strict=True))
    n_parts = len(problem.support(w0))
    return History(objective, accuracy, n_nonzero, support, of_iterate, n_parts, w0.size, took)


def _epoch(player: Player, problem: Any, batches: np.random.Generator, batch_size: int) -> bool:
    """One pass over the data; False where it met a gradient that is not finite."""
    player.begin_epoch(problem)
    for batch in problem.epoch(batches, batch_size):
        try:
            player.advance(batch)
        except ValueError as error:
            if "non-finite" not in str(error):
                raise
            return False
    return True


def _seen(problem: Any, structured: NDArray[Any], iterate: NDArray[Any]) -> tuple[Any, ...]:
    figures = problem.objective(structured), problem.accuracy(structured), int(np.count_nonzero(structured))
    return *figures, np.packbits(problem.support(structured)), np.packbits(problem.support(iterate))
