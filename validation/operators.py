"""What is measured of one example of the registry: its laws, its oracle, and RMDA with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from problems.prox_planted import prox_planted
from rmda_ref.regularizers import Regularizer
from rmda_ref.testing.case import KINDS, Case
from rmda_ref.testing.check import cases, outcome
from rmda_ref.testing.laws import LAWS
from validation.claim import Setting
from validation.oracles.operators import ORACLES
from validation.oracles.oracle import NoAnswer, compare

STEPS = (0.01, 10.0)


@dataclass(frozen=True)
class Lawful:
    """Of each law: examples tried, and the worst deviation in units of its allowance (None where it does not apply)."""

    n_examples: int
    excess: dict[str, float | None]
    complaint: str  # of the first violation


def try_laws(regularizer: Regularizer, shape: tuple[int, ...], n_examples: int, seed: int) -> Lawful:
    """Every law that applies, in float32 and float64."""
    excess: dict[str, float | None] = {}
    complaint = ""
    for law in LAWS:
        if not law.applies(regularizer):
            excess[law.name] = None
            continue
        worst = 0.0
        for case in cases(shape, n_examples, seed, (np.float64, np.float32), STEPS):
            found = outcome(law, regularizer, case)
            complaint = complaint or ("" if found.holds else f"{law.name}: {found.said()}")
            worst = max(worst, found.excess if found.excess == found.excess else np.inf)
        excess[law.name] = worst
    return Lawful(n_examples, excess, complaint)


@dataclass(frozen=True)
class Judged:
    """Against the oracle, in float64, with and without a metric; relative to 1 + the size of the terms.

    Attributes
    ----------
    n_examples, n_answered : asked, and answered by the other method
    above : how far the objective of the prox lies above the oracle's, at worst (0 if never)
    below : how far below
    resolution : how far below the oracle's resolution allows
    value_error : of psi
    """

    method: str
    n_examples: int
    n_answered: int
    above: float
    below: float
    resolution: float
    value_error: float

    @property
    def allowed_above(self) -> float:
        """Rounding; and a solver's point may lie below the minimum by what it violates constraints."""
        return SOLVER if self.method == "convex program" else ROUNDING


ROUNDING = 1e-11  # of objectives whose terms are O(1): 1e5 roundings of 1e-16
SOLVER = 1e-9  # ten times the tolerance of its constraints


def ask_oracle(name: str, regularizer: Regularizer, shape: tuple[int, ...], n_examples: int, seed: int) -> Judged:
    """The prox beside another method's, at random points, some of them sparse or tied."""
    oracle, rng = ORACLES[name], np.random.default_rng(seed)
    above = below = value_error = 0.0
    n_answered = 0
    for i in range(n_examples):
        step = float(np.exp(rng.uniform(*np.log(STEPS))))
        case = Case.draw(int(rng.integers(2**32)), shape, np.float64, step, KINDS[i % 3])
        metric = case.metric if regularizer.metric_prox and i % 2 else None
        try:
            found = compare(oracle, regularizer, case.w, step, metric)
        except NoAnswer:
            continue
        n_answered += 1
        above, below = max(above, found.excess), max(below, -found.excess)
        value_error = max(value_error, found.value_error)
    return Judged(oracle.method, n_examples, n_answered, above, below, oracle.resolution, value_error)


@dataclass(frozen=True)
class Identified:
    """The last step at which W~ did not have the solution's structure; None: it was not kept in the last half.

    Attributes
    ----------
    promised : whether psi is convex and partly smooth
    pure, fused : of RMDA
    without_averaging : of ProxSGD, with the same step size and noise
    """

    promised: bool
    pure: int | None
    fused: int | None
    without_averaging: int | None


def identify(
    regularizer: Regularizer, shape: tuple[int, ...], implementation: Any, setting: Setting, name: str, n_steps: int
) -> Identified:
    """RMDA on a planted problem of the operator's own kind, under noise, from 0 or the nearest point of the domain."""
    problem = prox_planted(regularizer, shape, setting.rng("operators", name), noise_ratio=NOISE_RATIO)
    start = regularizer.prox(np.zeros(shape), 1.0)

    def last_wrong(advance: Callable[[np.ndarray], np.ndarray]) -> int | None:
        rng, w, last = setting.rng("operators", name, "noise"), start, 0
        for t in range(1, n_steps + 1):
            w = advance(problem.noisy_gradient(w, rng))
            if regularizer.manifold(w) != problem.manifold:
                last = t
        return last if last <= n_steps // 2 else None

    algorithm = implementation.RMDA(regularizer, STEP_SIZE)
    state = algorithm.init(start)

    def pure(grad: np.ndarray) -> np.ndarray:
        nonlocal state
        state = algorithm.step(state, grad)
        return np.asarray(state.prox_iterate)

    def fused(stepper: Any) -> Callable[[np.ndarray], np.ndarray]:
        def advance(grad: np.ndarray) -> np.ndarray:
            stepper.step(grad)
            return np.array(stepper.iterate)

        return advance

    return Identified(
        regularizer.convex and regularizer.partly_smooth,
        last_wrong(pure),
        last_wrong(fused(algorithm.stepper(start))),
        last_wrong(fused(implementation.ProxSGD(regularizer, STEP_SIZE).stepper(start))),
    )


NOISE_RATIO = 2.0  # a single gradient errs by twice the distance within which the structure was found safe
STEP_SIZE = 0.02
