"""The estimators with alpha chosen by cross-validation."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils.metaestimators import available_if
from sklearn.utils.parallel import Parallel, delayed

from rmda_ref.linear_model.base import Array, SparseLinearModel, weights_of
from rmda_ref.linear_model.classifier import RMDAClassifier
from rmda_ref.linear_model.history import Record
from rmda_ref.linear_model.path import along, alphas_of, strengthened
from rmda_ref.linear_model.penalties import penalty_of
from rmda_ref.linear_model.regressor import RMDARegressor
from rmda_ref.regularizers import Regularizer

Scorer = Callable[..., float]


def _takes_streams(model: Any) -> bool:
    raise AttributeError(f"{type(model).__name__} has no partial_fit, for its alpha is chosen by all data at once")


class CrossValidated(SparseLinearModel):
    """What makes a model choose its alpha; it stands before the model among the bases of a class."""

    alphas: Any
    n_alphas: int
    eps: float
    cv: Any
    scoring: Any
    n_jobs: int | None
    base: ClassVar[type[SparseLinearModel]]

    def _assign(self, given: dict[str, Any]) -> None:
        """Keep the parameters of ``__init__``: scikit-learn has it list them all and do nothing else."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose alpha, then fit to all data.

        Parameters
        ----------
        X, y, sample_weight : as the estimator without cross-validation
            The weights count in the fits and in the scores of each fold; all folds count alike.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For data or parameters that do not fit.
        """
        self._choose(X, y, sample_weight)
        return self._encoded(X, y, sample_weight, self._fit)

    def _choose(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fits along the path on all but one fold, scored on that fold."""
        base = strengthened(self._unchosen())
        X, y = base._checked(X, y)
        weight = weights_of(X, sample_weight)
        alphas = alphas_of(base, X, y, weight, self.alphas, self.n_alphas, self.eps)
        scorer = self._scorer()
        folds = check_cv(self.cv, y, classifier=is_classifier(self)).split(X, y)
        columns = Parallel(n_jobs=self.n_jobs)(
            delayed(scores_of)(base, X, y, weight, train, test, alphas, scorer) for train, test in folds
        )
        scores = np.array(columns).T
        if np.isnan(scores).any():
            raise ValueError(
                f"scoring={self.scoring!r} gave NaN in {int(np.isnan(scores).sum())} of {scores.size} fits"
            )
        self.alphas_, self.cv_scores_, self.mean_score_path_ = alphas, scores, scores.mean(axis=1)
        self.alpha_ = float(alphas[best_of(self.mean_score_path_, scores.shape[1])])

    def _unchosen(self) -> SparseLinearModel:
        """The model without its alpha; it says nothing while alphas are tried."""
        own = self.get_params(deep=False) | {"verbose": 0, "callback": None}
        return self.base(**{name: own[name] for name in self.base._get_param_names() if name in own})

    def _scorer(self) -> Scorer:
        scorer: Scorer = check_scoring(self, scoring=self.scoring)
        return scorer

    def _psi(self, shape: tuple[int, ...]) -> Regularizer:
        return penalty_of(self.penalty, self.alpha_, self.l1_ratio, self.groups, shape)

    partial_fit = available_if(_takes_streams)(RMDARegressor.partial_fit)


class RMDARegressorCV(CrossValidated, RMDARegressor):
    """`RMDARegressor` with the alpha that predicts best in cross-validation.

    Parameters
    ----------
    loss, penalty, l1_ratio, ..., callback
        As `RMDARegressor`, but for alpha; verbose and callback are for the last fit, to all data.
    alphas : sequence of float, optional
        By default a geometric sequence from `alpha_max` of all data to eps times it.
    n_alphas, eps : int and float, default=50 and 1e-3
        Its length and its ratio of the smallest to the largest.
    cv : int, splitter or iterable of (train, test), optional
        Folds; 5 by default.
    scoring : str or callable, optional
        What is to be large. By default minus the mean loss of the held-out samples.
    n_jobs : int, optional
        Processes that share the folds; see joblib.

    Attributes
    ----------
    alpha_ : float
        The alpha of the best mean score; the largest of those that are equally good.
    alphas_ : array of shape (n_alphas,), decreasing
    cv_scores_ : array of shape (n_alphas, n_folds)
    mean_score_path_ : array of shape (n_alphas,)
        Means over the folds.
    coef_, intercept_, dual_gap_, ...
        As `RMDARegressor`, of the fit to all data with alpha_.

    Examples
    --------
    >>> import numpy as np
    >>> from rmda_ref.linear_model import RMDARegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((50, 200))
    >>> y = 3 * X[:, 0] - 2 * X[:, 7] + 0.1 * rng.standard_normal(50)
    >>> model = RMDARegressorCV(n_alphas=10).fit(X, y)
    >>> np.flatnonzero(np.abs(model.coef_) > 0.1), bool(model.dual_gap_ < 1e-8)
    (array([0, 7]), True)
    """

    base = RMDARegressor

    def __init__(
        self,
        loss: str = "squared_error",
        penalty: Any = "l1",
        *,
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
        alphas: Any = None,
        n_alphas: int = 50,
        eps: float = 1e-3,
        cv: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self._assign(locals())

    def _scorer(self) -> Scorer:
        return held_out if self.scoring is None else super()._scorer()


class RMDAClassifierCV(CrossValidated, RMDAClassifier):
    """`RMDAClassifier` with the alpha that predicts best in cross-validation.

    Parameters
    ----------
    loss, penalty, l1_ratio, ..., class_weight
        As `RMDAClassifier`, but for alpha; verbose and callback are for the last fit, to all data.
    alphas, n_alphas, eps, n_jobs
        As `RMDARegressorCV`.
    cv : int, splitter or iterable of (train, test), optional
        Folds; 5 by default, each with the classes in the proportions of all data.
    scoring : str or callable, optional
        What is to be large: by default the accuracy; for example "neg_log_loss".

    Attributes
    ----------
    alpha_, alphas_, cv_scores_, mean_score_path_
        As `RMDARegressorCV`.
    coef_, intercept_, dual_gap_, ...
        As `RMDAClassifier`, of the fit to all data with alpha_.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from rmda_ref.linear_model import RMDAClassifierCV
    >>> X, y = load_iris(return_X_y=True)
    >>> model = RMDAClassifierCV(penalty="group_lasso", n_alphas=10, scoring="neg_log_loss").fit(X, y)
    >>> bool(model.score(X, y) > 0.95), model.cv_scores_.shape
    (True, (10, 5))
    """

    base = RMDAClassifier

    def __init__(
        self,
        loss: str = "log_loss",
        penalty: Any = "l1",
        *,
        l1_ratio: float = 0.5,
        groups: Any = None,
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
        class_weight: Any = None,
        alphas: Any = None,
        n_alphas: int = 50,
        eps: float = 1e-3,
        cv: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self._assign(locals())


def scores_of(
    estimator: SparseLinearModel,
    X: Any,
    y: Array,
    sample_weight: Array | None,
    train: Any,
    test: Any,
    alphas: Array,
    scorer: Scorer,
) -> list[float]:
    """The scores of one fold along the path."""
    weight = None if sample_weight is None else sample_weight[train]
    how = {} if sample_weight is None or not takes_weights(scorer) else {"sample_weight": sample_weight[test]}
    return [float(scorer(fit, X[test], y[test], **how)) for fit in along(estimator, X[train], y[train], weight, alphas)]


def held_out(model: SparseLinearModel, X: Any, y: Any, sample_weight: Any = None) -> float:
    """Minus the mean loss of samples."""
    X, y = model._checked(X, y, reset=False)
    return -model._loss(X, y, weights_of(X, sample_weight)).value_at(model._decision(X))


def takes_weights(scorer: Scorer) -> bool:
    """Whether a scorer, or the metric that it is made of, has sample weights."""
    known = signature(getattr(scorer, "_score_func", scorer)).parameters
    return "sample_weight" in known or any(one.kind is Parameter.VAR_KEYWORD for one in known.values())


def best_of(means: Array, n_folds: int) -> int:
    """The first, and so the most penalised, of the best means; those that differ by their rounding alone are equal."""
    rounding = n_folds * np.finfo(np.float64).eps * np.abs(means).max()
    return int(np.argmax(means >= means.max() - rounding))
