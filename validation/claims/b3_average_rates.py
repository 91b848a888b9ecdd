"""B3. Averages of the iterates converge although the iterates do not: t MSE -> 9/8 (weighted), 1 (uniform).

By the definition of V, V^t = h sum s_i x_{i-1} + sigma sum s_i xi_i, and y_t = x_0 - V^t/sqrt(t). Hence the weighted
average of the points where the gradients were taken is

    sum s_i x_{i-1} / alpha_t = -(sigma/h) sum s_i xi_i/alpha_t + (beta_t/alpha_t)(x_0 - y_t)/h:

noise with the variance (9/8) sigma^2/(h^2 t) of claim B1, and a term that is small against it, like 1/t. The uniform
average has the least variance that averages of t gradients can have, sigma^2/(h^2 t). Both are components of the
exact recursion in `validation.moments`, which is what is compared.
"""

import numpy as np

from rmda_ref import Stage
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.moments import UNIFORM, WEIGHTED, X, moments
from validation.replicates import BAR, NAMES, Noisy, beyond_bar, replicates, z_scores
from validation.separation import shown_steps

PROBLEM, STEP_SIZE, MOMENTUM = Noisy(curvature=1.0, start=0.5), 0.5, 0.5
LIMITS = {WEIGHTED: 9 / 8, UNIFORM: 1.0}
N_REPLICATES = (2000, 10_000)  # quick, full
N_SCORES = 5  # two means, two variances, a covariance
FAILURE_PROBABILITY = beyond_bar(min(N_REPLICATES), means=2, squares=2, products=1)
CLOSE = 0.08  # of the limit, for the recursion at the last step; the bar of the catalogue


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n, n_steps = setting.size(*N_REPLICATES), setting.size(quick=1000, full=10_000)
    stage, shown = Stage(n_steps, STEP_SIZE, MOMENTUM), shown_steps(n_steps)[::4]
    expected = {m.t: m for m in moments(PROBLEM.curvature, PROBLEM.sigma, PROBLEM.start, [stage])}
    runs = enumerate(replicates(implementation, PROBLEM, [stage], n, setting.rng("B3")), 1)
    squares, last = {}, np.empty(0)
    for t, last in runs:
        if t in shown:
            squares[t] = t * (last**2).mean(axis=1)
            setting.progress(t / n_steps)
    worst = max(z_scores(last, expected[n_steps], (WEIGHTED, UNIFORM)).values(), key=abs)
    checks = [Check.within("z of the moments of both averages, worst", 0.0, worst, BAR)]
    curves: list[Curve] = []
    for place, limit in LIMITS.items():
        predicted = n_steps * float(expected[n_steps].mean_square[place])
        checks.append(Check.within(f"{NAMES[place]}: t MSE predicted at the end", limit, predicted, CLOSE * limit))
        line = [t * float(expected[t].mean_square[place]) for t in shown]
        curves += (
            Curve(f"{NAMES[place]}: recursion", shown, line, "predicted"),
            Curve(NAMES[place], list(squares), [float(found[place]) for found in squares.values()]),
        )
    line = [t * float(expected[t].mean_square[X]) for t in shown]
    curves.append(Curve("last iterate: recursion", shown, line, "context"))
    title = "Averages converge like 1/t where the last iterate does not converge"
    picture = Picture(title, "step t", "t E (average - W*)^2", tuple(curves), "log", "log")
    return Measurement(tuple(checks), (picture,))


CLAIM = Claim(
    id="B3",
    title="Averages converge like 1/t",
    statement=(
        "On a quadratic with constant eta and noise sigma, t h^2/sigma^2 times the mean squared error of the average "
        "of the points where gradients were taken tends to 9/8 with RMDA's weights s_i and to 1 with equal ones."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1; derived in validation/claims/b3_average_rates.py",
    bar=(
        f"Against the exact recursion: one of {N_SCORES} z scores beyond {BAR} has probability "
        f"{FAILURE_PROBABILITY:.0e}. The recursion reaches its limit but for terms of order 1/t: 8% at t = 1000."
    ),
    measure=measure,
    kills=("s_eta", "center_prev"),
    theorems=("variance", "convergence"),
    failure_probability=FAILURE_PROBABILITY,
)
