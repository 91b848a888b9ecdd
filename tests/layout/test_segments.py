"""Runs of consecutive entries: against NumPy's reshape."""

import numpy as np
import pytest

from rmda_ref.layout import Norms, Segments

W = np.random.default_rng(0).standard_normal((4, 6, 2))


@pytest.mark.parametrize(("m", "axis"), [(2, 0), (4, 0), (3, 1), (3, -2), (1, 1), (2, 2), (2, -1), (1, -1)])
def test_segments_are_rows_of_the_split_axis(m, axis):
    layout = Segments(m, axis)
    split = np.moveaxis(W, axis, -1)
    expected = np.linalg.norm(split.reshape(*split.shape[:-1], -1, m), axis=-1)
    np.testing.assert_allclose(np.moveaxis(layout.norms(W), axis, -1), expected, rtol=1e-15)  # at most 4 squares
    address = layout.address(W.shape)
    gathered = W.reshape(-1)[np.add.outer(address.starts, address.members)]
    np.testing.assert_array_equal(gathered, layout.rows(W)[0])
    np.testing.assert_allclose(np.linalg.norm(gathered, axis=1), layout.norms(W).ravel(), rtol=1e-15)
    assert (np.diff(address.starts) > 0).all()
    assert sorted(np.concatenate(address.lists())) == list(range(W.size))
    assert layout.sizes(W.shape) == m
    assert layout.norms(W).shape == layout.group_shape(W.shape)


def test_along_the_last_axis_they_are_runs_of_memory():
    assert Segments(3).address((4, 6)).contiguous
    assert not Segments(2, axis=0).address((4, 6)).contiguous
    address = Segments(1, axis=0).address((4, 6))
    assert address.contiguous
    np.testing.assert_array_equal(address.starts, np.arange(24))


def test_one_number_a_segment_reaches_its_entries():
    spread = Segments(2, axis=0).spread(np.array([[1.0, 2.0], [3.0, 4.0]]), (4, 2))
    np.testing.assert_array_equal(spread, [[1, 2], [1, 2], [3, 4], [3, 4]])
    w = np.array([3.0, 4.0, 1.0, 0.0])
    np.testing.assert_array_equal(Segments(2).dots(w, w), [25, 1])
    np.testing.assert_array_equal(Norms(Segments(2)).magnitudes(w), [5, 1])


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
def test_empty_arrays(shape):
    layout = Segments(4)
    assert layout.address(shape).n_groups == 0
    assert layout.rows(np.empty(shape))[0].shape == (0, 4)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"axis -1 of shape \(2, 6\) has 6 entries, not a multiple of m=4; .* pad"):
        Segments(4).check((2, 6))
    with pytest.raises(ValueError, match=r"axis=2 is out of range for an array of shape \(4, 4\)"):
        Segments(4, axis=2).check((4, 4))
    with pytest.raises(ValueError, match=r"axis=-1 is out of range for an array of shape \(\)"):
        Segments(4).check(())
    with pytest.raises(ValueError, match="m must be at least 1, got 0"):
        Segments(0)
    with pytest.raises(TypeError, match="m must be an integer, got float"):
        Segments(4.0)
