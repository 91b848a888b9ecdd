"""What is measured of one example of the registry: its laws and its oracle."""

from dataclasses import dataclass

import numpy as np

from rmda_ref.regularizers import Regularizer
from rmda_ref.testing.case import KINDS, Case
from rmda_ref.testing.check import cases, outcome
from rmda_ref.testing.laws import LAWS
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
            worst = max(worst, _known(found.excess))
        excess[law.name] = worst
    return Lawful(n_examples, excess, complaint)


def _known(error: float) -> float:
    """NaN is no agreement, though the larger of 0 and NaN is 0."""
    return np.inf if np.isnan(error) else error


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
        above, below = max(above, _known(found.excess)), max(below, -_known(found.excess))
        value_error = max(value_error, _known(found.value_error))
    return Judged(oracle.method, n_examples, n_answered, above, below, oracle.resolution, value_error)
