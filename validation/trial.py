"""One trial: a claim measured on one implementation, with what it raised if it raised."""

import time
import traceback
import warnings
from dataclasses import dataclass

import numpy as np

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.mutants import REFERENCE, Implementation
from validation import foreign, on_arrays
from validation.claim import Claim, Measurement, Setting
from validation.place import NotAsked

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
    unasked : why the claim says nothing of this implementation (a user's algorithm that it does not run, or that lacks
        what it looks at; a backend that has no evaluation of what it runs); else empty.
    left_out : what the claim could not ask of a backend though it asked the rest; else empty.
    """

    claim: str
    implementation: str
    measurement: Measurement | None
    error: str
    seconds: float
    unasked: str = ""
    left_out: str = ""

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
    """Measure a claim on an implementation: the reference, a mutant, a user's algorithm (`validation.foreign`), or the
    reference on the arrays of a backend (`validation.on_arrays`).

    Whatever the measurement raises becomes part of the trial.
    """
    if foreign.is_foreign(implementation) and claim.trains is not None:
        return Trial(claim.id, implementation, None, "", 0.0, "it trains the library's own algorithms")
    if on_arrays.backend_of(implementation) and claim.trains is not None:
        return Trial(claim.id, implementation, None, "", 0.0, "it trains networks by fused steps on NumPy arrays")
    # Built outside the try: a mutant that cannot be built is a fault of ours, not one that the claim found.
    subject = _subject(implementation)
    start = time.perf_counter()
    measurement, error, unasked = None, "", ""
    try:
        measurement = _measure(claim, subject, setting)
    except NotAsked as reason:
        unasked = str(reason)
    except Exception as raised:
        error = traceback.format_exc()
        if isinstance(raised, AttributeError) and isinstance(subject.RMDA, foreign.StandIn):
            unasked = subject.RMDA.lacks(raised)
    if isinstance(subject.RMDA, foreign.StandIn) and not subject.RMDA.asked:
        unasked = "it does not run RMDA"
    left_out = ""
    if isinstance(subject, on_arrays.OnArrays):
        left_out = "; ".join(dict.fromkeys(subject.place.left_out))
        if not (subject.place.asked or unasked or error):
            unasked = "it runs no algorithm"
    return Trial(claim.id, implementation, measurement, error, time.perf_counter() - start, unasked, left_out)


def _subject(name: str) -> Implementation:
    if foreign.is_foreign(name):
        return foreign.load(name)
    if backend := on_arrays.backend_of(name):
        return on_arrays.load(backend)
    return REFERENCE if name == REFERENCE.name else mutants.MUTANTS[name].build()


def _measure(claim: Claim, subject: Implementation, setting: Setting) -> Measurement:
    if isinstance(subject, on_arrays.OnArrays):
        with subject.place.active():
            found = claim.measure(subject, setting)
    elif subject.name == REFERENCE.name:
        found = claim.measure(subject, setting)
    else:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mutants overflow by nature
            found = claim.measure(subject, setting)
    if not isinstance(found, Measurement):
        raise TypeError(f"measure of claim {claim.id} returned {type(found).__name__}, not a Measurement")
    return found
