"""Panels are the groups: an entry is in the group whose address has it."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rmda_ref.algorithms.device_step import labels_of
from rmda_ref.backends import panel
from rmda_ref.layout import Groups, Rows, Segments

SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(tuple)


def labels(of):
    """The group of each entry, as `Panel` words it."""
    return [
        k * of.groups + r
        for k, _, r, _ in product(range(of.batches), range(of.lines), range(of.groups), range(of.run))
    ]  # fmt: skip


@given(SHAPES, st.data())
def test_groups_along_axes(shape, data):
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    found = panel.panel_of(Rows(axes), shape)
    kinds = [axis in axes for axis, n in enumerate(shape) if n > 1]
    changes = sum(a != b for a, b in pairwise(kinds))
    if found is None:  # only where axes within groups lie between others twice, or before three changes
        assert changes >= 3
    else:
        assert labels(found) == labels_of(Rows(axes).address(shape)).tolist()


def test_most_layouts_are_panels():
    for shape in ((3, 4), (2, 3, 4), (2, 3, 4, 5)):
        for bits in range(1, 2 ** len(shape)):
            axes = tuple(axis for axis in range(len(shape)) if bits >> axis & 1)
            assert panel.panel_of(Rows(axes), shape) is not None or axes == (0, 2)


@given(st.integers(1, 4), SHAPES, st.data())
def test_segments(m, shape, data):
    axis = data.draw(st.integers(0, len(shape) - 1))
    shape = (*shape[:axis], m * shape[axis], *shape[axis + 1 :])
    found = panel.panel_of(Segments(m, axis), shape)
    assert labels(found) == labels_of(Segments(m, axis).address(shape)).tolist()


@given(SHAPES, st.data(), st.integers(1, 40), st.integers(1, 9))
def test_cuts_have_every_group_once(shape, data, tile, chunk):
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TILE": tile, "CHUNK": chunk, "BLOCKS": 5, "LEAST_LINES": 1}.items():
            patch.setattr(panel, name, value)
        cut = panel.cut(Rows(axes), shape)
    assume(cut is not None)
    if isinstance(cut, panel.Tiles):
        assert cut.panel.lines * cut.per_tile * cut.panel.run <= tile
        assert cut.blocks * cut.per_tile >= cut.panel.n_groups
    else:
        assert cut.per_chunk * cut.panel.run <= chunk
        assert cut.strips * cut.per_strip >= cut.panel.lines > (cut.strips - 1) * cut.per_strip
        assert cut.panel.batches * cut.size == np.prod(shape)
        assert cut.panel.n_groups == Rows(axes).address(shape).n_groups


def test_groups_that_lie_anywhere_are_no_panel():
    assert panel.cut(Groups([0, 1, 0]), (3,)) is None
    assert panel.cut(Rows(0), (0, 3)) is None


def test_another_order_is_seen():
    """The comparison of labels rejects a panel with rows for columns."""
    right = labels_of(Rows(0).address((3, 4))).tolist()
    assert labels(panel.Panel(1, 3, 4, 1)) == right != labels(panel.Panel(1, 1, 4, 3))
