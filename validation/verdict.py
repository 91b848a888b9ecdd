"""When a claim holds: on the reference, and with every mutant it must kill killed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Check, Claim
from validation.registry import mutants_of
from validation.runner import Job
from validation.trial import Trial

__all__ = ["Fate", "Risk", "Verdict", "closeness", "columns_of", "judge", "killers", "risk", "tightest"]

Fate = Literal["killed", "survived", "not run"]


@dataclass(frozen=True)
class Verdict:
    """A claim with its trials: one on the reference (or on a user's algorithm), one on each mutant that was run."""

    claim: Claim
    reference: Trial
    mutants: Mapping[str, Trial]

    @property
    def survivors(self) -> tuple[str, ...]:
        """The mutants that the claim must kill and does not."""
        return tuple(name for name in self.claim.kills if self.fate(name) != "killed")

    @property
    def holds(self) -> bool:
        return self.reference.holds and not self.survivors

    @property
    def checks(self) -> tuple[Check, ...]:
        return self.reference.measurement.checks if self.reference.measurement else ()

    @property
    def seconds(self) -> float:
        """Time spent on the claim, summed over its trials."""
        return self.reference.seconds + sum(trial.seconds for trial in self.mutants.values())

    def fate(self, mutant: str) -> Fate:
        if mutant not in self.mutants:
            return "not run"
        return "survived" if self.mutants[mutant].holds else "killed"


def judge(
    claims: Mapping[str, Claim], trials: Mapping[Job, Trial], subject: str = REFERENCE.name
) -> tuple[Verdict, ...]:
    """The verdict on each claim, in the order of the claims."""
    return tuple(
        Verdict(
            claim,
            trials[Job(claim.id, subject)],
            {name: trials[Job(claim.id, name)] for name in mutants_of(claim)},
        )
        for claim in claims.values()
    )


def columns_of(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """The mutants that were run under some claim: the columns of the kill matrix."""
    run = {name for verdict in verdicts for name in verdict.mutants}
    return tuple(name for name in mutants.MUTANTS if name in run)


def killers(verdicts: Iterable[Verdict], mutant: str) -> tuple[Claim, ...]:
    """The claims that expose a mutant."""
    return tuple(verdict.claim for verdict in verdicts if verdict.fate(mutant) == "killed")


@dataclass(frozen=True)
class Risk:
    """How likely a correct implementation is to fail: a sum of bounds, and the claims for which none is known."""

    total: float
    bounded: tuple[Claim, ...]
    unbounded: tuple[Claim, ...]


def risk(verdicts: Iterable[Verdict]) -> Risk:
    """The union bound over the claims of a run; exact ones cannot fail by chance."""
    claims = [verdict.claim for verdict in verdicts]
    bounded = tuple(claim for claim in claims if claim.failure_probability)
    total = sum(claim.failure_probability or 0.0 for claim in bounded)
    return Risk(total, bounded, tuple(claim for claim in claims if claim.failure_probability is None))


def closeness(check: Check) -> float:
    """How much of the room between prediction and bar the measured value uses up; infinite where it fails."""
    if not check.holds:
        return math.inf
    bar = check.high if check.measured >= check.predicted else check.low
    room = abs(bar - check.predicted)
    used = abs(check.measured - check.predicted)
    return used / room if 0 < room < math.inf and math.isfinite(used) else 0.0


def tightest(checks: Iterable[Check]) -> Check:
    """The check nearest its bar, a failing one before all others."""
    return max(checks, key=closeness)
