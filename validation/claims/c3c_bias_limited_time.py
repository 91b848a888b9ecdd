"""C3c. Without noise a coordinate is identified when the bias of the active ones has decayed to the margin.

Let H be the Hessian, W* the solution with active part A and one inactive coordinate I of margin delta, W^0 = 0, no
noise. M = H_IA H_AA^{-1}, S = H_II - M H_AI. The bias -(beta_t/alpha_t) M (W~ - W^0)_A in the dual average pushes W~_I
past one of its thresholds, of sign z. While signs stay, psi is linear and x = W - W' follows the recurrence of
`validation.recurrences` in every eigenvector of H, with W' = W* - delta z H^{-1} e_I the minimiser under these signs.
By claim A3, with G = H^{-1}/(2 eta) and x_0 = W^0 - W',

    x_t = (G/t + (G^2 - (3/4) G)/t^2) x_0 + O(t^-3),        W~^t - W' = x_t - (1/c - 1) G x_0/t^2 + O(t^-3).

W~_I is zero from where its entry of the latter is z delta/S. As (H^{-1} (W^0 - W*))_I = M (W* - W^0)_A / S,

    T0 = T_b + C + O(delta),        T_b = |M (W* - W^0)_A| / (2 eta delta),

with a constant C of curvature, step size and momentum that the series gives. (With c = .1 signs oscillate in the first
steps; that is forgotten at the order t^-3.) Where there is no curvature to pull W_I
back while it is nonzero, the bias 3 |M (W* - W^0)_A|/(2 eta t) itself must fall to delta, which takes three times as
long."""

import numpy as np

from problems import Quadratic
from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.identification_times import last_nonzero

MARGINS = (0.02, 0.01, 0.005, 0.003)
MOMENTA = (1.0, 0.5, 0.1)
STEP_SIZE, LAM, CORRELATION = 0.3, 1.0, 0.5
SOLUTION = np.array([4.0, 0.0, 3.0])
INACTIVE = 1
BAR, STEPS = 0.01, 2.0  # of T0/T_b - 1 at the least margin; of T0 - T_b - C there

HESSIAN = Quadratic.correlated(SOLUTION, CORRELATION).hessian


def bias_time(margin: float) -> float:
    """T_b = |M (W* - W^0)_A| / (2 eta delta)."""
    active = np.arange(SOLUTION.size) != INACTIVE
    projection = np.linalg.solve(HESSIAN[np.ix_(active, active)], HESSIAN[active, INACTIVE])
    return float(abs(projection @ SOLUTION[active]) / (2 * STEP_SIZE * margin))


def series_time(margin: float, momentum: float) -> float:
    """When W~_I reaches zero by the two leading terms."""
    inverse = np.linalg.inv(HESSIAN)
    g, unit = inverse / (2 * STEP_SIZE), np.eye(SOLUTION.size)[INACTIVE]
    sign = float(np.sign((inverse @ -SOLUTION)[INACTIVE]))
    shift = margin * sign * inverse @ unit  # W* - W'; its entry at I is sign delta / S
    start = shift - SOLUTION
    first = (g @ start)[INACTIVE] / shift[INACTIVE]
    second = ((g @ g - (1 / momentum - 1 / 4) * g) @ start)[INACTIVE] / shift[INACTIVE]  # 3/4 + (1/c - 1)
    return float((first + np.sqrt(first**2 + 4 * second)) / 2)  # t^2 = first t + second


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    checks: list[Check] = []
    points: list[Curve] = []
    for c in MOMENTA:
        times = [_identified(implementation, margin, c) for margin in MARGINS]
        least = MARGINS[-1]
        checks += (
            Check.within(f"c = {c:g}, delta = {least:g}: T0 / T_b", 1.0, times[-1] / bias_time(least), BAR),
            Check.within(f"c = {c:g}, delta = {least:g}: T0", series_time(least, c), times[-1], STEPS),
        )
        points.append(Curve(f"c = {c:g}", MARGINS, [t - bias_time(m) for t, m in zip(times, MARGINS, strict=True)]))
    lines = [
        Curve(f"series, c = {c:g}", MARGINS, [series_time(m, c) - bias_time(m) for m in MARGINS], "predicted")
        for c in MOMENTA
    ]
    title = "Without noise T0 is |M (W* - W^0)_A| / (2 eta delta), plus a constant"
    return Measurement(tuple(checks), (Picture(title, "margin delta", "T0 - T_b", (*lines, *points), "log"),))


def _identified(implementation: Implementation, margin: float, momentum: float) -> int:
    """The last step at which W~_I is not zero."""
    start = np.zeros_like(SOLUTION)
    sign = float(np.sign(np.linalg.solve(HESSIAN, -SOLUTION)[INACTIVE]))
    at_solution = np.where(SOLUTION == 0, sign * (margin - LAM), -LAM * np.sign(SOLUTION))  # gradient of f at W*
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, momentum)
    states = implementation.steps(
        algorithm,
        algorithm.init(start),
        lambda w: HESSIAN @ (w - SOLUTION) + at_solution,
        int(1.5 * bias_time(margin)) + 100,
    )
    return int(last_nonzero(states)[INACTIVE])


CLAIM = Claim(
    id="C3c",
    title="Bias-limited identification",
    statement=(
        "Without noise, an inactive coordinate with margin delta is identified at T0 = T_b + C + O(delta), T_b = "
        "|M (W* - W^0)_A|/(2 eta delta), M = H_IA H_AA^{-1}, for every momentum; the constant C, of order 1/(eta S), "
        "is that of the series of claim A3."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1; derived in validation/claims/c3c_bias_limited_time.py",
    bar=(
        f"At delta = {MARGINS[-1]:g}, T_b = {bias_time(MARGINS[-1]):.0f}: T0/T_b - 1 = C/T_b is at most "
        f"{max(abs(series_time(MARGINS[-1], c) / bias_time(MARGINS[-1]) - 1) for c in MOMENTA):.1%}, hence {BAR:.0%}; "
        f"T0 itself within {STEPS:g} steps: one since it is an integer, one for O(delta)."
    ),
    measure=measure,
    kills=("beta1", "s_eta", "alpha_prev", "thr_alpha", "thr_eta"),
    runs=("beta1", "s_eta", "alpha_prev", "thr_alpha", "thr_eta"),
    theorems=("time", "dynamics"),
    failure_probability=0.0,
)
