"""Random augmentations: they turn a finite sum into an infinite one.

With an augmentation ``T_xi`` the smooth part becomes ``f(w) = E_xi mean_i loss(w; T_xi(x_i), y_i)``. The
gradient at a freshly augmented batch is an unbiased estimate of ``grad f`` (of this *augmented* objective,
not of the plain one), and no pass over the data computes ``grad f`` exactly: finite-sum variance reduction
(SVRG, SAGA) does not apply, and RMDA's is claimed to (Huang & Lee, arXiv 2112.02612).

Each augmentation is a pure function ``(X, rng) -> X'`` of the batch and an explicit generator. X' has the
shape and dtype of X, X is never modified, and the stream drawn does not depend on the dtype. X that is not of
a floating dtype raises TypeError.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GaussianNoise", "InputDropout", "RandomShift"]

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class InputDropout:
    """Inverted dropout of the inputs: ``X' = X * B / keep``, B independent Bernoulli(keep); ``E X' = X``.

    Parameters
    ----------
    keep : float
        Probability that an entry is kept, in (0, 1]. A dropped entry becomes 0: in standardised images that
        is the mean grey, not the background.

    Raises
    ------
    ValueError
        If ``keep`` is outside (0, 1].

    References
    ----------
    Srivastava et al., "Dropout", JMLR 15 (2014), sections 4 and 10.

    Examples
    --------
    >>> X = np.ones((2, 4), np.float32)
    >>> InputDropout(keep=0.5)(X, np.random.default_rng(0))
    array([[0., 2., 2., 2.],
           [0., 0., 0., 0.]], dtype=float32)
    """

    keep: float

    def __post_init__(self) -> None:
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep is {self.keep}: the probability of keeping an entry must lie in (0, 1]")

    def __call__(self, X: Array, rng: np.random.Generator) -> Array:
        X = _floating(X)
        kept = rng.random(X.shape) < self.keep
        return X * (kept / self.keep).astype(X.dtype)


@dataclass(frozen=True)
class GaussianNoise:
    """Additive white noise: ``X' = X + sd * Z``, Z independent standard normal; ``E X' = X``.

    Parameters
    ----------
    sd : float
        Standard deviation, in the units of X; finite and at least 0.

    Raises
    ------
    ValueError
        If ``sd`` is negative or not finite.

    References
    ----------
    Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7 (1995).

    Examples
    --------
    >>> bool(np.all(GaussianNoise(0.0)(np.ones((2, 3)), np.random.default_rng(0)) == 1))
    True
    """

    sd: float

    def __post_init__(self) -> None:
        if not 0 <= self.sd < np.inf:
            raise ValueError(f"sd is {self.sd}: the standard deviation must be finite and at least 0")

    def __call__(self, X: Array, rng: np.random.Generator) -> Array:
        X = _floating(X)
        return X + (self.sd * rng.standard_normal(X.shape)).astype(X.dtype)


@dataclass(frozen=True)
class RandomShift:
    """Translate each image by its own random offset, uniform on ``{-pixels, ..., pixels}^2``.

    What moves in is the nearest border pixel, so that nothing need be known of the background's value.

    Parameters
    ----------
    pixels : int
        Largest shift along either axis, at least 0 and less than the height and the width.
    image_shape : tuple of int
        Height and width; X has ``height * width`` columns.

    Raises
    ------
    ValueError
        If ``pixels`` or ``image_shape`` is out of range, or X does not fit ``image_shape``.

    References
    ----------
    Simard, Steinkraus & Platt, "Best practices for convolutional neural networks", ICDAR 2003, section 2.

    Examples
    --------
    >>> X = np.arange(12.0).reshape(1, 12)
    >>> RandomShift(1, (3, 4))(X, np.random.default_rng(2)).reshape(3, 4)
    array([[1., 2., 3., 3.],
           [1., 2., 3., 3.],
           [5., 6., 7., 7.]])
    """

    pixels: int
    image_shape: tuple[int, int]

    def __post_init__(self) -> None:
        if len(self.image_shape) != 2 or min(self.image_shape) < 1:
            raise ValueError(f"image_shape is {self.image_shape}: expected a positive (height, width)")
        if not isinstance(self.pixels, int) or not 0 <= self.pixels < min(self.image_shape):
            raise ValueError(
                f"pixels is {self.pixels}: the largest shift must be an int, at least 0 and less than each "
                f"side of image_shape {self.image_shape}"
            )

    def __call__(self, X: Array, rng: np.random.Generator) -> Array:
        X = _floating(X)
        height, width = self.image_shape
        if X.ndim != 2 or X.shape[1] != height * width:
            raise ValueError(f"X has shape {X.shape}: image_shape {self.image_shape} has {height * width} columns")
        n = len(X)
        down, right = rng.integers(-self.pixels, self.pixels, size=(2, n, 1), endpoint=True)
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        sample = np.arange(n)[:, None, None]
        shifted: Array = X.reshape(n, height, width)[sample, rows[:, :, None], columns[:, None, :]]
        return shifted.reshape(n, height * width)


def _floating(X: Array) -> Array:
    X = np.asarray(X)
    if not np.issubdtype(X.dtype, np.floating):
        raise TypeError(f"X has dtype {X.dtype}: expected floats, as X.astype(np.float32)")
    return X
