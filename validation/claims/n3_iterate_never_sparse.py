"""N3. With momentum the iterate W never becomes sparse as W~ does: it stalls at a denormal number, if c < 1/2.

Once W~ of a coordinate is zero for good (claim A6), W^t = (1 - c) W^{t-1}: never zero, in real numbers, unless it has
been since W^0 = 0. In double precision it decays down to the least positive number u = 2^-1074, below 2^-1022 in
integer multiples: W = n u goes to the integer nearest to (1 - c) n, ties to even, and stalls where that is n again, c n
<= 1/2: at about 1/(2c) units if c < 1/2. For c >= 1/2 the last unit rounds to zero (for c = 1/2 it ties): so *that*
iterate becomes sparse, by underflow and not by identification. Either takes about ln(W/u)/-ln(1 - c) steps, 7000 for c
= 0.1. The predicted step of the stall has no fit: W^{T0-1} by `validation.recurrences`, the decay by logarithms down to
n = 2^30, and then the map of integers.

Where a sparse point is wanted, it is W~. Hardware that flushes denormals to zero ends at zero for every c.
"""

import math
from fractions import Fraction

import numpy as np

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.recurrences import quadratic_recurrence

MOMENTA = (0.1, 0.25, 0.4, 0.5, 0.8)
STEP_SIZE, LAM = 0.1, 1.0
CURVATURE, MARGIN = 0.5, 0.2
START = np.array([1.0, -2.0, 0.3])
UNIT = 2.0**-1074  # the least positive double
N_SHOWN, BEFORE, AFTER = 3, 30, 8  # of the picture
STEP_BAR = 1  # step: rounding before the last 2^30 units can move one integer


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    checks: list[Check] = []
    lines: list[Curve] = []
    points: list[Curve] = []
    for c in MOMENTA:
        fates = [predicted(abs(w0), c) for w0 in START]
        iterates, prox_iterates = _run(implementation, c, n_steps=max(stalled for _, stalled, _ in fates) + 20)
        for k, (zero, stalled, units) in enumerate(fates):
            name = f"c = {c:g}, w_0 = {START[k]:g}"
            w, last = np.abs(iterates[:, k]), np.abs(iterates[-1, k])
            checks += (
                Check.within(
                    f"{name}: nonzero W~ from T0 on", 0, float(np.count_nonzero(prox_iterates[zero - 1 :, k])), 0
                ),
                Check.within(f"{name}: W at the end, in units of 2^-1074", units, last / UNIT, 0),
                Check.within(f"{name}: step of the stall", stalled, 1.0 + np.count_nonzero(w != last), STEP_BAR),
            )
        if c in MOMENTA[:N_SHOWN]:
            at_zero = abs(iterates[fates[0][0] - 2, 0])  # of a wrong algorithm it may be 0 already
            _, tail = descent(max(at_zero, UNIT), c)
            tail, after = tail[-BEFORE - 1 :] + [tail[-1]] * AFTER, np.arange(-BEFORE, AFTER + 1)
            seen = np.abs(iterates[fates[0][1] - 1 + after, 0]) / UNIT
            lines.append(Curve(f"map of integers, c = {c:g}", after.tolist(), tail, "predicted"))
            points.append(Curve(f"c = {c:g}", after.tolist(), seen.tolist()))
    title = "W~ has long been zero when W stalls, at a denormal number"
    axis = "|W| in units of 2^-1074"
    return Measurement(tuple(checks), (Picture(title, "steps after the stall", axis, (*lines, *points), yscale="log"),))


def predicted(size: float, momentum: float) -> tuple[int, int, int]:
    """T0, the first step after which W does not change any more, and where it is then, in units."""
    shift = MARGIN / CURVATURE
    before = size
    for t, (x, y) in enumerate(quadratic_recurrence(np.array([STEP_SIZE * CURVATURE]), momentum, 10_000), 1):
        if (size + shift) * y[0] <= shift:
            decayed, tail = descent(before, momentum)
            return t, t - 1 + decayed + len(tail) - 1, tail[-1]
        before = (size + shift) * x[0] - shift
    raise RuntimeError("the coordinate does not reach zero")


def descent(size: float, momentum: float) -> tuple[int, list[int]]:
    """How many steps w <- (1 - c) w takes to 2^30 units, and the units from there on, up to the stall."""
    factor = 1.0 - momentum
    steps = math.ceil((math.log(size) + (1074 - 30) * math.log(2)) / -math.log(factor))
    units = [round(math.exp(math.log(size) + steps * math.log(factor) + 1074 * math.log(2)))]
    while (following := round(Fraction(factor) * units[-1])) != units[-1]:  # to the nearest, ties to even
        units.append(following)
    return steps, units


def _run(implementation: Implementation, momentum: float, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """W and W~ after each step."""
    tilt = -np.sign(START) * (LAM - MARGIN)
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, momentum)
    states = implementation.steps(algorithm, algorithm.init(START), lambda w: CURVATURE * w + tilt, n_steps)
    iterates, prox_iterates = zip(*((state.iterate, state.prox_iterate) for state in states), strict=True)
    return np.array(iterates), np.array(prox_iterates)


CLAIM = Claim(
    id="N3",
    title="With momentum W is not sparse",
    statement=(
        "Where W~ is zero for good and W is not yet, W^t = (1 - c) W^{t-1} only decays: in double precision it stalls "
        "at about 1/(2c) units of 2^-1074 if c < 1/2, and underflows to zero if c >= 1/2, after about "
        "ln(W/2^-1074)/-ln(1 - c) steps."
    ),
    source=(
        "Huang & Lee (ICLR 2022), Algorithm 1, in IEEE 754 arithmetic; derived in "
        "validation/claims/n3_iterate_never_sparse.py"
    ),
    bar=(
        "W~ exactly zero, W exactly the predicted multiple of 2^-1074. The step of the stall to one step, because "
        "the rounding of the normal range, a relative 1e-13, can move one rounding of the integers."
    ),
    measure=measure,
    kills=("c_swap", "c_late"),
    runs=("c_swap", "c_late"),
    theorems=("limits",),
    failure_probability=0.0,
)
