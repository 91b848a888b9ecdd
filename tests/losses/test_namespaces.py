"""The losses on arrays of other namespaces: the numbers of NumPy, in the same dtype, and nothing copied unasked."""

from dataclasses import dataclass

import array_api_strict as strict
import numpy as np
import pytest
from examples import LOSSES, N_SAMPLES, VARIANTS, make_loss, variants, weights

from rmda_ref.losses import HuberLoss, LogisticLoss, MultinomialLoss, SquaredLoss, design
from rmda_ref.losses.special import entr, expit, one_hot, xlogy
from rmda_ref.namespace import namespace, on_host

BATCH = np.array([0, 3, 3, 5])
DEVICE = strict.Device("device1")  # the host cannot read its arrays as NumPy's
every_loss = pytest.mark.parametrize("case", variants(LOSSES), ids=lambda c: f"{c[0].__name__}-{c[1]}")


def loss_of(case, dtype="float64"):
    return make_loss(case[0], make_design=lambda X: X.astype(dtype), **VARIANTS[case[1]])


def moved(loss, put, loss_class=None):
    """The same loss, with its data put elsewhere."""
    weight = loss.sample_weight
    how = {"n_classes": loss.n_classes} if isinstance(loss, MultinomialLoss) else {}
    return (loss_class or type(loss))(
        put(loss.X),
        put(loss.y),
        fit_intercept=loss.fit_intercept,
        sample_weight=weight if weight is None else put(weight),
        **how,
    )


def results(loss, put):
    """All that a loss computes, by name."""
    w, direction = put(weights(loss).astype(loss_dtype(loss))), put(weights(loss, seed=2).astype(loss_dtype(loss)))
    z, u = loss.decision(w), loss.dual_point(w)
    value, gradient = loss.value_and_gradient(w)
    found = {
        "decision": z,
        "dual_point": u,
        "gradient": loss.gradient(w),
        "gradient of a batch": loss.gradient(w, BATCH),
        "gradient of value_and_gradient": gradient,
        "hessian_product": loss.hessian_product(w, direction),
        "curvature": loss.curvature_at(z)[0],
        "sum of curvatures": loss.curvature_at(z)[1],
        "balanced": loss.balanced(u),
        "value": loss.value(w),
        "value of value_and_gradient": value,
        "conjugate": loss.conjugate(u),
        "conjugate outside": loss.conjugate(-40 * u),
        "lipschitz": loss.lipschitz() if np.isfinite(loss.smoothness) else 0.0,
    }
    if isinstance(loss, MultinomialLoss):
        found |= {"accuracy": loss.accuracy(w)}
    return found


def loss_dtype(loss):
    return str(loss.X.dtype).rpartition(".")[2]


def worst(found, expected, read=on_host):
    """The largest error of each result, in eps of the size of the largest one."""
    eps = np.finfo(expected["gradient"].dtype).eps
    errors = {}
    for name, right in expected.items():
        here = found[name] if isinstance(found[name], float) else read(found[name])
        size = max(1.0, np.abs(right[np.isfinite(right)]).max(initial=0)) if np.ndim(right) else max(1.0, abs(right))
        same = np.equal(here, right)
        errors[name] = 0.0 if np.all(same) else float(np.abs(np.subtract(here, right)[~same]).max() / size / eps)
    return errors


# A predictor is a sum of at most 5 products below 4, hence off by 5 * 5 * 4 eps; what follows is Lipschitz with a
# constant below 10 where it is not a sum of 12 such numbers, of relative error 12 eps more.
ROUNDINGS = 1000


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_are_those_of_numpy(xp, case, dtype):
    plain = loss_of(case, dtype)
    there = moved(plain, xp.asarray)
    found, expected = results(there, xp.asarray), results(plain, np.asarray)
    for name, result in found.items():
        if isinstance(expected[name], float):
            assert isinstance(result, float), name
        else:
            assert namespace(result) is xp and result.dtype == getattr(xp, dtype), name
            assert tuple(result.shape) == expected[name].shape, name
    errors = worst(found, expected)
    assert max(errors.values()) < ROUNDINGS, errors


def test_predictions_are_those_of_numpy(xp):
    plain = make_loss(MultinomialLoss)
    w = weights(plain)
    predicted = moved(plain, xp.asarray).predict(xp.asarray(w))
    np.testing.assert_array_equal(on_host(predicted), plain.predict(w))


@dataclass(frozen=True, eq=False)
class ShareForgotten(MultinomialLoss):
    def dual_at(self, z):
        u = super().dual_at(z)
        return namespace(z).where(namespace(z).arange(u.shape[0])[:, None] == 3, 0, u)


@dataclass(frozen=True, eq=False)
class OneHotOffByOne(MultinomialLoss):
    @staticmethod
    def _sample_gradients(z, y):
        return MultinomialLoss._sample_gradients(z, (y + 1) % z.shape[1])


@dataclass(frozen=True, eq=False)
class LastOfBatchForgotten(MultinomialLoss):
    def _batch(self, samples):
        return super()._batch(np.append(samples[:-1], samples[0]))


@dataclass(frozen=True, eq=False)
class Rounded(MultinomialLoss):
    def _weights(self, w, name="w"):
        xp = namespace(w)
        return xp.asarray(xp.asarray(super()._weights(w, name), dtype=xp.float32), dtype=w.dtype)


@pytest.mark.parametrize("wrong", [ShareForgotten, OneHotOffByOne, LastOfBatchForgotten, Rounded])
def test_a_wrong_loss_is_seen(xp, wrong):
    plain = make_loss(MultinomialLoss)
    errors = worst(results(moved(plain, xp.asarray, wrong), xp.asarray), results(plain, np.asarray))
    assert max(errors.values()) > 100 * ROUNDINGS


@every_loss
def test_everything_stays_on_the_device(case):
    def put(x):
        return strict.asarray(x, device=DEVICE)

    def read(x):
        assert x.device == DEVICE
        return np.asarray(strict.asarray(x, copy=True).to_device(strict.Device("CPU_DEVICE")))

    plain = loss_of(case)
    there = moved(plain, put)
    errors = worst(results(there, put), results(plain, np.asarray), read)
    assert max(errors.values()) < ROUNDINGS, errors
    assert there.dual_shares.device == there.gradient(put(weights(plain)), put(BATCH)).device == DEVICE
    with pytest.raises(RuntimeError, match="NumPy"):
        np.asarray(there.X)  # else this test would see nothing


@every_loss
def test_a_gradient_does_not_wait_for_the_device(case, monkeypatch):
    there = moved(loss_of(case), strict.asarray)
    w, samples = strict.asarray(weights(there)), strict.asarray(BATCH)
    there.gradient(w, BATCH)  # what is computed once is computed

    def read(self):
        raise AssertionError("the host reads a number")

    for name in ("__bool__", "__float__", "__int__", "__index__"):
        monkeypatch.setattr(type(w), name, read)
    for gradient in (there.gradient(w), there.gradient(w, BATCH), there.gradient(w, samples)):
        assert gradient.shape == w.shape
    there.hessian_product(w, w)
    with pytest.raises(AssertionError, match="the host reads"):
        there.value(w)


def test_indices_of_the_namespace_and_of_numpy_are_the_same_batch(xp):
    there = moved(make_loss(HuberLoss, weighted=True), xp.asarray)
    w = xp.asarray(weights(there))
    expected = on_host(there.gradient(w, BATCH))
    for same in (xp.asarray(BATCH), BATCH.astype(np.uint8), BATCH.tolist(), BATCH - N_SAMPLES):
        np.testing.assert_array_equal(on_host(there.gradient(w, same)), expected)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.array([0, N_SAMPLES]), IndexError, f"out of bounds: 0 to {N_SAMPLES}, for {N_SAMPLES} samples"),
        (np.array([-N_SAMPLES - 1]), IndexError, "out of bounds"),
        (np.array([0.0]), TypeError, "integer indices, got float64"),
        (np.zeros((1, 2), int), ValueError, r"one-dimensional and not empty, got shape \(1, 2\)"),
        (np.zeros(0, int), ValueError, "not empty"),
    ],
)
def test_bad_samples_raise(xp, samples, error, message):
    there = moved(make_loss(SquaredLoss), xp.asarray)
    w = xp.asarray(weights(there))
    before = on_host(w).copy()
    with pytest.raises(error, match=message):
        there.gradient(w, samples)
    if error is not IndexError:
        with pytest.raises(error):
            there.gradient(w, xp.asarray(samples))
    np.testing.assert_array_equal(on_host(w), before)


def test_mixtures_raise_and_name_the_argument_the_kinds_and_the_remedy(xp):
    plain = make_loss(LogisticLoss, weighted=True)
    there = moved(plain, xp.asarray)
    w, u = weights(plain), np.zeros(N_SAMPLES)
    kind = type(there.X).__name__
    calls = {
        "w": lambda loss, put: loss.gradient(put(w)),
        "direction": lambda loss, put: loss.hessian_product(loss._xp.asarray(w), put(w)),
        "dual": lambda loss, put: loss.conjugate(put(u)),
        "y": lambda loss, put: LogisticLoss(loss.X, put(plain.y)),
        "sample_weight": lambda loss, put: LogisticLoss(loss.X, loss.y, sample_weight=put(plain.sample_weight)),
    }
    for name, call in calls.items():
        with pytest.raises(
            TypeError, match=rf"^{name} is numpy.ndarray and X is .*{kind}.*use xp.asarray\({name}, device"
        ):
            call(there, np.asarray)
        with pytest.raises(TypeError, match=rf"^{name} is .*{kind}.* and X is numpy.ndarray.*on_host\({name}\)"):
            call(plain, xp.asarray)
    with pytest.raises(TypeError, match=rf"^samples is .*{kind}.* and X is numpy.ndarray"):
        plain.gradient(w, xp.asarray(BATCH))
    with pytest.raises(TypeError, match=r"^w is builtins.list"):
        there.value(w.tolist())


def test_another_device_of_the_same_namespace_raises():
    loss = SquaredLoss(strict.asarray(np.eye(3), device=DEVICE), strict.zeros(3, device=DEVICE))
    with pytest.raises(TypeError, match=r"w is .*CPU_DEVICE.* and X is .*device1"):
        loss.value(strict.zeros(3))


def test_bad_data_are_named_on_any_namespace(xp):
    X, y = xp.asarray(np.eye(3)), xp.asarray(np.array([0, 1, 1]))
    with pytest.raises(TypeError, match=r"X must be float32 or float64, got .*int64; use xp.astype\(X, xp.float64\)"):
        MultinomialLoss(xp.asarray(np.eye(3, dtype=np.int64)), y)
    with pytest.raises(ValueError, match="X must be finite, got 1 NaN"):
        MultinomialLoss(xp.asarray(np.array([[np.nan, 1.0]])), y[:1])
    with pytest.raises(ValueError, match=r"y must lie in 0, ..., 1, got 2"):
        MultinomialLoss(X, y + 1, n_classes=2)
    with pytest.raises(TypeError, match="y must be integer class labels"):
        MultinomialLoss(X, xp.asarray(y, dtype=xp.float64))
    with pytest.raises(ValueError, match=r"y must have shape \(3,\).*got \(2,\)"):
        SquaredLoss(X, xp.zeros(2, dtype=xp.float64))
    with pytest.raises(ValueError, match="y must be finite, got nan"):
        SquaredLoss(X, xp.asarray(np.array([0.0, np.nan, 0.0])))
    with pytest.raises(ValueError, match=r"y must hold the labels -1 and \+1, got 0"):
        LogisticLoss(X, y)
    with pytest.raises(ValueError, match=r"sample_weight must be finite and at least 0, got -1.0"):
        SquaredLoss(X, xp.zeros(3, dtype=xp.float64), sample_weight=xp.asarray(np.array([1.0, -1.0, 1.0])))


def test_lipschitz_of_a_large_design_says_where_it_is_computed(xp, monkeypatch):
    monkeypatch.setattr(design, "_DENSE_ORDER", 3)
    there = moved(make_loss(SquaredLoss), xp.asarray)
    with pytest.raises(TypeError, match=r"computed by SciPy, .*make the loss of rmda_ref.namespace.on_host\(X\)"):
        there.lipschitz()


def test_special_functions_are_scipys(xp):
    x = np.concatenate([[-800.0, 0.0, 800.0, 1e-300], np.linspace(-40, 40, 81)])
    there = xp.asarray(x)
    # Two or three operations, each rounded once or twice.
    np.testing.assert_allclose(on_host(expit(there)), expit(x), rtol=8 * np.finfo(float).eps, atol=1e-323)
    np.testing.assert_allclose(on_host(entr(there)), entr(x), rtol=8 * np.finfo(float).eps)
    s = np.abs(x)
    np.testing.assert_allclose(on_host(xlogy(xp.asarray(s), xp.asarray(s))), xlogy(s, s), rtol=8 * np.finfo(float).eps)
    marks = on_host(one_hot(xp.asarray(np.array([2, 0])), 3))
    np.testing.assert_array_equal(marks, [[False, False, True], [True, False, False]])


@pytest.mark.needs("jax")
def test_a_gradient_may_be_compiled_by_jax():
    jax = pytest.importorskip("jax", reason="not run: jax is not installed (make frameworks)", exc_type=ImportError)
    with jax.enable_x64(True):
        there = moved(make_loss(MultinomialLoss), jax.numpy.asarray)
        w = jax.numpy.asarray(weights(there))
        np.testing.assert_allclose(jax.jit(there.gradient)(w), there.gradient(w), rtol=1e-12, atol=1e-14)
