"""What an iterative prox returns, and what it raises where it cannot."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class CertifiedProx:
    """The prox of an iterative method, and how far from the minimum it can be.

    Attributes
    ----------
    point : array
        In float64, before any rounding to the dtype of the parameter.
    gap : float
        Upper bound of the excess of the prox objective at ``point`` over its minimum: primal minus dual value, in units
        of the objective. By strong convexity the point is within sqrt(2 gap) of the minimiser, in the norm of the
        metric.
    sweeps : int
        Passes over the groups that it took.
    """

    point: npt.NDArray[Any]
    gap: float
    sweeps: int


@dataclass(frozen=True)
class CertifiedValue:
    """A value that is itself a minimum: it lies in [value - gap, value]."""

    value: float
    gap: float
    sweeps: int


class NotConverged(ArithmeticError):
    """An iteration did not reach its tolerance, by its sweeps or by rounding; nothing is returned.

    Attributes
    ----------
    gap : the duality gap reached, relative to the size of the problem (1/2 ||w||^2 for a prox)
    sweeps : the sweeps used
    """

    def __init__(self, what: str, gap: float, sweeps: int, tolerance: float, max_sweeps: int) -> None:
        self.gap, self.sweeps = gap, sweeps
        remedy = "raise max_sweeps" if sweeps >= max_sweeps else "rounding ends the progress: raise tolerance"
        super().__init__(
            f"{what} did not converge: the relative duality gap is {gap:.3g} after {sweeps} sweeps, above the "
            f"tolerance {tolerance:.3g}; {remedy}"
        )


def scale_of(x: npt.NDArray[np.float64]) -> int:
    """The exponent e with max |x| in [2^(e-1), 2^e); 0 for zero or empty arrays."""
    return int(np.frexp(np.abs(x).max(initial=0.0))[1])


def scaled(x: npt.NDArray[np.float64], exponent: int) -> npt.NDArray[np.float64]:
    """x 2^exponent, exactly unless it leaves the range: then infinite or denormal, without a warning."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(x, exponent))
