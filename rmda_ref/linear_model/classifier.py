"""The classifier."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy.special import expit, log_softmax, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from rmda_ref.linear_model.base import Array, Result, SparseLinearModel, design_of, weights_of, whole
from rmda_ref.linear_model.documentation import documented
from rmda_ref.linear_model.history import Record
from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredHingeLoss
from rmda_ref.losses.base import LinearPredictorLoss

LOSSES = ("log_loss", "squared_hinge")


def _has_probabilities(model: Any) -> bool:
    if model.loss != "log_loss":
        raise AttributeError(f"probabilities need loss='log_loss', got loss={model.loss!r}")
    return True


@documented
class RMDAClassifier(ClassifierMixin, SparseLinearModel):
    """Sparse linear classification with a certificate: RMDA finds the structure, Newton finishes, the gap proves it.

    It minimises, with z_i = x_i . coef + intercept and shares pi_i = 1/n (or weight over their sum),

        sum_i pi_i l(z_i, y_i) + psi(coef).

    With more than two classes coef has a row a class: "log_loss" is the true multinomial loss, and
    ``penalty="group_lasso"`` takes or leaves a feature for all classes together, the convex problem of the RMDA paper.

    Parameters
    ----------
    loss : {"log_loss", "squared_hinge"}, default="log_loss"
        l(z, y) = log(1 + exp(-y z)) for y = -1, 1, or log sum_k exp(z_k) - z_y; max(0, 1 - y z)^2, with more than two
        classes summed over one-against-the-rest problems that share the penalty.
    {penalty}
    {parameters}
    class_weight : dict, "balanced" or None, default=None
        Weights of classes, multiplied into sample_weight.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    coef_ : array of shape (1, n_features) or (n_classes, n_features)
    intercept_ : array of shape (1,) or (n_classes,)
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from rmda_ref.linear_model import RMDAClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = RMDAClassifier(penalty="group_lasso", alpha=0.01, random_state=0).fit(X / 16, y)
    >>> int(model.support_.any(axis=0).sum()), bool(model.dual_gap_ < 1e-8)  # pixels in the model, of 64
    (21, True)
    """

    def __init__(
        self,
        loss: str = "log_loss",
        penalty: Any = "l1",
        *,
        alpha: float = 1e-3,
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
    ) -> None:
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.groups = groups
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
        self.class_weight = class_weight

    @whole
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to data.

        Parameters
        ----------
        X : array, CSR or CSC matrix of shape (n_samples, n_features)
            float32 and float64 are kept; CSC is converted to CSR once.
        y : array of shape (n_samples,)
            Labels of any kind, of at least two classes.
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
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go on with RMDA on more data, batch by batch in their order, one step each.

        With ``momentum=1``, an entrywise penalty and CSR data a step costs O(nnz of the batch); ``coef_`` is evaluated
        when it is read. ``step_size="auto"`` is settled by the first batch.
        ValueError if loss, penalty, alpha, l1_ratio, groups, step_size or momentum is not what it was then.

        Parameters
        ----------
        X, y, sample_weight : as `fit`
        classes : array, of all classes, needed in the first call
        """
        first = not hasattr(self, "classes_")
        X, y = self._checked(X, y, reset=first)
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        known = np.unique(classes) if first else self.classes_
        if classes is not None and not np.array_equal(np.unique(classes), known):
            raise ValueError(f"classes={classes!r} is not the same as on the last call to partial_fit: {known!r}")
        if not np.isin(y, known).all():
            raise ValueError(f"y holds labels that are not among the classes {known!r}")
        if self.class_weight == "balanced":
            raise ValueError("class_weight='balanced' needs all data at once; give partial_fit a dict of weights")
        return self._with_classes(X, np.searchsorted(known, y), known, sample_weight, self._partial_fit)

    def _checked(self, X: Any, y: Any, **how: Any) -> tuple[Any, Any]:
        X, y = design_of(self, X, y, **how)
        check_classification_targets(y)
        return X, y

    def _encoded(self, X: Any, y: Any, sample_weight: Any, use: Callable[..., Result]) -> Result:
        X, y = self._checked(X, y)
        classes, codes = np.unique(y, return_inverse=True)
        return self._with_classes(X, codes, classes, sample_weight, use)

    def _with_classes(
        self, X: Any, codes: Array, classes: Array, sample_weight: Any, use: Callable[..., Result]
    ) -> Result:
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes in the data, but the data contains only "
                f"one class: {classes[0]!r}"
            )
        weight = weights_of(X, sample_weight)
        if self.class_weight is not None:
            of_class = compute_class_weight(self.class_weight, classes=classes, y=classes[codes])
            weight = of_class[codes] * (1.0 if weight is None else weight)
        before, self.classes_ = getattr(self, "classes_", None), classes
        try:
            return use(X, codes, weight)
        except BaseException:
            if before is None:
                del self.classes_
            else:
                self.classes_ = before
            raise

    def decision_function(self, X: Any) -> Array:
        """z: shape (n_samples,) for two classes, positive for the second; else (n_samples, n_classes)."""
        z = self._decision(X)
        return z.ravel() if z.shape[1] == 1 else z

    def predict(self, X: Any) -> Array:
        """The likeliest class of each sample."""
        z = self.decision_function(X)
        return np.asarray(self.classes_[(z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)])

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Probabilities, shape (n_samples, n_classes)."""
        z = self.decision_function(X)
        return np.stack((expit(-z), expit(z)), axis=1) if z.ndim == 1 else np.asarray(softmax(z, axis=1))

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Logarithms of `predict_proba`."""
        z = self.decision_function(X)
        if z.ndim > 1:
            return np.asarray(log_softmax(z, axis=1))
        return -np.logaddexp(0, np.stack((z, -z), axis=1))

    def _loss(self, X: Any, y: Array, sample_weight: Array | None) -> LinearPredictorLoss:
        how: Any = {"fit_intercept": self.fit_intercept, "sample_weight": sample_weight}
        n_classes = len(self.classes_)
        match self.loss:
            case "log_loss":
                if n_classes > 2:
                    return MultinomialLoss(X, y, n_classes=n_classes, **how)
                return LogisticLoss(X, 2 * y - 1, **how)
            case "squared_hinge":
                signs = 2 * (y[:, None] == np.arange(n_classes)) - 1 if n_classes > 2 else 2 * y - 1
                return SquaredHingeLoss(X, signs, **how)
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {self.loss!r}")

    def _public(self, coef: Array) -> Array:
        return np.atleast_2d(coef)

    def _public_intercept(self, intercept: Array) -> Array:
        """Of multinomial ones only differences matter: those of mean 0."""
        several = self.loss == "log_loss" and len(intercept) > 1
        return intercept - intercept.mean() if several else intercept
