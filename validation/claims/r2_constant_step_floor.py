"""R2. With a constant step size and noise the last iterate does not converge; an average does, or smaller steps do.

The exact recursion of `validation.moments` gives the mean squared error of W^t, of the weighted average of the points
where gradients were taken, and of W^t with eta_t = eta/sqrt(t). In the last decade of t their slopes on log axes are
about 0 (the floor eta sigma^2/2h of claim B2), -1 (claim B3) and -1/2 (the floor moves with eta_t). So W^t -> W* must
not be promised under constant eta and c with gradient noise.
"""

from collections.abc import Sequence

import numpy as np

from rmda_ref import PowerDecay, Stage
from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.schedules import Schedule
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.moments import WEIGHTED, X, moments
from validation.replicates import BAR, Noisy, beyond_bar, replicates
from validation.separation import shown_steps

PROBLEM, MOMENTUM = Noisy(curvature=1.0, start=1.0), 0.5
RUNS: dict[str, tuple[Schedule, int]] = {
    "last iterate": (0.5, X),
    "weighted average": (0.5, WEIGHTED),
    "last iterate, eta/sqrt(t)": (PowerDecay(0.5, 0.5), X),
}
SLOPES = {"last iterate": (-0.06, 0.06), "weighted average": (-1.15, -0.85), "last iterate, eta/sqrt(t)": (-0.65, -0.4)}
N_REPLICATES = 10_000
N_SCORES = 3 * 10  # steps shown in the last decade of a run: at most ten
FAILURE_PROBABILITY = beyond_bar(N_REPLICATES, products=N_SCORES)
SCHEDULES = tuple(dict.fromkeys(schedule for schedule, _ in RUNS.values()))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n, n_steps = N_REPLICATES, setting.size(quick=1000, full=10_000)
    shown = shown_steps(n_steps)[::4]
    decade = np.array([t for t in shown if t >= n_steps / 10])
    squares = {s: _mean_squares(implementation, s, n, n_steps, shown, setting.rng("R2", str(s))) for s in SCHEDULES}
    checks: list[Check] = []
    curves: list[Curve] = []
    for name, (schedule, place) in RUNS.items():
        stage = Stage(n_steps, schedule, MOMENTUM)
        exact = moments(PROBLEM.curvature, PROBLEM.sigma, PROBLEM.start, [stage])
        expected = {m.t: float(m.mean_square[place]) for m in exact if m.t in shown}
        found = {t: float(square[place]) for t, square in squares[schedule].items()}
        slope = _slope(decade, expected)
        low, high = SLOPES[name]
        # About mean 0 a mean square of n Gaussians has the relative deviation sqrt(2/n).
        z = max(((found[t] / expected[t] - 1) / np.sqrt(2 / n) for t in decade.tolist()), key=abs)
        checks += (
            Check(f"{name}: slope of the mean square, exact", sum(SLOPES[name]) / 2, slope, low, high),
            Check.within(f"{name}: slope of the mean square, measured", slope, _slope(decade, found), _room(decade, n)),
            Check.within(f"{name}: z of the mean square, worst t", 0.0, z, BAR),
        )
        curves += (
            Curve(f"{name}: recursion", shown, [expected[t] for t in shown], "predicted"),
            Curve(name, shown, [found[t] for t in shown]),
        )
        setting.progress(len(checks) / 3 / len(RUNS))
    title = "With constant steps and noise the last iterate stays at its floor; averages and smaller steps converge"
    picture = Picture(title, "step t", "mean squared error", tuple(curves), "log", "log")
    return Measurement(tuple(checks), (picture,))


def _mean_squares(
    implementation: Implementation,
    schedule: Schedule,
    n: int,
    n_steps: int,
    at: Sequence[int],
    rng: np.random.Generator,
) -> dict[int, np.ndarray]:
    runs = replicates(implementation, PROBLEM, [Stage(n_steps, schedule, MOMENTUM)], n, rng)
    return {t: (samples**2).mean(axis=1) for t, samples in enumerate(runs, 1) if t in at}


def _slope(decade: np.ndarray, values: dict[int, float]) -> float:
    """Of log values against log t, by least squares."""
    return float(np.polyfit(np.log(decade), np.log([values[t] for t in decade.tolist()]), 1)[0])


def _room(decade: np.ndarray, n: int) -> float:
    """BAR deviations of the slope if errors of the mean squares all had the same sign as their lever: a bound."""
    log_t = np.log(decade) - np.log(decade).mean()
    return float(BAR * np.sqrt(2 / n) * np.abs(log_t).sum() / (log_t**2).sum())


CLAIM = Claim(
    id="R2",
    title="Constant steps leave a floor",
    statement=(
        "On a quadratic with gradient noise and constant eta and c, the mean squared error of W^t does not tend to 0 "
        "(slope 0 on log axes), that of the weighted average falls like 1/t, and with eta_t = eta/sqrt(t) that of W^t "
        "falls like 1/sqrt(t). Convergence of W^t under constant steps must not be promised."
    ),
    source="Derived in validation/moments.py; convergence of averages: Nesterov (2009), Xiao (JMLR 2010)",
    bar=(
        "The slopes of the exact recursion are held to the bars of the catalogue. A mean square of n Gaussians has at "
        f"most the relative deviation sqrt(2/n): by Chernoff's bound it is beyond {BAR} of them at one of the at most "
        f"{N_SCORES} steps shown with probability {FAILURE_PROBABILITY:.0e}; if none is, the slope is within "
        "its room too."
    ),
    measure=measure,
    kills=("center_prev", "s_eta"),
    theorems=("limits", "convergence"),
    failure_probability=FAILURE_PROBABILITY,
)
