"""Every step on a simulated device is the step of the host, and asks the device for nothing."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from laws import SUPPORTED, UNSUPPORTED, check_same, example, fused, pure
from simulated import on_device, reads

from rmda_ref import L1, MCP, RDA, RMDA, GroupLasso, ProxSGD
from rmda_ref.backends import cuda_groups, cuda_loops, panel
from rmda_ref.layout import Rows, Segments
from rmda_ref.regularizers import REGISTRY, TotalVariation

GROUPS = [name for name in SUPPORTED if REGISTRY[name][0].driven == "radial"]


@pytest.mark.parametrize("name", SUPPORTED)
def test_fused_step_is_the_step(simulated, name):
    check_same(name, np.float32, on_device, fused)


@pytest.mark.parametrize("name", [*GROUPS, "l1", "mcp, rows", "nuclear", "blocks", "total variation"])
def test_fused_step_is_the_step_in_float64(simulated, name):
    check_same(name, np.float64, on_device, fused)


@pytest.mark.parametrize("name", ["l1", "group lasso, rows", "group lasso, labels", "group lasso, columns"])
@pytest.mark.parametrize("tile", [0, 2048])
def test_without_momentum_w_is_the_structured_point(simulated, monkeypatch, name, tile):
    """And its zeros are those of the prox: a negative one would come of a negative entry of W."""
    monkeypatch.setattr(panel, "TILE", tile)
    algorithm, w0, grads = example(name, np.float32)
    psi = dataclasses.replace(algorithm.regularizer, lam=4.0)
    stepper = dataclasses.replace(algorithm, regularizer=psi, momentum=1.0).stepper(on_device(w0))
    for grad in grads:
        stepper.step(on_device(grad))
        w = np.array(np.asarray(stepper.iterate))
        zeros = np.asarray(stepper.state.prox_iterate) == 0
        assert zeros.any() and not np.signbit(w[zeros]).any() and not w[zeros].any()


@pytest.mark.parametrize("name", ["l1", "group lasso, rows", "total variation", "2:4 regularizer", "slope"])
def test_pure_step_is_the_step(simulated, name):
    """Of others `tests/backends` says it: on a device they are the same array expressions."""
    check_same(name, np.float32, on_device, pure)


@pytest.mark.parametrize("name", ["group lasso, columns", "group lasso, channels", "sparse group lasso, rows"])
def test_groups_longer_than_a_tile(simulated, monkeypatch, name):
    for limit, value in {"TILE": 0, "CHUNK": 4, "BLOCKS": 6, "LEAST_LINES": 1}.items():
        monkeypatch.setattr(panel, limit, value)
    psi, shape = REGISTRY[name]
    assert isinstance(panel.cut(psi.layout, shape), panel.Strips)
    for dtype in (np.float32, np.float64):
        check_same(name, dtype, on_device, fused)


MANY = {
    "rows": (Rows(1), (19, 3)),  # several tiles, the last one cut short
    "long rows": (Rows(1), (3, 10)),
    "columns": (Rows(0), (7, 19)),
    "channels": (Rows((0, 2)), (5, 11, 2)),
    "segments": (Segments(3, axis=0), (6, 5)),  # several batches
    "two kinds of axes between": (Rows((1, 3)), (3, 5, 4, 2)),
}


@pytest.mark.parametrize("strips", [False, True], ids=["tiles", "strips"])
@pytest.mark.parametrize("name", MANY)
def test_many_groups_each_with_its_weight(simulated, monkeypatch, name, strips):
    layout, shape = MANY[name]
    monkeypatch.setattr(panel, "TILE", 0 if strips else 24)
    for limit, value in {"NARROWEST": 1, "CHUNK": 4, "BLOCKS": 9, "LEAST_LINES": 2}.items():
        monkeypatch.setattr(panel, limit, value)
    cut = panel.cut(layout, shape)
    assert isinstance(cut, panel.Strips if strips else panel.Tiles) and cut.blocks > 1
    rng = np.random.default_rng(0)
    psi = MCP(lam=0.5, layout=layout, weights=rng.random(layout.address(shape).n_groups))
    algorithm, w0 = RMDA(psi, step_size=0.3, momentum=0.5), rng.standard_normal(shape)
    state, stepper = algorithm.init(w0), algorithm.stepper(on_device(w0))
    for grad in rng.standard_normal((3, *shape)):
        state = algorithm.step(state, grad)
        stepper.step(on_device(grad))
    for field in ("iterate", "prox_iterate", "grad_sum"):
        got = np.asarray(getattr(stepper.state, field))
        np.testing.assert_allclose(got, getattr(state, field), rtol=0, atol=1e-14)  # some 30 roundings


@pytest.mark.parametrize("name", ["simplex, columns", "l1 ball, lists", "top-k, rows", "total variation"])
def test_rows_in_a_metric(simulated, name):
    psi, shape = REGISTRY[name]
    rng = np.random.default_rng(0)
    w, metric = rng.standard_normal(shape), rng.uniform(0.5, 2, shape)
    got = np.asarray(psi.prox(on_device(w), 0.7, on_device(metric)))
    np.testing.assert_allclose(got, psi.prox(w, 0.7, metric), rtol=0, atol=1e-14)  # some 30 roundings
    assert np.abs(got - psi.prox(w, 0.7)).max() > 1e-3  # the metric has a part in it


@pytest.mark.filterwarnings("ignore:.*overflow encountered:RuntimeWarning")  # devices are silent
@pytest.mark.parametrize("cut", [None, "tiles", "strips"])
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_norms_whose_squares_leave_the_range(simulated, monkeypatch, scale, cut):
    """Of float64: with the square root of their sum every group would be zero, or infinite."""
    if cut == "strips":
        for limit, value in {"TILE": 0, "CHUNK": 2, "BLOCKS": 6, "LEAST_LINES": 1}.items():
            monkeypatch.setattr(panel, limit, value)
    layout = {"axis": 0} if cut else {"groups": [0, 1, 2, 3] * 3}
    algorithm = RMDA(GroupLasso(lam=0.1 * scale, **layout), step_size=0.5)
    w0 = scale * np.random.default_rng(0).standard_normal((3, 4) if cut else 12)
    mine, theirs = algorithm.stepper(w0), algorithm.stepper(on_device(w0))
    mine.step(w0)
    theirs.step(on_device(w0))
    assert np.any(mine.iterate != 0)
    np.testing.assert_allclose(np.asarray(theirs.iterate), mine.iterate, rtol=1e-14, atol=0)  # some 30 roundings


@pytest.mark.parametrize("regularizer", [GroupLasso(lam=0.4, axis=0), L1(lam=0.1), TotalVariation(lam=0.1, axis=0)])
@pytest.mark.parametrize("make", [partial(ProxSGD, step_size=0.3, momentum=0.4), partial(RDA, gamma=2.0)])
def test_other_algorithms(simulated, make, regularizer):
    rng = np.random.default_rng(0)
    w0, grads = rng.standard_normal((4, 3)), rng.standard_normal((3, 4, 3))
    algorithm = make(regularizer)
    mine, theirs = algorithm.init(w0), algorithm.stepper(on_device(w0))
    for grad in grads:
        mine = algorithm.step(mine, grad)
        theirs.step(on_device(grad))
    np.testing.assert_allclose(np.asarray(theirs.state.iterate), mine.iterate, rtol=0, atol=1e-14)
    np.testing.assert_allclose(np.asarray(theirs.state.prox_iterate), mine.prox_iterate, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_has_no_evaluation_says_so(simulated, name):
    algorithm, w0, grads = example(name, np.float64)
    stepper = algorithm.stepper(on_device(w0))
    with pytest.raises(TypeError, match=r"has no evaluation on .* use NumPy arrays"):
        stepper.step(on_device(grads[0]))
    np.testing.assert_array_equal(np.asarray(stepper.state.grad_sum), 0)
    assert stepper.t == 0


@pytest.mark.parametrize("name", ["simplex, columns", "top-k, rows", "k-support, lists", "2:4 regularizer"])
def test_short_rows_are_one_launch(simulated, monkeypatch, name):
    launched, prepare = [], simulated.prepare
    monkeypatch.setattr(
        simulated, "prepare", lambda loop, *rest, **by: launched.append(loop) or prepare(loop, *rest, **by)
    )
    psi, shape = REGISTRY[name]
    psi.prox(on_device(np.ones(shape)), 0.5)
    assert [loop.factory for loop in launched] == [cuda_loops.prox_rows]


@pytest.mark.parametrize("name", ["simplex, columns", "top-k, rows", "k-support, lists", "2:4 regularizer"])
def test_longer_rows_take_their_form(simulated, monkeypatch, name):
    """Not a thread a row: nothing is launched for the prox."""
    monkeypatch.setattr("rmda_ref.backends.cupy.SHORT_ROW", 2)
    monkeypatch.setattr(simulated, "prepare", None)
    check_same(name, np.float32, on_device, pure)


def test_long_sequential_rows_are_left_to_the_host(simulated):
    x = on_device(np.zeros(1025))
    with pytest.raises(
        TypeError, match=r"for rows of 1025 \(more than 1024\) has no evaluation on array_api_strict.Array"
    ):
        TotalVariation(lam=1.0).prox(x, 1.0)


@pytest.mark.parametrize("name", [*SUPPORTED[::7], "nuclear", "slope, norms", "total variation"])
def test_a_step_waits_for_nothing(simulated, name):
    algorithm, w0, grads = example(name, np.float32)
    stepper, grad = algorithm.stepper(on_device(w0)), on_device(grads[0])
    with reads() as read:
        for _ in range(3):
            stepper.step(grad)
    assert not read


def test_reads_are_noticed(simulated):
    """The pure step looks at the gradient, and waits for the answer."""
    algorithm, w0, grads = example("l1", np.float32)
    state, grad = algorithm.init(on_device(w0)), on_device(grads[0])
    with reads() as read:
        algorithm.step(state, grad)
    assert read


def test_another_scale_is_caught(simulated, monkeypatch):
    """As if the loop had the beta of the step before."""
    right = cuda_loops.step_entrywise

    def of_step_before(kernel, centre):
        return right(kernel, lambda w, w0, v, scale, i: centre(w, w0, v, max(scale * scale - 1, 1) ** 0.5, i))

    monkeypatch.setattr(cuda_loops, "step_entrywise", of_step_before)
    with pytest.raises(AssertionError, match="apart"):
        check_same("l1", np.float32, on_device, fused)


def test_lanes_left_out_are_caught(simulated, monkeypatch):
    """A group summed by fewer of its threads than there are."""
    monkeypatch.setattr(cuda_groups, "sum_by_lanes", lambda partial, mine, lane, lanes, n_groups: None)
    monkeypatch.setattr(cuda_groups, "lanes_for", lambda n_groups: 2)
    with pytest.raises(AssertionError, match="apart"):
        check_same("group lasso, rows", np.float32, on_device, fused)


def test_groups_taken_along_the_other_axis_are_caught(simulated, monkeypatch):
    real = panel.panel_of
    monkeypatch.setattr(panel, "panel_of", lambda layout, shape: real(Rows(1), shape[::-1]))
    with pytest.raises(AssertionError, match="apart"):
        check_same("group lasso, columns", np.float32, on_device, fused)
