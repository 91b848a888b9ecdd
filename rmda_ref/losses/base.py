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

from rmda_ref.losses.design import Array, adjoint, check_design, forward, largest_gram_eigenvalue


@dataclass(frozen=True, eq=False)
class LinearPredictorLoss(ABC):
    """The mean over samples of a smooth convex loss ``l(z, y)`` at the linear predictor ``z = A w``.

    ``A`` is ``X``, or ``[X, 1]`` with an intercept, which is then the last entry (or column) of the weights.
    A subclass states `smoothness` and the four facts about ``l``: its value, gradient, Hessian and conjugate, sample
    by sample. Everything else follows from the chain rule and is written here, once.

    Where a loss takes several outputs, ``y`` has one column an output and the weights one row; ``l`` is the sum over
    the outputs.

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
    """Lipschitz constant of the gradient of ``l(., y)``; infinite if there is none."""

    _several_outputs: ClassVar[bool] = False
    """Whether ``y`` may have shape (n_samples, n_outputs)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "X", check_design(self.X))
        object.__setattr__(self, "y", np.asarray(self.y))
        columns = self._several_outputs and self.y.ndim == 2 and self.y.size > 0
        if self.y.shape != (self.n_samples, *(self.y.shape[1:] if columns else ())):
            allowed = f"({self.n_samples},)" + f" or ({self.n_samples}, n_outputs)" * self._several_outputs
            raise ValueError(
                f"y must have shape {allowed}, one entry a row of X, got {self.y.shape}; use y.ravel() for one target"
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
        """Shape of the weights, intercept included: one row an output if ``y`` has columns."""
        return (*self.y.shape[1:], self.n_features + self.fit_intercept)

    @abstractmethod
    def _sample_values(self, z: Array, y: Array) -> Array:
        """Return ``l(z_i, y_i)``, shape (n,), or its terms, one an output."""

    @abstractmethod
    def _sample_gradients(self, z: Array, y: Array) -> Array:
        """Return the gradient of ``l(., y_i)`` at ``z_i``, shape of `z`."""

    @abstractmethod
    def _sample_hessians(self, z: Array, y: Array) -> Callable[[Array], Array]:
        """Return the map from directions to the Hessians of ``l(., y_i)`` at ``z_i`` times ``direction_i``."""

    @abstractmethod
    def _sample_conjugates(self, v: Array, y: Array, tolerance: float) -> Array:
        """Return ``l^*(v_i, y_i)``, shape as the values; ``+inf`` further than about `tolerance` from the domain."""

    def decision(self, w: npt.ArrayLike) -> Array:
        """Return the predictor ``z = A w``: shape (n_samples,), or (n_samples, n_outputs)."""
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

    def curvature_at(self, z: Array) -> tuple[Array, Array]:
        """Return what is cheap of the Hessian of F at z, of whose blocks B_i each sample has one, K x K for K outputs.

        The diagonals of the B_i, shape (n_samples, K), and the sum of the B_i, shape (K, K).
        """
        diagonals = self.hessian_at(z)(np.ones_like(z)).reshape(self.n_samples, -1)  # outputs are apart
        return diagonals, np.diag(diagonals.sum(axis=0))

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
            If `samples` is not a non-empty one-dimensional integer array, or `w` has the wrong shape; if ``X`` is
            CSC and `samples` is given.
        IndexError
            If an index is out of range.
        """
        if samples is None:
            return adjoint(self.X, self.dual_point(w), self.fit_intercept)
        X, y, weights = self._batch(samples)
        dual = self._sample_gradients(forward(X, self._weights(w), self.fit_intercept), y) / len(y)
        return adjoint(X, dual if weights is None else _rows_times(weights, dual), self.fit_intercept)

    def value_and_gradient(self, w: npt.ArrayLike) -> tuple[float, Array]:
        """Return ``(value(w), gradient(w))`` from one evaluation of the predictor."""
        z = self.decision(w)
        return self.value_at(z), adjoint(self.X, self.dual_at(z), self.fit_intercept)

    def hessian_product(self, w: npt.ArrayLike, direction: npt.ArrayLike) -> Array:
        """Return the Hessian of ``f`` at `w` times `direction`; both have the shape `weight_shape`."""
        along = forward(self.X, self._weights(direction, "direction"), self.fit_intercept)
        return adjoint(self.X, self.hessian_at(self.decision(w))(along), self.fit_intercept)

    def lipschitz(self) -> float:
        """Return ``L = smoothness * lambda_max(A^T diag(pi) A)``; the gradient of ``f`` is L-Lipschitz.

        Proved: the gradient of ``l(., y)`` is `smoothness`-Lipschitz, hence L with the exact eigenvalue.
        If ``min(X.shape) <= 2000`` the eigenvalue comes from a dense eigenproblem and is raised by its
        rounding bound. Otherwise it is the Ritz value of at least k = 64 Lanczos steps from a random start
        (seed fixed), divided by 1 - 0.05; with m the smaller side of ``A`` this falls short with probability
        at most ``1.648 sqrt(m) exp(-sqrt(0.05) (2k - 1))``, below 1e-9 for m <= 1e6 [1]_.

        Raises
        ------
        ValueError
            If `smoothness` is infinite.

        References
        ----------
        .. [1] J. Kuczyński and H. Woźniakowski, Estimating the largest eigenvalue by the power and Lanczos
           algorithms with a random start, SIAM J. Matrix Anal. Appl. 13 (1992).
        """
        if np.isinf(self.smoothness):
            raise ValueError(
                f"the gradient of {type(self).__name__} has no Lipschitz constant, for its curvature is unbounded; "
                "choose step sizes by a line search"
            )
        return self.smoothness * largest_gram_eigenvalue(self.X, self.fit_intercept, self._shares)

    def dual_point(self, w: npt.ArrayLike) -> Array:
        """Return ``u = grad F(A w)``, shape of the predictor, so that ``gradient(w) = A^T u``.

        It is the point of equality in Fenchel–Young: ``F(z) + F^*(u) = <z, u>`` at ``z = A w``.
        """
        return self.dual_at(self.decision(w))

    def conjugate(self, dual: npt.ArrayLike) -> float:
        """Return ``F^*(u) = sup_z <u, z> - F(z) = sum_i pi_i l^*(u_i / pi_i, y_i)``; ``+inf`` outside the domain.

        `dual` has the shape of the predictor and the scale of `dual_point`, which carries the shares pi_i. The class
        docstring gives ``l^*``. Where pi_i = 0 the domain is ``u_i = 0`` alone. A point closer to the domain than the
        rounding of `dual_point` in the dtype of ``X`` counts as inside.

        The domain is convex and contains 0: each ``l`` is bounded below, and ``l^*(0, y) = -inf_z l(z, y)``. Hence
        ``s * u`` is inside for every u inside and 0 <= s <= 1.

        Raises
        ------
        ValueError
            If `dual` does not have the shape of the predictor.
        """
        dual = self._dual(dual).astype(np.float64, copy=False)
        tolerance = 16.0 * (dual.size // self.n_samples) * float(np.finfo(self.X.dtype).eps)
        if self._shares is None:
            return self._mean(self._sample_conjugates(self.n_samples * dual, self.y, tolerance))
        if dual[self._shares == 0].any():
            return float(np.inf)
        shares = _column(self._shares, dual)
        v = np.divide(dual, shares, out=np.zeros_like(dual), where=shares > 0)
        return self._mean(self._sample_conjugates(v, self.y, tolerance))

    def balanced(self, dual: npt.ArrayLike) -> Array:
        """Return a point near `dual` that sums to zero over the samples, for each output, up to rounding.

        An unpenalised intercept asks this of a dual feasible point, for the sum is the last entry of ``A^T u``. For
        each output the entries of the sign that prevails are multiplied by a factor in [0, 1]. As the domain of each
        ``l^*`` is an interval that contains 0, a point in the domain of ``F^*`` stays there.

        Parameters
        ----------
        dual : array of the shape of the predictor, in the domain of `conjugate`
            In the scale of `dual_point`.

        Returns
        -------
        array of the shape of the predictor; float32 if `dual` is, else float64

        Raises
        ------
        ValueError
            If `dual` does not have the shape of the predictor.
        """
        dual = self._dual(dual)
        sides = np.stack([np.maximum(side, 0).sum(axis=0, dtype=np.float64) for side in (dual, -dual)])
        factors = np.divide(sides.min(axis=0), sides, out=np.zeros_like(sides), where=sides > 0).astype(dual.dtype)
        return np.asarray(np.where(dual > 0, factors[0], factors[1]) * dual)

    @property
    def dual_shares(self) -> Array:
        """pi_i of each sample, shape (n_samples,)."""
        return self._shared(np.ones(self.n_samples))

    @cached_property
    def _shares(self) -> Array | None:
        """pi_i in float64, or None where they are all 1/n."""
        if self.sample_weight is None:
            return None
        # By the largest first: the sum of the weights could overflow.
        shares = self.sample_weight / self.sample_weight.max()
        shares /= shares.sum()
        # A share that is subnormal in the dtype would leave too few digits to its part of a dual point.
        return np.where(shares < np.finfo(self.X.dtype).tiny, 0.0, shares)

    def _checked_weight(self, given: Any) -> Array:
        weight = np.asarray(given, dtype=np.float64)
        if weight.shape != (self.n_samples,):
            raise ValueError(
                f"sample_weight must have shape ({self.n_samples},), one entry a row of X, got {weight.shape}"
            )
        bad = ~(np.isfinite(weight) & (weight >= 0))
        if bad.any():
            raise ValueError(
                f"sample_weight must be finite and at least 0, got {weight[bad][0]}; use 0 to leave a sample out"
            )
        if not weight.any():
            raise ValueError("sample_weight must not be 0 everywhere; leave it out for equal weights")
        return weight

    def _mean(self, values: Array) -> float:
        """The mean over the samples, by their shares, of the sum over the outputs."""
        values = values.sum(axis=tuple(range(1, values.ndim)), dtype=np.float64)
        return float(values.mean() if self._shares is None else self._shared(values).sum())

    def _shared(self, per_sample: Array) -> Array:
        """Values of the predictor's shape, times the shares."""
        return per_sample / self.n_samples if self._shares is None else _rows_times(self._shares, per_sample)

    def _dual(self, dual: npt.ArrayLike) -> Array:
        dual = np.asarray(dual)
        shape = (self.n_samples, *self.weight_shape[:-1])
        if dual.shape != shape:
            raise ValueError(f"dual must have the shape {shape} of the predictor, got {dual.shape}; see dual_point")
        return dual if dual.dtype == np.float32 else dual.astype(np.float64, copy=False)

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
        if getattr(self.X, "format", "dense") == "csc":
            raise TypeError("a mini-batch takes rows of X, which CSC does not give; use X.tocsr()")
        weights = None if self._shares is None else self.n_samples * self._shares[samples]
        return self.X[samples], self.y[samples], weights


def _column(factors: Array, values: Array) -> Array:
    """One factor a sample, to be broadcast against `values`, in their dtype."""
    return np.asarray(factors, values.dtype).reshape(-1, *[1] * (values.ndim - 1))


def _rows_times(factors: Array, values: Array) -> Array:
    """``values`` times one factor a sample; 0 where the factor is 0, even if the value is infinite."""
    column = _column(factors, values)
    return np.asarray(np.multiply(values, column, out=np.zeros_like(values), where=column > 0))
