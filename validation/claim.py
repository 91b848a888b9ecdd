"""What a claim is: a prediction as code, a measurement, a bar, and the mutants it must kill.

A claim file under ``validation/claims/`` ends with ``CLAIM = Claim(...)``. Its ``measure`` function takes the
implementation under test (the reference, or a mutant of it) and a setting, and returns a `Measurement`: the
claim holds when every check in it holds. A mutant is *killed* when some check fails, or when it raises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from zlib import crc32

import numpy as np

from problems.data import DataSource
from rmda_ref.crosscheck.mutants import Implementation
from validation.training.run import Training
from validation.training.store import Store

# quick: minutes, for every commit; full: the seeds the claims are stated for; exhaustive: studies of hours.
Profile = Literal["quick", "full", "exhaustive"]
Size = TypeVar("Size")


@dataclass(frozen=True)
class Check:
    """One number against its bar: the check holds when ``low <= measured <= high``."""

    quantity: str
    predicted: float
    measured: float
    low: float
    high: float

    @classmethod
    def at_most(cls, quantity: str, measured: float, bar: float) -> "Check":
        """An error whose predicted value is 0."""
        return cls(quantity, 0.0, float(measured), 0.0, float(bar))

    @classmethod
    def within(cls, quantity: str, predicted: float, measured: float, tolerance: float) -> "Check":
        """A value no further than ``tolerance`` from its prediction."""
        predicted = float(predicted)
        return cls(quantity, predicted, float(measured), predicted - tolerance, predicted + tolerance)

    @property
    def holds(self) -> bool:
        return bool(self.low <= self.measured <= self.high)  # False for NaN


@dataclass(frozen=True)
class Curve:
    """One line of a picture; ``kind`` decides how it is drawn.

    predicted: line, measured: points, path: measured at every step of something that moves on, a thin line in colour,
    bar: dashed and grey, context: thin and grey, what the others are read against.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    kind: Literal["predicted", "measured", "path", "bar", "context"] = "measured"


@dataclass(frozen=True)
class Picture:
    """One message: its title says what to see."""

    title: str
    xlabel: str
    ylabel: str
    curves: tuple[Curve, ...]
    xscale: Literal["linear", "log"] = "linear"
    yscale: Literal["linear", "log"] = "linear"
    aspect: Literal["auto", "equal"] = "auto"  # equal: one unit is as long on both axes
    marks: tuple[float, ...] = ()  # places on the x axis: where a stage begins


@dataclass(frozen=True)
class Gallery:
    """Small pictures side by side, to be compared: curves of the same kind and label look alike in all of them.

    NaN breaks a line.
    """

    title: str
    panels: tuple[Picture, ...]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of figures to print under a claim (an experiment's results)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True)
class Measurement:
    checks: tuple[Check, ...]
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    note: str = ""
    galleries: tuple[Gallery, ...] = ()

    @property
    def holds(self) -> bool:
        return bool(self.checks) and all(check.holds for check in self.checks)


@dataclass(frozen=True)
class Setting:
    """What a measurement may depend on besides the implementation under test.

    ``store`` holds training runs, which others may have performed before.
    """

    seed: int = 0
    profile: Profile = "quick"
    data: DataSource = field(default_factory=DataSource)
    progress: Callable[[float], None] = lambda fraction: None  # called with the fraction done, in [0, 1]
    store: Store = field(default_factory=Store)

    def size(self, quick: Size, full: Size, exhaustive: Size | None = None) -> Size:
        """What this profile asks for; the exhaustive one asks for the full size where it names no other."""
        if self.profile == "quick":
            return quick
        return full if self.profile == "full" or exhaustive is None else exhaustive

    def rng(self, *name: str | float) -> np.random.Generator:
        """An independent stream for this name, the same on every run with this seed."""
        return np.random.default_rng([self.seed, *(crc32(str(part).encode()) for part in name)])


@dataclass(frozen=True)
class Claim:
    """
    Parameters
    ----------
    id : short identifier, e.g. ``"A1"``.
    title : a few words for the table.
    statement : the mathematics, one paragraph of plain text.
    source : where it comes from (paper and equation, or where it is derived).
    theorems : names of the statements that it tests, keys of `validation.theorems.THEOREMS`.
    bar : why the bar is where it is (rounding, series remainder, statistics with its failure probability).
    failure_probability : a bound on the probability, over seeds, that the claim fails on a correct implementation, in
        any profile: 0 where nothing is random or the bar is a bound on rounding; None where no bound is known, and the
        text of ``bar`` says so.
    measure : implementation, setting -> measurement.
    kills : names of the mutants that this claim must kill; the others are run too where ``runs`` says so.
    runs : names of the mutants to run (a superset of ``kills``).
    trains : the training runs that it needs and that could be performed now, side by side; asked again until there are
        none, for some depend on what others found. The measurement performs what is missing by itself.
    every_operator : whether it runs all operators of the registry, which takes long to compile the first time.
    """

    id: str
    title: str
    statement: str
    source: str
    bar: str
    measure: Callable[[Implementation, Setting], Measurement]
    kills: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    theorems: tuple[str, ...] = ()
    failure_probability: float | None = None
    every_operator: bool = False
    trains: Callable[[Setting], Sequence[Training]] | None = None

    @property
    def exact(self) -> bool:
        """Whether nothing but rounding stands between the prediction and the measurement."""
        return self.failure_probability == 0
