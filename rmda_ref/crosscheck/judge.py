"""Whether a recorded run is one of the reference, up to what rounding can do; if not, where it departs first.

An implementation of RMDA, or a mistake in the reference, is run on the recorded gradients, on balls, which
bound what rounding may do in the recorded dtype.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rmda_ref.crosscheck.ball import Ball, Rounding
from rmda_ref.crosscheck.bounded import on_balls
from rmda_ref.crosscheck.drive import Record
from rmda_ref.crosscheck.mutants import REFERENCE, Implementation
from rmda_ref.crosscheck.task import Arrays


@dataclass(frozen=True)
class Departure:
    """The first place where a run leaves its bound.

    Attributes
    ----------
    step : counted over all stages from 1
    stage, step_in_stage : the same step, from 1
    quantity : "grad_sum", "prox_iterate", "iterate", or "asked_at", where the gradient was asked for
    parameter, index : the entry that is furthest beyond its bound
    found, expected, bound : there
    structure : whether one of the two is zero for sure, and the other is not
    """

    step: int
    stage: int
    step_in_stage: int
    quantity: str
    parameter: str
    index: tuple[int, ...]
    found: float
    expected: float
    bound: float
    structure: bool


@dataclass(frozen=True)
class Comparison:
    """How far a run is from an implementation, step by step up to the first departure and a little beyond.

    Attributes
    ----------
    departure : the first one, or None
    deviations, bounds : for each step, |found - expected| and its bound at the entry of the parameters where their
        quotient is largest
    worst : the largest quotient
    doubtful : entries whose being zero the bound leaves open, over all steps
    """

    departure: Departure | None
    deviations: tuple[float, ...]
    bounds: tuple[float, ...]
    worst: float
    doubtful: int


def replay(record: Record, parts: Implementation) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The states before and after each recorded step, on balls; keys are the names of the parameters.

    Raises what the implementation raises: a mistake may be one that crashes.
    """
    rounding, lent = Rounding(record.task.dtype), iter(record.grads)

    def gradient(states: dict[str, Any]) -> dict[str, Any] | None:
        grads = next(lent, None)
        if grads is None:
            return None
        return {name: None if grad is None else rounding.exact(grad) for name, grad in grads.items()}

    def added(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        return {name: _added(before[name], state) for name, state in after.items()} if record.adds_updates else after

    start = {name: rounding.exact(array) for name, array in record.start.items()}
    run: Iterator[tuple[dict[str, Any], dict[str, Any]]] = parts.network.run(
        record.task, parts, start, gradient, lambda algorithm: on_balls(algorithm, rounding), added
    )
    return run


def _added(before: Any, after: Any) -> Any:
    """The iterate formed as W + (new - W): one rounding of the difference, one of the sum."""
    old, new = before.iterate, after.iterate
    sizes = [np.abs(ball.value).astype(float) + ball.error for ball in (old, new)]
    extra = np.where(new.zero_for_sure(), 0.0, new.rounding.relative * (sizes[0] + 2 * sizes[1]))
    return replace(after, iterate=Ball(new.value, new.error + extra, new.rounding))


def compare(record: Record, parts: Implementation, beyond: int = 0) -> Comparison:
    """The run beside an implementation, until ``beyond`` steps after they part."""
    deviations, bounds, worst, doubtful = [], [], 0.0, 0
    departure: Departure | None = None
    lengths = [stage.n_steps for stage in record.task.stages]
    for t, (before, after) in enumerate(replay(record, parts), 1):
        seen = record.seen[t - 1]
        pairs: list[tuple[str, dict[str, Any], Arrays]] = []
        if record.asked_at:
            pairs.append(("asked_at", {name: s.iterate for name, s in before.items()}, record.asked_at[t - 1]))
        for quantity, arrays in seen.shown.items():
            pairs.append((quantity, {name: getattr(after[name], quantity, None) for name in arrays}, arrays))
        iterates = {name: s.iterate for name, s in after.items()}
        pairs.append(("iterate", iterates, seen.parameters))
        if departure is None:
            departure = _departure(t, lengths, pairs)
            doubtful += sum(int(np.sum(~b.zero_for_sure() & ~b.nonzero_for_sure())) for b in iterates.values())
        deviation, bound, ratio = _largest(iterates, seen.parameters)
        deviations.append(deviation)
        bounds.append(bound)
        worst = max(worst, ratio)
        if departure is not None and t >= departure.step + beyond:
            break
    return Comparison(departure, tuple(deviations), tuple(bounds), worst, doubtful)


def deviations(record: Record, parts: Implementation) -> list[float]:
    """How far an implementation that makes a mistake is from the reference, step by step, as `compare` says it."""
    both = zip(replay(record, REFERENCE), replay(record, parts), strict=False)
    return [
        _largest(
            {name: state.iterate for name, state in ours.items()},
            {name: np.asarray(state.iterate.value, dtype=float) for name, state in theirs.items()},
        )[0]
        for (_, ours), (_, theirs) in both
    ]


def _departure(t: int, lengths: list[int], pairs: list[tuple[str, dict[str, Any], Arrays]]) -> Departure | None:
    for quantity, expected, found in pairs:
        furthest: tuple[float, Departure] | None = None
        for name, ball in expected.items():
            if ball is None:  # the algorithm has no such quantity
                continue
            ratios = _ratios(ball, found[name])
            index = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratios)), ratios.shape))
            if not ratios[index] <= 1 and (furthest is None or ratios[index] > furthest[0]):
                stage = next(k for k in range(len(lengths)) if t <= sum(lengths[: k + 1]))
                value, error = float(ball.value[index]), float(np.broadcast_to(ball.error, ball.shape)[index])
                there = float(found[name][index])
                zero = (value == 0 and error == 0 and there != 0) or (there == 0 and abs(value) > error)
                where = (t, stage + 1, t - sum(lengths[:stage]), quantity, name, index)
                furthest = float(ratios[index]), Departure(*where, there, value, error, zero)
        if furthest:
            return furthest[1]
    return None


def _ratios(ball: Ball, found: Any) -> Any:
    """|found - expected| in units of the bound: infinite where the bound is 0 and they differ."""
    off = np.abs(found - ball.value).astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(off == 0, 0.0, off / ball.error)
    return np.where(np.isnan(ratios), np.inf, ratios)


def _largest(iterates: dict[str, Ball], found: Arrays) -> tuple[float, float, float]:
    best = (0.0, 0.0, -1.0)
    for name, ball in iterates.items():
        ratios = _ratios(ball, found[name])
        index = np.unravel_index(int(np.argmax(ratios)), ratios.shape)
        if ratios[index] > best[2]:
            error = float(np.broadcast_to(ball.error, ball.shape)[index])
            best = float(abs(found[name][index] - ball.value[index])), error, float(ratios[index])
    return best
