"""``partial_fit`` is `RMDA.step` on the batches as they come; on sparse data it costs what the data hold."""

import pickle
import re
import tracemalloc

import numpy as np
import pytest
from plain_objective import planted
from scipy import sparse

from rmda_ref import L1, RMDA, Block, Blocks, ElasticNet, GroupLasso
from rmda_ref.algorithms.lazy import LazyStepper
from rmda_ref.linear_model import RMDAClassifier, RMDARegressor
from rmda_ref.linear_model.problem import best_intercept
from rmda_ref.losses import LogisticLoss, MultinomialLoss, PoissonLoss, SquaredHingeLoss, SquaredLoss

N, D, BATCH, STEP = 60, 9, 8, 0.2
CLOSE = {"rtol": 0, "atol": 1e-13}  # 24 steps of size 0.2 with gradients of size 1 to 10, each correct to a few eps
KINDS = {
    "squared_error": ("squared_error", 1, SquaredLoss),
    "two outputs": ("squared_error", 2, SquaredLoss),
    "poisson": ("poisson", 1, PoissonLoss),
    "two classes": ("log_loss", 2, LogisticLoss),
    "three classes": ("log_loss", 3, MultinomialLoss),
    "squared_hinge": ("squared_hinge", 2, SquaredHingeLoss),
    "three hinges": ("squared_hinge", 3, SquaredHingeLoss),
}
VARIANTS = {
    "": {},
    "no intercept": {"fit_intercept": False},
    "momentum": {"momentum": 0.4},
    "elasticnet": {"penalty": "elasticnet"},
}


def sparse_data(kind, seed=0):
    """Mostly zeros, with a row of zeros and a column of zeros; X, y, weights."""
    loss, n_outputs, _ = KINDS[kind]
    X, y = planted(loss, n=N, d=D, n_outputs=n_outputs, seed=seed)
    X = np.where(np.random.default_rng(seed).random(X.shape) < 0.3, X, 0.0)
    X[5], X[:, 4] = 0, 0
    return X, y, np.arange(N) % 4.0


def estimator(kind, **how):
    loss = KINDS[kind][0]
    make = RMDAClassifier if loss in ("log_loss", "squared_hinge") else RMDARegressor
    return make(loss=loss, **({"alpha": 0.05, "step_size": STEP, "batch_size": BATCH} | how))


def feed(model, X, y, weight=None, parts=3):
    """In parts of 20 samples: two batches of 8 and one of 4 each."""
    classes = {"classes": np.unique(y)} if isinstance(model, RMDAClassifier) else {}
    for part in np.array_split(np.arange(len(y)), parts):
        how = classes | ({"sample_weight": weight[part]} if weight is not None else {})
        model.partial_fit(X[part], y[part], **how)
        classes = {}
    return model


def by_steps(kind, X, y, weight, *, penalty="l1", fit_intercept=True, momentum=1.0, parts=3):
    """Coefficients and intercepts of RMDA, from zero and the best constant for the first part."""
    _, n_outputs, make_loss = KINDS[kind]
    if make_loss in (LogisticLoss, SquaredHingeLoss):
        y = 2 * y - 1 if n_outputs == 2 else 2 * (y[:, None] == np.arange(3)) - 1
    extra = {"n_classes": 3} if make_loss is MultinomialLoss else {}
    psi = {"l1": L1(0.05), "elasticnet": ElasticNet(0.05), "group_lasso": GroupLasso(0.05, groups=range(D))}[penalty]
    state = None
    for part in np.array_split(np.arange(N), parts):
        share = None if weight is None else weight[part]
        loss = make_loss(X[part], y[part], fit_intercept=fit_intercept, sample_weight=share, **extra)
        shape = loss.weight_shape
        coef = np.zeros(shape)[..., :D]
        if state is None:
            blocks = [Block("coef", coef.shape, psi), Block("intercept", shape[:-1])]
            algorithm = RMDA(Blocks(tuple(blocks[: 1 + fit_intercept])), STEP, momentum)
            state = algorithm.init(np.concatenate((coef.ravel(), best_intercept(loss) if fit_intercept else [])))
        for start in range(0, len(part), BATCH):
            samples = np.arange(start, min(start + BATCH, len(part)))
            rows = [state.iterate[: coef.size].reshape(coef.shape), state.iterate[coef.size :].reshape(*shape[:-1], -1)]
            gradient = loss.gradient(np.concatenate(rows, axis=-1) if fit_intercept else rows[0], samples)
            flat = np.concatenate((gradient[..., :D].ravel(), gradient[..., D:].ravel()))
            state = algorithm.step(state, flat)
    w = state.prox_iterate
    return w[: coef.size].reshape(coef.shape), w[coef.size :]


def assert_is(model, coef, intercept, **close):
    np.testing.assert_allclose(model.coef_, coef.reshape(model.coef_.shape), **close)
    if not model.fit_intercept:
        intercept = np.zeros(coef.size // D)
    centre = intercept.mean() if model.loss == "log_loss" and intercept.size > 1 else 0
    np.testing.assert_allclose(np.ravel(model.intercept_), intercept - centre, **close)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_rmda_on_the_batches(kind, variant, weighted):
    """Dense data: bit for bit; CSR and CSC data: but for the order of sums. Momentum below 1 is run dense."""
    how = VARIANTS[variant]
    X, y, weight = sparse_data(kind)
    weight = weight if weighted else None
    coef, intercept = by_steps(kind, X, y, weight, **how)
    assert coef.any()
    assert_is(feed(estimator(kind, **how), X, y, weight), coef, intercept, rtol=0, atol=0)
    for make in (sparse.csr_array, sparse.csr_matrix):
        model = feed(estimator(kind, **how), make(X), y, weight)
        assert_is(model, coef, intercept, **CLOSE)
        assert (model._stream._lazy is not None) == (variant != "momentum")
        assert model.n_iter_ == 9


def test_groups_are_run_dense():
    X, y, _ = sparse_data("squared_error")
    coef, intercept = by_steps("squared_error", X, y, None, penalty="group_lasso")
    model = feed(estimator("squared_error", penalty="group_lasso"), sparse.csr_array(X), y)
    assert model._stream._lazy is None
    assert_is(model, coef, intercept, **CLOSE)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_do_not_matter_where_batches_are_the_same(kind):
    """The start is the best constant for the first part, so there is no intercept here."""
    X, y, _ = sparse_data(kind)
    one, four = (
        feed(estimator(kind, fit_intercept=False, batch_size=5), sparse.csr_array(X), y, parts=parts)
        for parts in (1, 4)
    )
    np.testing.assert_array_equal(one.coef_, four.coef_)


@pytest.mark.parametrize("kind", ["squared_error", "two outputs", "three classes"])
def test_weights_of_a_penalty(kind):
    X, y, _ = sparse_data(kind)
    shape = feed(estimator(kind), X, y).coef_.shape
    psi = L1(0.05, weights=np.arange(np.prod(shape)).reshape(shape) / 10)
    dense, lazy = (feed(estimator(kind, penalty=psi), A, y) for A in (X, sparse.csr_array(X)))
    assert lazy._stream._lazy is not None
    np.testing.assert_allclose(lazy.coef_, dense.coef_, **CLOSE)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_a_step_that_fails_is_not_taken(make):
    """An intercept that overflows: the clocks of coefficients and intercept stay together."""
    model = RMDARegressor("poisson", step_size=1000.0, batch_size=2)
    X, y = make(np.zeros((2, 3))), np.array([1.0, 2.0])
    model.partial_fit(X, y).partial_fit(X, y)
    with pytest.raises(ValueError, match=r"non-finite entries.*lower the step size"):
        for k in range(9):
            model.partial_fit(X, (1 + 5 * (k % 2)) * y)
    assert model._stream._lazy is None or model._stream._lazy.t == model._stream._state.t


def test_reading_in_between_changes_nothing():
    X, y, _ = sparse_data("three classes")
    X = sparse.csr_array(X)
    quiet, read = (estimator("three classes") for _ in range(2))
    for part in (slice(0, 30), slice(30, 60)):
        quiet.partial_fit(X[part], y[part], classes=[0, 1, 2])
        read.partial_fit(X[part], y[part], classes=[0, 1, 2])
        assert read.predict(X).shape == (N,)
        assert read.coef_ is read.coef_  # evaluated once
    np.testing.assert_array_equal(quiet.coef_, read.coef_)
    np.testing.assert_array_equal(quiet.intercept_, read.intercept_)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_other_data_are_refused_and_nothing_is_lost(make):
    X, y, _ = sparse_data("squared_error")
    model = estimator("squared_error").partial_fit(make(X), y)
    before = model.coef_.copy()
    with pytest.raises(ValueError, match="X has 8 features, but RMDARegressor is expecting 9 features"):
        model.partial_fit(make(X[:, :8]), y)
    with pytest.raises(ValueError, match="9 features and 2 outputs, which is not what the first call"):
        model.partial_fit(make(X), np.column_stack((y, y)))
    np.testing.assert_array_equal(model.coef_, before)
    again = feed(estimator("squared_error"), make(np.tile(X, (2, 1))), np.tile(y, 2), parts=2)
    np.testing.assert_array_equal(model.partial_fit(make(X), y).coef_, again.coef_)


def test_classes_are_needed_once_and_kept():
    X, y, _ = sparse_data("three classes")
    model = estimator("three classes")
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(X, y)
    model.partial_fit(X[:5], np.zeros(5, int), classes=[0, 1, 2])  # one class of three
    assert model.coef_.shape == (3, D)
    with pytest.raises(ValueError, match="not the same as on the last call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="labels that are not among the classes"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all data at once"):
        model.set_params(class_weight="balanced").partial_fit(X, y)
    assert model.n_iter_ == 1


@pytest.mark.parametrize(
    "new", [{"alpha": 0.06}, {"penalty": "elasticnet"}, {"step_size": 0.5}, {"momentum": 0.5}, {"groups": [[0, 1]]}]
)
def test_what_a_stream_is_made_with_does_not_change(new):
    X, y, _ = sparse_data("squared_error")
    model = estimator("squared_error").partial_fit(X, y)
    before = model.coef_.copy()
    ((name, value),) = new.items()
    with pytest.raises(ValueError, match=f"^{name} was .* when partial_fit began and is {re.escape(repr(value))} now"):
        model.set_params(**new).partial_fit(X, y)
    np.testing.assert_array_equal(model.coef_, before)
    same = model.set_params(**{name: getattr(estimator("squared_error"), name)})
    assert np.abs(same.partial_fit(X, y).coef_ - before).max() > 0


def test_equal_parameters_are_no_change():
    X, y, _ = sparse_data("squared_error")
    model = estimator("squared_error", penalty="group_lasso", groups=[0] * X.shape[1]).partial_fit(X, y)
    model.set_params(groups=[0] * X.shape[1]).partial_fit(X, y)
    pickle.loads(pickle.dumps(model)).partial_fit(X, y)


def test_it_goes_on_from_a_fit_and_a_fit_starts_anew():
    X, y, _ = sparse_data("squared_error")
    model = estimator("squared_error").fit(X, y)
    solution = model.coef_.copy()
    moved = model.partial_fit(X[:BATCH], y[:BATCH]).coef_
    assert 0 < np.abs(moved - solution).max() < 10 * STEP
    np.testing.assert_allclose(model.fit(X, y).coef_, solution, rtol=0, atol=1e-6)


def test_an_automatic_step_is_settled_by_the_first_batch():
    X, y, _ = sparse_data("squared_error")
    model = estimator("squared_error", step_size="auto", batch_size="auto").partial_fit(X, y)
    A = np.column_stack((X[:32], np.ones(32)))
    largest = np.linalg.eigvalsh(A.T @ A / 32)[-1]
    assert 0.8 / largest < model._stream._algorithm.step_size <= 1 / largest  # found by the power method


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_step_touches_what_its_batch_holds(outputs, monkeypatch):
    """A million features: no vector of that length is made while data come in, but for the state itself."""
    d, touched = 1_000_000, []
    for name in ("read", "step"):
        method = getattr(LazyStepper, name)

        def recorded(self, index, *rest, method=method):
            touched.append(len(index))
            return method(self, index, *rest)

        monkeypatch.setattr(LazyStepper, name, recorded)
    rng = np.random.default_rng(0)
    X = sparse.random_array((40, d), density=1e-5, format="csr", rng=rng)
    y = rng.standard_normal((40, outputs)) if outputs > 1 else rng.standard_normal(40)
    model = RMDARegressor(alpha=1e-3, step_size=0.1, batch_size=10).partial_fit(X, y)
    in_batches = [np.unique(X[start : start + 10].indices).size * outputs for start in range(0, 40, 10)]
    assert touched == [size for size in in_batches for _ in range(2)]
    assert max(touched) < 200 * outputs
    tracemalloc.start()
    model.partial_fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * d / 10  # bytes: no vector of that length
    assert model.coef_.size == d * outputs  # and reading evaluates all
    assert touched[-1] == d * outputs


def test_float32_stays_float32():
    X, y, _ = sparse_data("squared_error")
    for make in (np.asarray, sparse.csr_array):
        model = estimator("squared_error").partial_fit(make(X.astype(np.float32)), y)
        assert model.coef_.dtype == model.fit(make(X.astype(np.float32)), y).coef_.dtype == np.float32
