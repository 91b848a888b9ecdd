"""What the laws cannot see: values by hand, dual norms by another method, manifolds, bad input."""

import numpy as np
import pytest

from rmda_ref import L1, Block, Blocks, ElasticNet, GroupLasso, Nuclear, Rank, Support, WholeSpace, Zero
from rmda_ref.regularizers import REGISTRY

RNG = np.random.default_rng(0)
W = RNG.standard_normal((3, 4))


def test_values_by_numpy():
    assert L1(lam=2.0).value(W) == pytest.approx(2 * np.abs(W).sum(), rel=1e-14)
    expected = 2 * (0.3 * np.abs(W).sum() + 0.35 * (W**2).sum())
    assert ElasticNet(lam=2.0, l1_ratio=0.3).value(W) == pytest.approx(expected, rel=1e-14)
    expected = 2 * np.sqrt(3) * np.linalg.norm(W, axis=0).sum()
    assert GroupLasso(lam=2.0, axis=0).value(W) == pytest.approx(expected, rel=1e-14)
    assert Nuclear(lam=2.0).value(W) == pytest.approx(2 * np.linalg.norm(W, "nuc"), rel=1e-14)
    assert Zero().value(W) == 0


@pytest.mark.parametrize(
    ("regularizer", "dual"),
    [
        (L1(lam=2.0), lambda v: np.abs(v).max() / 2),
        (GroupLasso(lam=2.0, axis=0), lambda v: np.linalg.norm(v, axis=0).max() / (2 * np.sqrt(3))),
        (Nuclear(lam=2.0), lambda v: np.linalg.norm(v, 2) / 2),
    ],
    ids=["l1", "group lasso", "nuclear"],
)
def test_dual_norms(regularizer, dual):
    assert regularizer.dual_norm(W) == pytest.approx(dual(W), rel=1e-14)
    assert regularizer.conjugate(W / dual(W) * 0.999) == 0
    assert regularizer.conjugate(W / dual(W) * 1.001) == np.inf


@pytest.mark.parametrize("kind", [L1, Nuclear, lambda lam: GroupLasso(lam, axis=0)])
def test_dual_norm_without_strength(kind):
    assert kind(0.0).dual_norm(W) == np.inf
    assert kind(0.0).dual_norm(0 * W) == 0


def test_elastic_net_is_no_norm():
    with pytest.raises(TypeError, match="not a norm"):
        ElasticNet(lam=1.0).dual_norm(W)
    assert ElasticNet(lam=1.0, l1_ratio=1.0).conjugate(W / 10) == 0


def test_group_weights_replace_the_square_root_of_the_size():
    w = np.array([[3.0, 0.1], [4.0, 0.2]])
    by_size = GroupLasso(lam=1.0, axis=0)
    given = GroupLasso(lam=1.0, axis=0, weights=[np.sqrt(2), np.sqrt(2)])
    np.testing.assert_allclose(by_size.prox(w, 1.0), given.prox(w, 1.0), rtol=1e-15)
    free = GroupLasso(lam=1.0, axis=0, weights=[0.0, 9.0]).prox(w, 1.0)
    np.testing.assert_array_equal(free, [[3.0, 0.0], [4.0, 0.0]])


def test_conv_channels():
    w = np.ones((2, 3, 5, 5))
    w[:, 1] = 0.01
    w = GroupLasso(lam=0.1, axis=(0, 2, 3)).prox(w, 1.0)
    np.testing.assert_array_equal(w.any(axis=(0, 2, 3)), [True, False, True])


def test_manifolds_are_hashable_structures():
    w = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert L1(lam=1.0).manifold(w) == Support.of(w != 0)
    support = GroupLasso(lam=1.0, axis=0).manifold(w)
    np.testing.assert_array_equal(support.mask, [True, False])
    assert support.n_active == 1
    assert Nuclear(lam=1.0).manifold(w) == Rank(1)
    assert Nuclear(lam=1.0).manifold(0 * w) == Rank(0)
    assert Zero().manifold(w) == WholeSpace()
    blocks = Blocks((Block("a", (2,), L1(lam=1.0)), Block("b", (1,))))
    assert blocks.manifold(np.array([0.0, 2.0, 0.0])) == (
        ("a", Support.of(np.array([False, True]))),
        ("b", WholeSpace()),
    )
    assert len({support, GroupLasso(lam=9.0, axis=0).manifold(5 * w)}) == 1


def test_denormal_groups_are_active():
    w = np.array([[5e-324, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(GroupLasso(lam=1.0, axis=0).manifold(w).mask, [True, False])


@pytest.mark.parametrize("scale", [1e-320, 1e-160, 1e160, 1e300])
def test_squares_that_leave_the_range(scale):
    w = np.array([[3.0, 4.0]]) * scale
    half = GroupLasso(lam=2.5, axis=1, weights=[1.0]).prox(w, scale)
    np.testing.assert_allclose(half, w / 2, rtol=1e-3 if scale < 1e-300 else 1e-14)  # denormals have few bits


@pytest.mark.parametrize("kind", [L1, Nuclear, ElasticNet, lambda lam: GroupLasso(lam, axis=0)])
@pytest.mark.parametrize("lam", [-1.0, np.nan, np.inf])
def test_bad_lam(kind, lam):
    with pytest.raises(ValueError, match=r"lam must lie in \[0, inf\), got"):
        kind(lam)


def test_lam_must_be_a_number():
    with pytest.raises(TypeError, match="lam must be a number, got str"):
        L1("1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give either axis or groups"),
        ({"axis": 0, "groups": [0, 1]}, "give either axis or groups"),
        ({"axis": 0, "weights": [-1.0]}, "weights must be finite and at least 0"),
        ({"groups": [[0, 1], [1]]}, "overlap"),
    ],
)
def test_bad_group_lasso(arguments, message):
    with pytest.raises(ValueError, match=message):
        GroupLasso(lam=1.0, **arguments)


def test_bad_prox_arguments():
    l1 = L1(lam=1.0)
    with pytest.raises(ValueError, match="step must lie in"):
        l1.prox(W, -1.0)
    with pytest.raises(ValueError, match=r"w has 1 non-finite entries, the first at index \(1, 2\)"):
        w = W.copy()
        w[1, 2] = np.nan
        l1.prox(w, 1.0)
    with pytest.raises(TypeError, match=r"w has dtype int64; use one of float32, float64, e.g. w.astype"):
        l1.prox(np.arange(3), 1.0)
    with pytest.raises(TypeError, match="expected an array, got list"):
        l1.prox([1.0], 1.0)
    with pytest.raises(ValueError, match="positive entries only"):
        l1.prox(W, 1.0, metric=0 * W)
    with pytest.raises(ValueError, match="metric has shape"):
        l1.prox(W, 1.0, metric=np.ones(3))
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        Nuclear(lam=1.0).prox(W, 1.0, metric=np.ones_like(W))
    with pytest.raises(ValueError, match="weights has 2 entries for 4 groups; give one for each"):
        GroupLasso(lam=1.0, axis=0, weights=[1.0, 1.0]).prox(W, 1.0)


def test_bad_blocks():
    with pytest.raises(ValueError, match="distinct names"):
        Blocks((Block("a", (2,)), Block("a", (2,))))
    with pytest.raises(ValueError, match="block 'conv': axis=2 is out of range"):
        Blocks((Block("conv", (2, 2), GroupLasso(lam=1.0, axis=2)),))
    with pytest.raises(ValueError, match=r"flat vector of shape \(4,\), got \(2, 2\)"):
        Blocks((Block("a", (4,)),)).prox(np.ones((2, 2)), 1.0)
    with pytest.raises(TypeError, match="Nuclear has no exact prox"):
        Blocks((Block("a", (2, 2), Nuclear(lam=1.0)),)).prox(np.ones(4), 1.0, metric=np.ones(4))


def test_blocks_split_into_views():
    w = np.zeros(5)
    Blocks((Block("a", (2, 2)), Block("b", (1,)))).split(w)["a"][0, 1] = 3.0
    np.testing.assert_array_equal(w, [0, 3, 0, 0, 0])


def test_zero_is_free():
    assert Zero().conjugate(np.zeros(2)) == 0
    assert Zero().conjugate(np.ones(2)) == np.inf
    assert Zero().subdiff_distance(W, np.array([3.0, 4.0])) == 5


WITH_METRIC = {name: example for name, example in REGISTRY.items() if example[0].metric_prox}


@pytest.mark.parametrize("name", WITH_METRIC)
def test_a_prox_in_one_metric_is_the_prox_in_it(name):
    regularizer, shape = WITH_METRIC[name]
    rng = np.random.default_rng(0)
    for metric in (np.exp(rng.standard_normal(shape)), np.full(shape, 2.0)):  # of which groups see one number, or not
        prox = regularizer.prox_in(metric)
        for w in rng.standard_normal((3, *shape)):
            np.testing.assert_array_equal(prox(w), regularizer.prox(w, 1.0, metric))


def test_one_number_a_group_is_no_special_case():
    metric = np.tile([1.0, 2.0, 3.0, 4.0], (3, 1))
    nearly = metric * (1 + 1e-10 * RNG.random((3, 4)))
    psi = GroupLasso(lam=0.2, axis=0)
    # The prox moves by at most the change of the metric times the entries, which are below 3.
    np.testing.assert_allclose(psi.prox_in(metric)(W), psi.prox_in(nearly)(W), rtol=0, atol=1e-9)


def test_a_metric_is_checked_once():
    with pytest.raises(ValueError, match="positive entries only"):
        GroupLasso(lam=1.0, axis=0).prox_in(0 * W)
    with pytest.raises(TypeError, match="no exact prox in a diagonal metric"):
        Nuclear(lam=1.0).prox_in(np.ones_like(W))
