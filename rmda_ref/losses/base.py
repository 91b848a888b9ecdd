"""What every loss of a linear predictor shares: ``f(w) = F(A w)`` with ``F(z) = sum_i pi_i l(z_i, y_i)``.

The shares pi_i are 1/n, or ``sample_weight`` over its sum.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from rmda_ref.losses.design import adjoint, check_design, forward, largest_gram_eigenvalue, matching, namespace_of
from rmda_ref.losses.samples import checked_samples, checked_targets, checked_weight, shares_of, taken
from rmda_ref.losses.special import column, diagonal, quotient, rows_times
from rmda_ref.namespace import Array, namespace


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

    A dense ``X`` may be of any array-API namespace (CuPy, PyTorch, JAX). Then ``y``, weights and dual points must be on
    its device, or TypeError is raised, and results are: only scalars, and checks at the start, come to the host.
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
        object.__setattr__(self, "y", checked_targets(self.y, self.X, self._several_outputs))
        if self.sample_weight is not None:
            object.__setattr__(self, "sample_weight", checked_weight(self.sample_weight, self.X))

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

    def decision(self, w: Array) -> Array:
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
        xp = namespace(z)
        diagonals = xp.reshape(self.hessian_at(z)(xp.ones_like(z)), (self.n_samples, -1))  # outputs are apart
        return diagonals, diagonal(xp.sum(diagonals, axis=0, dtype=z.dtype))

    def value(self, w: Array) -> float:
        """Return ``f(w)``, the mean loss per sample.

        Raises
        ------
        ValueError
            If `w` does not have the shape `weight_shape`; so do all methods that take weights.
        """
        return self.value_at(self.decision(w))

    def gradient(self, w: Array, samples: Array | None = None) -> Array:
        """Return the gradient of the mean loss over a mini-batch.

        Parameters
        ----------
        w : array of shape `weight_shape`
        samples : array of int, shape (batch_size,), optional
            Indices of the samples, repetitions counted; all samples, each once, if None. Of NumPy, or of the
            namespace of ``X``: the range of indices on a device is not checked, for the host would have to wait.

        Returns
        -------
        array of shape `weight_shape`, of the dtype of ``X``; C-ordered for NumPy

        Raises
        ------
        TypeError, ValueError
            If `samples` is not a non-empty one-dimensional integer array, or `w` has the wrong shape; if ``X`` is
            CSC and `samples` is given.
        IndexError
            If an index on the host is out of range.
        """
        if samples is None:
            return adjoint(self.X, self.dual_point(w), self.fit_intercept)
        X, y, weights = self._batch(samples)
        dual = self._sample_gradients(forward(X, self._weights(w), self.fit_intercept), y) / int(y.shape[0])
        return adjoint(X, dual if weights is None else rows_times(weights, dual), self.fit_intercept)

    def value_and_gradient(self, w: Array) -> tuple[float, Array]:
        """Return ``(value(w), gradient(w))`` from one evaluation of the predictor."""
        z = self.decision(w)
        return self.value_at(z), adjoint(self.X, self.dual_at(z), self.fit_intercept)

    def hessian_product(self, w: Array, direction: Array) -> Array:
        """Return the Hessian of ``f`` at `w` times `direction`; both have the shape `weight_shape`."""
        along = forward(self.X, self._weights(direction, "direction"), self.fit_intercept)
        return adjoint(self.X, self.hessian_at(self.decision(w))(along), self.fit_intercept)

    def lipschitz(self) -> float:
        """Return ``L = smoothness * lambda_max(A^T diag(pi) A)``; the gradient of ``f`` is L-Lipschitz.

        Proved: the gradient of ``l(., y)`` is `smoothness`-Lipschitz, hence L with the exact eigenvalue.
        If ``min(X.shape) <= 2000`` the eigenvalue comes from a dense eigenproblem and is raised by its
        rounding bound; on any namespace, as far as its ``linalg.eigvalsh`` is backward stable. Otherwise, for
        NumPy and SciPy only, it is the Ritz value of at least k = 64 Lanczos steps from a random start
        (seed fixed), divided by 1 - 0.05; with m the smaller side of ``A`` this falls short with probability
        at most ``1.648 sqrt(m) exp(-sqrt(0.05) (2k - 1))``, below 1e-9 for m <= 1e6 [1]_.

        Raises
        ------
        ValueError
            If `smoothness` is infinite.
        TypeError
            If ``X`` is of another namespace and ``min(X.shape) > 2000``.

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

    def dual_point(self, w: Array) -> Array:
        """Return ``u = grad F(A w)``, shape of the predictor, so that ``gradient(w) = A^T u``.

        It is the point of equality in Fenchel–Young: ``F(z) + F^*(u) = <z, u>`` at ``z = A w``.
        """
        return self.dual_at(self.decision(w))

    def conjugate(self, dual: Array) -> float:
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
        xp = self._xp
        dual = xp.asarray(self._dual(dual), dtype=xp.float64)
        tolerance = 16.0 * math.prod(self.weight_shape[:-1]) * float(xp.finfo(self.X.dtype).eps)
        if self._shares is None:
            return self._mean(self._sample_conjugates(self.n_samples * dual, self.y, tolerance))
        shares = column(self._shares, dual)
        if xp.any((shares == 0) & (dual != 0)):
            return math.inf
        return self._mean(self._sample_conjugates(quotient(dual, shares), self.y, tolerance))

    def balanced(self, dual: Array) -> Array:
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
        xp, dual = self._xp, self._dual(dual)
        sides = xp.stack([xp.sum(xp.maximum(side, 0), axis=0, dtype=xp.float64) for side in (dual, -dual)])
        factors = xp.asarray(quotient(xp.min(sides, axis=0), sides), dtype=dual.dtype)
        return xp.where(dual > 0, factors[0, ...], factors[1, ...]) * dual

    @property
    def dual_shares(self) -> Array:
        """pi_i of each sample, shape (n_samples,)."""
        n, xp = self.n_samples, self._xp
        return xp.full(n, 1 / n, dtype=xp.float64, device=self.y.device) if self._shares is None else self._shares

    @property
    def _xp(self) -> Any:
        return namespace_of(self.X)

    @cached_property
    def _shares(self) -> Array | None:
        """pi_i in float64, or None where they are all 1/n."""
        return None if self.sample_weight is None else shares_of(self.sample_weight, self.X.dtype)

    def _mean(self, values: Array) -> float:
        """The mean over the samples, by their shares, of the sum over the outputs."""
        xp = self._xp
        if values.ndim > 1:
            values = xp.sum(values, axis=tuple(range(1, values.ndim)), dtype=xp.float64)
        values = xp.asarray(values, dtype=xp.float64)
        return float(xp.mean(values) if self._shares is None else xp.sum(self._shared(values)))

    def _shared(self, per_sample: Array) -> Array:
        """Values of the predictor's shape, times the shares."""
        return per_sample / self.n_samples if self._shares is None else rows_times(self._shares, per_sample)

    def _dual(self, dual: Array) -> Array:
        xp, dual = self._xp, matching("dual", dual, self.X)
        shape = (self.n_samples, *self.weight_shape[:-1])
        if dual.shape != shape:
            given = tuple(dual.shape)
            raise ValueError(f"dual must have the shape {shape} of the predictor, got {given}; see dual_point")
        return dual if dual.dtype == xp.float32 else xp.asarray(dual, dtype=xp.float64)

    def _weights(self, w: Array, name: str = "w") -> Array:
        w = self._xp.asarray(matching(name, w, self.X), dtype=self.X.dtype)
        if w.shape != self.weight_shape:
            raise ValueError(
                f"{name} must have shape {self.weight_shape}, got {tuple(w.shape)}; "
                f"the last axis is n_features{' + 1, the intercept last' if self.fit_intercept else ''}"
            )
        return w

    def _batch(self, samples: Array) -> tuple[Any, Array, Array | None]:
        """Rows, targets, and n pi_i: with these weights the mean over a batch has the mean F."""
        samples = checked_samples(samples, self.X)
        weights = None if self._shares is None else self.n_samples * taken(self._shares, samples)
        return taken(self.X, samples), taken(self.y, samples), weights
