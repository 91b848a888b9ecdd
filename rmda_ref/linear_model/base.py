"""What the two estimators share: parameters, data, the fit and what it leaves behind."""

import warnings
from abc import abstractmethod
from collections.abc import Callable
from functools import wraps
from typing import Any, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from rmda_ref import checks
from rmda_ref.certificates.duality import missing_certificate
from rmda_ref.certificates.margin import margin
from rmda_ref.linear_model.fit import Options, Outcome, fit
from rmda_ref.linear_model.history import Record
from rmda_ref.linear_model.penalties import penalty_of
from rmda_ref.linear_model.problem import Problem
from rmda_ref.linear_model.stream import Stream
from rmda_ref.losses.base import LinearPredictorLoss
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import MOMENTUM_REMEDY

OF_A_FIT = (
    "objective_",
    "dual_gap_",
    "kkt_residual_",
    "history_",
    "identification_epoch_",
    "support_",
    "margin_",
)  # what partial_fit does not keep up to date
OF_A_STREAM = ("loss", "penalty", "alpha", "l1_ratio", "groups", "step_size", "momentum")  # what it is made with
Array = npt.NDArray[Any]
Result = TypeVar("Result")
MethodT = TypeVar("MethodT", bound=Callable[..., Any])


def whole(method: MethodT) -> MethodT:
    """A method of an estimator that succeeds or leaves the estimator as it was."""

    @wraps(method)
    def kept(self: Any, *arguments: Any, **keywords: Any) -> Any:
        before = dict(self.__dict__)
        try:
            result = method(self, *arguments, **keywords)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        if message := self.__dict__.pop("_warning", None):
            warnings.warn(message, ConvergenceWarning, stacklevel=2)
        return result

    return cast(MethodT, kept)


class SparseLinearModel(BaseEstimator):
    """A linear model by RMDA and Newton on the manifold; `RMDARegressor` and `RMDAClassifier` are the public ones."""

    penalty: Any
    alpha: float
    l1_ratio: float
    groups: Any
    fit_intercept: bool
    batch_size: int | str
    step_size: float | str
    momentum: float
    stages: Any
    identify_epochs: int
    max_epochs: int
    tol: float
    polish: bool
    warm_start: bool
    random_state: Any
    verbose: int
    callback: Callable[[Record], Any] | None
    coef_: Any
    intercept_: Any
    _stream: Stream | None

    @abstractmethod
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to data."""

    @abstractmethod
    def _checked(self, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
        """X and y as the losses take them; labels stay as they are."""

    @abstractmethod
    def _encoded(self, X: Any, y: Any, sample_weight: Any, use: Callable[..., Result]) -> Result:
        """``use(X, y, weight)`` of checked X, encoded y and the weights with those of classes."""

    @abstractmethod
    def _loss(self, X: Any, y: Array, sample_weight: Array | None) -> LinearPredictorLoss:
        """The loss of encoded targets."""

    @abstractmethod
    def _public(self, coef: Array) -> Array:
        """Coefficients of the flat problem as ``coef_``."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # ---- fit

    def _fit(self, X: Any, y: Array, sample_weight: Array | None) -> Self:
        """Fit to checked X and encoded y."""
        options = self._options()
        problem = self._problem(X, y, sample_weight)
        w = self._last(problem) if self.warm_start else problem.start
        outcome = fit(problem, w, options)
        self._stream = None
        self._keep(problem, outcome)
        self._warn(problem, outcome)
        return self

    def _options(self) -> Options:
        checks.nonnegative("tol", self.tol)
        checks.count("max_epochs", self.max_epochs, 1, "it bounds passes of RMDA and rounds of Newton together")
        checks.count("identify_epochs", self.identify_epochs, 0, "0 leaves the first phase out")
        if not isinstance(self.step_size, str):
            checks.positive("step_size", self.step_size)
        elif self.step_size != "auto":
            raise ValueError(f"step_size must be 'auto' or a positive number, got {self.step_size!r}")
        if not isinstance(self.batch_size, str):
            checks.count("batch_size", self.batch_size, 1, "it is the number of samples in a gradient")
        elif self.batch_size != "auto":
            raise ValueError(f"batch_size must be 'auto' or a positive integer, got {self.batch_size!r}")
        checks.fraction("momentum", self.momentum, MOMENTUM_REMEDY)
        return Options(
            batch_size=self.batch_size,
            step_size=self.step_size,
            momentum=self.momentum,
            stages=self.stages,
            max_epochs=self.max_epochs,
            identify_epochs=self.identify_epochs,
            tol=self.tol,
            polish=self.polish,
            rng=check_random_state(self.random_state),
            observe=self._observe,
        )

    def _observe(self, record: Record) -> bool:
        if self.verbose:
            print(record, flush=True)
        return bool(self.callback(record)) if self.callback is not None else False

    def _problem(self, X: Any, y: Array, sample_weight: Array | None) -> Problem:
        loss = self._loss(X, y, sample_weight)
        return Problem(loss, self._psi((*loss.weight_shape[:-1], loss.n_features)))

    def _psi(self, shape: tuple[int, ...]) -> Regularizer:
        return penalty_of(self.penalty, self.alpha, self.l1_ratio, self.groups, shape)

    def _last(self, problem: Problem) -> Array:
        """The last solution if there is one that fits, else the null model."""
        if not hasattr(self, "coef_"):
            return problem.start
        coef = np.asarray(self.coef_.toarray() if sparse.issparse(self.coef_) else self.coef_, np.float64)
        intercept = np.ravel(np.asarray(self.intercept_, np.float64))
        w = np.concatenate((coef.ravel(), intercept)) if self.fit_intercept else coef.ravel()
        return w if w.shape == problem.start.shape else problem.start

    def _keep(self, problem: Problem, outcome: Outcome) -> None:
        """The attributes of a fit."""
        model, point = problem.model, outcome.point
        coef = model.coefficients(point.w)
        self._set(problem, point.w)
        self.objective_, self.dual_gap_, _ = point.certificate
        self.kkt_residual_ = point.kkt_residual
        self.history_, self.identification_epoch_ = outcome.history, outcome.identification_epoch
        self.n_iter_ = max(int(np.ceil(outcome.history[-1].epoch)), 1)
        self.support_ = self._public(_mask(problem.psi, coef))
        try:
            self.margin_ = margin(problem.psi, coef, -model.coefficients(point.gradient))
        except TypeError:
            self.margin_ = np.nan

    def _set(self, problem: Problem, w: Array) -> None:
        model, dtype = problem.model, problem.loss.X.dtype
        self.coef_ = self._public(model.coefficients(w).astype(dtype))
        intercept = w[model.n_coef :].astype(dtype) if self.fit_intercept else np.zeros(model.n_outputs, dtype)
        self.intercept_ = self._public_intercept(intercept)

    def _public_intercept(self, intercept: Array) -> Any:
        return intercept

    def _warn(self, problem: Problem, outcome: Outcome) -> None:
        gap = outcome.point.certificate.gap
        missing = missing_certificate(problem.psi) if np.isinf(gap) else None
        if np.isinf(gap) and missing is None:
            missing = (
                f"{type(problem.psi).__name__} has no useful dual point here: the KKT residual is all that is known"
            )
        if outcome.converged:
            if missing and self.verbose:
                print(missing)
            return
        reached = (
            f"the KKT residual is {outcome.point.kkt_residual:.2e} ({missing})"
            if missing
            else f"the duality gap is {gap:.2e}, {gap / outcome.scale:.1e} of the null objective"
        )
        self._warning = (
            f"{type(self).__name__} stopped after {self.n_iter_} epochs before tol={self.tol:g} was reached: {reached}"
            ". Increase max_epochs, alpha or tol, or scale the features."
        )

    # ---- streams

    def _partial_fit(self, X: Any, y: Array, sample_weight: Array | None) -> Self:
        """RMDA steps on the batches of X, in their order, from where the last call ended."""
        options = self._options()
        problem = self._problem(X, y, sample_weight)
        given = {name: getattr(self, name) for name in OF_A_STREAM}
        stream = getattr(self, "_stream", None) or Stream(problem, self._last(problem), given)
        stream.check(given)
        stream.feed(problem, options.batch_size)
        self._stream, self.n_iter_ = stream, stream.t
        for name in ("coef_", "intercept_", *OF_A_FIT):
            self.__dict__.pop(name, None)
        return self

    def __getattr__(self, name: str) -> Any:
        """``coef_`` and ``intercept_`` after `partial_fit` are evaluated when they are read: O(n_features)."""
        stream = self.__dict__.get("_stream")
        if name not in ("coef_", "intercept_") or stream is None:
            return self.__getattribute__(name)  # raises again what led here, with its reason
        coef, intercept = stream.read()
        if not self.fit_intercept:
            intercept = np.zeros(coef.shape[0] if coef.ndim > 1 else 1)
        self.coef_ = self._public(coef)
        self.intercept_ = self._public_intercept(intercept)
        return self.__dict__[name]

    # ---- use

    def _decision(self, X: Any) -> Array:
        """X coef + intercept, shape (n_samples,) or (n_samples, n_outputs)."""
        check_is_fitted(self, "n_features_in_")
        X = validate_data(self, X, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32], reset=False)
        coef = self.coef_
        z = X @ coef.T
        z = z.toarray() if sparse.issparse(z) else np.asarray(z)
        if np.ndim(self.intercept_) == 0:  # a sparse matrix has two dimensions, whatever it was made of
            z = z.reshape(-1)
        return np.asarray(z + self.intercept_)

    def sparsify(self) -> Self:
        """Store ``coef_`` as a CSR matrix, which pays where most of it is zero; `densify` undoes it."""
        check_is_fitted(self, "n_features_in_")
        self.coef_ = sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as an array again."""
        check_is_fitted(self, "n_features_in_")
        if sparse.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self


def _mask(psi: Regularizer, coef: Array) -> Array:
    """Which coefficients the manifold lets differ from zero."""
    along = psi.tangent(coef)
    return np.asarray(coef != 0 if along is None else along.active & (coef != 0))


def design_of(model: Any, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
    """X and y as the losses take them: float32 or float64, dense or CSR."""
    return validate_data(model, X, y, accept_sparse="csr", dtype=[np.float64, np.float32], order="C", **how)


def weights_of(X: Any, sample_weight: Any) -> Array | None:
    """Checked sample weights, or None."""
    if sample_weight is None:
        return None
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.any():
        raise ValueError("sample_weight must not be zero for every sample")
    return np.asarray(weight)
