"""B4. On a noisy quadratic the iterates have the mean and covariance of a linear recursion, exactly, at every step.

Derived in `validation.moments`. Three cases are run, each with a start away from the minimiser and all of V, alpha and
the average in play: no momentum, momentum, and step sizes that decay.
"""

import numpy as np

from rmda_ref import PowerDecay, Stage
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.moments import X, Y, moments
from validation.replicates import BAR, Noisy, beyond_bar, replicates, z_scores

TIMES = (1, 2, 3, 5, 10, 20, 50, 100)
PROBLEM = Noisy(curvature=0.8, sigma=1.0, start=2.0)
CASES = {
    "c = 1": Stage(TIMES[-1], 0.5, 1.0),
    "c = 0.3": Stage(TIMES[-1], 0.5, 0.3),
    "eta/t^0.3, c = 0.5": Stage(TIMES[-1], PowerDecay(0.8, 0.3), 0.5),
}
N_REPLICATES = (20_000, 100_000)  # quick, full
_N_LOOKS = len(CASES) * len(TIMES)
N_SCORES = 5 * _N_LOOKS  # two means, two variances, a covariance
FAILURE_PROBABILITY = beyond_bar(min(N_REPLICATES), means=2 * _N_LOOKS, squares=2 * _N_LOOKS, products=_N_LOOKS)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n = setting.size(*N_REPLICATES)
    checks: list[Check] = []
    curves: list[Curve] = []
    for name, stage in CASES.items():
        expected = [m for m in moments(PROBLEM.curvature, PROBLEM.sigma, PROBLEM.start, [stage]) if m.t in TIMES]
        runs = replicates(implementation, PROBLEM, [stage], n, setting.rng("B4", name))
        samples = [found for t, found in enumerate(runs, 1) if t in TIMES]
        scores = [z_scores(s, m, (X, Y)) for s, m in zip(samples, expected, strict=True)]
        for quantity in scores[0]:
            worst = max((score[quantity] for score in scores), key=abs)
            checks.append(Check.within(f"{name}: z of the {quantity}, worst t", 0.0, worst, BAR))
        curves += (
            Curve(f"{name}: recursion", TIMES, [float(m.mean_square[Y]) for m in expected], "predicted"),
            Curve(name, TIMES, [float(np.mean(s[Y] ** 2)) for s in samples]),
        )
    title = "A linear recursion gives the mean square of W~ at every step"
    return Measurement(tuple(checks), (Picture(title, "step t", "E (W~ - W*)^2", tuple(curves), "log", "log"),))


CLAIM = Claim(
    id="B4",
    title="Exact mean and covariance",
    statement=(
        "On a scalar quadratic with Gaussian gradient noise, psi = 0, (W^t, W~^t) is Gaussian with the mean and the "
        "covariance of a linear recursion, for every step size and momentum, at every step. Checked are both "
        "moments at "
        f"{len(TIMES)} steps in {len(CASES)} cases; Gaussian it is by linearity."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/moments.py",
    bar=(
        f"Sample means and products about the mean, in standard deviations, of {N_REPLICATES[0]:,} (quick) or "
        f"{N_REPLICATES[1]:,} Gaussian replicates. One of the {N_SCORES} beyond {BAR} has at most the probability "
        f"{FAILURE_PROBABILITY:.0e} (normal, chi-square, and Chernoff's bound for covariances)."
    ),
    measure=measure,
    kills=("beta1", "s_eta", "beta_next", "center_prev", "sign", "V_noscale", "c_swap", "c_late", "grad_at_prox"),
    theorems=("variance", "dynamics"),
    failure_probability=FAILURE_PROBABILITY,
)
