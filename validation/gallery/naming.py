"""The words that all panels share."""

from collections.abc import Iterable
from typing import Literal

from rmda_ref.regularizers import Regularizer
from validation.claim import Curve

Kind = Literal["predicted", "bar", "context"]

BY_THE_LIBRARY = "prox, by the library"
BY_ANOTHER_METHOD = "prox, by another method"
START = "where the prox is taken"
BEFORE = "before"
STRUCTURE = "level sets of ψ, or the set"


def titled(regularizer: Regularizer, what: str) -> str:
    """The title of a panel: the class, as it is called in the library, and what to see."""
    return f"{type(regularizer).__name__}\n{what}"


def line(label: str, x: Iterable[float], y: Iterable[float], kind: Kind) -> Curve:
    """A line, to 1e-5: finer than any picture shows."""
    return Curve(label, tuple(round(float(a), 5) for a in x), tuple(round(float(a), 5) for a in y), kind)


def points(x: Iterable[float], y: Iterable[float]) -> Curve:
    """What the library found, to the last digit."""
    return Curve(BY_THE_LIBRARY, tuple(map(float, x)), tuple(map(float, y)), "measured")
