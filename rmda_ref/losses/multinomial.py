"""The multinomial logistic loss (softmax cross-entropy) of classification with several classes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.losses.design import Array


@dataclass(frozen=True, eq=False)
class MultinomialLoss(LinearPredictorLoss):
    """Mean cross-entropy ``f(W) = (1/n) sum_i logsumexp(z_i) - z_{i, y_i}`` at the predictor ``z = A W^T``.

    Per sample the gradient is ``p - e_y`` and the Hessian ``diag(p) - p p^T``, where ``p = softmax(z)``; the
    Hessian is at most ``(I - 1 1^T / K) / 2``, so `smoothness` is 1/2 [1]_. With ``p = v + e_y``,
    ``l^*(v, y) = sum_k p_k log p_k`` on the probability simplex, ``+inf`` elsewhere.

    Parameters
    ----------
    X : ndarray, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
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
        if self.y.dtype.kind not in "iu":
            raise TypeError(f"y must be integer class labels, got {self.y.dtype}; use y.astype(np.intp)")
        if self.n_classes is None:
            object.__setattr__(self, "n_classes", int(self.y.max()) + 1)
        n_classes = cast(int, self.n_classes)
        if n_classes < 2:
            raise ValueError(f"n_classes must be at least 2, got {n_classes}; pass n_classes if y lacks a class")
        outside = (self.y < 0) | (self.y >= n_classes)
        if outside.any():
            raise ValueError(
                f"y must lie in 0, ..., {n_classes - 1}, got {self.y[outside][0]}; "
                "relabel with np.unique(y, return_inverse=True) or raise n_classes"
            )

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights: (n_classes, n_features), or one column more with an intercept."""
        return (cast(int, self.n_classes), *super().weight_shape)

    def predict(self, w: npt.ArrayLike) -> Array:
        """Return the most probable class of each sample, shape (n_samples,)."""
        return np.asarray(np.argmax(self.decision(w), axis=1))

    def accuracy(self, w: npt.ArrayLike) -> float:
        """Return the fraction of the samples whose label is predicted."""
        return self._mean(self.predict(w) == self.y)

    def curvature_at(self, z: Array) -> tuple[Array, Array]:
        """Return the diagonals of the blocks of the Hessian, one a sample, and the sum of the blocks."""
        p = np.exp(_log_softmax(z))
        shared = self._shared(p)
        return shared * (1 - p), np.diag(shared.sum(axis=0)) - shared.T @ p

    def balanced(self, dual: npt.ArrayLike) -> Array:
        """Return a point near `dual` that sums to zero over the samples, for each class, up to rounding.

        A point in the domain is ``u_i = pi_i (q_i - e_{y_i})`` with probabilities ``q_i``. It sums to zero when their
        mean is the shares of the classes. So ``q_i`` becomes ``(1 - theta) q_i + theta r`` with the one r that does
        it, ``r = qbar + (shares - qbar) / theta``, and theta is the smallest for which r has no negative entry: at
        most 1, where r is the shares. Parameters, returns and errors are those of `LinearPredictorLoss.balanced`.
        """
        dual = self._dual(dual)
        pi = self.dual_shares
        excess = dual.sum(axis=0, dtype=np.float64)
        mean = excess + np.bincount(self.y, weights=pi, minlength=len(excess))
        # mean >= excess as shares are >= 0, so theta <= 1 holds in floating point too.
        theta = np.divide(excess, mean, out=np.zeros_like(mean), where=excess > 0).max()
        balanced = (1.0 - theta) * dual + pi[:, None] * (theta * mean - excess)
        balanced[np.arange(self.n_samples), self.y] -= theta * pi
        return np.asarray(balanced, dual.dtype)

    @staticmethod
    def _sample_values(z: Array, y: Array) -> Array:
        return np.asarray(-_log_softmax(z)[np.arange(len(y)), y])

    @staticmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        gradients = np.exp(_log_softmax(z))
        gradients[np.arange(len(y)), y] -= 1
        return gradients

    @staticmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        p = np.exp(_log_softmax(z))
        return lambda direction: np.asarray(p * (direction - np.sum(p * direction, axis=1, keepdims=True)))

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        p = v.copy()
        p[np.arange(len(y)), y] += 1
        return _negative_entropy(p, tolerance)


def _log_softmax(z: Array) -> Array:
    # Subtracting the logsumexp in one piece would lose |z| eps of it; the maximum first is exact enough.
    shifted = z - z.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _negative_entropy(p: Array, tolerance: float) -> Array:
    """Return ``sum_k p_k log p_k`` of each row on the probability simplex, ``+inf`` off it.

    Rows within `tolerance` of the simplex count as on it: the simplex has no interior, so a computed
    probability vector would otherwise be outside by rounding.
    """
    near_zero = (p < 0) & (p >= -tolerance)
    on_hyperplane = np.abs(p.sum(axis=-1) - 1.0) <= tolerance
    return np.where(on_hyperplane, -entr(np.where(near_zero, 0.0, p)).sum(axis=-1), np.inf)
