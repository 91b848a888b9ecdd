"""Forms of row kernels on whole matrices: each gives what its kernel gives, and wrong ones are told apart."""

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref.backends import array_api
from rmda_ref.backends import numba as compiled
from rmda_ref.backends.whole_rows import FORMS
from rmda_ref.layout import Groups, Rows, Segments

KERNELS = {kernel.__name__: kernel for kernel in FORMS}
BIT_FOR_BIT = {"top_k", "n_of_m", "trimmed_l1"}
DEGREE = {"exclusive_lasso": 2, "sparse_envelope": 2, "n_of_m": 2, "two_four": 3}  # of the penalty; else 1, or none
NO_METRIC = {"slope", "two_four"}


def parameters(name, n, unit):
    """Of the kernel, for rows of n entries of this size."""
    k = max(1, n // 3)
    match name:
        case "simplex" | "l1_ball" | "metric_l2_ball":
            return (0.75 * unit,)
        case "top_k" | "n_of_m" | "trimmed_l1":
            return (np.array([k]),)
        case "k_support":
            return (k,)
        case "sparse_envelope":
            return (k, np.resize([1.0, 0.5, 0.0, 2.0], n))
        case "slope":
            return (np.linspace(1.0, 0.25, n),)
        case _:
            return ()


def matrices():
    """(id, rows, their size)."""
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 8, 9, 40):
        yield f"random, {n}", rng.standard_normal((5, n)), 1.0
        yield f"ties, {n}", rng.integers(-3, 4, (9, n)) * 0.5, 1.0
    yield "zeros", np.zeros((2, 5)), 1.0
    yield "some zeros", rng.standard_normal((6, 12)) * (rng.random((6, 12)) < 0.3), 1.0
    yield "negative zeros", np.where(rng.random((4, 6)) < 0.5, -0.0, rng.standard_normal((4, 6))), 1.0
    yield "feasible", 1e-3 * rng.standard_normal((4, 6)), 1.0
    yield "on the bound", np.array([[0.75, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.0]]), 1.0
    yield "negative", -rng.random((3, 6)), 1.0
    yield "of all sizes", rng.standard_normal((6, 20)) * np.exp(5 * rng.standard_normal((6, 20))), 1.0
    yield "large", 1e150 * rng.standard_normal((4, 12)), 1e150
    yield "tiny", 1e-150 * rng.standard_normal((4, 12)), 1e-150


MATRICES = {name: (rows, unit) for name, rows, unit in matrices()}


def in_fours(rows):
    """Other rows of the same numbers."""
    return np.resize(rows, (max(1, rows.size // 4), 4))


def cases(name):
    """(rows, strength, metric, parameters) to try a form of this kernel on."""
    rng = np.random.default_rng(1)
    for rows, unit in MATRICES.values():
        rows = in_fours(rows) if name == "two_four" else rows
        per_strength = unit ** (2 - DEGREE.get(name, 1))
        metrics = [None] if name in NO_METRIC else [None, rng.uniform(0.5, 2, rows.shape)]
        metrics += [np.full(rows.shape, 2.0)] if name == "trimmed_l1" else []  # constant ones are treated apart
        strengths = [0.3, 0.5 * rng.integers(0, 4, (rows.shape[0], 1))]
        for metric in metrics:
            for strength in strengths:
                yield rows, strength * per_strength, metric, parameters(name, rows.shape[1], unit)


def agrees(name, form, rows, strength, metric, values):
    """Whether the form does what the compiled kernel does."""
    per_row = strength if isinstance(strength, float) else strength.reshape(-1)
    expected = compiled.row(KERNELS[name], rows, Rows(1), 1.0, per_row, metric, 6, values)
    with np.errstate(all="ignore"):  # as compiled code is silent
        given = strength if isinstance(strength, float) else strict.asarray(strength)
        result = np.asarray(
            form(strict.asarray(rows), given, None if metric is None else strict.asarray(metric), *values)
        )
    if name in BIT_FOR_BIT:
        return np.array_equal(result, expected)
    # Two sums of n terms, rounded n times each, in a metric of condition 4; and a few more roundings.
    largest = np.max(np.abs(rows), axis=1, keepdims=True)
    allowed = 4 * 2 * (rows.shape[1] + 4) * np.finfo(np.float64).eps * np.maximum(largest, radius(name, values))
    return bool(np.all(np.abs(result - expected) <= allowed))


def radius(name, values):
    """The size of the set that is projected on: a point outside goes there, however small."""
    return values[0] if name in ("simplex", "l1_ball", "metric_l2_ball") else 0.0


@pytest.mark.parametrize("name", KERNELS)
def test_form_is_kernel(name):
    for case in cases(name):
        assert agrees(name, FORMS[KERNELS[name]], *case), case


# Wrong forms.


def without_metric(form):
    return lambda rows, strength, metric, *values: form(rows, strength, None, *values)


def with_last_of_equals(form):
    def flipped(rows, strength, metric, *values):
        metric = None if metric is None else strict.flip(metric, axis=1)
        return strict.flip(form(strict.flip(rows, axis=1), strength, metric, *values), axis=1)

    return flipped


def with_strength(factor):
    return lambda form: lambda rows, strength, *others: form(rows, strength * factor, *others)


def with_one_more(form):
    return lambda rows, strength, metric, k, *others: form(rows, strength, metric, k + 1, *others)


def without_weights(form):
    return lambda rows, strength, metric, k, weights: form(rows, strength, metric, k, weights[:0])


def with_weights_shifted(form):
    return lambda rows, strength, metric, weights: form(rows, strength, metric, np.append(weights[1:], 0.0))


def without_pooling(form):
    """Half a SLOPE: each entry by itself, with the weights in their order."""
    return lambda rows, strength, metric, weights: (
        strict.sign(rows) * strict.maximum(strict.abs(rows) - strength * strict.asarray(weights), 0.0)
    )


def onto_the_bound(form):
    """Rows inside are moved too."""

    def moved(rows, strength, metric, radius):
        far = strict.where(strict.abs(rows) > 0, 1e3 * rows, strict.full_like(rows, 1e3 * radius))
        return form(far, strength, metric, radius)

    return moved


WRONG = [
    ("exclusive_lasso", without_metric),
    ("exclusive_lasso", with_strength(1.001)),
    ("group_max", without_metric),
    ("group_max", with_strength(1.001)),
    ("k_support", without_metric),
    ("k_support", with_one_more),
    ("k_support", with_strength(1 + 1e-12)),
    ("l1_ball", without_metric),
    ("l1_ball", onto_the_bound),
    ("metric_group_soft_threshold", without_metric),
    ("metric_group_soft_threshold", with_strength(1 + 1e-12)),
    ("metric_l2_ball", without_metric),
    ("metric_l2_ball", onto_the_bound),
    ("n_of_m", without_metric),
    ("n_of_m", with_last_of_equals),
    ("n_of_m", with_one_more),
    ("simplex", without_metric),
    ("slope", with_weights_shifted),
    ("slope", without_pooling),
    ("sparse_envelope", without_metric),
    ("sparse_envelope", with_one_more),
    ("sparse_envelope", without_weights),
    ("top_k", without_metric),
    ("top_k", with_last_of_equals),
    ("top_k", with_one_more),
    ("trimmed_l1", without_metric),
    ("trimmed_l1", with_last_of_equals),
    ("trimmed_l1", with_one_more),
    ("two_four", with_last_of_equals),
    ("two_four", with_strength(1 + 1e-12)),
]


@pytest.mark.parametrize(("name", "mistake"), WRONG)
def test_a_wrong_form_is_told_apart(name, mistake):
    wrong = mistake(FORMS[KERNELS[name]])
    assert not all(agrees(name, wrong, *case) for case in cases(name))


def test_every_form_has_a_wrong_one():
    assert {name for name, _ in WRONG} == set(KERNELS)


# The way there and back.

LAYOUTS = [
    (Rows(1), (4, 6)),
    (Rows(0), (4, 6)),
    (Rows((0, 2)), (2, 5, 3)),
    (Rows((3, 0, 2)), (2, 3, 4, 5)),
    (Rows(None), (3, 4)),
    (Segments(3), (2, 6)),
    (Segments(2, axis=0), (4, 3)),
    (Groups([[0, 5, 7], [4, 1], [3], [2, 8, 6]]), (3, 3)),
]


@pytest.mark.parametrize(("layout", "shape"), LAYOUTS)
def test_batches_are_the_rows_and_lead_back(layout, shape):
    x = np.random.default_rng(0).standard_normal(shape)
    batches = layout.batches(strict.asarray(x))
    rows = [row for matrix in layout.rows(x) for row in matrix]
    for matrix, places in batches:
        for row, place in zip(np.asarray(matrix), np.arange(len(rows))[places], strict=True):
            np.testing.assert_array_equal(row, rows[place])
    np.testing.assert_array_equal(np.asarray(layout.from_batches([matrix for matrix, _ in batches], shape)), x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("layout", "shape"), LAYOUTS)
@pytest.mark.parametrize("name", [name for name in KERNELS if name != "two_four"])  # which has rows of four
def test_prox_of_rows_is_that_of_numpy(name, layout, shape, dtype):
    """Groups of several lengths, a strength each, float32 rows computed in float64, and no negative zeros."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(dtype)
    x.reshape(-1)[::5] = -0.0
    metric = None if name in NO_METRIC else rng.uniform(0.5, 2, shape).astype(dtype)
    strengths = rng.uniform(0, 1, layout.address(shape).n_groups)
    values = parameters(name, layout.address(shape).longest, 1.0)
    if name == "sparse_envelope":
        values = (values[0], np.empty(0))  # weights would have to fit all groups
    expected = compiled.row(KERNELS[name], x, layout, 0.7, strengths, metric, 6, values)
    metric = None if metric is None else strict.asarray(metric)
    result = np.asarray(array_api.row(KERNELS[name], strict.asarray(x), layout, 0.7, strengths, metric, 6, values))
    assert result.dtype == dtype
    np.testing.assert_allclose(result, expected, rtol=0, atol=2 * 8 * 64 * np.finfo(np.float64).eps + _ulp(dtype) * 2)
    assert not np.signbit(result[result == 0]).any()


def _ulp(dtype):
    """Of the last rounding, of entries up to 2."""
    return np.finfo(dtype).eps if dtype == np.float32 else 0.0


# Nothing is decided by numbers on the device.


@pytest.fixture
def no_looking(monkeypatch):
    """Arrays whose numbers the host cannot ask for, nor shapes that depend on them."""

    def refuse(*arguments):
        raise AssertionError("a number was asked for")

    kind = type(strict.asarray(0.0))
    for name in ("__bool__", "__float__", "__int__", "__index__", "__complex__"):
        monkeypatch.setattr(kind, name, refuse)
    with strict.ArrayAPIStrictFlags(boolean_indexing=False, data_dependent_shapes=False):
        yield


@pytest.mark.parametrize("name", KERNELS)
def test_forms_ask_for_no_numbers(name, no_looking):
    rows = strict.asarray(np.random.default_rng(0).standard_normal((3, 4)))
    metric = None if name in NO_METRIC else strict.ones_like(rows) / 2.0
    FORMS[KERNELS[name]](rows, 0.5, metric, *parameters(name, 4, 1.0))


def test_asking_for_a_number_is_noticed(no_looking):
    rows = strict.ones((2, 2))
    with pytest.raises(AssertionError, match="asked"):
        bool(strict.all(rows > 0))
    with pytest.raises(RuntimeError, match=r"data_dependent_shapes|boolean_indexing"):
        rows[rows > 0]


@pytest.mark.parametrize("package", ["torch", "jax"])
@pytest.mark.parametrize("name", KERNELS)
def test_other_namespaces(name, package):
    xp = pytest.importorskip(package)
    rows = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)  # jax has no other by default
    metric = None if name in NO_METRIC else np.full_like(rows, 2.0)
    values = parameters(name, 4, 1.0)
    asarray = xp.asarray if package == "torch" else xp.numpy.asarray
    result = array_api.row(
        KERNELS[name], asarray(rows), Rows(1), 1.0, 0.5, None if metric is None else asarray(metric), 6, values
    )
    expected = compiled.row(KERNELS[name], rows, Rows(1), 1.0, 0.5, metric, 6, values)
    # jax without float64 rounds in float32.
    np.testing.assert_allclose(np.asarray(result), expected, rtol=0, atol=64 * np.finfo(np.float32).eps)
