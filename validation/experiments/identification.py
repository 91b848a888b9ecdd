"""Every regularizer: RMDA finds the structure of a planted problem of its own kind, under noise, and keeps it.

RMDA's theorem asks for a convex and partly smooth psi. Its prox step alpha/beta grows without bound, and the prox of a
bounded nonconvex psi then keeps no entry of a fixed size: with such a psi identification is not promised, and what was
seen is reported (not by the quick profile). ProxSGD, with the same steps and noise, shows what the averaging is for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from problems.prox_planted import prox_planted
from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.regularizers import REGISTRY, Regularizer
from validation.claim import Check, Claim, Measurement, Setting, Table

N_STEPS = (400, 4000)  # quick, full
NOISE_RATIO = 2.0  # a single gradient errs by twice the distance within which the structure was found safe
STEP_SIZE = 0.02


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


def promised(regularizer: Regularizer) -> bool:
    """Whether RMDA's theorem speaks of this psi."""
    return regularizer.convex and regularizer.partly_smooth


def identify(
    regularizer: Regularizer, shape: tuple[int, ...], implementation: Any, setting: Setting, name: str, n_steps: int
) -> Identified:
    """RMDA on a planted problem of the operator's own kind, under noise, from 0 or the nearest point of the domain."""
    problem = prox_planted(regularizer, shape, setting.rng("identification", name), noise_ratio=NOISE_RATIO)
    start = regularizer.prox(np.zeros(shape), 1.0)

    def last_wrong(advance: Callable[[np.ndarray], np.ndarray]) -> int | None:
        rng, w, last = setting.rng("identification", name, "noise"), start, 0
        for t in range(1, n_steps + 1):
            w = advance(problem.noisy_gradient(w, rng))
            if regularizer.manifold(w) != problem.manifold:
                last = t
            if last > n_steps // 2:
                return None
        return last

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
        promised(regularizer),
        last_wrong(pure),
        last_wrong(fused(algorithm.stepper(start))),
        last_wrong(fused(implementation.ProxSGD(regularizer, STEP_SIZE).stepper(start))),
    )


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    examples = {
        name: example for name, example in REGISTRY.items() if promised(example[0]) or setting.profile != "quick"
    }
    identified: dict[str, Identified] = {}
    for name, example in examples.items():
        identified[name] = identify(*example, implementation, setting, name, setting.size(*N_STEPS))
        setting.progress(len(identified) / len(examples))
    return Measurement(tuple(_checks(identified)), tables=(_table(identified),))


def _checks(identified: dict[str, Identified]) -> list[Check]:
    promised = [found for found in identified.values() if found.promised]
    checks = []
    for what, right in (
        ("pure", [x.pure is not None for x in promised]),
        ("fused", [x.fused is not None for x in promised]),
    ):
        quantity = f"convex, partly smooth: structure found by {what} RMDA and kept"
        checks.append(Check(quantity, len(promised), sum(right), len(promised), len(promised)))
    return checks


def _table(identified: dict[str, Identified]) -> Table:
    def told(step: int | None) -> str:
        return "not kept" if step is None else f"from step {step + 1}"

    rows = [
        (
            name,
            "promised" if found.promised else "not promised",
            *(told(step) for step in (found.pure, found.fused, found.without_averaging)),
        )
        for name, found in identified.items()
    ]
    return Table(("operator", "by theory", "RMDA, pure", "RMDA, fused", "ProxSGD"), tuple(rows))


CLAIM = Claim(
    id="identification",
    title="Every regularizer: its structure found",
    statement=(
        "Where psi is convex and partly smooth, RMDA under gradient noise finds the structure of a planted solution "
        "and keeps it over the last half of the steps, by the pure step and by the fused one: in every example."
    ),
    source="Huang & Lee (ICLR 2022), manifold identification; planting: problems/prox_planted.py",
    bar=(
        "Every example. The problems are those, among random ones, whose structure was found safest; the noise of a "
        "gradient is twice that distance. An observation: no bound on the probability of failure is known."
    ),
    measure=measure,
    theorems=("identification", "regularizers"),
    every_operator=True,
)
