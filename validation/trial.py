"""One trial: a claim measured on one implementation, with what it raised if it raised."""

import time
import traceback
import warnings
from dataclasses import dataclass

import numpy as np

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.mutants import REFERENCE, Implementation
from validation.claim import Claim, Measurement, Setting

__all__ = ["Trial", "attempt"]


@dataclass(frozen=True)
class Trial:
    """
    Parameters
    ----------
    claim, implementation : names of what was measured, and on what.
    measurement : what was found, or None where the measurement raised.
    error : the traceback of what it raised, else empty.
    seconds : how long it took.
    """

    claim: str
    implementation: str
    measurement: Measurement | None
    error: str
    seconds: float

    @property
    def holds(self) -> bool:
        return self.measurement is not None and self.measurement.holds

    @property
    def failure(self) -> str:
        """The first thing that went wrong, in one line; empty where the trial holds."""
        if self.measurement is None:
            return self.error.strip().rpartition("\n")[2]
        if not self.measurement.checks:
            return "no check was made"
        return next((check.quantity for check in self.measurement.checks if not check.holds), "")


def attempt(claim: Claim, implementation: str, setting: Setting) -> Trial:
    """Measure a claim on an implementation; whatever the measurement raises becomes part of the trial."""
    # Built outside the try: a mutant that cannot be built is a fault of ours, not one that the claim found.
    subject = REFERENCE if implementation == REFERENCE.name else mutants.MUTANTS[implementation].build()
    start = time.perf_counter()
    measurement, error = None, ""
    try:
        measurement = _measure(claim, subject, setting)
    except Exception:
        error = traceback.format_exc()
    return Trial(claim.id, implementation, measurement, error, time.perf_counter() - start)


def _measure(claim: Claim, subject: Implementation, setting: Setting) -> Measurement:
    if subject.name == REFERENCE.name:
        found = claim.measure(subject, setting)
    else:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mutants overflow by nature
            found = claim.measure(subject, setting)
    if not isinstance(found, Measurement):
        raise TypeError(f"measure of claim {claim.id} returned {type(found).__name__}, not a Measurement")
    return found
