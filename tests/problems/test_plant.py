"""Any psi, any f: the planted point is a global minimiser with the structure, the margin and the noise asked for."""

import math

import numpy as np
import pytest

from problems import MLP, PopulationLogistic, Quadratic, TeacherStudent, planted
from problems.numerical_margin import Interior, Subdifferential
from rmda_ref import (
    L1,
    MCP,
    Block,
    Blocks,
    ElasticNet,
    GroupLasso,
    GroupMax,
    Nuclear,
    Rank,
    Simplex,
    Slope,
    SparseGroupLasso,
    Support,
    TopK,
    TotalVariation,
    Zero,
)
from rmda_ref.certificates.margin import margin
from rmda_ref.regularizers import REGISTRY

CLOSE = 1e-5  # of a margin: what the numerical search reaches, with room
NONCONVEX = [pytest.param(*case, id=name) for name, case in REGISTRY.items() if not case[0].convex]
# Points where the distance to the relative boundary is known by hand: (psi, w, u, margin).
KNOWN = {
    "l1": (L1(1.0), [2.0, 0.0, 0.0], [1.0, 0.75, -0.5], 0.25),
    "l1, weights": (L1(1.0, weights=[1.0, 2.0, 1.0]), [2.0, 0.0, 0.0], [1.0, 1.8, -0.5], 0.2),
    "elastic net": (ElasticNet(1.0, l1_ratio=0.5), [2.0, 0.0], [1.5, 0.1], 0.4),
    # A face of the l1 ball: u >= 0 with sum 2 on the two largest entries; the facet u_1 = 0 is 0.5 sqrt(2) away.
    "group max": (GroupMax(2.0), [3.0, 3.0, 1.0], [0.5, 1.5, 0.0], 0.5 * math.sqrt(2)),
    # u = D^T z with |z| <= 1 on the one flat edge: the boundary z = 1 is 0.5 |D^T e| = 0.5 sqrt(2) away.
    "total variation": (TotalVariation(1.0), [0.0, 2.0, 2.0], [-1.0, 0.5, 0.5], 0.5 * math.sqrt(2)),
    # The normal cone at a vertex, {u: u_1 >= u_j}, cut by u_1 - u_2 = 1 first: a hyperplane 1/sqrt(2) away.
    "simplex": (Simplex(), [1.0, 0.0, 0.0], [2.0, 1.0, -3.0], 1 / math.sqrt(2)),
    # Box plus ball at a zero group: u outside the box [-1, 1]^2 by 0.5, of the 0.8 that the ball gives.
    "sparse group": (SparseGroupLasso(2.0, 0.5, axis=0, weights=[0.8]), [[0.0], [0.0]], [[1.5], [0.0]], 0.3),
    "slope": (Slope(1.0, [3.0, 2.0]), [0.0, 0.0], [1.0, 0.0], 2.0),
}


def quadratic(shape, rng):
    return Quadratic(2 * rng.standard_normal(shape), np.eye(int(np.prod(shape))))


def least_elsewhere(problem, rng):
    """The least of F - F(W*) near, far and in the domain, over 1 + |F(W*)|."""
    w, best = problem.solution, problem.optimal_value
    points = [w + size * rng.standard_normal(w.shape) for size in (1e-3, 0.1, 1.0, 5.0) for _ in range(10)]
    points += [problem.regularizer.prox(point, 0.3) for point in points]
    return (min(map(problem.objective, points)) - best) / (1 + abs(best))


@pytest.mark.parametrize("name", KNOWN)
def test_the_numerical_margin_is_the_one_known_by_hand(name):
    psi, w, u, expected = KNOWN[name]
    seen = Subdifferential(psi, np.array(w))
    u = np.array(u).reshape(-1)
    assert seen.distance(u) < 1e-14
    found = Interior(seen, u, seen.normal_space(u)).nearest(np.random.default_rng(0))
    assert found.margin == pytest.approx(expected, rel=1e-8)  # the bisection stops at 1e-9
    assert seen.distance(u + 0.999 * expected * found.direction) < 1e-7
    assert seen.distance(u + 1.001 * expected * found.direction) > 1e-5


@pytest.mark.parametrize("scale", [1e-2, 1e-4])
@pytest.mark.parametrize("share", [0.5, 0.01])
def test_small_margins_are_measured_as_well_as_large_ones(scale, share):
    """By the formula of the largest two: the sorted |u| has sums of at most those of the weights 4, 3, 2, 1."""
    f = Quadratic(np.array([3.0, -2.0, 0.0, 0.0]), np.eye(4))
    psi = Slope(scale, [4.0, 3.0, 2.0, 1.0])
    u = np.sort(np.abs(planted(f, psi, margin=share * scale, rng=np.random.default_rng(0)).tilt))[:2]
    room = min(2 * scale - u[1], (3 * scale - u.sum()) / math.sqrt(2))
    assert room == pytest.approx(share * scale, rel=CLOSE)


@pytest.mark.parametrize(
    "psi", [L1(0.7, weights=[1.0, 2.0, 0.5, 1.0, 3.0, 1.0]), GroupLasso(0.7, groups=[0, 0, 1, 1, 1, 2])]
)
def test_the_formula_and_the_search_agree(psi):
    """With weights, at a point with one zero entry or group."""
    w = np.array([1.0, -2.0, 0.0, 0.0, 0.0, 3.0])
    problem = planted(Quadratic(w, np.eye(6)), psi, margin=0.2, rng=np.random.default_rng(0))
    inside = Interior.of(Subdifferential(psi, w), np.random.default_rng(1))
    here = Interior(inside.subdifferential, problem.tilt, inside.basis)
    assert margin(psi, w, problem.tilt) == pytest.approx(0.2, rel=1e-12)
    assert here.nearest(np.random.default_rng(2)).margin == pytest.approx(0.2, rel=1e-6)


@pytest.mark.parametrize("name", ["elastic net", "group max", "total variation", "simplex", "slope"])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_margin_is_the_one_asked_for(name, share):
    """Less than at hand, and (on the way through other subgradients) as much: measured by the search."""
    psi, w, _, known = KNOWN[name]
    f = Quadratic(np.zeros(np.shape(w)), np.eye(np.size(w)))
    problem = planted(f, psi, margin=share * known, rng=np.random.default_rng(3), manifold=np.array(w))
    inside = Interior.of(Subdifferential(psi, problem.solution), np.random.default_rng(4))
    found = Interior(inside.subdifferential, problem.tilt.reshape(-1), inside.basis).nearest(np.random.default_rng(5))
    assert found.margin == pytest.approx(share * known, rel=CLOSE)
    np.testing.assert_array_equal(problem.solution, w)
    assert least_elsewhere(problem, np.random.default_rng(6)) >= -1e-12


@pytest.mark.parametrize(("psi", "shape"), NONCONVEX)
def test_what_is_not_convex_gets_a_proximal_term(psi, shape):
    """W* is minimal with it; the structure is that of the point, and the problem is made around it."""
    rng = np.random.default_rng(0)
    problem = planted(quadratic(shape, rng), psi, margin=1 / 64, rng=rng)
    assert problem.curvature > 0 and problem.manifold == psi.manifold(problem.smooth.target)
    assert least_elsewhere(problem, rng) >= -1e-12


def test_without_the_proximal_term_a_nonconvex_problem_has_other_minimisers():
    """At least for one of 20 draws: the term is needed."""
    import dataclasses

    flat = Quadratic(np.zeros(6), 1e-3 * np.eye(6))
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        problem = planted(flat, MCP(lam=1.0, gamma=1.1), margin=1 / 64, rng=rng)
        assert least_elsewhere(problem, rng) >= -1e-12
        found.append(least_elsewhere(dataclasses.replace(problem, curvature=0.0), rng))
    assert min(found) < -1e-3


def test_a_support_a_rank_and_blocks_are_moved_onto():
    rng = np.random.default_rng(0)
    mask = np.array([True, False, True, False])
    problem = planted(quadratic((4,), rng), L1(1.0), margin=0.3, rng=rng, manifold=Support.of(mask))
    np.testing.assert_array_equal(problem.solution != 0, mask)
    columns = planted(quadratic((3, 4), rng), GroupLasso(1.0, axis=0), margin=0.3, rng=rng, manifold=Support.of(mask))
    np.testing.assert_array_equal(columns.solution.any(axis=0), mask)
    low = planted(quadratic((4, 3), rng), Nuclear(1.0), margin=0.3, rng=rng, manifold=Rank(2))
    assert np.linalg.matrix_rank(low.solution) == 2 and low.manifold == Rank(2)
    few = planted(quadratic((6,), rng), TopK(2), margin=1 / 64, rng=rng)
    assert few.manifold.n_active == 2


def test_a_network_and_a_logistic_population():
    """fact 10: a global minimum of a network, with a structure, a margin and noise."""
    rng = np.random.default_rng(0)
    net = MLP((6, 4, 2), "tanh", "squared")
    first, *others = net.blocks
    psi = Blocks((Block(*first, GroupLasso(0.05, axis=0)), *(Block(*block) for block in others)))
    needed = Support.of(np.arange(6) < 3)
    structure = ((first[0], needed), *psi.manifold(np.ones(net.size))[1:])
    f = TeacherStudent(net, net.initial(rng))
    problem = planted(f, psi, margin=0.04, rng=rng, manifold=structure)
    assert problem.manifold == structure and problem.margin == pytest.approx(0.04, rel=1e-12)
    assert least_elsewhere(problem, rng) >= -1e-12
    logistic = planted(PopulationLogistic(np.array([1.0, 0.0, -2.0, 0.0])), L1(0.1), margin=0.05, rng=rng)
    assert logistic.margin == pytest.approx(0.05, rel=1e-12) and least_elsewhere(logistic, rng) >= -1e-12


def test_noise_is_added_to_the_gradient_of_any_f():
    """Its standard deviation per entry, from 4000 of them: off by more than 6% with probability 1e-7."""
    f = Quadratic(np.array([1.0, 0.0]), np.eye(2))
    problem = planted(f, L1(1.0), margin=0.5, rng=np.random.default_rng(0), noise=0.3)
    rng, w = np.random.default_rng(1), np.zeros(2)
    noise = np.array([problem.noisy_gradient(w, rng) - problem.gradient(w) for _ in range(2000)])
    assert noise.std() == pytest.approx(0.3, rel=0.06)


RNG = np.random.default_rng(0)
F = Quadratic(np.array([3.0, -2.0, 0.0]), np.eye(3))
NONZERO = Quadratic(np.array([3.0, -2.0]), np.eye(2))
TWO_BLOCKS = Blocks((Block("a", (2,), L1(1.0)), Block("b", (1,), L1(1.0))))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((F, L1(1.0), {"margin": 0.0}), ValueError, "margin must be positive"),
        ((F, L1(1.0), {"margin": 0.5, "noise": -1.0}), ValueError, "noise must lie in"),
        ((F, L1(1.0), {"margin": 1.5}), ValueError, r"margin must lie in \(0, 1\]"),
        ((F, ElasticNet(1.0), {"margin": 1.5}), ValueError, "not reached at this point; the largest found is 0.5"),
        ((F, TotalVariation(1.0), {"margin": 0.5}), ValueError, "nothing is inactive at this point; ask for math.inf"),
        ((F, L1(1.0), {"margin": 0.5, "manifold": Support.of(np.ones(3, bool))}), ValueError, "cannot be moved onto"),
        ((F, L1(1.0), {"margin": 0.5, "manifold": np.array([1.0, math.nan, 0.0])}), ValueError, "manifold has 1 non-f"),
        ((F, L1(1.0), {"margin": 0.5, "manifold": np.ones(2)}), ValueError, r"manifold has shape \(2,\)"),
        ((NONZERO, L1(1.0), {"margin": 0.5}), ValueError, "nothing is inactive at this point; ask for math.inf"),
        ((F, L1(1.0), {"margin": math.inf}), ValueError, r"margin must lie in \(0, 1\]"),
        (
            (F, TWO_BLOCKS, {"margin": 0.5, "manifold": (("a", Support.of(np.ones(2, bool))),)}),
            ValueError,
            "has 1 parts",
        ),
        ((F, L1(1.0), {"margin": 0.5, "manifold": Rank(1)}), TypeError, "give manifold as an array"),
        ((F, TopK(1), {"margin": 0.5, "manifold": np.ones(3)}), TypeError, "drawn by its prox"),
        ((F, Simplex(), {"margin": 0.1}), ValueError, "lies outside the domain of psi"),
        ((F, TopK(1), {"margin": 5.0}), ValueError, "no point with this structure and a margin of 5.0"),
    ],
)
def test_what_cannot_be_had_is_said(arguments, error, message):
    smooth, psi, options = arguments
    with pytest.raises(error, match=message):
        planted(smooth, psi, rng=np.random.default_rng(0), **options)


def test_where_nothing_is_inactive_the_margin_is_infinite():
    problem = planted(F, TotalVariation(1.0), margin=math.inf, rng=RNG)
    assert problem.kkt_residual < 1e-12
    for psi in (Zero(), L1(1.0)):
        assert planted(NONZERO, psi, margin=math.inf, rng=RNG).margin == math.inf
    square = Quadratic(np.diag([3.0, -2.0]), np.eye(4))
    for psi in (Nuclear(1.0), GroupLasso(1.0, axis=0)):
        assert planted(square, psi, margin=math.inf, rng=RNG).margin == math.inf
