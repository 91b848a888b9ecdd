"""The other libraries of `validation.benchmarks.linear_models`, and plain FISTA in NumPy.

A fit takes X, y, the strength and a dial, the library's own tolerance or a budget of iterations, and returns
coefficients of shape (d,) or (d, K). Comments say what makes the library's objective ours:
mean loss + strength * sqrt(m) * sum of the norms of groups of m, without an intercept.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from validation.benchmarks.linear_problems import Array, Loss, Matrix, Problem, residual

try:
    import adelie
except ImportError:
    adelie = None
try:
    import celer
except ImportError:
    celer = None
try:
    from cyanure import estimators as cyanure
except ImportError:
    cyanure = None
try:
    from group_lasso import LogisticGroupLasso
except ImportError:
    LogisticGroupLasso = None
try:
    import skglm
    from skglm.datafits import Logistic
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD
except ImportError:
    skglm = None
from sklearn import linear_model

Fit = Callable[[Matrix, Array, float, float], Array]
TOLERANCES = tuple(10.0**-k for k in range(13))
ITERATIONS = tuple(float(round(10 * 2 ** (k / 2))) for k in range(26))  # 10 to 58000
UNLIMITED = 1_000_000


@dataclass(frozen=True)
class Entry:
    """A library's fit for a problem, None where it is not installed; dials from loose to tight.

    ``order`` is that of the X it gets, made outside the timing: what it need not copy.
    """

    library: str
    fit: Fit | None
    dials: tuple[float, ...] = TOLERANCES
    order: str = "F"


# skglm: the same objectives; its tolerance bounds the distance to the subdifferential, a slope, so it scales with the
# strength.


def skglm_logistic(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = skglm.SparseLogisticRegression(strength, tol=tol * strength, max_iter=1000, fit_intercept=False)
    return np.ravel(model.fit(X, y).coef_)


def skglm_logistic_cd(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    solver = AndersonCD(max_iter=1000, tol=tol * strength, fit_intercept=False)
    model = skglm.GeneralizedLinearEstimator(Logistic(), L1(strength), solver)
    return np.ravel(model.fit(X, y).coef_)


def skglm_lasso(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = skglm.Lasso(strength, tol=tol * strength, max_iter=1000, fit_intercept=False)
    return np.asarray(model.fit(X, y).coef_)


def skglm_groups(X: Matrix, y: Array, strength: float, tol: float, group: int) -> Array:
    weights = np.full(X.shape[1] // group, math.sqrt(group))
    model = skglm.GroupLasso(group, strength, weights=weights, tol=tol * strength, max_iter=1000, fit_intercept=False)
    return np.asarray(model.fit(X, y).coef_)


# celer: the same objectives, but a sum of logistic losses (C). Its tolerance is a gap over F(0).


def celer_logistic(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = celer.LogisticRegression(C=1 / (strength * len(y)), tol=tol, max_iter=1000)
    return np.ravel(model.fit(X, y).coef_)


def celer_lasso(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = celer.Lasso(strength, tol=tol, max_iter=1000, fit_intercept=False)
    return np.asarray(model.fit(X, y).coef_)


def celer_groups(X: Matrix, y: Array, strength: float, tol: float, group: int) -> Array:
    weights = np.full(X.shape[1] // group, math.sqrt(group))
    model = celer.GroupLasso(group, strength, weights=weights, tol=tol, max_iter=1000, fit_intercept=False)
    return np.asarray(model.fit(X, y).coef_)


# scikit-learn: a sum of logistic losses (C), l1_ratio=1; the lasso is the same.


def sklearn_liblinear(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    C = 1 / (strength * len(y))
    model = linear_model.LogisticRegression(
        C=C, l1_ratio=1, solver="liblinear", tol=tol, max_iter=UNLIMITED, fit_intercept=False, random_state=0
    )
    return np.ravel(model.fit(X, y).coef_)


def sklearn_saga(X: Matrix, y: Array, strength: float, epochs: float) -> Array:
    C = 1 / (strength * len(y))
    model = linear_model.LogisticRegression(
        C=C, l1_ratio=1, solver="saga", tol=1e-15, max_iter=int(epochs), fit_intercept=False, random_state=0
    )
    return np.ravel(model.fit(X, y).coef_)


def sklearn_lasso(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = linear_model.Lasso(strength, tol=tol, max_iter=UNLIMITED, fit_intercept=False)
    return np.asarray(model.fit(X, y).coef_)


# adelie: its squared loss lacks the constant ||y||^2 / 2n; labels are 0 and 1; its multinomial loss is divided by K,
# and so is the strength. The penalty's weights are the roots of the group sizes by themselves.


def adelie_path(X: Matrix, glm: object, strength: float, tol: float, group: int = 1) -> Array:
    state = adelie.grpnet(
        adelie.matrix.sparse(X, method="naive") if sparse.issparse(X) else X,
        glm,
        groups=np.arange(0, X.shape[1], group),
        lmda_path=[strength],
        tol=tol,
        irls_tol=tol,
        intercept=False,
        early_exit=False,
        progress_bar=False,
        n_threads=1,
    )
    return np.asarray(state.betas[-1].toarray()[0])


def adelie_squared(X: Matrix, y: Array, strength: float, tol: float, group: int) -> Array:
    return adelie_path(X, adelie.glm.gaussian(y), strength, tol, group)


def adelie_logistic(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    return adelie_path(X, adelie.glm.binomial((y + 1) / 2), strength, tol)


def adelie_rows(X: Matrix, y: Array, strength: float, tol: float, group: int) -> Array:
    flat = adelie_path(X, adelie.glm.multinomial(np.eye(group)[y]), strength / group, tol)
    return flat.reshape(-1, group)


# cyanure: the same objectives (its square loss has the 1/2); row groups have no weights. Its tolerance is a gap over F.
# Not L1Logistic: beyond 1000 features it starts a process and its working sets stop at 6e-4 on problem b (1.2.2).

CYANURE = {"max_iter": UNLIMITED, "fit_intercept": False, "n_threads": 1, "verbose": False}


def cyanure_logistic(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = cyanure.Classifier(loss="logistic", penalty="l1", lambda_1=strength, tol=tol, **CYANURE)
    return np.ravel(model.fit(X, y).coef_)


def cyanure_lasso(X: Matrix, y: Array, strength: float, tol: float) -> Array:
    model = cyanure.Lasso(lambda_1=strength, tol=tol, **CYANURE)
    return np.ravel(model.fit(X, y).coef_)


def cyanure_rows(X: Matrix, y: Array, strength: float, tol: float, group: int) -> Array:
    model = cyanure.Classifier(
        loss="multiclass-logistic", penalty="l1l2", lambda_1=strength * math.sqrt(group), tol=tol, **CYANURE
    )
    return np.asarray(model.fit(X, y).coef_)


# group-lasso: its step is of half the gradient, its threshold that of the whole, so it minimises loss + 2 penalty: half
# the strength (1.5.0). A row of W is one feature to it, a group of size 1, so the root is in the strength.


def group_lasso_rows(X: Matrix, y: Array, strength: float, iterations: float, group: int) -> Array:
    model = LogisticGroupLasso(
        groups=np.arange(X.shape[1]),
        group_reg=strength * math.sqrt(group) / 2,
        l1_reg=0,
        n_iter=int(iterations),
        tol=1e-15,
        fit_intercept=False,
        random_state=0,
        supress_warning=True,
    )
    return np.asarray(model.fit(X, y).coef_)


def fista(X: Matrix, y: Array, strength: float, iterations: float, loss: Loss, group: int) -> Array:
    """FISTA (Beck & Teboulle 2009), momentum restarted where it points uphill (O'Donoghue & Candès 2015)."""
    n, d = X.shape
    columns = X.T.tocsr() if sparse.issparse(X) else X.T
    v = np.random.default_rng(0).standard_normal(d)
    for _ in range(30):
        v = columns @ (X @ v)
        largest = float(np.linalg.norm(v))
        v /= largest
    # The power iteration comes from below; 5% make up for it.
    step = n / (1.05 * largest * {"squared": 1, "logistic": 1 / 4, "multinomial": 1 / 2}[loss])
    threshold = step * strength * math.sqrt(group)
    W = np.zeros((d, group) if loss == "multinomial" else d)
    V, momentum = W, 1.0
    for _ in range(int(iterations)):
        rows = (V - step / n * (columns @ residual(loss, X @ V, y))).reshape(-1, group)
        norms = np.abs(rows) if group == 1 else np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
        ahead = (rows * (1 - threshold / np.maximum(norms, threshold))).reshape(W.shape)
        if np.vdot(V - ahead, ahead - W) > 0:
            momentum = 1.0
        following = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        V = ahead + (momentum - 1) / following * (ahead - W)
        W, momentum = ahead, following
    return W


def entries(problem: Problem) -> list[Entry]:
    """Who can do this problem."""
    m = problem.group
    plain = Entry("FISTA, NumPy", partial(fista, loss=problem.loss, group=m), ITERATIONS, "C")
    match problem.kind:
        case "logistic, l1":
            found = [
                Entry("skglm ProxNewton", skglm_logistic if skglm else None),
                Entry("skglm AndersonCD", skglm_logistic_cd if skglm else None),
                Entry("celer", celer_logistic if celer else None, order="C"),
                Entry("liblinear", sklearn_liblinear, order="C"),
                Entry("scikit-learn saga", sklearn_saga, ITERATIONS, "C"),
                Entry("adelie", adelie_logistic if adelie else None),
                Entry("cyanure", cyanure_logistic if cyanure else None, order="C"),
            ]
        case "squared, l1":
            found = [
                Entry("skglm", skglm_lasso if skglm else None),
                Entry("celer", celer_lasso if celer else None),
                Entry("scikit-learn", sklearn_lasso),
                Entry("adelie", partial(adelie_squared, group=1) if adelie else None),
                Entry("cyanure", cyanure_lasso if cyanure else None, order="C"),
            ]
        case "squared, groups":
            found = [
                Entry("skglm", partial(skglm_groups, group=m) if skglm else None),
                Entry("celer", partial(celer_groups, group=m) if celer else None),
                Entry("adelie", partial(adelie_squared, group=m) if adelie else None),
            ]
        case _:
            found = [
                Entry("adelie", partial(adelie_rows, group=m) if adelie else None),
                Entry("cyanure", partial(cyanure_rows, group=m) if cyanure else None, order="C"),
                Entry("group-lasso", partial(group_lasso_rows, group=m) if LogisticGroupLasso else None, ITERATIONS),
            ]
    return [*found, plain]
