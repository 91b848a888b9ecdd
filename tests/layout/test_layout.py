"""Layouts: where the entries of a group lie."""

import numpy as np
import pytest

from rmda_ref.layout import Groups, Rows, Spectrum


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 1), (0, 2), (1, 2), (0, 1, 2), (2, 0)])
def test_rows_are_numpy_reductions(axis):
    w = np.random.default_rng(0).standard_normal((2, 3, 4))
    layout = Rows(axis)
    expected = np.sqrt((w**2).sum(axis=axis))
    np.testing.assert_allclose(layout.norms(w), expected, rtol=1e-15)  # a sum of at most 24 squares
    address = layout.address(w.shape)
    gathered = w.reshape(-1)[np.add.outer(address.starts, address.members)]
    np.testing.assert_allclose(np.linalg.norm(gathered, axis=1), expected.ravel(), rtol=1e-15)
    assert sorted(np.add.outer(address.starts, address.members).ravel()) == list(range(24))


def test_contiguous_rows_are_known_as_such():
    assert Rows(-1).address((4, 3)).contiguous
    assert Rows((1, 2)).address((4, 3, 2)).contiguous
    assert not Rows(0).address((4, 3)).contiguous
    assert not Rows((0, 2)).address((4, 3, 2)).contiguous


def test_labels_and_lists_agree():
    w = np.random.default_rng(0).standard_normal(6)
    by_label = Groups(np.array([7, 3, 3, 9, 7, 9]))
    by_list = Groups([[1, 2], [0, 4], [3, 5]])
    np.testing.assert_array_equal(by_label.norms(w), by_list.norms(w))
    np.testing.assert_array_equal(by_list.spread(np.array([1.0, 2.0, 3.0]), (6,)), [2, 1, 1, 3, 2, 3])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[0, 1], [1, 2]], "overlap: entry 1"),
        ([[0, 1], [3]], "incomplete: entry 2"),
        ([[0, -1]], "incomplete: entry -1 is negative"),
        ([[0], []], "none of them empty"),
        ([], "none of them empty"),
    ],
)
def test_bad_groups(groups, message):
    with pytest.raises(ValueError, match=message):
        Groups(groups)


@pytest.mark.parametrize("groups", [np.array([0.0, 1.0]), [[0.0], [1.0]], ["a", "b"]])
def test_groups_must_be_integers(groups):
    with pytest.raises(TypeError, match="integer"):
        Groups(groups)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"axis=2 is out of range for an array of shape \(4, 3\)"):
        Rows(2).check((4, 3))
    with pytest.raises(ValueError, match="only once"):
        Rows((0, -2)).check((4, 3))
    with pytest.raises(ValueError, match="groups cover 2 entries"):
        Groups([[0, 1]]).norms(np.zeros(3))
    with pytest.raises(ValueError, match="needs a matrix"):
        Spectrum().check((3,))
