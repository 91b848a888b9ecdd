"""The Poisson loss of counts and rates, with the logarithm as link."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rmda_ref.losses.regression import RegressionLoss
from rmda_ref.losses.special import xlogy
from rmda_ref.namespace import Array, namespace


@dataclass(frozen=True, eq=False)
class PoissonLoss(RegressionLoss):
    """Mean negative log-likelihood ``f(w) = (1/n) sum_i exp((A w)_i) - y_i (A w)_i`` of Poisson counts.

    ``exp(z)`` is the predicted mean, and ``log(y!)``, which does not depend on the weights, is left out. Per sample
    the derivative is ``exp(z) - y`` and the second derivative ``exp(z)``: it is unbounded, so `smoothness` is infinite
    and there is no Lipschitz constant. With ``s = v + y``, ``l^*(v, y) = s log s - s`` on ``s >= 0``, ``+inf``
    elsewhere. Where ``exp`` overflows the value is infinite, silently.

    Parameters
    ----------
    X : array, CSR or CSC matrix of shape (n_samples, n_features), float32 or float64
    y : array of float or int, shape (n_samples,) or (n_samples, n_outputs)
        Counts or rates, at least 0; stored in the dtype of `X`.
    fit_intercept : bool, default=False
        If True, the weights have one more entry (or column), the last, and it is the intercept.
    sample_weight : array of shape (n_samples,), optional
        Finite, at least 0 and not all 0; all samples count the same if None.

    Raises
    ------
    TypeError
        If `X` is neither dense nor CSR or CSC, or is not float32 or float64, or `y` is not numeric.
    ValueError
        If a shape or weight is wrong, an entry is not finite, or a target is negative.

    Examples
    --------
    >>> import numpy as np
    >>> loss = PoissonLoss(np.array([[1.0], [2.0]]), np.array([1, 3]))
    >>> loss.value([0.0])
    1.0
    >>> loss.gradient([0.0])
    array([-2.])
    """

    smoothness: ClassVar[float] = np.inf
    _target_kinds: ClassVar[str] = "fiu"

    def __post_init__(self) -> None:
        super().__post_init__()
        xp = self._xp
        if xp.any(self.y < 0):
            raise ValueError(
                f"y must be at least 0, got {float(xp.min(self.y))}; use SquaredLoss or HuberLoss for such targets"
            )

    @staticmethod
    @np.errstate(over="ignore")
    def _sample_values(z: Array, y: Array) -> Array:
        return namespace(z).exp(z) - y * z

    @staticmethod
    @np.errstate(over="ignore")
    def _sample_gradients(z: Array, y: Array) -> Array:
        return namespace(z).exp(z) - y

    @staticmethod
    @np.errstate(over="ignore")
    def _sample_hessians(z: Array, y: Array) -> Callable[[Array], Array]:
        mean = namespace(z).exp(z)
        # inf * 0 is no news where exp has overflowed.
        return np.errstate(over="ignore", invalid="ignore")(lambda direction: mean * direction)

    @staticmethod
    def _sample_conjugates(v: Array, y: Array, tolerance: float) -> Array:
        xp, s = namespace(v), v + y
        inside = s >= -tolerance * xp.maximum(y, 1.0)
        s = xp.maximum(s, 0.0)
        return xp.where(inside, xlogy(s, s / math.e), xp.inf)
