"""Multinomial logistic regression on images, each pixel a group: the convex problem on real data.

    min_W  F(W) = f(W) + lam sqrt(K) sum_j ||W_j||,    f(W) = (1/n) sum_i -log softmax(W [x_i, 1])_{y_i},

where column W_j holds the K weights that leave pixel j. The last column is the intercept; it is not penalised. A
pixel whose group is zero is not looked at: the structure of a solution is the set of pixels that it needs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from problems.data import ImageData
from rmda_ref.losses import MultinomialLoss
from rmda_ref.losses.samples import checked_samples, taken
from rmda_ref.namespace import Array, namespace
from rmda_ref.regularizers import GroupLasso

__all__ = ["MultinomialRegression"]

N_CLASSES = 10


@dataclass(frozen=True, eq=False)
class MultinomialRegression:
    """The problem above, for training and test samples.

    Parameters
    ----------
    train, test : MultinomialLoss
        The mean cross-entropy f over the training and over the test samples, both with an intercept.
    lam : float, at least 0
        Strength of the group lasso; each group weighs sqrt(n_classes), the square root of its size.

    Raises
    ------
    ValueError
        If the two losses have different weights or no intercept, or ``lam`` is negative or not finite.

    Notes
    -----
    Everywhere below ``w`` has shape (n_classes, n_pixels + 1) and the dtype of the images; it is of their namespace and
    on their device, and so are gradients.

    Examples
    --------
    >>> from problems.data import DataSource, load
    >>> problem = MultinomialRegression.on(load(DataSource("digits")), lam=1e-3)
    >>> w = problem.start()
    >>> w.shape, w.dtype, round(problem.objective(w), 4), int(problem.support(w).sum())
    ((10, 65), dtype('float32'), 2.3026, 0)
    """

    train: MultinomialLoss
    test: MultinomialLoss
    lam: float

    def __post_init__(self) -> None:
        shapes = self.train.weight_shape, self.test.weight_shape
        if shapes[0] != shapes[1] or not (self.train.fit_intercept and self.test.fit_intercept):
            raise ValueError(f"train and test must both have an intercept and the same weights, got shapes {shapes}")
        self.regularizer.check(self.train.weight_shape)

    @classmethod
    def on(
        cls,
        data: ImageData,
        lam: float = 1e-3,
        dtype: DTypeLike = np.float32,
        asarray: Callable[[Array], Array] = np.asarray,
    ) -> Self:
        """The problem on these images, computed in ``dtype`` (float32 or float64).

        ``asarray`` takes the images and labels from NumPy to where the problem is to run: ``cupy.asarray``, say.
        """

        def loss(X: NDArray[np.float32], y: NDArray[np.int64]) -> MultinomialLoss:
            X, y = asarray(X.astype(dtype, copy=False)), asarray(y)
            return MultinomialLoss(X, y, fit_intercept=True, n_classes=N_CLASSES)

        return cls(loss(data.X_train, data.y_train), loss(data.X_test, data.y_test), lam)

    @property
    def n_samples(self) -> int:
        """Number of training images."""
        return self.train.n_samples

    @property
    def n_pixels(self) -> int:
        """Number of penalised groups."""
        return self.train.n_features

    @cached_property
    def regularizer(self) -> GroupLasso:
        """psi of the whole of w: the columns are the groups, and the intercept's has weight 0."""
        weights = np.full(self.n_pixels + 1, sqrt(self.train.weight_shape[0]))
        weights[-1] = 0.0
        return GroupLasso(self.lam, axis=0, weights=weights)

    def start(self) -> Array:
        """W^0 = 0."""
        X = self.train.X
        return namespace(X).zeros(self.train.weight_shape, dtype=X.dtype, device=X.device)

    def objective(self, w: Array) -> float:
        """F(w), mean loss per training sample; only the predictor is computed in the dtype of the images."""
        xp = namespace(w)
        return self.train.value(w) + self.regularizer.value(xp.asarray(w, dtype=xp.float64))

    def kkt_residual(self, w: Array) -> float:
        """Distance of 0 from the subdifferential of F at w."""
        return self.regularizer.subdiff_distance(w, -self.train.gradient(w))

    def accuracy(self, w: Array) -> float:
        """Fraction of the test samples whose label is predicted."""
        return self.test.accuracy(w)

    def support(self, w: Array) -> NDArray[np.bool_]:
        """Which pixels have a nonzero group: NumPy, shape (n_pixels,)."""
        return np.asarray(self.regularizer.manifold(w).mask[:-1])

    def batch(self, samples: NDArray[np.integer[Any]]) -> MultinomialLoss:
        """The mean loss over some training samples: its ``gradient`` is the stochastic gradient.

        One batch serves several algorithms, for it gathers the samples once. On a device its data are checked anew,
        for which the host waits; ``train.gradient(w, samples)`` does not.
        """
        samples = checked_samples(samples, self.train.X)
        X, y = taken(self.train.X, samples), taken(self.train.y, samples)
        return MultinomialLoss(X, y, fit_intercept=True, n_classes=self.train.n_classes)

    def epoch(self, rng: np.random.Generator, batch_size: int) -> Iterator[MultinomialLoss]:
        """The batches of one pass over the training samples, in a new order; the last may be smaller."""
        order = rng.permutation(self.train.n_samples)
        for start in range(0, len(order), batch_size):
            yield self.batch(order[start : start + batch_size])
