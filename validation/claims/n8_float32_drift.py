"""N8. float32 drifts in proportion to t, whatever the step size; V in float64 does not.

V grows like alpha_t lam = (2/3) eta lam t^{3/2}, and with it its unit in the last place, while the increments s_t g
grow like sqrt(t) only. An increment that is off by less than half an ulp(V) is rounded away: W can be off by Delta,
with s_t h Delta < ulp(V)/2, and V does not notice. Exactly: with c = 1, and once the signs are right, x = W - W* obeys
x_t = (r_t - eta h) x_{t-1} + (1 - r_t) x_0 (`validation.recurrences`); a rounding of V by at most ulp(V)/2 adds at most
ulp(V)/(2 beta_t), and errors in such a recursion are amplified by at most 1/(eta h), for eta h <= r_t. Rounding V/beta,
the threshold alpha lam/beta (half an ulp each) and beta itself (one) adds 2 ulp(q), q = alpha lam/beta + |W~|, seen
once directly and once through the feedback. Hence

    |W in float32 - W in float64|  <=  ulp(V)/(2 eta h sqrt(t)) + 4 ulp(q)   (the dead zone, and cancellation),

the first term 2^{-23} (lam/h) t/(3 m), 1 <= m < 2 the mantissa of V: eta has cancelled, the second 2^{-23} (8/3) eta
lam t over a mantissa. The drift of 1e-2 seen at t = 1e6 is of this order.

Two remedies. *Kahan's compensated summation* of V, in float32, removes the dead zone only: W~ is still a difference of
two numbers of size q, and V without its correction is off by ulp(V)/2: 4 ulp(q) + ulp(V)/beta. *V and the prox in
float64*, with gradients in float32, as mixed precision does: only the gradient is rounded, by u (|W| + 2 lam/h) h, u =
2^{-24}, whose gain is 1/h, for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table

Vector = npt.NDArray[np.float64]

N, LAM, STEP_SIZE = 64, 1.0, 0.1
LAST = {"quick": 30_000, "full": 1_000_000}
MEMORY = 400  # steps after which an error has faded: (1 - eta h)^400 < 1e-8
IDLE = 0.2  # of the bound, which the drift must reach at least once in the last decade
U32 = 2.0**-24

_RNG = Setting().rng("N8")  # the same problem whatever the seed: nothing is random here
CURVATURES = _RNG.uniform(0.5, 1.5, N).astype(np.float32).astype(np.float64)  # exact in float32
TARGETS = (_RNG.uniform(2, 4, N) * _RNG.choice([-1.0, 1.0], N)).astype(np.float32).astype(np.float64)
SOLUTION = TARGETS - np.sign(TARGETS) * LAM / CURVATURES  # |target| h > lam: every entry is active


@dataclass(frozen=True)
class Bounds:
    """At one t, per entry: of plain float32, of compensated float32, of float32 gradients."""

    plain: Vector
    compensated: Vector
    mixed: Vector


def bounds(t: int) -> Bounds:
    beta = np.sqrt(t)
    sums = np.sqrt(np.arange(1.0, t + 1)).sum()
    start = 1.1 * np.abs(SOLUTION)  # W~, and what is left of the start
    q = STEP_SIZE * sums * LAM / beta + start
    dead_zone = _ulp(q * beta) / (2 * STEP_SIZE * CURVATURES * np.sqrt(max(t - MEMORY, 1)))
    rounding = 4 * _ulp(q)
    return Bounds(
        dead_zone + rounding, rounding + _ulp(q * beta) / beta, U32 * (start + 2 * LAM / CURVATURES) + U32 * start
    )


def _ulp(x: Vector) -> Vector:
    """Of float32."""
    return np.asarray(np.spacing(x.astype(np.float32)), dtype=np.float64)


def times(last: int) -> list[int]:
    return [int(t) for t in np.unique(np.geomspace(1000, last, 25).astype(int))]


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    last = setting.size(LAST["quick"], LAST["full"])
    at = times(last)
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE)
    exact = at_times(stepped(algorithm, np.float64, np.float64), at)
    setting.progress(0.4)
    runs = {
        "float32": at_times(stepped(algorithm, np.float32, np.float32), at),
        "float32, V compensated": at_times(compensated(), at),
        "V and prox float64": at_times(stepped(algorithm, np.float64, np.float32), at),
    }
    limits = [bounds(t) for t in at]
    allowed = {
        "float32": np.array([limit.plain for limit in limits]),
        "float32, V compensated": np.array([limit.compensated for limit in limits]),
        "V and prox float64": np.array([limit.mixed for limit in limits]),
    }
    drifts = {name: np.abs(w - exact) for name, w in runs.items()}
    ratios = {name: drift / allowed[name] for name, drift in drifts.items()}
    reached = ratios["float32"][np.array(at) > last / 10].max()
    checks = [Check.at_most(f"{name}: drift over its bound", ratio.max(), 1.0) for name, ratio in ratios.items()]
    checks.append(Check("float32: the bound is reached to this fraction", 1.0, reached, IDLE, 1.0))
    rows = tuple((t, *(float(drift[k].max()) for drift in drifts.values())) for k, t in enumerate(at) if k % 4 == 0)
    picture = Picture(
        "float32 drifts in proportion to t; compensating V helps, float64 sums cure",
        "step t",
        "largest |W - W in float64|",
        (
            Curve("dead zone + cancellation", at, allowed["float32"].max(axis=1).tolist(), "predicted"),
            Curve("gradient rounding", at, allowed["V and prox float64"].max(axis=1).tolist(), "predicted"),
            *(Curve(name, at, drift.max(axis=1).tolist()) for name, drift in drifts.items()),
        ),
        xscale="log",
        yscale="log",
    )
    return Measurement(tuple(checks), (picture,), (Table(("t", *drifts), rows),))


def stepped(algorithm: Any, dtype: type[np.floating], of_gradient: type[np.floating]) -> Iterator[npt.NDArray[Any]]:
    """W^t for t = 1, 2, …, with V, prox and W in ``dtype`` and gradients computed in ``of_gradient``."""
    curvatures, targets = CURVATURES.astype(of_gradient), TARGETS.astype(of_gradient)
    stepper = algorithm.stepper(np.zeros(N, dtype))
    while True:
        stepper.step((curvatures * (stepper.iterate.astype(of_gradient) - targets)).astype(dtype))
        yield stepper.iterate


def compensated() -> Iterator[npt.NDArray[np.float32]]:
    """The same in float32, V summed by Kahan's algorithm."""
    real = np.float32
    curvatures, targets = CURVATURES.astype(real), TARGETS.astype(real)
    w = total = lost = np.zeros(N, real)
    weight, t = 0.0, 0
    while True:
        t += 1
        beta = float(np.sqrt(t))
        weight += STEP_SIZE * beta
        increment = real(STEP_SIZE * beta) * (curvatures * (w - targets)) - lost
        following = total + increment
        lost, total = (following - total) - increment, following
        centre = -(total / real(beta))
        threshold = real(weight / beta * LAM)
        w = centre - np.minimum(np.maximum(centre, -threshold), threshold)
        yield w


def at_times(iterates: Iterator[npt.NDArray[Any]], at: list[int]) -> Vector:
    """In float64, one row a time."""
    rows, wanted = [], iter(at)
    following = next(wanted)
    for t, w in enumerate(iterates, 1):
        if t == following:
            rows.append(w.astype(np.float64))
            following = next(wanted, 0)
            if not following:
                break
    return np.array(rows)


CLAIM = Claim(
    id="N8",
    title="float32 drifts",
    statement=(
        "On a noiseless lasso with c = 1, float32 moves W by at most ulp(V)/(2 eta h sqrt(t)) + 4 ulp(q), q = alpha "
        "lam/beta + |W~|: a dead zone of 2^{-23} (lam/h) t/3, whatever the step size, and cancellation; with "
        "compensated V by 4 ulp(q) + ulp(V)/beta; with V and prox in float64, gradients in float32, by 2^{-24} (2 |W| "
        "+ 2 lam/h) for ever."
    ),
    source="Derived in validation/claims/n8_float32_drift.py",
    bar=(
        "Bounds on rounding, derived: half an ulp an operation, and the gain 1/(eta h) of the recursion. That the "
        f"drift is real: somewhere in the last decade it reaches {IDLE:g} of the bound. The problem is fixed: nothing "
        "is random."
    ),
    measure=measure,
    theorems=("limits",),
    failure_probability=0.0,
)
