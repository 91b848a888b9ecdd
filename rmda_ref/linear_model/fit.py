"""Both phases in a row: RMDA finds the structure, Newton finishes, the gap proves it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from rmda_ref import checks
from rmda_ref.certificates.identification import IdentificationTracker
from rmda_ref.linear_model import identify, polish
from rmda_ref.linear_model.history import History, Record
from rmda_ref.linear_model.problem import Point, Problem
from rmda_ref.linear_model.working_set import WIDEST, Indices, Vector
from rmda_ref.schedules import Stage, decayed_stages

GAMMA = 0.1  # step sizes from stage to stage, as in RMDA's code
STALLED = 3  # rounds without progress after which rounding is all there is
PROGRESS = 1e-14  # of the null model's objective
FLOOR = 64  # eps of the dtype of X: a relative gap that is as good as none


@dataclass(frozen=True)
class Options:
    """How to fit, as the estimators' docstrings say. ``observe`` is told each record; True ends the fit."""

    batch_size: int | str
    step_size: float | str
    momentum: float
    stages: Any
    max_epochs: int
    identify_epochs: int
    tol: float
    polish: bool
    rng: np.random.RandomState
    observe: Callable[[Record], bool]


@dataclass(frozen=True, eq=False)
class Outcome:
    """The end of a fit.

    Attributes
    ----------
    point : the flat vector, with its objective and certificate
    scale : the objective of the null model, to which gaps are relative
    converged : whether the tolerance was reached
    identification_epoch : pass of RMDA since which its manifold is the final one; NaN if it is not
    """

    point: Point
    scale: float
    converged: bool
    history: History
    identification_epoch: float


def fit(problem: Problem, w: Vector, options: Options) -> Outcome:
    """Minimise the problem from ``w``."""
    with np.errstate(all="ignore"):  # a trial that overflows is not taken, and no news
        try:
            return _Fit(problem, w, options).outcome()
        except FloatingPointError as error:
            raise ValueError(f"step_size={options.step_size!r} is too long: {error}; lower it or use 'auto'") from error


class _Fit:
    """One run: the records so far, and the tracker of RMDA's manifold."""

    def __init__(self, problem: Problem, w: Vector, options: Options) -> None:
        self.problem, self.options, self.point = problem, options, problem.at(w)
        self.records: list[Record] = []
        self.tracker = IdentificationTracker(problem.regularizer)
        self.steps_a_pass, self.stopped, self.epoch = 1, False, 0.0
        certificate = self.point.certificate
        self.scale = max(problem.null_objective, float(np.finfo(float).tiny))
        self.has_gap = np.isfinite(certificate.gap)
        self.kkt_scale = max(self.point.kkt_residual, 1.0) if not self.has_gap else 1.0
        floor = FLOOR * float(np.finfo(problem.loss.X.dtype).eps)
        self.target = max(options.tol, floor) * (self.scale if self.has_gap else self.kkt_scale)
        if self.has_gap:
            self.target = max(self.target, 4 * problem.rounding(certificate.objective))
        self.record("start", self.point)

    def record(self, phase: str, point: Point, *schedules: float) -> None:
        n_active = int(self.problem.model.features_of(point.w).sum())
        record = Record(phase, self.epoch, point.certificate.objective, point.certificate.gap, n_active, *schedules)
        self.records.append(record)
        self.stopped = bool(self.options.observe(record)) or self.stopped

    def good(self, point: Point) -> bool:
        """Whether the tolerance is met."""
        return bool((point.certificate.gap if self.has_gap else point.kkt_residual) <= self.target)

    def outcome(self) -> Outcome:
        converged = self.good(self.point)
        if not converged and not self.stopped:
            converged = self.by_rmda()
        if self.options.polish and not converged and not self.stopped:
            converged = self.by_newton()
        return Outcome(
            point=self.point,
            scale=self.scale,
            converged=converged,
            history=History(self.records),
            identification_epoch=self.identification_epoch(),
        )

    def by_rmda(self) -> bool:
        """Until the tolerance is met or, before Newton, the manifold has settled."""
        problem, options, n_samples = self.problem, self.options, self.problem.loss.n_samples
        n_epochs = min(options.identify_epochs, options.max_epochs) if options.polish else options.max_epochs
        if n_epochs == 0:
            return False
        size = identify.batch_size_of(n_samples, options.batch_size)
        self.steps_a_pass = -(-n_samples // size)
        n_steps = n_epochs * self.steps_a_pass
        drawn = identify.batches(n_samples, size, options.rng)
        first = [next(drawn), next(drawn)]
        if options.polish and not identify.within_reach(problem, self.point.w, first, n_steps):
            return False
        step_size = options.step_size
        drawn = chain(first, drawn)
        if not isinstance(step_size, str):
            return self.phase(drawn, step_size, n_steps)
        step_size = identify.automatic_step(problem, self.point.w, first[0])
        while True:
            try:
                return self.phase(drawn, step_size, n_steps)
            except FloatingPointError:  # no step is safe where curvature grows without bound
                step_size /= 10
                self.tracker = IdentificationTracker(problem.regularizer)

    def phase(self, drawn: Iterator[Indices], step_size: float, n_steps: int) -> bool:
        """RMDA with this step size."""
        problem, options = self.problem, self.options
        stages = stages_of(options.stages, step_size, options.momentum, n_steps)
        if options.polish:
            stages = stages[:1]
        best = self.point
        for epoch in identify.epochs(problem, self.point.w, drawn, stages, self.tracker):
            point = problem.at(epoch.state.prox_iterate)
            self.epoch = epoch.epoch
            self.record("rmda", point, epoch.step_size, epoch.momentum)
            if not options.polish or worth_keeping(point, best):
                best = point
            if self.good(point) or self.stopped:
                self.point = point
                return not self.stopped
            if options.polish and identify.has_settled(self.tracker):
                break
        self.point = best
        return False

    def by_newton(self) -> bool:
        """Until the gap is small enough or rounding is all there is."""
        passes, best, lowest, idle = self.epoch, np.inf, np.inf, 0
        for number, point in enumerate(polish.rounds(self.point, self.target)):
            self.point = point
            if number:
                self.epoch = passes + number
                self.record("newton", point)
            if self.good(point):
                return True
            objective, gap, _ = point.certificate
            idle = 0 if gap < best or objective < lowest - PROGRESS * self.scale else idle + 1
            best, lowest = min(best, gap), min(lowest, objective)
            if self.stopped or idle >= STALLED or self.epoch >= self.options.max_epochs:
                break
        return False

    def identification_epoch(self) -> float:
        stages = self.tracker.stages
        if not stages or stages[-1].manifold != self.problem.regularizer.manifold(self.point.w):
            return np.nan
        before = sum(stage.n_steps for stage in stages[:-1])
        return (before + stages[-1].since) / self.steps_a_pass


def worth_keeping(point: Point, best: Point) -> bool:
    """Whether Newton should start from a point of RMDA: a better one than before, with structure."""
    model = point.problem.model
    n_active = int(model.features_of(point.w).sum())
    better = point.certificate.objective < best.certificate.objective
    return better and n_active <= min(model.n_features // 2, WIDEST)


def stages_of(stages: Any, step_size: float, momentum: float, n_steps: int) -> tuple[Stage, ...]:
    """One stage; a number of equal ones, after each of which the step shrinks tenfold; or those given."""
    if stages is None:
        return (Stage(n_steps, step_size, momentum),)
    if isinstance(stages, int | np.integer) and not isinstance(stages, bool):
        checks.count("stages", int(stages), 1, "it is the number of stages; or give a sequence of rmda_ref.Stage")
        number = min(int(stages), n_steps)
        lengths = np.diff(np.linspace(0, n_steps, number + 1).round().astype(int))
        return decayed_stages(step_size, momentum, GAMMA, [int(n) for n in lengths])
    if isinstance(stages, str) or not all(isinstance(stage, Stage) for stage in stages) or len(stages) == 0:
        raise TypeError(f"stages must be None, a number of stages or a sequence of rmda_ref.Stage, got {stages!r}")
    return tuple(stages)
