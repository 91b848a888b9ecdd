"""Support separation: RMDA beside RDA, RAMDA and ProxSGD on one planted problem, scored at every step on W~.

*Right* means that the structure of W~^t is exactly that of the planted solution. RMDA, RDA and RAMDA must be right at
every step after the first tenth, on every seed; ProxSGD must be wrong somewhere in nearly every window of 100 steps, on
every seed. It does so because the noise of one gradient often exceeds the margin here; with less noise it may identify.
(That it is proximal at all these checks cannot see: claims C4, N5 and A13 do.)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
from scipy.special import chdtrc

from problems import Planted
from rmda_ref import PowerDecay
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Curve, Setting

WINDOW = 100
BURN_IN = 0.1  # the first tenth of the steps is not scored
LEAST_WRONG = 0.99
RDA_GAMMA = 1.0  # its start is forgotten like gamma/sqrt(t), RMDA's like 3/(2 eta t)
ALGORITHMS: dict[str, Callable[[Implementation, Any, float], Any]] = {  # of psi and the step size
    "RMDA, c = 1": lambda implementation, psi, eta: implementation.RMDA(psi, eta),
    "RMDA, c = 0.1": lambda implementation, psi, eta: implementation.RMDA(psi, eta, 0.1),
    "RDA": lambda implementation, psi, eta: implementation.RDA(psi, RDA_GAMMA),
    "RAMDA": lambda implementation, psi, eta: implementation.RAMDA(psi, eta),
    "ProxSGD": lambda implementation, psi, eta: implementation.ProxSGD(psi, eta),
    "ProxSGD, decaying step": lambda implementation, psi, eta: implementation.ProxSGD(psi, PowerDecay(eta, 0.5)),
}
EUCLIDEAN = tuple(name for name in ALGORITHMS if name != "RAMDA")


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one algorithm: (n_steps, n_seeds) booleans, whether W~^t was right; and the last W~ of each seed."""

    right: np.ndarray
    final: np.ndarray


Outcomes = dict[str, Outcome]  # per algorithm


class Problem(Protocol):
    """What a race needs of a problem; `problems.Planted` has it."""

    @property
    def regularizer(self) -> Any: ...
    def noisy_gradient(self, w: np.ndarray, rng: np.random.Generator) -> np.ndarray: ...


@dataclass(frozen=True)
class Race:
    """The algorithms named, each from W^0 = ``start`` on the same problem, with its own but equally seeded noise.

    ``start`` holds one seed, or many along its first axis; ``is_right`` gives one boolean per seed. RAMDA has a step
    size of its own: its steps are those of RMDA with eta/(2/3 eta m)^(1/3), m the mean square of the gradients.
    """

    problem: Problem
    start: np.ndarray
    is_right: Callable[[np.ndarray], np.ndarray]
    n_steps: int
    step_size: float
    entrants: Sequence[str] = tuple(ALGORITHMS)
    ramda_step_size: float = 0.1

    def run(self, algorithm: Any, implementation: Implementation, rng: np.random.Generator) -> Outcome:
        """One algorithm on all seeds."""
        right, start = [], algorithm.init(self.start)
        for state in implementation.steps(
            algorithm, start, lambda w: self.problem.noisy_gradient(w, rng), self.n_steps
        ):
            right.append(np.atleast_1d(self.is_right(state.prox_iterate)))
        return Outcome(np.array(right), state.prox_iterate)

    def run_all(
        self, implementation: Implementation, seeded: Callable[[], np.random.Generator], done: Callable[[float], None]
    ) -> Outcomes:
        """All algorithms; ``done`` hears the fraction done."""
        outcomes: Outcomes = {}
        for name in self.entrants:
            step_size = self.ramda_step_size if name == "RAMDA" else self.step_size
            algorithm = ALGORITHMS[name](implementation, self.problem.regularizer, step_size)
            outcomes[name] = self.run(algorithm, implementation, seeded())
            done(len(outcomes) / len(self.entrants))
        return outcomes


def has_manifold(problem: Planted) -> Callable[[np.ndarray], np.ndarray]:
    """Whether a point has the structure of the solution."""
    return lambda w: np.array(problem.regularizer.manifold(w) == problem.manifold)


def has_support(active: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Whether the groups of each seed, along the first axis, that are nonzero are those of ``active``."""

    def is_right(w: np.ndarray) -> np.ndarray:
        return np.asarray((w.reshape(len(w), active.size, -1).any(axis=-1) == active).all(axis=1))

    return is_right


def run_each(
    races: Mapping[float, Race], implementation: Implementation, setting: Setting, claim: str
) -> dict[float, Outcomes]:
    """Every race, its noise seeded by its label: a margin, or a seed."""

    def report(place: int, done: float) -> None:
        setting.progress((place + done) / len(races))

    return {
        label: race.run_all(implementation, partial(setting.rng, claim, label), partial(report, place))
        for place, (label, race) in enumerate(races.items())
    }


def side_by_side(races: Sequence[Outcomes]) -> Outcomes:
    """Races of one seed each as one."""
    return {
        name: Outcome(
            np.hstack([outcomes[name].right for outcomes in races]),
            np.stack([outcomes[name].final for outcomes in races]),
        )
        for name in races[0]
    }


def _scored(right: np.ndarray) -> np.ndarray:
    return right[int(BURN_IN * len(right)) :]


def seeds_right_throughout(right: np.ndarray) -> int:
    """Number of seeds that are right at every scored step."""
    return int(_scored(right).all(axis=0).sum())


def wrong_windows(right: np.ndarray) -> float:
    """Fraction of windows of 100 scored steps with a wrong step, on the seed where it is least."""
    steps = _scored(right)
    windows = steps[: len(steps) // WINDOW * WINDOW].reshape(-1, WINDOW, right.shape[1])
    return float((~windows.all(axis=1)).mean(axis=0).min())


def last_wrong_step(right: np.ndarray) -> int:
    """T0 of the slowest seed: the last step at which it was wrong (0 if none was)."""
    wrong = np.flatnonzero(~right.all(axis=1))
    return int(wrong[-1]) + 1 if len(wrong) else 0


def checks(outcomes: Outcomes, label: str) -> list[Check]:
    """One check an algorithm, against the bars of this module."""
    result = []
    for name, outcome in outcomes.items():
        n_seeds = outcome.right.shape[1]
        if name.startswith("ProxSGD"):
            wrong = wrong_windows(outcome.right)
            result.append(Check(f"{label}{name}: windows wrong, worst seed", 1.0, wrong, LEAST_WRONG, 1.0))
        else:
            seeds, last = seeds_right_throughout(outcome.right), last_wrong_step(outcome.right)
            result.append(Check(f"{label}{name}: seeds right (T0 = {last})", n_seeds, seeds, n_seeds, n_seeds))
    return result


def union_bound(margin: float, sigma: float, degrees: int, pull: float, step_size: float, n_steps: int) -> float:
    """Of the probability that one inactive group of one seed is active in RMDA's or RDA's W~ at some scored step.

    As a Gaussian law (the dual noise of claim S1): the dual average of a group of so many ``degrees`` has deviation
    sigma times that of claim B1 per entry, and forgets the start by ``pull`` beta_t/alpha_t; RMDA counts twice, for two
    momenta. RAMDA's support is like RMDA's (claim G2), with another pull: it is counted as a third.
    """
    t = np.arange(1, n_steps + 1)
    roots = np.cumsum(np.sqrt(t))  # H_t
    laws = ((3, np.sqrt(t * (t + 1) / 2) / roots, np.sqrt(t) / (step_size * roots)), (1, t**-0.5, RDA_GAMMA * t**-0.5))
    total = 0.0
    for times, deviation, forgotten in laws:
        room = np.maximum(margin - pull * forgotten, 0) / (sigma * deviation)
        total += times * float(chdtrc(degrees, room[int(BURN_IN * n_steps) :] ** 2).sum())
    return total


def shown_steps(n_steps: int) -> Sequence[int]:
    """Steps for a picture, evenly on a logarithmic axis."""
    return [int(t) for t in np.unique(np.geomspace(1, n_steps, 50).astype(int))]


def curves(outcomes: Outcomes) -> list[Curve]:
    """Per algorithm the fraction of seeds that are right."""
    return [
        Curve(name, steps := shown_steps(len(o.right)), [float(o.right[t - 1].mean()) for t in steps])
        for name, o in outcomes.items()
    ]
