"""Tree-structured groups: by hand, against the certified iteration, and what is refused."""

import array_api_strict as strict
import numpy as np
import pytest

from rmda_ref import RMDA, GroupLasso
from rmda_ref.regularizers import OverlappingGroupLasso, TreeGroupLasso

NESTED = [[0, 1, 2], [1, 2], [2]]


def random_tree(rng, n, depth):
    """Nested lists by random halving of a permutation, with some repeated."""
    groups, level = [], [list(rng.permutation(n))]
    for _ in range(depth):
        groups += level
        split = [(part, rng.integers(1, len(part))) for part in level if len(part) > 1]
        level = [half for part, cut in split for half in (part[:cut], part[cut:]) if rng.random() < 0.8]
        if not level:
            break
    return [*groups, groups[-1]]


def test_two_levels_by_hand():
    """[2]: 4 -> 3; [1, 2]: (4, 3) of norm 5 -> 4/5; the root: (5, 16/5, 12/5) -> 1 - 1/norm."""
    w = TreeGroupLasso(1.0, NESTED, weights=[1.0, 1.0, 1.0]).prox(np.array([5.0, 4.0, 4.0]), 1.0)
    inner = np.array([5.0, 3.2, 2.4])
    np.testing.assert_allclose(w, inner * (1 - 1 / np.linalg.norm(inner)), rtol=4e-16)


def test_ties_go_to_zero():
    tree = TreeGroupLasso(1.0, [[0, 1, 2], [1, 2]], weights=[1.0, 5.0])
    np.testing.assert_array_equal(tree.prox(np.array([2.0, 3.0, 4.0]), 1.0), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(tree.prox(np.array([1.0, 3.0, 4.0]), 1.0), [0.0, 0.0, 0.0])


@pytest.mark.parametrize("seed", range(8))
def test_the_certified_iteration_agrees(seed):
    """Which knows nothing of trees: within its certified distance, and 1e-14 for a depth of at most 7 roundings."""
    rng = np.random.default_rng(seed)
    n = 30
    groups = random_tree(rng, n, 6)
    weights = rng.uniform(0, 2, len(groups))
    tree = TreeGroupLasso(0.3, groups, weights)
    other = OverlappingGroupLasso(0.3, groups, weights)
    for step in (0.1, 1.0, 3.0):
        w = rng.standard_normal(n)
        found, certified = tree.prox(w, step), other.certified_prox(w, step)
        size = np.linalg.norm(w)
        assert np.linalg.norm(found - certified.point) <= np.sqrt(2 * certified.gap) + 1e-14 * size
        np.testing.assert_array_equal(found == 0, certified.point == 0)
        assert tree.dual_norm(w) == pytest.approx(other.dual_norm(w), rel=1e-13)
        v = rng.standard_normal(n)
        distances = tree.subdiff_distance(found, v), other.subdiff_distance(found, v)
        assert distances[0] == pytest.approx(distances[1], rel=1e-12)


def test_the_order_of_the_lists_does_not_matter():
    rng = np.random.default_rng(0)
    groups, w = random_tree(rng, 20, 5), rng.standard_normal(20)
    weights = rng.uniform(0, 1, len(groups))
    order = rng.permutation(len(groups))
    shuffled = TreeGroupLasso(0.5, [list(rng.permutation(groups[g])) for g in order], weights[order])
    first = TreeGroupLasso(0.5, groups, weights).prox(w, 1.0)
    np.testing.assert_allclose(shuffled.prox(w, 1.0), first, rtol=0, atol=1e-15)  # sums in another order


def test_repeated_groups_add_up():
    w = np.array([3.0, -4.0])
    twice = TreeGroupLasso(1.0, [[0, 1], [1, 0]], weights=[0.5, 1.0])
    once = TreeGroupLasso(1.0, [[0, 1]], weights=[1.5])
    np.testing.assert_allclose(twice.prox(w, 1.0), once.prox(w, 1.0), rtol=4e-16)
    assert twice.value(w) == once.value(w) == 7.5
    assert twice.dual_norm(w) == pytest.approx(5 / 1.5, rel=1e-14)


def test_a_partition_is_the_group_lasso():
    rng = np.random.default_rng(0)
    groups, w, v = [[0, 5], [4, 1, 2], [3]], rng.standard_normal(6), rng.standard_normal(6)
    tree, plain = TreeGroupLasso(0.4, groups), GroupLasso(0.4, groups=groups)
    np.testing.assert_allclose(tree.prox(w, 1.0), plain.prox(w, 1.0), rtol=4e-16)
    assert tree.value(w) == pytest.approx(plain.value(w), rel=1e-15)
    assert tree.dual_norm(w) == pytest.approx(plain.dual_norm(w), rel=1e-14)
    assert tree.subdiff_distance(tree.prox(w, 1.0), v) == pytest.approx(plain.subdiff_distance(plain.prox(w, 1.0), v))


def test_subdifferential_at_zero_groups_by_hand():
    """At (2, 0, 0): the gradient 1 of the root, and of v_12 = (3, 4) what the balls of radius 1 and 1 leave: [2] takes
    1 of 4, then [1, 2] takes 1 of the norm sqrt(18) of (3, 3)."""
    tree = TreeGroupLasso(1.0, NESTED, weights=[1.0, 1.0, 1.0])
    distance = tree.subdiff_distance(np.array([2.0, 0.0, 0.0]), np.array([1.5, 3.0, 4.0]))
    assert distance == pytest.approx(np.hypot(0.5, np.sqrt(18) - 1), rel=1e-14)


def test_the_dual_norm_is_a_supremum():
    rng = np.random.default_rng(0)
    tree = TreeGroupLasso(0.7, random_tree(rng, 12, 4))
    v = rng.standard_normal(12)
    points = [tree.prox(v, t * tree.dual_norm(v)) for t in (0.5, 0.9, 0.999)] + [*rng.standard_normal((200, 12))]
    ratios = [float(v @ w) / tree.value(w) for w in points]
    assert 0.99 * tree.dual_norm(v) <= max(ratios) <= tree.dual_norm(v) * (1 + 1e-14)
    assert TreeGroupLasso(1.0, [[0], [1]], weights=[1.0, 2.0]).dual_norm(np.array([3.0, -8.0])) == 4.0


def test_entries_in_no_group_are_free():
    tree = TreeGroupLasso(1.0, [[1], [1, 2]])
    w = np.array([0.01, 0.02, 0.03, -5.0])
    np.testing.assert_array_equal(tree.prox(w, 1.0), [0.01, 0.0, 0.0, -5.0])
    assert tree.dual_norm(w) == np.inf
    assert tree.subdiff_distance(w, np.array([3.0, *tree_gradient(w[1:3]), 4.0])) == pytest.approx(5.0, rel=1e-14)


def tree_gradient(x):
    return np.array([np.sign(x[0]), 0.0]) + np.sqrt(2) * x / np.linalg.norm(x)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_squares_that_leave_the_range(scale):
    """The prox is homogeneous; a scale that is no power of 2 rounds each entry once."""
    tree, w = TreeGroupLasso(1.0, NESTED), np.array([5.0, 4.0, 4.0])
    np.testing.assert_allclose(tree.prox(w * scale, scale) / scale, tree.prox(w, 1.0), rtol=1e-14)
    assert tree.value(w * scale) == pytest.approx(tree.value(w) * scale, rel=1e-14)
    assert tree.dual_norm(w * scale) == pytest.approx(tree.dual_norm(w) * scale, rel=1e-14)


def test_float32_is_rounded_once():
    rng = np.random.default_rng(0)
    tree = TreeGroupLasso(0.3, random_tree(rng, 12, 4))
    w = rng.standard_normal(12).astype(np.float32)
    u = tree.prox(w, 1.0)
    assert u.dtype == np.float32
    np.testing.assert_array_equal(u, tree.prox(w.astype(np.float64), 1.0).astype(np.float32))


def test_in_an_algorithm():
    """A child is never nonzero under a zero parent."""
    tree = TreeGroupLasso(0.5, [[0, 1, 2, 3], [2, 3], [3]])
    rng = np.random.default_rng(0)
    stepper = RMDA(tree, step_size=0.1).stepper(np.zeros(4))
    for _ in range(200):
        stepper.step(stepper.iterate - np.array([3.0, 2.0, 2.0, 0.1]) + rng.standard_normal(4))
        mask = tree.manifold(stepper.iterate).mask
        assert not (mask[1:] & ~mask[:-1]).any()
    np.testing.assert_array_equal(mask, [True, True, False])


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        ([[0, 1], [3], [1, 2]], ValueError, r"groups 0 and 2 overlap \(in entry 1\) and neither contains the other"),
        ([[0, 1, 2, 3], [0, 1], [1, 2]], ValueError, r"groups 1 and 2 overlap \(in entry 1\)"),
        ([[4, 5], [0, 1, 2], [5, 2]], ValueError, "groups . and 2 overlap"),
        ([[0, 1], []], ValueError, "none of them empty"),
        ([], ValueError, "one or more lists"),
        ([[0, 1, 0]], ValueError, "group 0 names an entry twice"),
        ([[0], [-1]], ValueError, "group 1 has the negative index -1"),
        ([[0.5]], TypeError, "lists of integer indices, got float64 in group 0"),
    ],
)
def test_bad_groups(groups, error, message):
    with pytest.raises(error, match=message):
        TreeGroupLasso(1.0, groups)


def test_bad_arguments():
    with pytest.raises(ValueError, match="lam must lie in"):
        TreeGroupLasso(-1.0, NESTED)
    with pytest.raises(ValueError, match="weights has 2 entries for 3 groups"):
        TreeGroupLasso(1.0, NESTED, weights=[1.0, 1.0])
    with pytest.raises(ValueError, match="weights must be finite and at least 0"):
        TreeGroupLasso(1.0, NESTED, weights=[1.0, 1.0, -1.0])
    tree = TreeGroupLasso(1.0, NESTED)
    with pytest.raises(ValueError, match=r"groups name entry 2, but an array of shape \(2,\) has 2"):
        tree.prox(np.ones(2), 1.0)
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        tree.prox(np.ones(3), 1.0, np.ones(3))
    with pytest.raises(
        TypeError, match=r"TreeGroupLasso has no evaluation on array_api_strict.Array arrays; use NumPy arrays"
    ):
        tree.prox(strict.asarray([1.0, 2.0, 3.0], dtype=strict.float64), 1.0)
