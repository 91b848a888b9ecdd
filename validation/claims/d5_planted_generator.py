"""D5. A solution can be planted for any psi and any f with a known minimiser, and it proves itself.

For convex psi F = f - <u, .> + psi, u in d psi(W*), is minimal at W* and W* is identified with the margin that u has
within d psi(W*) (`problems.plant`). What is seen from outside is not d psi but the prox: prox_{psi}(W* + v) = W*
exactly for the v in d psi(W*), so that pushing v from u in the direction in which the boundary is nearest moves the
prox away from W* at a distance that must be the margin asked for: that direction is searched for again, by the prox
alone. For psi that are not convex a proximal term makes
the point a global minimiser; f is a quadratic here, and once a network.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from problems import MLP, Planted, Quadratic, TeacherStudent, planted
from problems.numerical_margin import Interior, Subdifferential
from rmda_ref import Block, Blocks, GroupLasso
from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.regularizers import REGISTRY, Support
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table

QUICK = ("l1", "mcp", "group max", "total variation", "top-k, rows")
NOISE = 0.3
SAFE = 1 / 64  # asked for where psi is not convex
DRAWS = 20  # points among which one with something inactive is looked for
KKT_BAR, MARGIN_BAR = 1e-12, 1e-4
NETWORK = MLP((6, 4, 2), "tanh", "squared")
PUSHES = 20  # random directions in which the search for the nearest boundary starts
STILL = 1e-8  # relative: how far a prox that is computed iteratively may be from W* that it has not left
FARTHEST = 1e3
SHARES = (0.25, 0.5, 0.75)  # of the margin at the prox of a random point


@dataclass(frozen=True, eq=False)
class Planting:
    """A planted problem, the margin asked for, and the one found by pushing (NaN where psi is not convex)."""

    problem: Planted
    asked: float
    pushed: float


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    names = setting.size(list(QUICK), list(REGISTRY))
    found: dict[str, Planting] = {}
    for place, name in enumerate(names):
        found[name] = plant(name, SHARES[place % len(SHARES)], setting)
        setting.progress(len(found) / len(names))
    found["network"] = network(setting)
    convex = {name: p for name, p in found.items() if p.problem.regularizer.convex}
    off = {name: 0.0 if p.pushed == p.asked else abs(p.pushed / p.asked - 1) for name, p in convex.items()}
    finite = {name: p for name, p in convex.items() if np.isfinite(p.asked)}
    worst = max(off, key=lambda name: off[name])
    below = {name: lowest(p.problem, setting.rng("D5", name, "points")) for name, p in found.items()}
    kkt = {name: relative_kkt(p.problem) for name, p in found.items()}
    checks = (
        Check("problems planted", len(names) + 1, len(found), len(names) + 1, len(names) + 1),
        Check.at_most("KKT residual over the size of its terms, worst", max(kkt.values()), KKT_BAR),
        Check.at_most(f"margin by pushing against the one asked, worst: {worst}", off[worst], MARGIN_BAR),
        Check("F at other points less F(W*), least, relative", 0.0, min(below.values()), -1e-12, np.inf),
    )
    rows = tuple((name, p.problem.regularizer.convex * 1, p.asked, p.pushed, kkt[name]) for name, p in found.items())
    table = Table(("example", "convex", "margin asked", "by pushing", "KKT residual, relative"), rows)
    asked = [p.asked for p in finite.values()]
    ends = (min(asked), max(asked))
    curves = (
        Curve("as asked", ends, ends, "predicted"),
        Curve("one example", asked, [p.pushed for p in finite.values()]),
    )
    title = "The margin is the one asked for: beyond it the prox leaves the planted point"
    picture = Picture(title, "margin asked", "push at which the prox moves", curves, "linear", "linear")
    return Measurement(checks, (picture,), (table,))


def plant(name: str, share: float, setting: Setting) -> Planting:
    """A problem with a quadratic f, for an example of the registry."""
    regularizer, shape = REGISTRY[name]
    rng = setting.rng("D5", name)
    f = Quadratic.correlated(2 * rng.standard_normal(shape), 0.3)
    if not regularizer.convex:
        return Planting(planted(f, regularizer, margin=SAFE, rng=rng, noise=NOISE), SAFE, np.nan)
    point, asked = _drawn(regularizer, shape, share, rng)
    problem = planted(f, regularizer, margin=asked, rng=rng, manifold=point, noise=NOISE)
    return Planting(problem, asked, pushed_away(problem, setting.rng("D5", name, "pushes")))


def _drawn(
    regularizer: Any, shape: tuple[int, ...], share: float, rng: np.random.Generator
) -> tuple[np.ndarray, float]:
    """The prox of a random point with something inactive, if there is one; and a share of the margin there."""
    for k in range(DRAWS):
        step = 1 + k / 4
        x = 2 * rng.standard_normal(shape)
        point = regularizer.prox(x, step)
        seen = Subdifferential(regularizer, point)
        u = seen.project((x - point).reshape(-1) / step)
        inside = Interior(seen, u, seen.normal_space(u))
        asked = share * inside.nearest(rng).margin
        if np.isfinite(asked):
            break
    return point, asked


def pushed_away(problem: Planted, rng: np.random.Generator) -> float:
    """How far u can be pushed, in the worst direction found, before the prox of W* + u leaves the manifold of W*.

    A search of its own, by the prox alone: from random directions, each followed by the one in which the prox moved.
    Infinite if it never does.
    """
    psi, w = problem.regularizer, problem.solution
    basis = Subdifferential(psi, w).normal_space(problem.tilt.reshape(-1))
    still = STILL * (1 + np.abs(w).max())

    def moved(push: float, direction: np.ndarray) -> np.ndarray:
        """By how much, across the manifold: along it an inexact basis moves it, too."""
        there = psi.prox(w + problem.tilt + push * (basis @ direction).reshape(w.shape), 1.0)
        return np.asarray(basis.T @ (there - w).reshape(-1))

    def room(direction: np.ndarray) -> float:
        low, high = 0.0, 0.01
        while np.abs(moved(high, direction)).max() <= still:
            low, high = high, 4 * high
            if low > FARTHEST:
                return np.inf
        while high - low > 1e-7 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if np.abs(moved(middle, direction)).max() <= still else (low, middle)
        return low

    least = np.inf
    for start in rng.standard_normal((PUSHES, basis.shape[1])) if basis.size else ():
        direction, reached = start / np.linalg.norm(start), np.inf
        while (push := room(direction)) < reached * (1 - 1e-6):
            reached = push
            outward = moved(push * (1 + 1e-4), direction)
            direction = outward / (np.linalg.norm(outward) or 1.0)
        least = min(least, reached)
    return float(least)


def network(setting: Setting) -> Planting:
    """A teacher that needs half of its inputs, asked for as a structure."""
    rng = setting.rng("D5", "network")
    first, *others = NETWORK.blocks
    psi = Blocks((Block(*first, GroupLasso(0.05, axis=0)), *(Block(*block) for block in others)))
    needed = Support.of(np.arange(NETWORK.sizes[0]) % 2 == 0)
    structure = ((first[0], needed), *psi.manifold(np.ones(NETWORK.size))[1:])  # type: ignore[index]
    f = TeacherStudent(NETWORK, NETWORK.initial(rng), keep=0.8)
    problem = planted(f, psi, margin=0.03, rng=rng, manifold=structure, noise=NOISE)
    return Planting(problem, 0.03, pushed_away(problem, rng))


def relative_kkt(problem: Planted) -> float:
    size = np.linalg.norm(problem.tilt) + problem.curvature * np.linalg.norm(problem.solution)
    return float(problem.kkt_residual / size) if size else float(problem.kkt_residual)


def lowest(problem: Planted, rng: np.random.Generator) -> float:
    """The least of F - F(W*) over points near and far, and their proxes, over 1 + |F(W*)|."""
    w = problem.solution
    points = [w + size * rng.standard_normal(w.shape) for size in (1e-3, 0.1, 1.0, 5.0) for _ in range(10)]
    points += [problem.regularizer.prox(point, 0.3) for point in points]  # in the domain, where psi is an indicator
    best = problem.optimal_value
    return float((min(map(problem.objective, points)) - best) / (1 + abs(best)))


CLAIM = Claim(
    id="D5",
    title="Planted solutions prove themselves",
    statement=(
        "For every regularizer of the library, in every layout (a few in the quick profile), with a quadratic f, and "
        "for a network: F = f - <u, .> + psi, with a proximal term where psi is not convex, is minimal at the planted "
        "W*, its KKT residual is rounding, and for convex psi the margin is the one asked for."
    ),
    source="Fermat's rule and the definition of the subgradient; derived in problems/planted.py and problems/plant.py",
    bar=(
        "KKT: rounding. The margin is made by a search from several directions, to 1e-6 where it succeeds, and found "
        f"again by one of {PUSHES} directions with the prox, which some operators compute iteratively: 1e-4. F may lie "
        "below F(W*) by rounding only. The draws are random; the probability that a search misses the nearest part of "
        "a boundary is not known: no bound."
    ),
    measure=measure,
    theorems=("certificates",),
)
