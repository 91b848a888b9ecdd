"""The squared hinge loss of binary classification."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.binary import BinaryLoss
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class SquaredHingeLoss(BinaryLoss):
    """Mean squared hinge loss ``f(w) = (1/n) sum_i max(0, 1 - y_i (A w)_i)^2``, labels -1 and +1.

    Per sample ``l(z, y) = max(0, 1 - y z)^2``, as ``squared_hinge`` in scikit-learn, with derivative
    ``-2 y max(0, 1 - y z)`` and second derivative 2 where ``y z < 1``, 0 beyond. ``l^*(v, y) = v y + v^2 / 4`` on
    ``y v <= 0``, ``+inf`` elsewhere.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
    y : array of shape (n_samples,)
        Labels, each -1 or +1; stored in the dtype of `X`.
    fit_intercept : bool, default=False
        If True, the weights have shape (n_features + 1,) and the last entry is the intercept.
    sample_weight : array of shape (n_samples,), optional
        Finite, at least 0 and not all 0; all samples count the same if None.

    Raises
    ------
    TypeError
        If `X` is neither dense nor CSR or CSC, or is not float32 or float64, or `y` is not numeric.
    ValueError
        If a shape or weight is wrong, an entry of `X` is not finite, or a label is neither -1 nor +1.

    Examples
    --------
    >>> import numpy as np
    >>> loss = SquaredHingeLoss(np.array([[1.0], [2.0]]), np.array([1, -1]))
    >>> loss.value([0.5])
    2.125
    >>> loss.gradient([0.5])
    array([3.5])
    """

    smoothness: ClassVar[float] = 2.0

    @staticmethod
    def _sample_values(z: Array, y: Array) -> Array:
        xp = namespace(z)
        return xp.square(xp.maximum(1 - y * z, 0))

    @staticmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        return -2 * y * namespace(z).maximum(1 - y * z, 0)

    @staticmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        xp, violated = namespace(z), y * z < 1
        return lambda direction: xp.where(violated, 2 * direction, 0)

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        xp = namespace(v)
        return xp.where(y * v <= tolerance, v * y + xp.square(v) / 4, xp.inf)
