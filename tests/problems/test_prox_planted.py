"""Problems planted by the prox."""

import dataclasses

import numpy as np
import pytest

from problems.prox_planted import prox_planted, safety
from rmda_ref import L1
from rmda_ref.regularizers import REGISTRY
from rmda_ref.regularizers.mcp import MCP

CASES = [pytest.param(*case, id=name) for name, case in REGISTRY.items()]


@pytest.mark.parametrize(("regularizer", "shape"), CASES)
def test_the_solution_is_a_global_minimum(regularizer, shape):
    """At no point near or far is F smaller; an iterative prox is off by the root of its certified gap."""
    rng = np.random.default_rng(0)
    problem = prox_planted(regularizer, shape, rng)
    points = [problem.solution + size * rng.standard_normal(shape) for size in (1e-3, 0.1, 1.0, 5.0) for _ in range(20)]
    points += [regularizer.prox(point, 0.3) for point in points]  # in the domain, where psi is an indicator
    least = min(map(problem.objective, points))
    assert least >= problem.optimal_value - 1e-12 * (1 + abs(problem.optimal_value))


def test_a_nonconvex_one_needs_the_curvature():
    """With a fraction of it the planted point of a prox beyond gamma is no global minimiser."""
    psi = MCP(lam=1.0, gamma=1.1)
    problem = prox_planted(psi, (6,), np.random.default_rng(0), step=4.0)
    flatter = dataclasses.replace(problem.smooth, hessian=problem.smooth.hessian / 64)
    shallow = dataclasses.replace(problem, smooth=flatter)
    rng = np.random.default_rng(1)
    points = [problem.solution + size * rng.standard_normal(6) for size in (1.0, 5.0, 20.0) for _ in range(200)]
    points.append(0 * problem.solution)
    assert min(map(problem.objective, points)) >= problem.optimal_value
    assert min(map(shallow.objective, points)) < shallow.optimal_value


def test_safety_is_the_distance_to_another_structure():
    """The prox of (3, 0.2) keeps its support until an entry crosses the threshold 1: moves of 1/2 cannot, of 1 may."""
    psi, rng = L1(lam=1.0), np.random.default_rng(0)
    assert safety(psi, np.array([3.0, 0.2]), 1.0, rng) in (0.5, 1.0)
    assert safety(psi, np.array([3.0, 1.0]), 1.0, rng) == 0.0


def test_safety_sees_what_is_lost_on_one_side_and_comes_back_beyond():
    """At (3, 1.01) the second entry is 0.01: it vanishes by a move down, and beyond 2 it is there with another sign.

    One of two opposite moves goes down; by 1/32 it vanishes unless all random directions are flatter than 1/3.
    """
    psi = L1(lam=1.0)
    found = [safety(psi, np.array([3.0, 1.01]), 1.0, np.random.default_rng(seed)) for seed in range(200)]
    assert max(found) <= 1 / 64 and min(found) > 0
