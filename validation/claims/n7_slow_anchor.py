"""N7. Step sizes eta/t^p forget the start like 1/t^{1-p}: hardly for p = 0.9, not at all for p = 1.

The weights are s_i = eta i^{1/2-p}, so that alpha_t ~ eta t^{3/2-p}/(3/2-p) and the pull to W^0 is

    beta_t/alpha_t ~ (3/2 - p)/(eta t^{1-p}):

it vanishes for p < 1, tends to 1/(2 eta) at p = 1, and grows beyond. On an active coordinate of curvature h the
recurrence is sqrt(t) y_t - sqrt(t-1) y_{t-1} = (sqrt(t) - sqrt(t-1)) x_0 - eta_t h sqrt(t) x_{t-1}; for large t it is
d(sqrt(t) x) = x_0 dsqrt(t) - eta h t^{-p} (sqrt(t) x) dt, which is solved, with s = t v^2, by

    x_t/x_0 = int_0^1 exp(-eta h int_{t v^2}^t r^{-p} dr) dv.

At p = 0 that is the Dawson function of claim A4. For p < 1 it is about 1/(2 eta h t^{1-p}). At p = 1 it is the constant
1/(1 + 2 eta h): the limit minimises F + ||W - W^0||^2/(4 eta), not F. For p > 1 it returns to 1: the iterates go back
to the start. A tenth of the distance takes 10^10 times as many steps at p = 0.9.
"""

import math

import numpy as np
from scipy.integrate import quad

from rmda_ref import L1, PowerDecay
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

POWERS = (0.0, 0.9, 1.0, 0.5, 1.2)
N_SHOWN = 3
MOMENTA = (1.0, 0.3)
STEP_SIZE, LAM = 0.5, 0.3
RATES = np.array([0.5, 1.0, 1.5])  # eta h
SOLUTION, START = 1.0, 3.0
PULL_BAR, BAR = 1e-13, 2e-3


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_steps = setting.size(quick=1500, full=10_000)
    times = np.unique(np.geomspace(10, n_steps, 25).astype(int))
    checks: list[Check] = []
    lines: list[Curve] = []
    points: list[Curve] = []
    for p in POWERS:
        expected = np.array([left(p, rate, n_steps) for rate in RATES])
        pull = np.sqrt(n_steps) / np.sum(STEP_SIZE * np.arange(1, n_steps + 1) ** (0.5 - p))
        for c in MOMENTA:
            offsets, found = _run(implementation, p, c, n_steps)
            name = f"eta/t^{p:g}, c = {c:g}"
            checks += (
                Check.within(f"{name}: beta/alpha", 1, found / pull, PULL_BAR),
                Check.at_most(f"{name}: x_t/x_0 off, relative", np.abs(offsets[-1] / expected - 1).max(), BAR),
            )
            if c == 1 and len(points) < N_SHOWN:
                curve = [left(p, RATES[0], t) for t in times]
                lines.append(Curve(f"eta/t^{p:g}, predicted", times.tolist(), curve, "predicted"))
                points.append(Curve(f"eta/t^{p:g}", times.tolist(), offsets[times - 1, 0].tolist()))
    title = "Step sizes that decay like 1/t never leave the start behind, and 1/t^0.9 hardly does"
    axis = f"(W - W*)/(W^0 - W*), eta h = {RATES[0]:g}"
    return Measurement(tuple(checks), (Picture(title, "step t", axis, (*lines, *points), "log", "log"),))


def left(power: float, rate: float, t: float) -> float:
    """x_t / x_0 for large t."""

    def exponent(v: float) -> float:
        q = 1 - power
        return 2 * rate * math.log(v) if q == 0 else -rate * t**q * (1 - v ** (2 * q)) / q

    peak = max(0.5, 1 - 20 / (rate * t ** (1 - power)))  # for p < 1 the integrand lives near v = 1
    parts = [quad(lambda v: math.exp(exponent(v)), *ends)[0] for ends in ((0, peak), (peak, 1))]
    return float(sum(parts))


def _run(implementation: Implementation, power: float, momentum: float, n_steps: int) -> tuple[np.ndarray, float]:
    """x_t / x_0 per step and coordinate, and the last beta/alpha by the optimality of W~."""
    curvature = RATES / STEP_SIZE
    target = SOLUTION + LAM / curvature
    gradients: list[np.ndarray] = []

    def gradient(w: np.ndarray) -> np.ndarray:
        gradients.append(curvature * (w - target))
        return gradients[-1]

    algorithm = implementation.RMDA(L1(LAM), PowerDecay(STEP_SIZE, power), momentum)
    start = algorithm.init(np.full(RATES.shape, START))
    states = list(implementation.steps(algorithm, start, gradient, n_steps))
    offsets = np.array([state.iterate - SOLUTION for state in states]) / (START - SOLUTION)
    weights = STEP_SIZE * np.arange(1, n_steps + 1) ** (0.5 - power)
    beta = np.sqrt(n_steps)
    alpha = -(weights @ np.array(gradients) + beta * (states[-1].prox_iterate - START)) / LAM  # where W~ > 0
    return offsets, float(beta / alpha.mean())


CLAIM = Claim(
    id="N7",
    title="The start that is not forgotten",
    statement=(
        "With eta_t = eta/t^p the pull to W^0 is beta_t/alpha_t = sqrt(t)/sum eta i^{1/2-p}, and an active coordinate "
        "of curvature h keeps the fraction int_0^1 exp(-eta h int_{t v^2}^t r^{-p} dr) dv of its distance. As t grows "
        "that tends to 0 like 1/(2 eta h t^{1-p}) for p < 1, to 1/(1 + 2 eta h) for p = 1 and to 1 for p > 1, slowly: "
        "checked is the integral, at the steps that are run."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1, with decaying steps; derived in validation/claims/n7_slow_anchor.py",
    bar=(
        "beta/alpha is exact: rounding, 1e-13. The integral replaces a sum from i = 1 on; the first steps, which it "
        "has wrong, are forgotten least for p = 1.2: off by 1.6e-3 at t = 1500, measured. Bar 2e-3, relative."
    ),
    measure=measure,
    kills=("alpha_prev", "s_eta"),
    runs=("alpha_prev", "s_eta"),
    theorems=("limits", "convergence"),
    failure_probability=0.0,
)
