"""How figures, bars and fates read, in the terminal and in the report alike."""

import math

from validation.claim import Check
from validation.verdict import Fate, Risk

__all__ = ["FATES", "bar", "chance", "number", "seconds"]

# (fate, whether the claim must kill the mutant): symbol, meaning
FATES: dict[tuple[Fate, bool], tuple[str, str]] = {
    ("killed", True): ("●", "killed, as the claim must"),
    ("killed", False): ("○", "killed as well"),
    ("survived", False): ("·", "survived, as it may"),
    ("survived", True): ("✗", "SURVIVED, though the claim must kill it"),
    ("not run", False): ("", "not run"),
}


def number(value: str | float) -> str:
    """A figure short enough for a table; text is left as it is."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "-∞"}.get(value, "nan")
    size = abs(value)
    if value == int(value) and size < 1e7:
        return str(int(value))
    return f"{value:.3g}" if size < 1e-3 or size >= 1e7 else f"{value:.6g}"


def bar(check: Check) -> str:
    """The bar of a check, as short as it can be said."""
    low, high, predicted = check.low, check.high, check.predicted
    if low == -math.inf or low == predicted == 0:
        return f"≤ {number(high)}"
    if high == math.inf:
        return f"≥ {number(low)}"
    if low == high:
        return f"= {number(low)}"
    if math.isclose(high - predicted, predicted - low, rel_tol=1e-6):
        return f"± {float(f'{(high - low) / 2:.3g}'):g}"
    return f"{low:.3g} … {high:.3g}"


def chance(risk: Risk) -> str:
    """How likely a run of a correct implementation is to fail, and for which claims that is not known."""
    terms = ", ".join(f"{claim.id} {claim.failure_probability:.0e}" for claim in risk.bounded)
    sum_ = f"at most {risk.total:.1e}" + (f" ({terms})" if terms else "")
    unknown = ", ".join(claim.id for claim in risk.unbounded)
    rest = f"; no bound is known for {unknown}" if unknown else ""
    return f"Probability that chance fails a claim on a correct implementation: {sum_}{rest}."


def seconds(value: float) -> str:
    return f"{value:.1f}"
