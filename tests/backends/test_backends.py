"""One kernel, three ways to drive it: interpreted, compiled, and on whole arrays of another namespace."""

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref import L1, RMDA, GroupLasso
from rmda_ref.backends import drivers
from rmda_ref.backends import numba as compiled
from rmda_ref.backends.on_arrays import on_arrays
from rmda_ref.backends.whole_rows import FORMS
from rmda_ref.kernels.group_soft_threshold import group_soft_threshold
from rmda_ref.kernels.metric_group_soft_threshold import metric_group_soft_threshold
from rmda_ref.kernels.of_norm import keep
from rmda_ref.kernels.soft_threshold import soft_threshold
from rmda_ref.layout import Groups, Rows
from rmda_ref.regularizers import REGISTRY


def evaluated(regularizer):
    """Whether it has a prox on arrays of another namespace."""
    return type(regularizer).kernel in FORMS if regularizer.driven == "row" else regularizer.driven != "whole"


CASES = [pytest.param(*case, id=name) for name, case in REGISTRY.items() if evaluated(case[0])]
NOT_EVALUATED = [pytest.param(*case, id=name) for name, case in REGISTRY.items() if not evaluated(case[0])]
IN_METRIC = [case for case in CASES if case.values[0].metric_prox == "exact"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_entrywise_interpreted_is_compiled(dtype):
    x = np.random.default_rng(0).standard_normal(50).astype(dtype)
    out = np.empty_like(x)
    drivers.prox_entrywise(soft_threshold)(x, 0.5, 0.7, 1.0, (), out)
    np.testing.assert_array_equal(compiled.entrywise(soft_threshold, x, 0.5, 0.7, None, ()), out)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("layout", "shape"),
    [(Rows(1), (6, 5)), (Rows(0), (6, 5)), (Rows((0, 2)), (2, 5, 3)), (Groups([0, 1, 1, 0, 2, 2, 2]), (7,))],
)
def test_groups_interpreted_is_compiled(layout, shape, dtype):
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    metric = np.full_like(x, 2.0)
    address = layout.address(shape)
    where = (address.starts, address.members, address.n_groups)
    radial, row = np.empty_like(x), np.empty_like(x)
    drivers.prox_radial(group_soft_threshold, keep, *compiled.finders(address))(
        x.reshape(-1), 0.5, 0.0, 0.7, *where, (), radial.reshape(-1)
    )
    drivers.prox_row(metric_group_soft_threshold)(
        x.reshape(-1),
        0.5,
        np.array([0.7]),
        metric.reshape(-1),
        *where,
        address.strided,
        0,
        address.longest,
        (),
        row.reshape(-1),
    )
    ulps = 4 * np.finfo(dtype).eps  # the compiler may sum a row in another order
    np.testing.assert_allclose(
        compiled.radial(group_soft_threshold, keep, x, layout, 0.5, 0.0, 0.7, ()), radial, rtol=0, atol=ulps * 3
    )
    np.testing.assert_allclose(
        compiled.row(metric_group_soft_threshold, x, layout, 0.5, 0.7, metric, 0, ()), row, rtol=0, atol=ulps * 3
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("regularizer", "shape"), CASES)
def test_another_namespace_gives_the_same_prox(regularizer, shape, dtype):
    w = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    w.reshape(-1)[:2] = 0
    result = regularizer.prox(strict.asarray(w), 0.5)
    assert result.dtype == getattr(strict, dtype)
    # Norms (and singular vectors) are summed in the array's own precision there.
    np.testing.assert_allclose(np.asarray(result), regularizer.prox(w, 0.5), rtol=0, atol=32 * np.finfo(dtype).eps)
    zeros = np.asarray(result) == 0
    assert not np.signbit(np.asarray(result)[zeros]).any()
    for law in ("value", "manifold"):
        mine, theirs = getattr(regularizer, law)(w), getattr(regularizer, law)(strict.asarray(w))
        assert theirs == mine or np.isclose(theirs, mine, rtol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("regularizer", "shape"), IN_METRIC)
def test_another_namespace_gives_the_same_prox_in_a_metric(regularizer, shape, dtype):
    rng = np.random.default_rng(0)
    w, metric = rng.standard_normal(shape).astype(dtype), rng.uniform(0.5, 2, shape).astype(dtype)
    result = regularizer.prox(strict.asarray(w), 0.5, strict.asarray(metric))
    assert result.dtype == getattr(strict, dtype)
    expected = regularizer.prox(w, 0.5, metric)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=0, atol=32 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("law", ["subdiff_distance", "conjugate", "dual_norm"])
@pytest.mark.parametrize(("regularizer", "shape"), [pytest.param(*case, id=name) for name, case in REGISTRY.items()])
def test_another_namespace_gives_the_same_or_says_that_it_has_none(regularizer, shape, law, dtype):
    rng = np.random.default_rng(0)
    w, v = rng.standard_normal((2, *shape)).astype(dtype)
    w.reshape(-1)[:2] = 0
    arguments = (w, v) if law == "subdiff_distance" else (w,)
    try:
        expected = getattr(regularizer, law)(*arguments)
    except TypeError:  # not convex, or no norm
        return
    try:
        result = getattr(regularizer, law)(*map(strict.asarray, arguments))
    except TypeError as error:
        assert regularizer.driven in ("row", "whole")
        assert "has no evaluation on" in str(error)
    else:
        np.testing.assert_allclose(result, expected, rtol=64 * np.finfo(dtype).eps)


@pytest.mark.parametrize(("regularizer", "shape"), CASES)
def test_another_namespace_runs_the_algorithm(regularizer, shape):
    rng = np.random.default_rng(0)
    w0, grads = rng.standard_normal(shape), rng.standard_normal((5, *shape))
    algorithm = RMDA(regularizer, step_size=0.3, momentum=0.5)
    mine, theirs = algorithm.init(w0), algorithm.init(strict.asarray(w0))
    for grad in grads:
        mine, theirs = algorithm.step(mine, grad), algorithm.step(theirs, strict.asarray(grad))
    theirs = algorithm.restart(theirs)
    np.testing.assert_allclose(np.asarray(theirs.anchor), mine.iterate, rtol=0, atol=1e-14)
    with pytest.raises(ValueError, match="non-finite"):
        algorithm.step(theirs, strict.asarray(np.full(shape, np.nan)))


@pytest.mark.parametrize(("regularizer", "shape"), NOT_EVALUATED)
def test_nothing_is_copied_to_the_host(regularizer, shape):
    """A regularizer without an evaluation there says so."""
    w = strict.asarray(np.random.default_rng(0).standard_normal(shape))
    with pytest.raises(TypeError, match=r"has no evaluation on .* use NumPy arrays"):
        regularizer.prox(w, 0.5)
    assert regularizer.manifold(w) == regularizer.manifold(np.asarray(w))  # of its nature on the host


def test_a_kernel_is_lifted_once():
    assert on_arrays(soft_threshold, strict) is on_arrays(soft_threshold, strict)


def test_large_arrays_take_the_parallel_driver():
    x = np.random.default_rng(0).standard_normal((compiled.PARALLEL_FROM // 4, 4))
    np.testing.assert_array_equal(L1(lam=0.5).prox(x, 1.0)[:9], L1(lam=0.5).prox(x[:9], 1.0))
    rows = GroupLasso(lam=0.5, axis=1)
    np.testing.assert_array_equal(rows.prox(x, 1.0)[:9], rows.prox(x[:9], 1.0))


@pytest.mark.parametrize("position", [0, 7, 16])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finite_check(dtype, bad, position):
    x = np.full(17, np.finfo(dtype).max, dtype)
    assert compiled.finite_check()(x)
    x[position] = bad
    assert not compiled.finite_check()(x)
    assert not drivers.all_finite(x)
