"""The multinomial logistic loss (softmax cross-entropy) of classification with several classes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.losses.design import as_dtype, is_of
from rmda_ref.losses.samples import first
from rmda_ref.losses.special import at_labels, diagonal, entr, log_softmax, one_hot
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class MultinomialLoss(LinearPredictorLoss):
    """Mean cross-entropy ``f(W) = (1/n) sum_i logsumexp(z_i) - z_{i, y_i}`` at the predictor ``z = A W^T``.

    Per sample the gradient is ``p - e_y`` and the Hessian ``diag(p) - p p^T``, where ``p = softmax(z)``; the
    Hessian is at most ``(I - 1 1^T / K) / 2``, so `smoothness` is 1/2 [1]_. With ``p = v + e_y``,
    ``l^*(v, y) = sum_k p_k log p_k`` on the probability simplex, ``+inf`` elsewhere.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
    y : array of int, shape (n_samples,)
        Class labels 0, ..., n_classes - 1.
    fit_intercept : bool, default=False
        If True, the weights have one more column, the last, and it is the intercept of each class.
    sample_weight : array of shape (n_samples,), optional
        Finite, at least 0 and not all 0; all samples count the same if None.
    n_classes : int, optional
        Number of classes; one more than the largest label if None.

    Raises
    ------
    TypeError
        If `X` is neither dense nor CSR or CSC, or is not float32 or float64, or `y` is not integer.
    ValueError
        If a shape or weight is wrong, an entry of `X` is not finite, a label is out of range, or there are fewer
        than two classes.

    Notes
    -----
    The weights have shape (n_classes, n_features), (out, in) as in a network layer. A held-out set is another
    loss: ``MultinomialLoss(X_test, y_test, n_classes=K).accuracy(W)``.

    References
    ----------
    .. [1] D. Böhning, Multinomial logistic regression algorithm, Ann. Inst. Statist. Math. 44 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> loss = MultinomialLoss(np.eye(3), np.array([0, 1, 1]), n_classes=4)
    >>> loss.weight_shape
    (4, 3)
    >>> round(loss.value(np.zeros((4, 3))), 6)
    1.386294
    >>> loss.accuracy(np.eye(4, 3)) == 2 / 3
    True
    """

    n_classes: int | None = field(default=None, kw_only=True)

    smoothness: ClassVar[float] = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        xp = self._xp
        if not is_of(self.y, "iu"):
            raise TypeError(f"y must be integer class labels, got {self.y.dtype}; use {as_dtype('y', self.y, 'int64')}")
        if self.n_classes is None:
            object.__setattr__(self, "n_classes", int(xp.max(self.y)) + 1)
        n_classes = cast(int, self.n_classes)
        if n_classes < 2:
            raise ValueError(f"n_classes must be at least 2, got {n_classes}; pass n_classes if y lacks a class")
        outside = (self.y < 0) | (self.y >= n_classes)
        if xp.any(outside):
            raise ValueError(
                f"y must lie in 0, ..., {n_classes - 1}, got {int(first(self.y, outside))}; "
                "relabel with np.unique(y, return_inverse=True) or raise n_classes"
            )

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights: (n_classes, n_features), or one column more with an intercept."""
        return (cast(int, self.n_classes), *super().weight_shape)

    def predict(self, w: Array) -> Array:
        """Return the most probable class of each sample, shape (n_samples,)."""
        return self._xp.argmax(self.decision(w), axis=1)

    def accuracy(self, w: Array) -> float:
        """Return the fraction of the samples whose label is predicted."""
        return self._mean(self.predict(w) == self.y)

    def curvature_at(self, z: Array) -> tuple[Array, Array]:
        """Return the diagonals of the blocks of the Hessian, one a sample, and the sum of the blocks."""
        xp = namespace(z)
        p = xp.exp(log_softmax(z))
        shared = self._shared(p)
        return shared * (1 - p), diagonal(xp.sum(shared, axis=0, dtype=z.dtype)) - shared.T @ p

    def balanced(self, dual: Array) -> Array:
        """Return a point near `dual` that sums to zero over the samples, for each class, up to rounding.

        A point in the domain is ``u_i = pi_i (q_i - e_{y_i})`` with probabilities ``q_i``. It sums to zero when their
        mean is the shares of the classes. So ``q_i`` becomes ``(1 - theta) q_i + theta r`` with the one r that does
        it, ``r = qbar + (shares - qbar) / theta``, and theta is the smallest for which r has no negative entry: at
        most 1, where r is the shares. Parameters, returns and errors are those of `LinearPredictorLoss.balanced`.
        """
        xp, dual = self._xp, self._dual(dual)
        pi, wide = self.dual_shares, xp.asarray(dual, dtype=xp.float64)
        excess = xp.sum(wide, axis=0)
        labels = None if xp is np else one_hot(self.y, dual.shape[1])
        if labels is None:
            mean = excess + np.bincount(self.y, weights=pi, minlength=len(excess))
        else:
            mean = excess + xp.sum(xp.where(labels, pi[:, None], 0), axis=0)
        # mean >= excess as shares are >= 0, so theta <= 1 holds in floating point too.
        positive = excess > 0
        theta = xp.max(xp.where(positive, excess, 0) / xp.where(positive, mean, 1))
        balanced = (1.0 - theta) * wide + pi[:, None] * (theta * mean - excess)
        if labels is None:
            balanced[np.arange(self.n_samples), self.y] -= theta * pi
        else:
            balanced = balanced - xp.where(labels, (theta * pi)[:, None], 0)
        return xp.asarray(balanced, dtype=dual.dtype)

    @staticmethod
    def _sample_values(z: Array, y: Array) -> Array:
        return -at_labels(log_softmax(z), y)

    @staticmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        xp = namespace(z)
        gradients = xp.exp(log_softmax(z))
        if xp is not np:
            return gradients - xp.asarray(one_hot(y, z.shape[1]), dtype=z.dtype)
        gradients[np.arange(len(y)), y] -= 1
        return gradients

    @staticmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        xp = namespace(z)
        p = xp.exp(log_softmax(z))
        return lambda direction: p * (direction - xp.sum(p * direction, axis=1, keepdims=True, dtype=z.dtype))

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        return _negative_entropy(v + namespace(v).asarray(one_hot(y, v.shape[1]), dtype=v.dtype), tolerance)


def _negative_entropy(p: Array, tolerance: float) -> Array:
    """Return ``sum_k p_k log p_k`` of each row on the probability simplex, ``+inf`` off it.

    Rows within `tolerance` of the simplex count as on it: the simplex has no interior, so a computed
    probability vector would otherwise be outside by rounding.
    """
    xp = namespace(p)
    near_zero = (p < 0) & (p >= -tolerance)
    on_hyperplane = xp.abs(xp.sum(p, axis=-1) - 1.0) <= tolerance
    return xp.where(on_hyperplane, -xp.sum(entr(xp.where(near_zero, 0.0, p)), axis=-1), xp.inf)
