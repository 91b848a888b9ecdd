"""Since when an algorithm has been on the manifold it is on: fed step by step, without keeping the trajectory."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rmda_ref.algorithms.watch import check_target
from rmda_ref.regularizers import Levels, Manifold, Rank, Regularizer, Support, WholeSpace


@dataclass(frozen=True)
class StageReport:
    """What was seen of one stage; steps are counted within it.

    Attributes
    ----------
    n_steps : steps seen
    manifold : that of W~ at the last of them
    since : the step since which it has been this one
    n_changes : how often it was not that of the step before
    t0 : the last step at which it was not the target, 0 if it always was; None without a target
    """

    n_steps: int
    manifold: Manifold
    since: int
    n_changes: int
    t0: int | None


class IdentificationTracker:
    """The identification of a run, stage by stage, from the states after its steps or from inside a stepper.

    A stage ends where ``t`` starts anew. A state given twice in succession, after a step that was skipped, counts once.

    ``update(state)`` takes the manifold of ``state.prox_iterate``, O(n). Within ``algorithm.stepper(w0, tracker)``
    there is nothing to call: the step itself compares supports of entries and of groups, a byte each, and calls
    `observe`. It does so where psi sees entries or norms one by one, and its manifold is their support. Elsewhere the
    step keeps W~ and takes its manifold, which costs as much as in ``update``: levels (`rmda_ref.Box`), spectra,
    penalties of rows, and the entries within groups of `rmda_ref.SparseGroupLasso`.

    Parameters
    ----------
    regularizer : Regularizer
        That of the algorithm: its ``manifold`` says what structure is.
    target : manifold, optional
        A known one, ``regularizer.manifold(solution)``, to report T0 against.

    Raises
    ------
    TypeError, ValueError
        If the target is no manifold, or, at the first step, none of this regularizer and parameter.

    >>> import numpy as np
    >>> from rmda_ref import L1, RMDA
    >>> algorithm = RMDA(psi := L1(lam=1.0), step_size=0.5)
    >>> tracker = IdentificationTracker(psi, target=psi.manifold(np.array([0.0, 2.0])))
    >>> stepper = algorithm.stepper(np.zeros(2), tracker)
    >>> for grad in ([-3.0, 0.0], [1.0, -5.0], [1.0, -5.0]):
    ...     stepper.step(np.array(grad))
    >>> report = tracker.current
    >>> report.manifold.mask, report.since, report.n_changes, report.t0
    (array([False,  True]), 2, 1, 1)
    """

    def __init__(self, regularizer: Regularizer, target: Manifold | None = None) -> None:
        if not isinstance(regularizer, Regularizer):
            raise TypeError(f"regularizer must be a Regularizer, got {type(regularizer).__name__}")
        if target is not None and not isinstance(target, Support | Rank | Levels | WholeSpace | tuple):
            raise TypeError(
                f"target must be a manifold, got {type(target).__name__}; make it by regularizer.manifold(solution)"
            )
        self.regularizer = regularizer
        self.target = target
        self._closed: list[StageReport] = []
        self._open: _Stage | None = None
        self._last: Any = None  # the state given last, and its t; no step has t below that of a stage to open
        self._t = math.inf

    @property
    def stages(self) -> tuple[StageReport, ...]:
        """One report for each stage of which a step was seen, in order; the last may go on."""
        return (*self._closed, self._open.report()) if self._open else ()

    @property
    def current(self) -> StageReport:
        """The report of the last stage."""
        if self._open is None:
            raise ValueError("no step has been seen yet; update the tracker with a state after a step")
        return self._open.report()

    def update(self, state: Any) -> None:
        """Take in the state after a step, of any algorithm; one before its first step only ends the stage before."""
        t = getattr(state, "t", None)
        if not hasattr(state, "prox_iterate") or t is None:
            raise TypeError(
                f"update takes a state with prox_iterate and t, got {type(state).__name__}; "
                "a stepper is tracked by algorithm.stepper(w0, tracker)"
            )
        if state is self._last and t == self._t:
            return
        self._last = state
        if t == 0:
            self._t = math.inf
            return
        manifold = self.regularizer.manifold(state.prox_iterate)
        if self._open is None and self.target is not None:
            check_target(self.target, manifold)
        changed = self._open is None or manifold != self._open.manifold()
        self.observe(t, changed, manifold != self.target, lambda: manifold)

    def observe(self, t: int, changed: bool, wrong: bool, manifold: Callable[[], Manifold]) -> None:
        """Take in step t by how its manifold compares: with that of the step before, and with the target.

        ``manifold`` gives the one of the last step of the stage, whenever it is called.
        """
        if self._open is None or t <= self._t:
            if self._open is not None:
                self._closed.append(self._open.report())
            self._open = _Stage(since=t, t0=None if self.target is None else 0)
        elif changed:
            self._open.since = t
            self._open.n_changes += 1
        stage, self._t = self._open, t
        stage.n_steps += 1
        stage.manifold = manifold
        if wrong and self.target is not None:
            stage.t0 = t


@dataclass
class _Stage:
    """The stage that is going on."""

    since: int
    t0: int | None
    manifold: Callable[[], Manifold] = WholeSpace
    n_steps: int = 0
    n_changes: int = 0

    def report(self) -> StageReport:
        return StageReport(self.n_steps, self.manifold(), self.since, self.n_changes, self.t0)
