"""R4. Each stage with a smaller step size lowers the noise floor, and a restart carries nothing over but W.

Stages k = 0, 1, 2 with step sizes eta gamma^k and a restart in between, on a noisy quadratic. By claim B2 stage k ends
near eta gamma^k sigma^2/(2h), a tenth of the one before. The recursion of `validation.moments` gives the mean and the
covariance at the end of each stage exactly, with the anchor of a stage the random end of the one before; a V, alpha, t
or anchor that is kept changes them, for some steps at least. (With psi = 0 alpha is
not used, and a t that is kept changes little: claim A8 sees both.)
"""

import numpy as np

from rmda_ref import Stage
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.moments import X, Y, floor, moments
from validation.replicates import BAR, Noisy, beyond_bar, replicates, z_scores

PROBLEM = Noisy(curvature=1.0, start=1.0)
STEP_SIZE, GAMMA, MOMENTA = 0.5, 0.1, (0.1, 1.0, 1.0)  # c grows by 1/gamma up to 1, as the authors do
LENGTHS = {"quick": (100, 300, 1500), "full": (300, 1000, 10_000)}
NEAR_FLOOR = 0.1  # of a stage's floor, for the recursion at the end of the stage
EARLY = 5  # steps into a stage, where what a restart should have forgotten still shows
N_REPLICATES = (4000, 20_000)  # quick, full
_N_LOOKS = 2 * len(MOMENTA)
N_SCORES = 5 * _N_LOOKS  # two means, two variances, a covariance
FAILURE_PROBABILITY = beyond_bar(min(N_REPLICATES), means=2 * _N_LOOKS, squares=2 * _N_LOOKS, products=_N_LOOKS)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n, lengths = setting.size(*N_REPLICATES), setting.size(LENGTHS["quick"], LENGTHS["full"])
    stages = [Stage(steps, STEP_SIZE * GAMMA**k, c) for k, (steps, c) in enumerate(zip(lengths, MOMENTA, strict=True))]
    ends = np.cumsum(lengths)
    shown = {int(e - steps + s) for e, steps in zip(ends, lengths, strict=True) for s in np.geomspace(1, steps, 12)}
    shown |= {int(e - steps + EARLY) for e, steps in zip(ends, lengths, strict=True)}
    expected = {
        t: m for t, m in enumerate(moments(PROBLEM.curvature, PROBLEM.sigma, PROBLEM.start, stages), 1) if t in shown
    }
    early = ends - lengths + EARLY
    scored = {
        int(t): f"stage {k + 1}: z of the moments {when}, worst"
        for when, times in (("after a few steps", early), ("at its end", ends))
        for k, t in enumerate(times)
    }
    checks: list[Check] = []
    squares = {}
    for t, samples in enumerate(replicates(implementation, PROBLEM, stages, n, setting.rng("R4")), 1):
        if t in shown:
            squares[t] = float((samples[X] ** 2).mean())
        if t in scored:
            worst = max(z_scores(samples, expected[t], (X, Y)).values(), key=abs)
            checks.append(Check.within(scored[t], 0.0, worst, BAR))
            setting.progress(t / ends[-1])
    for k, t in enumerate(ends.tolist()):
        limit = floor(PROBLEM.curvature, PROBLEM.sigma, STEP_SIZE * GAMMA**k, MOMENTA[k])[0, 0]
        over = float(expected[t].mean_square[X] / limit)
        quantity = f"stage {k + 1}: mean square at its end over its floor, exact"
        checks.append(Check.within(quantity, 1.0, over, NEAR_FLOOR))
    steps = sorted(shown)
    title = "Each stage lowers the floor by the factor of its step size"
    curves = (
        Curve("recursion", steps, [float(expected[t].mean_square[X]) for t in steps], "predicted"),
        Curve("W", steps, [squares[t] for t in steps]),
    )
    picture = Picture(title, "step, all stages", "E (W - W*)^2", curves, yscale="log")
    return Measurement(tuple(checks), (picture,))


CLAIM = Claim(
    id="R4",
    title="Floors, stage by stage",
    statement=(
        "On a noisy quadratic, stages with step sizes eta gamma^k and restarts end near the floors eta gamma^k "
        "sigma^2/2h of their step sizes, with exactly the moments of a recursion that carries over W alone."
    ),
    source="The stages of Huang & Lee (ICLR 2022) and their code; derived in validation/moments.py",
    bar=(
        f"Against the exact recursion, early in each stage and at its end: one of {N_SCORES} z scores beyond {BAR} has "
        f"probability {FAILURE_PROBABILITY:.0e}. The recursion is within 10% of the floor, the start of the stage "
        "being forgotten."
    ),
    measure=measure,
    kills=("norst_anchor", "norst_V"),
    theorems=("restarts", "convergence"),
    failure_probability=FAILURE_PROBABILITY,
)
