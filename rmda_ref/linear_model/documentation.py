"""The parts of the docstrings that the estimators share."""

from typing import TypeVar

EstimatorT = TypeVar("EstimatorT")

PENALTY = """penalty : {"l1", "elasticnet", "group_lasso", "sparse_group_lasso", "nuclear", "none"} or Regularizer
        psi(coef), by name with strength alpha: alpha ||coef||_1;
        alpha (l1_ratio ||coef||_1 + (1 - l1_ratio)/2 ||coef||^2); alpha sum_g sqrt(size_g) ||coef_g||;
        alpha (l1_ratio ||coef||_1 + (1 - l1_ratio) sum_g sqrt(size_g) ||coef_g||); alpha times the sum of the singular
        values (several outputs); 0. Or any `rmda_ref.Regularizer` of coefficients of the shape of ``coef_`` (of one
        dimension for one output), with its own strength: then alpha, l1_ratio and groups are not used.
    alpha : float, default=1e-3
        Strength, per sample as the loss is a mean; see `alpha_max`.
    l1_ratio : float in (0, 1], default=0.5
        For "elasticnet" and "sparse_group_lasso".
    groups : int, labels or lists of int, optional
        Groups of features: a size of consecutive ones, one label a feature, or the features of each group, which must
        hold each feature once. With several outputs (classes) a group holds its features' coefficients for all of
        them; by default each feature is then a group by itself."""

PARAMETERS = """fit_intercept : bool, default=True
        Whether to fit an intercept, which is not penalised.
    batch_size : int or "auto", default="auto"
        Samples in a gradient of RMDA. "auto": n/32, at least 32 and at most 1024.
    step_size : float or "auto", default="auto"
        eta of RMDA, per step. "auto": 1/L of a batch.
    momentum : float in (0, 1], default=1.0
        c of RMDA: 1 means no momentum.
    stages : int or sequence of rmda_ref.Stage, optional
        Stages of RMDA, between which it restarts: a number of equal ones, each with a tenth of the step size before it
        and up to ten times its c (the authors' rule), or explicit ones. One by default.
    identify_epochs : int, default=1
        The longest that RMDA may take for its manifold to settle before Newton takes over, in passes over the samples;
        0 leaves the phase out. It is left out, too, where gradients are so noisy that no margin could be seen in time.
    max_epochs : int, default=1000
        Bound on the passes of RMDA and the rounds of Newton together.
    tol : float, default=1e-10
        Ends the fit: duality gap over the objective of the null model (coefficients 0, best intercept); where psi has
        no gap (not convex, no penalty), KKT residual over that at the start or 1. With "nuclear", which Newton does not
        finish, about 1e-8 can be reached.
    polish : bool, default=True
        Whether Newton on the manifold finishes. False is RMDA alone for max_epochs or until tol.
    warm_start : bool, default=False
        Whether to start from the last solution.
    random_state : int, RandomState or None, default=None
        For the order of the samples.
    verbose : int, default=0
        1 prints a line an epoch.
    callback : callable, optional
        Called with each `Record` of the history; a true result ends the fit."""

ATTRIBUTES = """support_ : bool array of the shape of ``coef_``
        The manifold: which coefficients are not zero.
    dual_gap_ : float
        Proved bound on objective_ - optimum, computed with an allowance for rounding; infinite where psi has none.
    kkt_residual_ : float
        Distance of 0 from the subdifferential of the objective at the solution.
    objective_ : float
    margin_ : float
        Nondegeneracy: by how much the gradient may err, in the dual norm of a group, before the structure changes; NaN
        where it is not known, infinite where nothing is inactive.
    identification_epoch_ : float
        The pass of RMDA since which its manifold was the final one; NaN if Newton changed it.
    n_iter_ : int
        Passes of RMDA and rounds of Newton.
    history_ : History
        A `Record` an epoch; ``history_.plot()`` draws it.
    n_features_in_, feature_names_in_
        As in scikit-learn."""


def documented(estimator: type[EstimatorT]) -> type[EstimatorT]:
    """Fill in what is said once for both."""
    text = estimator.__doc__ or ""
    for name, part in (("penalty", PENALTY), ("parameters", PARAMETERS), ("attributes", ATTRIBUTES)):
        text = text.replace("{" + name + "}", part)
    estimator.__doc__ = text
    return estimator
