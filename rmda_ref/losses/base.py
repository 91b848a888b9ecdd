"""What every loss of a linear predictor shares: ``f(w) = F(A w)`` with ``F(z) = sum_i pi_i l(z_i, y_i)``.

The shares pi_i are 1/n, or ``sample_weight`` over its sum.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from rmda_ref.losses.design import Array, adjoint, check_design, forward, largest_gram_eigenvalue


@dataclass(frozen=True, eq=False)
class LinearPredictorLoss(ABC):
    """The mean over samples of a smooth convex loss ``l(z, y)`` at the linear predictor ``z = A w``.

    ``A`` is ``X``, or ``[X, 1]`` with an intercept, which is then the last entry (or column) of the weights.
    A subclass states `smoothness` and the four facts about ``l``: its value, gradient, Hessian and conjugate, sample
    by sample. Everything else follows from the chain rule and is written here, once.

    With ``sample_weight`` (finite, at least 0, not all 0) the mean is the weighted one: a whole number k counts as k
    repetitions of the sample, and a common factor changes nothing.

    All arithmetic is in the dtype of ``X``, to which weights are cast; sums over samples that give a scalar
    are accumulated in float64. The data are kept by reference and must not be changed.
    """

    X: Any = field(repr=False)
    y: Any = field(repr=False)
    fit_intercept: bool = field(default=False, kw_only=True)
    sample_weight: Any = field(default=None, kw_only=True, repr=False)

    smoothness: ClassVar[float]
    """Lipschitz constant of the gradient of ``l(., y)``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "X", check_design(self.X))
        object.__setattr__(self, "y", np.asarray(self.y))
        if self.y.shape != (self.n_samples,):
            raise ValueError(
                f"y must have shape ({self.n_samples},), one entry a row of X, got {self.y.shape}; "
                "use y.ravel() for a column"
            )
        if self.sample_weight is not None:
            object.__setattr__(self, "sample_weight", self._checked_weight(self.sample_weight))

    @property
    def n_samples(self) -> int:
        """Number of rows of ``X``."""
        return int(self.X.shape[0])

    @property
    def n_features(self) -> int:
        """Number of columns of ``X``; the intercept is not counted."""
        return int(self.X.shape[1])

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights, intercept included."""
        return (self.n_features + self.fit_intercept,)

    @staticmethod
    @abstractmethod
    def _sample_values(z: Array, y: Array) -> Array:
        """Return ``l(z_i, y_i)``, shape (n,)."""

    @staticmethod
    @abstractmethod
    def _sample_gradients(z: Array, y: Array) -> Array:
        """Return the gradient of ``l(., y_i)`` at ``z_i``, shape of `z`."""

    @staticmethod
    @abstractmethod
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        """Return the map from directions to the Hessians of ``l(., y_i)`` at ``z_i`` times ``direction_i``."""

    @staticmethod
    @abstractmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        """Return ``l^*(v_i, y_i)``, shape (n,); ``+inf`` further than about `tolerance` from the domain."""

    def decision(self, w: npt.ArrayLike) -> Array:
        """Return the predictor ``z = A w``: shape (n_samples,), or (n_samples, n_classes)."""
        return forward(self.X, self._weights(w), self.fit_intercept)

    def value_at(self, z: Array) -> float:
        """Return ``F(z)`` of a predictor, shape as `decision` returns it."""
        return self._mean(self._sample_values(z, self.y))

    def dual_at(self, z: Array) -> Array:
        """Return ``grad F(z)``, shape of the predictor: the shares pi_i are included."""
        return self._shared(self._sample_gradients(z, self.y))

    def hessian_at(self, z: Array) -> Callable[[Array], Array]:
        """Return the map ``direction -> Hessian of F at z times direction``, both of the predictor's shape."""
        product = self._sample_hessians(z, self.y)
        return lambda direction: self._shared(product(direction))

    def value(self, w: npt.ArrayLike) -> float:
        """Return ``f(w)``, the mean loss per sample.

        Raises
        ------
        ValueError
            If `w` does not have the shape `weight_shape`; so do all methods that take weights.
        """
        return self.value_at(self.decision(w))

    def gradient(self, w: npt.ArrayLike, samples: npt.ArrayLike | None = None) -> Array:
        """Return the gradient of the mean loss over a mini-batch.

        Parameters
        ----------
        w : array of shape `weight_shape`
        samples : array of int, shape (batch_size,), optional
            Indices of the samples, repetitions counted; all samples, each once, if None.

        Returns
        -------
        array of shape `weight_shape`, C-ordered, of the dtype of ``X``

        Raises
        ------
        TypeError, ValueError
            If `samples` is not a non-empty one-dimensional integer array, or `w` has the wrong shape.
        IndexError
            If an index is out of range.
        """
        if samples is None:
            return adjoint(self.X, self.dual_point(w), self.fit_intercept)
        X, y, weights = self._batch(samples)
        dual = self._sample_gradients(forward(X, self._weights(w), self.fit_intercept), y) / len(y)
        return adjoint(X, dual if weights is None else _rowwise(weights, dual), self.fit_intercept)

    def value_and_gradient(self, w: npt.ArrayLike) -> tuple[float, Array]:
        """Return ``(value(w), gradient(w))`` from one evaluation of the predictor."""
        z = self.decision(w)
        return self.value_at(z), adjoint(self.X, self.dual_at(z), self.fit_intercept)

    def hessian_product(self, w: npt.ArrayLike, direction: npt.ArrayLike) -> Array:
        """Return the Hessian of ``f`` at `w` times `direction`; both have the shape `weight_shape`."""
        along = forward(self.X, self._weights(direction, "direction"), self.fit_intercept)
        return adjoint(self.X, self.hessian_at(self.decision(w))(along), self.fit_intercept)

    def lipschitz(self) -> float:
        """Return ``L = smoothness * lambda_max(A^T A) / n``; the gradient of ``f`` is L-Lipschitz.

        Proved: the gradient of ``l(., y)`` is `smoothness`-Lipschitz, hence L with the exact eigenvalue.
        If ``min(X.shape) <= 2000`` the eigenvalue comes from a dense eigenproblem and is raised by its
        rounding bound. Otherwise it is the Ritz value of at least k = 64 Lanczos steps from a random start
        (seed fixed), divided by 1 - 0.05; with m the smaller side of ``A`` this falls short with probability
        at most ``1.648 sqrt(m) exp(-sqrt(0.05) (2k - 1))``, below 1e-9 for m <= 1e6 [1]_.

        References
        ----------
        .. [1] J. Kuczyński and H. Woźniakowski, Estimating the largest eigenvalue by the power and Lanczos
           algorithms with a random start, SIAM J. Matrix Anal. Appl. 13 (1992).
        """
        return self.smoothness * largest_gram_eigenvalue(self.X, self.fit_intercept) / self.n_samples

    def dual_point(self, w: npt.ArrayLike) -> Array:
        """Return ``u = grad F(A w)``, shape of the predictor, so that ``gradient(w) = A^T u``.

        It is the point of equality in Fenchel–Young: ``F(z) + F^*(u) = <z, u>`` at ``z = A w``.
        """
        return self.dual_at(self.decision(w))

    def conjugate(self, dual: npt.ArrayLike) -> float:
        """Return ``F^*(u) = sup_z <u, z> - F(z) = (1/n) sum_i l^*(n u_i, y_i)``; ``+inf`` outside the domain.

        `dual` has the shape of the predictor and the scale of `dual_point`, which carries the factor 1/n.
        The class docstring gives ``l^*``. A point closer to the domain than the rounding of `dual_point` in
        the dtype of ``X`` counts as inside.

        Raises
        ------
        ValueError
            If `dual` does not have the shape of the predictor.
        """
        dual = np.asarray(dual, dtype=np.float64)
        shape = (self.n_samples, *self.weight_shape[:-1])
        if dual.shape != shape:
            raise ValueError(f"dual must have the shape {shape} of the predictor, got {dual.shape}; see dual_point")
        width = dual.size // self.n_samples
        tolerance = 16.0 * width * float(np.finfo(self.X.dtype).eps)
        return self._mean(self._sample_conjugates(self.n_samples * dual, self.y, tolerance))

    @cached_property
    def _shares(self) -> Array | None:
        """pi_i, or None where they are all 1/n."""
        return None if self.sample_weight is None else self.sample_weight / np.sum(self.sample_weight, dtype=np.float64)

    def _checked_weight(self, given: Any) -> Array:
        weight = np.asarray(given, dtype=self.X.dtype)
        if weight.shape != (self.n_samples,):
            raise ValueError(
                f"sample_weight must have shape ({self.n_samples},), one entry a row of X, got {weight.shape}"
            )
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
            raise ValueError(f"sample_weight must be finite, at least 0 and not all 0, got {given!r}")
        return weight

    def _mean(self, values: Array) -> float:
        """The mean over the samples, by their shares."""
        return float(np.average(values, weights=self._shares)) if self._shares is not None else _mean(values)

    def _shared(self, per_sample: Array) -> Array:
        """Values of the predictor's shape, times the shares."""
        return per_sample / self.n_samples if self._shares is None else _rowwise(self._shares, per_sample)

    def _weights(self, w: npt.ArrayLike, name: str = "w") -> Array:
        w = np.asarray(w, dtype=self.X.dtype)
        if w.shape != self.weight_shape:
            raise ValueError(
                f"{name} must have shape {self.weight_shape}, got {w.shape}; "
                f"the last axis is n_features{' + 1, the intercept last' if self.fit_intercept else ''}"
            )
        return w

    def _batch(self, samples: npt.ArrayLike) -> tuple[Any, Array, Array | None]:
        """Rows, targets, and n pi_i: with these weights the mean over a batch has the mean F."""
        samples = np.asarray(samples)
        if samples.dtype.kind not in "iu":
            raise TypeError(f"samples must be integer indices, got {samples.dtype}; use np.flatnonzero for a mask")
        if samples.ndim != 1 or samples.size == 0:
            raise ValueError(f"samples must be one-dimensional and not empty, got shape {samples.shape}")
        weights = None if self._shares is None else self.n_samples * self._shares[samples]
        return self.X[samples], self.y[samples], weights


def _mean(values: Array) -> float:
    return float(np.mean(values, dtype=np.float64))


def _rowwise(factors: Array, values: Array) -> Array:
    """``values`` times one factor a sample, in their dtype."""
    return np.asarray(values * np.asarray(factors, values.dtype).reshape(-1, *[1] * (values.ndim - 1)))


def negative_entropy(p: Array, tolerance: float) -> Array:
    """Return ``sum_k p_k log p_k`` of each row on the probability simplex, ``+inf`` off it.

    Rows within `tolerance` of the simplex count as on it: the simplex has no interior, so a computed
    probability vector would otherwise be outside by rounding.
    """
    near_zero = (p < 0) & (p >= -tolerance)
    on_hyperplane = np.abs(p.sum(axis=-1) - 1.0) <= tolerance
    return np.where(on_hyperplane, -entr(np.where(near_zero, 0.0, p)).sum(axis=-1), np.inf)
