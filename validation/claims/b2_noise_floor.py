"""B2. With a constant step size the noise leaves a floor, and small momentum makes W~ noisier, not W.

As t -> infinity the recursion of `validation.moments` has r_t = 1 and no anchor: in P, the covariance of (x, y), with
a = eta h, and v the variance of eta xi sigma, its three equations are

    P_yy = P_yy - 2 a P_xy + a^2 P_xx + v,                  so that  P_xy = (a^2 P_xx + v)/(2 a);
    P_xx = (1-c)^2 P_xx + 2 c (1-c) P_xy' + c^2 P_yy,       P_xy' = P_xy - a P_xx (of the new y and the old x);
    P_xy = (1-c) P_xy' + c P_yy.

Their solution is

    var W = eta sigma^2 (2-c) / (h (2 (2-c) - c a)),    var W~ = P_yy = (P_xy - (1-c)(P_xy - a P_xx))/c.

For small a, var W ~ eta sigma^2/(2h) whatever c is, and var W~ ~ (eta sigma^2/2h)(1 + a/c): W~ has W's noise and that
of a walk of length 1/c. An active entry keeps its sign only if it is well above the deviation of W~.
"""

import numpy as np

from rmda_ref import Stage
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.moments import X, Y, floor, moments
from validation.replicates import BAR, Noisy, beyond_bar, replicates, z_scores

STEP_SIZE, PROBLEM = 1.0, Noisy(curvature=1.0, start=0.0)
MOMENTA = (1.0, 0.5, 0.2, 0.1, 0.05)
N_REPLICATES = (5000, 20_000)  # quick, full
N_SCORES = len(MOMENTA) * 5  # two means, two variances, a covariance
FAILURE_PROBABILITY = beyond_bar(
    min(N_REPLICATES), means=2 * len(MOMENTA), squares=2 * len(MOMENTA), products=len(MOMENTA)
)
LEFT = 0.02  # of the floor that the recursion has still to go at the end: terms of order 1/t


def closed_form(curvature: float, sigma: float, step_size: float, momentum: float) -> tuple[float, float]:
    """var W and var W~, by the formulas above."""
    a, c = step_size * curvature, momentum
    var_w = step_size * sigma**2 * (2 - c) / (curvature * (2 * (2 - c) - c * a))
    joint = (a**2 * var_w + (step_size * sigma) ** 2) / (2 * a)
    return var_w, (joint - (1 - c) * (joint - a * var_w)) / c


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n, n_steps = setting.size(*N_REPLICATES), setting.size(quick=1000, full=4000)
    checks: list[Check] = []
    found = []
    for c in MOMENTA:
        stage = Stage(n_steps, STEP_SIZE, c)
        *_, expected = moments(PROBLEM.curvature, PROBLEM.sigma, PROBLEM.start, [stage])
        *_, samples = replicates(implementation, PROBLEM, [stage], n, setting.rng("B2", c))
        limit = floor(PROBLEM.curvature, PROBLEM.sigma, STEP_SIZE, c)
        formula = np.array(closed_form(PROBLEM.curvature, PROBLEM.sigma, STEP_SIZE, c))
        worst = max(z_scores(samples, expected, (X, Y)).values(), key=abs)
        off = np.abs(formula / np.diag(limit) - 1).max()
        left = np.abs(np.diag(expected.covariance)[[X, Y]] / formula - 1).max()
        checks += (
            Check.at_most(f"c = {c:g}: formula against Lyapunov's equation", off, 1e-12),
            Check.within(f"c = {c:g}: z of the moments, worst", 0.0, worst, BAR),
            Check.at_most(f"c = {c:g}: floor against the recursion at the end", left, LEFT),
        )
        found.append(samples[[X, Y]].var(axis=1))
    ratio = found[-1][Y] / found[-1][X]
    noisier = float(formula[1] / formula[0])
    checks.append(Check(f"c = {c:g}: variance of W~ over that of W", noisier, ratio, 0.8 * noisier, np.inf))
    fine = np.geomspace(MOMENTA[-1], 1, 50).tolist()
    lines = np.array([closed_form(PROBLEM.curvature, PROBLEM.sigma, STEP_SIZE, c) for c in fine]).T.tolist()
    points = np.array(found).T.tolist()
    curves = [Curve(f"{name}: formula", fine, line, "predicted") for name, line in zip(("W", "W~"), lines, strict=True)]
    curves += [Curve(name, MOMENTA, values) for name, values in zip(("W", "W~"), points, strict=True)]
    title = "Small c makes the structured point W~ noisier, though not W"
    picture = Picture(title, "momentum c", "variance, eta h = 1", tuple(curves), "log", "log")
    return Measurement(tuple(checks), (picture,))


CLAIM = Claim(
    id="B2",
    title="The noise floor, and what c does to it",
    statement=(
        "With constant eta and c and noise sigma, W^t has the limiting variance eta sigma^2 (2-c)/(h (2(2-c) - c eta "
        "h)); for small eta h about eta sigma^2/2h for every c, and that of W~ about (eta sigma^2/2h)(1 + eta h/c). At "
        "eta h = 1 and c = 0.05 it is 20 times that of W."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/claims/b2_noise_floor.py",
    bar=(
        "The formula and Lyapunov's equation agree to rounding. Measured moments are compared with the exact "
        f"recursion at the last step: one of {N_SCORES} z scores beyond {BAR} has probability "
        f"{FAILURE_PROBABILITY:.0e}. The recursion itself has terms of order 1/t to go: 2% of the floor at t = 1000. "
        "The ratio of the variances is held above 0.8 of the formula, seven deviations."
    ),
    measure=measure,
    kills=("c_swap", "s_eta", "grad_at_prox"),
    theorems=("limits", "convergence"),
    failure_probability=FAILURE_PROBABILITY,
)
