"""What is trained: a problem and its size, as data that crosses to other processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from problems.augmentation import InputDropout, RandomShift
from problems.data import DataSource, ImageData, load
from problems.image_network import ImageNetwork
from problems.mlp import MLP
from problems.multinomial_regression import MultinomialRegression
from rmda_ref import L1, GroupLasso, Nuclear, Regularizer

__all__ = ["Batch", "Problem", "Task"]

Array = NDArray[np.floating[Any]]
Penalty = Literal["group lasso", "l1", "nuclear"]
# Of one weight matrix (units out, units in); the group lasso weighs a group by the square root of its size.
PENALTIES: dict[str, Callable[[float], Regularizer]] = {
    "group lasso": lambda lam: GroupLasso(lam, axis=0),
    "l1": L1,
    "nuclear": Nuclear,
}
KEEP, PIXELS = 0.8, 2  # of an augmented task: inputs kept, and the largest shift


class Batch(Protocol):
    def gradient(self, w: Array) -> Array: ...


class Problem(Protocol):
    """What the training loop asks of a problem; see `problems.image_network`."""

    @property
    def regularizer(self) -> Regularizer: ...
    @property
    def n_samples(self) -> int: ...
    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[Any]: ...
    def objective(self, w: Array) -> float: ...
    def accuracy(self, w: Array) -> float: ...
    def support(self, w: Array) -> NDArray[np.bool_]: ...


@dataclass(frozen=True)
class Task:
    """A problem by its parameters.

    Parameters
    ----------
    data : DataSource
    sizes : tuple of int
        Widths after the input: (10,) is multinomial logistic regression, (300, 100, 10) a network.
    penalty : "group lasso" (of columns), "l1" or "nuclear", of each weight matrix
    lam : float
        Its strength.
    augmented : bool
        Whether inputs are dropped (keep 0.8) and images shifted by up to 2 pixels (1 on the digits), at random.
    batch_size : int
    """

    data: DataSource
    sizes: tuple[int, ...]
    penalty: Penalty
    lam: float
    augmented: bool = False
    batch_size: int = 128

    @property
    def is_regression(self) -> bool:
        """Whether it is the convex problem whose optimum is certified."""
        return len(self.sizes) == 1 and self.penalty == "group lasso"

    def build(self) -> Problem:
        """The problem; the same object for the same task."""
        return _build(self)

    def start(self, seed: int) -> Array:
        """W^0: zero for logistic regression, a random initial point for a network."""
        problem: Any = self.build()
        return np.asarray(problem.start() if self.is_regression else problem.start(self.rng(seed, "start")))

    def rng(self, seed: int, what: str) -> np.random.Generator:
        """A stream that does not depend on the algorithm: all of them see the same start and the same batches."""
        return np.random.default_rng([seed, crc32(what.encode()), crc32(repr((self.sizes, self.augmented)).encode())])


@cache
def _images(source: DataSource) -> ImageData:
    return load(source)


@cache
def _build(task: Task) -> Problem:
    images = _images(task.data)
    if task.is_regression:
        return MultinomialRegression.on(images, task.lam)
    net = MLP((images.X_train.shape[1], *task.sizes))
    penalty = PENALTIES[task.penalty](task.lam)
    return ImageNetwork(net, images, penalty, _augmentation(images) if task.augmented else None)


def _augmentation(images: ImageData) -> Any:
    shift = RandomShift(PIXELS if images.name == "mnist" else 1, images.image_shape)
    dropout = InputDropout(KEEP)
    return lambda X, rng: dropout(shift(X, rng), rng)
