"""A6. An inactive coordinate becomes zero at a step that the recurrence gives exactly, and stays zero.

One coordinate of a lasso, f' = h w + g at w, with g = -(lam - delta): zero is optimal, with margin delta. From w_0 > 0,
as long as W~ > 0, the prox subtracts (alpha/beta) lam and V holds alpha g: together W~ sees the gradient h w + delta,
of which x = w + delta/h makes h x. So x and y = W~ + delta/h follow `validation.recurrences` from x_0 = w_0 + delta/h,
and W~ vanishes at the first step at which y_t <= delta/h. (A coordinate with w_0 < 0 and g = lam - delta mirrors it.)

It is late, so the series of claim A3 tells when. With a = eta h, x_t = x_0/(2a t) (1 + (1/(2a) - 3/4)/t) and y_t = x_{t
+ 1/c - 1} to this order, y_t = delta/h gives

    T0 = w_0/(2 eta delta) + 1/(eta h) - 3/4 - (1/c - 1) + O(delta).

The series needs W~ not to swing. With c = 0.1 and eta h up to 0.5 it swings to zero within 6 steps instead of 385: the
crossing is the first zero still, but at small delta the coordinate can leave zero again.

Without noise it is the start that keeps a coordinate from zero: not the margin squared but the margin counts.
"""

import numpy as np

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.recurrences import quadratic_recurrence

MOMENTA = (1.0, 0.5, 0.1)  # with less, or with larger steps, W~ swings to zero early: see above
STEP_SIZE, LAM = 0.1, 1.0
MARGINS = np.geomspace(0.5, 0.005, 16)  # delta
SMALL = MARGINS <= 0.01
CURVATURE = np.linspace(0.5, 1.0, len(MARGINS))
SIZE = 0.5 + (7 * np.arange(len(MARGINS)) % 16) / 32  # |w_0|, in no order
N_STEPS = 1500
SERIES_BAR = 1.5  # steps: one, because T0 is rounded up, and the remainder


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    sign = setting.rng("A6").choice([-1.0, 1.0], MARGINS.shape)
    checks: list[Check] = []
    lines: list[Curve] = []
    points: list[Curve] = []
    leading = SIZE / (2 * STEP_SIZE * MARGINS)
    for c in MOMENTA:
        predicted = first_crossing(c)
        found = _first_zero(implementation, SIZE * sign, c)
        series = leading + 1 / (STEP_SIZE * CURVATURE) - 3 / 4 - (1 / c - 1)
        checks += (
            Check.within(f"c = {c:g}: T0 that differ from the recurrence", 0, np.sum(found != predicted), 0),
            Check.at_most(f"c = {c:g}: T0 off its series, in steps", np.abs(found - series)[SMALL].max(), SERIES_BAR),
        )
        if c in (MOMENTA[0], MOMENTA[-1]):
            lines.append(Curve(f"crossing, c = {c:g}", MARGINS.tolist(), (predicted / SIZE).tolist(), "predicted"))
            points.append(Curve(f"c = {c:g}", MARGINS.tolist(), (found / SIZE).tolist()))
    limit = Curve("w_0/(2 eta delta)", MARGINS.tolist(), (leading / SIZE).tolist(), "bar")
    title = "Without noise an inactive coordinate is zero from the crossing of the recurrence on"
    return Measurement(
        tuple(checks), (Picture(title, "margin delta", "T0 / w_0", (*lines, *points, limit), "log", "log"),)
    )


def first_crossing(momentum: float) -> np.ndarray:
    """The first step at which y_t <= delta/h, per coordinate; NaN where there is none."""
    x0 = SIZE + MARGINS / CURVATURE
    crossing = np.full(MARGINS.shape, np.nan)
    for t, (_, y) in enumerate(quadratic_recurrence(STEP_SIZE * CURVATURE, momentum, N_STEPS), 1):
        crossing[np.isnan(crossing) & (x0 * y <= MARGINS / CURVATURE)] = t
    return crossing


def _first_zero(implementation: Implementation, start: np.ndarray, momentum: float) -> np.ndarray:
    """The step after the last one at which W~ was not zero."""
    tilt = -np.sign(start) * (LAM - MARGINS)
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, momentum)
    last = np.zeros(start.shape)
    states = implementation.steps(algorithm, algorithm.init(start), lambda w: CURVATURE * w + tilt, N_STEPS)
    for t, state in enumerate(states, 1):
        last[state.prox_iterate != 0] = t
    return last + 1


CLAIM = Claim(
    id="A6",
    title="The first zero is exact",
    statement=(
        "With an l1 term and no noise, W~ of an inactive coordinate with margin delta and start w_0 is zero from the "
        "step on at which the scalar recurrence crosses delta/h; for small delta that is T0 = w_0/(2 eta delta) + "
        "1/(eta h) - 3/4 - (1/c - 1) + O(delta). For small c and large eta h W~ swings through zero and may come back: "
        "then it is only the first zero that the crossing gives."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = lam ||.||_1; derived in validation/claims/a6_first_zero.py",
    bar=(
        "T0 is an integer: no tolerance. The recurrence crosses with |y - delta/h| far above rounding (1e-12). The "
        "series is real, T0 its rounding up: 1 step, and half a step for the remainder at delta <= 0.01."
    ),
    measure=measure,
    kills=("alpha_prev", "thr_alpha", "thr_eta", "beta1", "s_eta"),
    runs=("alpha_prev", "thr_alpha", "thr_eta", "beta1", "s_eta"),
    theorems=("identification", "dynamics"),
    failure_probability=0.0,
)
