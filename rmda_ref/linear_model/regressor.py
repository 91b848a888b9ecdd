"""The regressor."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.base import MultiOutputMixin, RegressorMixin

from rmda_ref import checks
from rmda_ref.linear_model.base import Array, Result, SparseLinearModel, design_of, weights_of, whole
from rmda_ref.linear_model.documentation import documented
from rmda_ref.linear_model.history import Record
from rmda_ref.losses import HuberLoss, PoissonLoss, SquaredLoss
from rmda_ref.losses.base import LinearPredictorLoss

LOSSES = ("squared_error", "huber", "poisson")


@documented
class RMDARegressor(MultiOutputMixin, RegressorMixin, SparseLinearModel):
    """Sparse linear regression with a certificate: RMDA finds the structure, Newton finishes, the gap proves it.

    It minimises, with z_i = x_i . coef + intercept and shares pi_i = 1/n (or sample_weight over its sum),

        sum_i pi_i l(z_i, y_i) + psi(coef).

    Several outputs (y with columns) share the penalty: l is summed over them.

    Parameters
    ----------
    loss : {"squared_error", "huber", "poisson"}, default="squared_error"
        l(z, y) = (z - y)^2/2; the same up to |z - y| = epsilon and linear beyond; exp(z) - y z (a log link: `predict`
        returns exp(z)).
    {penalty}
    epsilon : float, default=1.35
        Where the Huber loss becomes linear, in units of y.
    {parameters}

    Attributes
    ----------
    coef_ : array of shape (n_features,) or (n_outputs, n_features)
    intercept_ : float or array of shape (n_outputs,)
    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> from rmda_ref.linear_model import RMDARegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> model = RMDARegressor(alpha=0.1).fit(X, y)
    >>> np.flatnonzero(model.coef_)
    array([0, 7])
    >>> bool(model.dual_gap_ < 1e-8)
    True
    """

    def __init__(
        self,
        loss: str = "squared_error",
        penalty: Any = "l1",
        *,
        alpha: float = 1e-3,
        l1_ratio: float = 0.5,
        groups: Any = None,
        epsilon: float = 1.35,
        fit_intercept: bool = True,
        batch_size: int | str = "auto",
        step_size: float | str = "auto",
        momentum: float = 1.0,
        stages: Any = None,
        identify_epochs: int = 1,
        max_epochs: int = 1000,
        tol: float = 1e-10,
        polish: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        callback: Callable[[Record], Any] | None = None,
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.groups = groups
        self.epsilon = epsilon
        self.fit_intercept = fit_intercept
        self.batch_size = batch_size
        self.step_size = step_size
        self.momentum = momentum
        self.stages = stages
        self.identify_epochs = identify_epochs
        self.max_epochs = max_epochs
        self.tol = tol
        self.polish = polish
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback

    @whole
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to data.

        Parameters
        ----------
        X : array, CSR or CSC matrix of shape (n_samples, n_features)
            float32 and float64 are kept; CSC is converted to CSR once.
        y : array of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array of shape (n_samples,), optional
            At least 0; a whole number k counts as k repetitions.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters that do not fit; nothing has changed then.
        """
        return self._encoded(X, y, sample_weight, self._fit)

    @whole
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go on with RMDA on more data, batch by batch in their order, one step each.

        With ``momentum=1``, an entrywise penalty and CSR data a step costs O(nnz of the batch); ``coef_`` is evaluated
        when it is read. Parameters as `fit`; ``step_size="auto"`` is settled by the first batch.
        ValueError if loss, penalty, alpha, l1_ratio, groups, step_size or momentum is not what it was then.
        """
        first = not hasattr(self, "n_features_in_")
        X, y = self._checked(X, y, reset=first)
        return self._partial_fit(X, y, weights_of(X, sample_weight))

    def predict(self, X: Any) -> Array:
        """The predicted mean, shape as y: z, or exp(z) for ``loss="poisson"``."""
        z = self._decision(X)
        return np.exp(z) if self.loss == "poisson" else z

    def _checked(self, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
        return design_of(self, X, y, multi_output=True, y_numeric=True, **how)

    def _encoded(self, X: Any, y: Any, sample_weight: Any, use: Callable[..., Result]) -> Result:
        X, y = self._checked(X, y)
        return use(X, y, weights_of(X, sample_weight))

    def _loss(self, X: Any, y: Array, sample_weight: Array | None) -> LinearPredictorLoss:
        how: Any = {"fit_intercept": self.fit_intercept, "sample_weight": sample_weight}
        y = y.astype(X.dtype, copy=False)
        match self.loss:
            case "squared_error":
                return SquaredLoss(X, y, **how)
            case "huber":
                return HuberLoss(X, y, delta=checks.positive("epsilon", self.epsilon), **how)
            case "poisson":
                return PoissonLoss(X, y, **how)
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {self.loss!r}")

    def _public(self, coef: Array) -> Array:
        return coef

    def _public_intercept(self, intercept: Array) -> Any:
        return intercept if np.ndim(self.coef_) > 1 else intercept.reshape(-1)[0]
