"""The Huber loss of regression with outliers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from rmda_ref.checks import positive
from rmda_ref.losses.regression import RegressionLoss
from rmda_ref.losses.special import clipped
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class HuberLoss(RegressionLoss):
    """Mean Huber loss ``f(w) = (1/n) sum_i h((A w)_i - y_i)``, quadratic near 0 and linear beyond `delta` [1]_.

    Per sample, with ``r = z - y``, ``l(z, y) = r^2 / 2`` for ``|r| <= delta`` and ``delta (|r| - delta / 2)`` beyond;
    its derivative is r clipped to ``[-delta, delta]``. ``l^*(v, y) = v^2 / 2 + v y`` on ``|v| <= delta``, ``+inf``
    elsewhere.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
    y : array of float, shape (n_samples,) or (n_samples, n_outputs)
        Targets; stored in the dtype of `X`.
    delta : float, default=1.35
        From which residual on the loss is linear, in the unit of `y`: no scale is estimated. For Gaussian noise of
        unit variance, 1.35 keeps 95 % of the efficiency of least squares.
    fit_intercept : bool, default=False
        If True, the weights have one more entry (or column), the last, and it is the intercept.
    sample_weight : array of shape (n_samples,), optional
        Finite, at least 0 and not all 0; all samples count the same if None.

    Raises
    ------
    TypeError
        If `X` is neither dense nor CSR or CSC, `X` or `y` is not floating point, or `delta` is not a number.
    ValueError
        If a shape or weight is wrong, an entry is not finite, or `delta` is not positive and finite.

    References
    ----------
    .. [1] P. J. Huber, Robust estimation of a location parameter, Ann. Math. Statist. 35 (1964).

    Examples
    --------
    >>> import numpy as np
    >>> loss = HuberLoss(np.array([[1.0], [2.0]]), np.array([1.0, 8.0]), delta=2.0)
    >>> loss.value([0.0])
    7.25
    >>> loss.gradient([0.0])
    array([-2.5])
    """

    delta: float = field(default=1.35, kw_only=True)

    smoothness: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "delta", positive("delta", self.delta))

    def _sample_values(self, z: Array, y: Array) -> Array:
        xp = namespace(z)
        residuals = xp.abs(z - y)
        clipped = xp.minimum(residuals, self.delta)
        return clipped * (residuals - clipped / 2)

    def _sample_gradients(self, z: Array, y: Array) -> Array:
        return clipped(z - y, -self.delta, self.delta)

    def _sample_hessians(self, z: Array, y: Array) -> Callable[[Array], Array]:
        xp = namespace(z)
        quadratic = xp.abs(z - y) <= self.delta
        return lambda direction: xp.where(quadratic, direction, 0)

    def _sample_conjugates(self, v: Array, y: Array, tolerance: float) -> Array:
        xp = namespace(v)
        inside = xp.abs(v) <= self.delta * (1.0 + tolerance)
        return xp.where(inside, xp.square(v) / 2 + v * y, xp.inf)
