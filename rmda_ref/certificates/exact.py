"""Algorithm 1 in rational arithmetic: a trajectory without rounding.

beta_t = fl(sqrt t), step sizes and momenta are dyadic rationals when they are floats, so that every operation of the
algorithm is one of the rational numbers if the prox is. The prox is not written again: the library's own kernel runs,
interpreted, on `fractions.Fraction`. Some kernels take a square root as a threshold, with which they only compare:
`_Root` compares by squares, exactly. A kernel that returns something irrational is refused. So each support decision is
made without rounding doubt, ties included.

Digits grow: each step divides by beta_t, a number of 53 bits, and denominators reach thousands of bits after 40 steps.

*What floating point may differ by.* Let u be the unit roundoff (half an ulp of 1). For l1, W~ = W^0 - V/beta - (what
the prox takes) is a difference of terms that may be far larger than it. With every operation rounded once, and to first
order,

    |error of W~|    <=  (|error of V| + lam |error of alpha|)/beta + u (2 T + |W~|)
    |error of V|     <=  sum_{i <= t} u (|V^i| + 2 s_i |g_i|) + s_i |error of g_i|
    |error of alpha| <=  sum_{i <= t} u (alpha_i + s_i),          T = |W^0| + |V|/beta + alpha lam/beta,

V/beta and alpha lam/beta being rounded twice, W^0 once. `ulps` therefore counts in ulps of such a T, not of W~: what is
left after cancellation may be small. Signed errors of gradients are fed back and damped, as the algorithm damps any
perturbation; a bound without signs cannot see that.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import checks
from rmda_ref.certificates.host import host_only
from rmda_ref.layout import Entries
from rmda_ref.namespace import Array
from rmda_ref.regularizers import Regularizer
from rmda_ref.schedules import Schedule, Stage

Point = list[Fraction]
Number = Fraction | float


@dataclass(frozen=True)
class ExactStep:
    """Step ``t`` of a stage, exactly.

    Attributes
    ----------
    t : step within the stage
    iterate, prox_iterate, grad_sum : W^t, W~^t, V^t
    weight : alpha_t
    terms : |W^0| + |V^t|/beta_t + |W^0 - V^t/beta_t - W~^t|, what W~ is a difference of
    """

    t: int
    iterate: Point
    prox_iterate: Point
    grad_sum: Point
    weight: Fraction
    terms: Point


def exact_trajectory(
    regularizer: Regularizer,
    w0: Sequence[Number] | Array,
    gradient: Callable[[Point], Sequence[Number]],
    stages: Sequence[Stage],
) -> list[ExactStep]:
    """Every step of all stages of RMDA from ``w0``, with a restart between two stages, in rational arithmetic.

    Parameters
    ----------
    regularizer : Regularizer
        One of entries whose kernel compares and does arithmetic: `Zero`, `L1`, `ElasticNet`, `NonnegativeL1`, `Box`,
        `L0`, `MCP`, `SCAD`, `CappedL1`.
    w0 : vector of numbers
        Floats stand for their exact values.
    gradient : function of a list of Fraction, returning as many numbers
        Fractions, or floats that stand for their exact values. It may draw noise, as long as it is dyadic.
    stages : sequence of `rmda_ref.Stage`
        Schedules may return floats or Fractions.

    Raises
    ------
    TypeError
        If the prox of the regularizer is not rational, or an argument is not a number, or an array other than NumPy's.
    ValueError
        If a gradient has another length, or a schedule leaves its range.

    >>> from rmda_ref import L1
    >>> first = exact_trajectory(L1(lam=1.0), [0.0, 0.0], lambda w: [-3.0, 0.5], [Stage(1, step_size=0.5)])[0]
    >>> first.prox_iterate
    [Fraction(1, 1), Fraction(0, 1)]
    """
    host_only(w0=w0)
    anchor = [_exact("w0", x) for x in w0]
    prox = _exact_prox(regularizer, len(anchor))
    trajectory: list[ExactStep] = []
    for stage in stages:
        iterate, weight = anchor, Fraction(0)
        grad_sum = [Fraction(0)] * len(anchor)
        for t in range(1, stage.n_steps + 1):
            given = gradient(list(iterate))
            host_only(gradient=given)
            grad = [_exact("gradient", g) for g in given]
            if len(grad) != len(anchor):
                raise ValueError(f"gradient has {len(grad)} entries, w0 {len(anchor)}; they must be as many")
            scale = Fraction(math.sqrt(t))  # beta_t, the float that the library divides by
            weighted_step = _step_size(stage.step_size, t) * scale
            weight = weight + weighted_step
            grad_sum = [v + weighted_step * g for v, g in zip(grad_sum, grad, strict=True)]
            centre = [x - v / scale for x, v in zip(anchor, grad_sum, strict=True)]
            prox_iterate = prox(centre, weight / scale)
            momentum = _momentum(stage.momentum, t)
            iterate = [(1 - momentum) * x + momentum * y for x, y in zip(iterate, prox_iterate, strict=True)]
            terms = [
                abs(x) + abs(v) / scale + abs(z - y)
                for x, v, z, y in zip(anchor, grad_sum, centre, prox_iterate, strict=True)
            ]
            trajectory.append(ExactStep(t, iterate, prox_iterate, grad_sum, weight, terms))
        anchor = iterate
    return trajectory


def ulps(prox_iterates: Sequence[Array], exact: Sequence[ExactStep]) -> npt.NDArray[np.float64]:
    """|error| of each W~^t in units in the last place of what it is a difference of; shape (steps, entries).

    Parameters
    ----------
    prox_iterates : sequence of float32 or float64 vectors
        W~ of each step of a run.
    exact : the same steps, from `exact_trajectory`

    Raises ValueError if there are not as many, TypeError for another dtype or arrays other than NumPy's.

    >>> from rmda_ref import L1, RMDA, steps
    >>> algorithm = RMDA(L1(lam=1.0), step_size=0.3)
    >>> run = [s.prox_iterate for s in steps(algorithm, algorithm.init(np.zeros(1)), lambda w: w - 2.0, n_steps=5)]
    >>> exact = exact_trajectory(L1(lam=1.0), [0.0], lambda w: [w[0] - 2], [Stage(5, step_size=0.3)])
    >>> bool((ulps(run, exact) < 2).all()), supports_agree(run, exact)
    (True, True)
    """
    return np.array([_ulps_of(w, step) for w, step in _paired(prox_iterates, exact)])


def supports_agree(prox_iterates: Sequence[Array], exact: Sequence[ExactStep]) -> bool:
    """Whether W~ is zero exactly where it should be, at every step."""
    return all(
        bool(x) == bool(y)
        for w, step in _paired(prox_iterates, exact)
        for x, y in zip(w.tolist(), step.prox_iterate, strict=True)
    )


def _paired(prox_iterates: Sequence[Array], exact: Sequence[ExactStep]) -> list[tuple[Array, ExactStep]]:
    if len(prox_iterates) != len(exact):
        raise ValueError(f"prox_iterates has {len(prox_iterates)} steps, exact {len(exact)}; give the same steps")
    for w, step in zip(prox_iterates, exact, strict=True):
        host_only(prox_iterates=w)
        if w.shape != (n := len(step.terms),):
            raise ValueError(f"prox_iterates has shape {w.shape} at step {step.t}, the exact one ({n},)")
    return list(zip(prox_iterates, exact, strict=True))


def _ulps_of(w: Array, step: ExactStep) -> list[float]:
    checks.floating("prox_iterates", w)
    return [
        float(abs(Fraction(x) - y) / _ulp(terms, np.finfo(w.dtype).nmant)) if math.isfinite(x) else math.inf
        for x, y, terms in zip(w.tolist(), step.prox_iterate, step.terms, strict=True)
    ]


def _ulp(x: Fraction, mantissa: int) -> Fraction:
    """The spacing of floats with so many bits after the leading one, at x >= 0; at 0 that at 1."""
    _, exponent = math.frexp(float(x) or 1.0)
    return Fraction(2) ** (exponent - 1 - mantissa)


def _exact(name: str, x: Any) -> Fraction:
    """A number as the fraction it is."""
    if isinstance(x, np.floating):
        x = float(x)
    if isinstance(x, bool) or not isinstance(x, Rational | float):
        raise TypeError(f"{name} must hold Fractions or floats, got {type(x).__name__} {x!r}")
    if isinstance(x, float) and not math.isfinite(x):
        raise ValueError(f"{name} must be finite, got {x!r}; {checks.FIND}")
    if isinstance(x, float):
        return Fraction(x)
    return Fraction(int(x.numerator), int(x.denominator))  # NumPy's integers would wrap around


def _step_size(schedule: Schedule, t: int) -> Fraction:
    value = schedule(t) if callable(schedule) else schedule
    checks.positive(f"step_size at step {t}", value)
    return _exact("step_size", value)


def _momentum(schedule: Schedule, t: int) -> Fraction:
    value = schedule(t) if callable(schedule) else schedule
    checks.fraction(f"momentum at step {t}", value, "it is the paper's c: 1 means no momentum")
    return _exact("momentum", value)


def _exact_prox(regularizer: Regularizer, n: int) -> Callable[[Point, Fraction], Point]:
    """The prox by the regularizer's own entrywise kernel, interpreted."""
    name = type(regularizer).__name__
    if regularizer.driven != "entrywise" or not isinstance(regularizer.layout, Entries):
        raise TypeError(f"the prox of {name} takes norms, or is no function of one entry; use a penalty of entries")
    regularizer.check((n,))
    kernel = _with_exact_roots(type(regularizer).kernel)
    given = np.ravel(regularizer.strengths((n,))).tolist()
    strengths = [Fraction(s) for s in (given * n if len(given) == 1 else given)]
    parameters = [Fraction(p) if math.isfinite(p) else p for p in regularizer.parameters]  # a box may be unbounded

    def prox(centre: Point, step: Fraction) -> Point:
        try:
            found = [kernel(x, step * s, Fraction(1), *parameters) for x, s in zip(centre, strengths, strict=True)]
        except (AttributeError, TypeError) as raised:  # another function of math, or arithmetic with a root
            raise TypeError(f"the prox of {name} is not rational: {raised}; use l1, or another of the list") from raised
        if not all(isinstance(y, Rational) for y in found):
            raise TypeError(f"the prox of {name} is not rational: it gives {found}; use l1, or another of the list")
        return [Fraction(y) for y in found]

    return prox


def _with_exact_roots(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The same code, with ``math.sqrt`` made exact and nothing else of ``math``."""
    assert isinstance(kernel, FunctionType)
    return FunctionType(kernel.__code__, {**kernel.__globals__, "math": SimpleNamespace(sqrt=_Root)})


@dataclass(frozen=True)
class _Root:
    """The square root of a fraction of at least 0, to be scaled by such fractions and compared with any."""

    square: Fraction

    def __rmul__(self, factor: Fraction) -> "_Root":
        return _Root(factor * factor * self.square)

    def __lt__(self, x: Fraction) -> bool:
        return x > 0 and self.square < x * x

    def __gt__(self, x: Fraction) -> bool:
        return x < 0 or self.square > x * x
