"""The squared loss of linear regression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.regression import RegressionLoss
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class SquaredLoss(RegressionLoss):
    """Mean squared loss ``f(w) = 1/(2n) ||A w - y||^2``.

    Per sample ``l(z, y) = (z - y)^2 / 2`` and ``l^*(v, y) = v^2 / 2 + v y``, so that without weights
    ``F^*(u) = n/2 ||u||^2 + <u, y>``, finite everywhere.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
    y : array of float, shape (n_samples,) or (n_samples, n_outputs)
        Targets; stored in the dtype of `X`.
    fit_intercept : bool, default=False
        If True, the weights have one more entry (or column), the last, and it is the intercept.
    sample_weight : array of shape (n_samples,), optional
        Finite, at least 0 and not all 0; all samples count the same if None.

    Raises
    ------
    TypeError
        If `X` is neither dense nor CSR or CSC, or `X` or `y` is not floating point.
    ValueError
        If a shape or weight is wrong, or an entry is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> loss = SquaredLoss(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1.0, 2.0]))
    >>> loss.value([0.0, 0.0])
    1.25
    >>> loss.gradient([0.0, 0.0])
    array([-0.5, -2. ])
    >>> round(loss.lipschitz(), 6)
    2.0
    """

    smoothness: ClassVar[float] = 1.0

    @staticmethod
    def _sample_values(z: Array, y: Array) -> Array:
        return namespace(z).square(z - y) / 2

    @staticmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        return z - y

    @staticmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        return lambda direction: direction

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        return namespace(v).square(v) / 2 + v * y
