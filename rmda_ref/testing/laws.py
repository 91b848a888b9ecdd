"""The laws that every regularizer must satisfy, convex or not, and what a violation usually means.

Each is a function of a regularizer and a case that returns an `Outcome`: the deviation in units of what rounding may
do. A prox is some dozens of operations on entries and one sum a row, so its error is a few hundred units in the last
place of the largest operand at the small sizes tried here; derived quantities inherit it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rmda_ref.testing.arrays import extremes, interpreters, memory
from rmda_ref.testing.case import Case, Outcome
from rmda_ref.testing.invariance import equivariance, idempotence, metrics, no_step, structure
from rmda_ref.testing.minimality import any_step, envelope, fenchel, monotonicity, optimality, three_points, ties
from rmda_ref.testing.traits import has_metric, trait

Check = Callable[[Any, Case], Outcome]


@dataclass(frozen=True)
class Law:
    """
    Attributes
    ----------
    name : one or two words.
    statement : what must hold.
    meaning : what a violation usually means.
    check : (regularizer, case) -> outcome.
    applies : which regularizers it is a law for.
    """

    name: str
    statement: str
    meaning: str
    check: Check
    applies: Callable[[Any], bool] = lambda regularizer: True


def _has_conjugate(regularizer: Any) -> bool:
    return bool(trait(regularizer, "convex", False)) and hasattr(regularizer, "conjugate")


LAWS = (
    Law(
        "optimality",
        "the prox objective is least at the prox; 0 in its subdifferential",
        "a wrong threshold, a wrong branch, or a local minimiser where a global one is asked",
        optimality,
    ),
    Law(
        "three points",
        "step psi(u) + |u - w|^2/2 + (1 - step rho)_+ |x - u|^2/2 <= step psi(x) + |x - w|^2/2",
        "value and prox are of different functions (a factor, a weight), or rho is too small",
        three_points,
    ),
    Law(
        "monotonicity",
        "(1 - step rho)_+ |u - u'|^2 <= <u - u', w - w'>",
        "not the prox of any function with this rho; for rho = 0: expansive",
        monotonicity,
    ),
    Law(
        "fenchel",
        "psi(u) + psi*(v) = <u, v> at v = (w - u)/step, and psi(x) + psi*(v) >= <x, v>",
        "the conjugate, or the dual norm, is of another function",
        fenchel,
        _has_conjugate,
    ),
    Law(
        "envelope",
        "the gradient of the Moreau envelope is (w - u)/step",
        "value and prox disagree, or the prox is not a global minimiser",
        envelope,
    ),
    Law(
        "structure",
        "zeros, ranks and levels of the prox are exact, and stay under small perturbations",
        "rounding is left where a zero should be, or the manifold is of another function",
        structure,
        lambda regularizer: trait(regularizer, "partly_smooth", False) and hasattr(regularizer, "manifold"),
    ),
    Law(
        "equivariance",
        "the prox commutes with the declared symmetries and scalings",
        "a wrong axis, an order of sorting that leaks, or a symmetry that psi does not have",
        equivariance,
        lambda regularizer: (
            bool(trait(regularizer, "symmetries", ())) or trait(regularizer, "homogeneity", None) is not None
        ),
    ),
    Law(
        "metric",
        "the metric of ones is no metric, a constant metric divides the step",
        "the metric multiplies where it should divide, or is ignored",
        metrics,
        has_metric,
    ),
    Law("no step", "step 0 and strength 0 are the identity", "0/0: a zero row meets a zero threshold", no_step),
    Law(
        "projection",
        "projecting twice is projecting once, whatever the step",
        "the projection depends on the step, or is inexact",
        idempotence,
        lambda regularizer: trait(regularizer, "indicator", False),
    ),
    Law("ties", "at ties a minimiser is returned, the same each time", "a tie is broken by chance, or wrongly", ties),
    Law(
        "extremes",
        "zeros, denormals and huge entries give finite results; non-finite ones are refused",
        "a square that overflows, 0/0, or a missing check",
        extremes,
    ),
    Law(
        "memory",
        "the input is not modified; order, strides and read-only input do not matter",
        "an in-place operation, or an assumption on the memory order",
        memory,
    ),
    Law(
        "interpreted",
        "the compiled kernel is the interpreted one",
        "integer or float32 arithmetic that the compiler types otherwise",
        interpreters,
        lambda regularizer: trait(regularizer, "driven", None) is not None,
    ),
    Law(
        "any step",
        "for every step a global minimiser, or a ValueError that names the limit",
        "the formula is used beyond the step for which it was derived (MCP beyond gamma)",
        any_step,
    ),
)
BY_NAME = {law.name: law for law in LAWS}
