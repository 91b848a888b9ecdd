"""D4. What the tracker of identification reports is what the whole trajectory says, stage by stage.

The tracker sees one step at a time and keeps no more than the manifold of the last. Here the supports of all W~^t are
kept beside it, and of each stage three integers are read off them: T0, the last step with another support than the
planted one; the step since which the support has been the one at the end; and the number of changes. Fed by the states
of the pure steps the tracker must report the same integers. From inside a fused step it must too, although the two
trajectories differ by rounding: the supports of one step differ only where an entry of W^0 - V/beta lies within that
rounding, r, of its threshold. Given the past, that entry has the noise eta sigma N(0, 1) of its last gradient, and so
lies there with probability at most 4 r/(eta sigma sqrt(2 pi)).
"""

import math
from typing import Any, NamedTuple

import numpy as np

from problems import Planted, Quadratic
from rmda_ref import L1, Stage
from rmda_ref.certificates import IdentificationTracker, StageReport
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

QUICK_SEEDS, FULL_SEEDS = 3, 15
DIMENSION, N_ACTIVE = 12, 4
SIGMA, LAM, MARGIN = 0.5, 1.0, 0.25
STAGES = (Stage(100, 0.1, 0.5), Stage(100, 0.05, 1.0), Stage(100, 0.05, 0.2))
ROUNDING = 1e-13  # two hundred roundings of the largest entry
_TRIALS = FULL_SEEDS * DIMENSION * sum(stage.n_steps for stage in STAGES)
FAILURE_PROBABILITY = _TRIALS * 4 * ROUNDING / (0.05 * SIGMA * math.sqrt(2 * math.pi))


class Figures(NamedTuple):
    t0: int
    since: int
    n_changes: int


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_seeds = setting.size(QUICK_SEEDS, FULL_SEEDS)
    off = {name: np.zeros(3) for name in ("pure", "fused")}
    pictures: tuple[Picture, ...] = ()
    for seed in range(n_seeds):
        problem = _planted(setting.rng("D4", seed))
        supports, reports = _pure(implementation, problem, setting.rng("D4", seed, "noise"))
        wanted = [figures(stage, problem.solution != 0) for stage in supports]
        off["pure"] += _differences(reports, wanted)
        off["fused"] += _differences(_fused(implementation, problem, setting.rng("D4", seed, "noise")), wanted)
        pictures = pictures or (_picture(supports, reports, problem),)
        setting.progress((seed + 1) / n_seeds)
    checks = [
        Check.at_most(f"{name} steps: {quantity}, sum of |differences|", total, 0)
        for name, totals in off.items()
        for quantity, total in zip(("T0", "unchanged since", "changes"), totals, strict=True)
    ]
    return Measurement(tuple(checks), pictures)


def figures(supports: np.ndarray, target: np.ndarray) -> Figures:
    """Of one stage, from all its supports, (n_steps, dimension)."""
    wrong = np.flatnonzero((supports != target).any(axis=1))
    changes = np.flatnonzero((supports[1:] != supports[:-1]).any(axis=1))
    return Figures(int(wrong[-1]) + 1 if len(wrong) else 0, int(changes[-1]) + 2 if len(changes) else 1, len(changes))


def _differences(reports: tuple[StageReport, ...], wanted: list[Figures]) -> np.ndarray:
    """Per figure, over the stages; infinite where the stages are not as many."""
    if len(reports) != len(wanted):
        return np.full(3, np.inf)
    found = [(report.t0, report.since, report.n_changes) for report in reports]
    return np.asarray(np.abs(np.array(found, dtype=float) - np.array(wanted)).sum(axis=0))


def _planted(rng: np.random.Generator) -> Planted:
    target = np.zeros(DIMENSION)
    target[rng.permutation(DIMENSION)[:N_ACTIVE]] = 3.0 * rng.choice([-1.0, 1.0], N_ACTIVE)
    return Planted.with_margin(Quadratic.correlated(target, 0.3, SIGMA), L1(LAM), MARGIN, rng)


def _tracker(problem: Planted) -> IdentificationTracker:
    return IdentificationTracker(problem.regularizer, problem.manifold)


def _pure(
    implementation: Implementation, problem: Planted, rng: np.random.Generator
) -> tuple[list[np.ndarray], tuple[StageReport, ...]]:
    """The supports of each stage, all of them, and what the tracker reports."""
    algorithm, tracker = _algorithm(implementation, problem), _tracker(problem)
    kept = []
    for state in implementation.staged_steps(
        algorithm, np.zeros(DIMENSION), lambda w: problem.noisy_gradient(w, rng), STAGES
    ):
        tracker.update(state)
        kept.append(state.prox_iterate != 0)
    return np.split(np.array(kept), np.cumsum([stage.n_steps for stage in STAGES])[:-1]), tracker.stages


def _fused(implementation: Implementation, problem: Planted, rng: np.random.Generator) -> tuple[StageReport, ...]:
    tracker = _tracker(problem)
    stepper = _algorithm(implementation, problem).stepper(np.zeros(DIMENSION), tracker)
    for k, stage in enumerate(STAGES):
        if k > 0:
            stepper.restart(step_size=stage.step_size, momentum=stage.momentum)
        for _ in range(stage.n_steps):
            stepper.step(problem.noisy_gradient(stepper.iterate, rng))
    return tracker.stages


def _algorithm(implementation: Implementation, problem: Planted) -> Any:
    return implementation.RMDA(problem.regularizer, STAGES[0].step_size, STAGES[0].momentum)


def _picture(supports: list[np.ndarray], reports: tuple[StageReport, ...], problem: Planted) -> Picture:
    sizes = np.concatenate(supports).sum(axis=1)
    starts = np.cumsum([0, *(len(stage) for stage in supports)])
    last_wrong = [int(start) + (report.t0 or 0) for start, report in zip(starts, reports, strict=False)]
    steps = range(1, len(sizes) + 1)
    return Picture(
        "Every stage identifies anew; the tracker marks the last wrong step of each",
        "step, over all stages",
        "nonzero entries of W~",
        (
            Curve("planted", (1, len(sizes)), (float((problem.solution != 0).sum()),) * 2, "predicted"),
            Curve("W~^t", list(steps), sizes.tolist(), "context"),
            Curve("T0 of the tracker", last_wrong, [float(sizes[max(t - 1, 0)]) for t in last_wrong]),
        ),
    )


CLAIM = Claim(
    id="D4",
    title="The tracker of identification",
    statement=(
        "Fed step by step, the tracker reports per stage the T0, the step since which the support has been unchanged, "
        "and the number of changes that the whole trajectory has, on noisy lasso runs with restarts; from pure states, "
        "and from inside the fused step, also with momentum, where W~ is not stored."
    ),
    source="Definitions; the tracker is rmda_ref.certificates.IdentificationTracker",
    bar=(
        "Exact integers. Fused and pure supports could differ where an entry comes within rounding, 1e-13, of its "
        f"threshold: over all steps and seeds with probability below {FAILURE_PROBABILITY:.0e}."
    ),
    measure=measure,
    theorems=("certificates", "identification", "restarts"),
    failure_probability=FAILURE_PROBABILITY,
)
