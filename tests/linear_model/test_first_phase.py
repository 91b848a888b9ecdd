"""``polish=False`` is Algorithm 1 of the paper and nothing else: `RMDA.step` on the same batches, bit for bit."""

import numpy as np
import pytest
from plain_objective import CLASSIFICATION, planted
from scipy import sparse

from rmda_ref import L1, RMDA, Block, Blocks, GroupLasso, Stage, decayed_stages, staged_steps
from rmda_ref.linear_model import RMDAClassifier, RMDARegressor
from rmda_ref.linear_model.identify import batch_size_of, batches
from rmda_ref.linear_model.problem import Problem
from rmda_ref.losses import LogisticLoss, MultinomialLoss, SquaredLoss

N, D, BATCH, EPOCHS, SEED = 70, 6, 16, 4, 5
LABELS = [0, 0, 1, 2, 2, 1]
STEPS_A_PASS = 5  # the last batch has 6 samples
pytestmark = pytest.mark.filterwarnings("ignore:.* stopped after:sklearn.exceptions.ConvergenceWarning")  # few epochs

LOSSES = {
    "squared_error": (1, lambda X, y, **how: SquaredLoss(X, y, **how)),
    "several outputs": (3, lambda X, y, **how: SquaredLoss(X, y, **how)),
    "log_loss": (2, lambda X, y, **how: LogisticLoss(X, 2 * y - 1, **how)),
    "multinomial": (3, lambda X, y, **how: MultinomialLoss(X, y, n_classes=3, **how)),
}
NAMES = {"several outputs": "squared_error", "multinomial": "log_loss"}
VARIANTS = {
    "": {},
    "intercept": {"intercept": True},
    "weights": {"intercept": True, "weighted": True},
    "momentum": {"intercept": True, "momentum": 0.3},
    "sparse": {"intercept": True, "make": sparse.csr_array},
    "float32": {"intercept": True, "make": np.float32},
}


def flat_gradient(loss, w, shape, samples):
    """Of the vector (coefficients, intercepts), from the loss, whose weights have the intercept in the last column."""
    n = int(np.prod(shape))
    rows = np.column_stack((w[:n].reshape(-1, shape[-1]), w[n:])) if loss.fit_intercept else w.reshape(shape)
    gradient = np.atleast_2d(loss.gradient(rows.reshape(loss.weight_shape), samples)).astype(np.float64)
    return np.concatenate((gradient[:, : shape[-1]].ravel(), gradient[:, shape[-1] :].ravel()))


def by_steps(loss, psi, stages):
    """The last state of RMDA, and the coefficients and intercepts of its structured point."""
    shape = (*loss.weight_shape[:-1], D)
    blocks = [Block("coef", shape, psi)]
    if loss.fit_intercept:
        blocks.append(Block("intercept", (int(np.prod(shape[:-1])),)))
    drawn = batches(N, BATCH, np.random.RandomState(SEED))
    start = Problem(loss, psi).start
    algorithm = RMDA(Blocks(tuple(blocks)), stages[0].step_size)
    states = staged_steps(algorithm, start, lambda w: flat_gradient(loss, w, shape, next(drawn)), stages)
    *_, last = states
    n = int(np.prod(shape))
    return last, last.prox_iterate[:n].reshape(shape), last.prox_iterate[n:]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("penalty", ["l1", "group_lasso", "labels"])
@pytest.mark.parametrize("name", LOSSES)
def test_it_is_rmda_bit_for_bit(name, penalty, variant):
    how = {"intercept": False, "weighted": False, "momentum": 1.0, "make": np.asarray} | VARIANTS[variant]
    n_outputs, make_loss = LOSSES[name]
    loss_name = NAMES.get(name, name)
    X, y = planted(loss_name, n=N, d=D, n_outputs=n_outputs)
    X = how["make"](X)
    weight = np.arange(N) % 4.0 if how["weighted"] else None
    several = n_outputs > 1 and name != "log_loss"
    psi = {
        "l1": L1(0.05),
        "group_lasso": GroupLasso(0.05, axis=0) if several else GroupLasso(0.05, groups=range(D)),
        "labels": GroupLasso(0.05, groups=np.tile(LABELS, n_outputs if several else 1)),
    }[penalty]
    model = (RMDAClassifier if loss_name in CLASSIFICATION else RMDARegressor)(
        loss=loss_name,
        penalty="l1" if penalty == "l1" else "group_lasso",
        groups=LABELS if penalty == "labels" else None,
        alpha=0.05,
        fit_intercept=how["intercept"],
        momentum=how["momentum"],
        step_size=0.3,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        polish=False,
        random_state=np.random.RandomState(SEED),
    ).fit(X, y, sample_weight=weight)
    loss = make_loss(X, y, fit_intercept=how["intercept"], sample_weight=weight)
    last, coef, intercept = by_steps(loss, psi, [Stage(EPOCHS * STEPS_A_PASS, 0.3, how["momentum"])])
    assert last.t == EPOCHS * STEPS_A_PASS
    coef, intercept = coef.astype(X.dtype), intercept.astype(X.dtype)
    np.testing.assert_array_equal(model.coef_, coef.reshape(model.coef_.shape))
    if how["intercept"]:  # multinomial ones are given with mean 0
        shift = intercept.mean() if name == "multinomial" else 0
        np.testing.assert_array_equal(np.ravel(model.intercept_), intercept - shift)
    else:
        assert not np.any(model.intercept_)
    assert model.n_iter_ == EPOCHS


@pytest.mark.parametrize("momentum", [1.0, 0.3])
@pytest.mark.parametrize("given", ["number", "sequence"])
def test_stages_restart(given, momentum):
    """A number of stages are equal ones with a tenth of the step size each; others are as they are given."""
    n_steps = EPOCHS * STEPS_A_PASS
    stages = {
        "number": decayed_stages(0.3, momentum, 0.1, [7, 6, 7]),
        "sequence": (Stage(8, 0.3, momentum), Stage(n_steps - 8, lambda t: 0.1 / t, 1.0)),
    }[given]
    X, y = planted(n=N, d=D)
    how = {"alpha": 0.05, "step_size": 0.3, "batch_size": BATCH, "max_epochs": EPOCHS, "momentum": momentum}
    how |= {"random_state": np.random.RandomState(SEED), "polish": False}
    model = RMDARegressor(**how, stages=3 if given == "number" else stages).fit(X, y)
    last, coef, intercept = by_steps(SquaredLoss(X, y, fit_intercept=True), L1(0.05), stages)
    assert last.t < n_steps  # it counts from the restart
    np.testing.assert_array_equal(model.coef_, coef)
    np.testing.assert_array_equal(model.intercept_, intercept[0])
    assert model.history_[-1].epoch == EPOCHS
    sizes = [record.step_size for record in model.history_[1:]]
    assert sizes[0] == 0.3
    assert sizes[-1] == (pytest.approx(0.003) if given == "number" else 0.1 / last.t)


def test_the_same_seed_gives_the_same_run():
    X, y = planted(n=N, d=D)

    def coef(seed):
        return RMDARegressor(alpha=0.05, polish=False, max_epochs=2, batch_size=8, random_state=seed).fit(X, y).coef_

    np.testing.assert_array_equal(coef(0), coef(0))
    assert (coef(0) != coef(1)).any()


@pytest.mark.parametrize("n_samples", [1, 31, 33, 2000, 100_000])
def test_an_automatic_batch(n_samples):
    """n/32, at least 32 and at most 1024: as many as that, or all of them, are drawn."""
    assert batch_size_of(n_samples, "auto") == min(n_samples, max(32, min(n_samples // 32, 1024)))
    assert batch_size_of(n_samples, 50) == min(50, n_samples)


def test_each_pass_sees_every_sample_once():
    drawn = batches(10, 4, np.random.RandomState(0))
    passes = [np.concatenate([next(drawn) for _ in range(3)]) for _ in range(2)]
    for samples in passes:
        np.testing.assert_array_equal(np.sort(samples), np.arange(10))
    assert (passes[0] != passes[1]).any()
