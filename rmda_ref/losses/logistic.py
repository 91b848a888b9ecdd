"""The logistic loss of binary classification."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rmda_ref.losses.binary import BinaryLoss
from rmda_ref.losses.special import clipped, entr, expit
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class LogisticLoss(BinaryLoss):
    """Mean logistic loss ``f(w) = (1/n) sum_i log(1 + exp(-y_i (A w)_i))``, labels -1 and +1.

    Per sample ``l(z, y) = log(1 + exp(-y z))``, with derivative ``-y s`` and second derivative ``s (1 - s)
    <= 1/4``, where ``s = sigmoid(-y z)`` is the probability given to the wrong label. With ``s = -y v``,
    ``l^*(v, y) = s log s + (1 - s) log(1 - s)`` on ``0 <= s <= 1``, ``+inf`` elsewhere.

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
    >>> loss = LogisticLoss(np.array([[1.0], [2.0]]), np.array([1, -1]))
    >>> round(loss.value([0.0]), 6)
    0.693147
    >>> loss.gradient([0.0])
    array([0.25])
    """

    smoothness: ClassVar[float] = 0.25

    @staticmethod
    def _sample_values(z: Array, y: Array) -> Array:
        return namespace(z).logaddexp(0, -y * z)

    @staticmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        return -y * expit(-y * z)

    @staticmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        curvature = expit(z) * expit(-z)
        return lambda direction: curvature * direction

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        xp, wrong = namespace(v), -y * v
        inside = clipped(wrong, 0.0, 1.0)
        return xp.where(xp.abs(wrong - inside) <= tolerance, -entr(inside) - entr(1.0 - inside), xp.inf)
