"""A network on images whose weights are to have structure: the smooth part is an MLP, psi acts on every weight matrix.

    min_w  F(w) = E mean_i loss(outputs(w, T(x_i)), y_i) + sum_layers psi(W_layer),

with T the identity, or a random augmentation. Biases are not penalised. With a group lasso over columns (axis 0) a
group holds the weights that leave one unit; where it is zero the network does not look at that input, or does not need
that neuron.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from problems.data import ImageData
from problems.mlp import MLP
from rmda_ref.namespace import Array
from rmda_ref.regularizers import Block, Blocks, Rank, Regularizer

__all__ = ["ImageNetwork", "NetworkBatch"]

Augmentation = Callable[[Array, np.random.Generator], Array]
CHUNK = 10_000  # samples whose activations are held at a time


@dataclass(frozen=True, eq=False)
class NetworkBatch:
    """The mean loss over some samples."""

    net: MLP
    X: Array
    y: NDArray[np.int64]

    def gradient(self, w: Array) -> Array:
        """A stochastic gradient of the smooth part at w, shape (size,), mean per sample."""
        return self.net.gradient(w, self.X, self.y)


@dataclass(frozen=True, eq=False)
class ImageNetwork:
    """The problem above, for training and test images, in float32.

    Parameters
    ----------
    net : MLP
        With as many inputs as the images have pixels.
    data : ImageData
    penalty : Regularizer
        psi, of one weight matrix (units out, units in).
    augment : (X, rng) -> X', optional
        Of the training images, drawn anew for each batch.

    Raises
    ------
    ValueError
        If the images do not fit the network, or a weight matrix does not fit the penalty.

    Notes
    -----
    Everywhere below ``w`` is a float32 vector of shape (net.size,).

    Examples
    --------
    >>> from problems.data import DataSource, load
    >>> from rmda_ref import GroupLasso
    >>> problem = ImageNetwork(MLP((64, 16, 10)), load(DataSource("digits")), GroupLasso(lam=1e-3, axis=0))
    >>> w = problem.start(np.random.default_rng(0))
    >>> problem.support(w).shape, bool(problem.support(w).all())  # 64 inputs and 16 neurons
    ((80,), True)
    """

    net: MLP
    data: ImageData
    penalty: Regularizer
    augment: Augmentation | None = None

    def __post_init__(self) -> None:
        if self.net.sizes[0] != self.data.X_train.shape[1]:
            raise ValueError(
                f"net has {self.net.sizes[0]} inputs and the images of {self.data.name} have "
                f"{self.data.X_train.shape[1]} pixels; they must be the same"
            )
        self.regularizer.check((self.net.size,))

    @cached_property
    def regularizer(self) -> Blocks:
        """psi of the whole of w."""
        return Blocks(
            tuple(
                Block(name, shape, self.penalty) if len(shape) == 2 else Block(name, shape)
                for name, shape in self.net.blocks
            )
        )

    @property
    def n_samples(self) -> int:
        """Number of training images."""
        return len(self.data.y_train)

    def start(self, rng: np.random.Generator) -> Array:
        """W^0: the random initial point of the network."""
        return self.net.initial(rng, np.float32)

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[NetworkBatch]:
        """The batches of one pass over the training images, in a new order; the last may be smaller."""
        order = rng.permutation(len(self.data.y_train))
        for begin in range(0, len(order), batch_size):
            chosen = order[begin : begin + batch_size]
            X = self.data.X_train[chosen]
            yield NetworkBatch(self.net, X if self.augment is None else self.augment(X, rng), self.data.y_train[chosen])

    @cached_property
    def _seen(self) -> Array:
        """The training images, augmented once and for all: the same for every w, so that differences mean something."""
        X = self.data.X_train
        return X if self.augment is None else self.augment(X, np.random.default_rng(0))

    def objective(self, w: Array) -> float:
        """F(w), mean loss per training image; under an augmentation of one augmented copy of them, always the same."""
        parts = range(0, len(self._seen), CHUNK)
        y = self.data.y_train
        total = sum(
            self.net.value(w, self._seen[k : k + CHUNK], y[k : k + CHUNK]) * len(y[k : k + CHUNK]) for k in parts
        )
        return float(total / len(y) + self.regularizer.value(w.astype(np.float64)))

    def accuracy(self, w: Array) -> float:
        """Fraction of the test images whose label is predicted."""
        return self.net.accuracy(w, self.data.X_test, self.data.y_test)

    def support(self, w: Array) -> NDArray[np.bool_]:
        """What is not zero: groups, entries or singular values of the weight matrices, in order, shape (n_parts,)."""
        found = []
        for block, part in zip(self.regularizer.blocks, self.regularizer.split(w).values(), strict=True):
            if len(block.shape) == 2:
                manifold: Any = block.regularizer.manifold(part)
                is_rank = isinstance(manifold, Rank)
                found.append(np.arange(min(block.shape)) < manifold.rank if is_rank else manifold.mask.reshape(-1))
        return np.concatenate(found)
