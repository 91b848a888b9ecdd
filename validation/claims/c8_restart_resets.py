"""C8. A restart resets the identification time: each stage has the law of a first one from where it starts.

One inactive coordinate with margin delta, noise sigma and no curvature, W^0 = d > 0. In the first stage the pull to W^0
is a bias 3 d/(2 eta t) in the dual average, equal to delta at T_b = 3 d/(2 eta delta); with b = T_b delta^2/sigma^2,

    T0 delta^2/sigma^2 = (9/8)/sqrt(U),    U the first passage of Brownian motion over u^{1/4} - (8 b/9) u^{3/4},

without any approximation but that of continuous time (`rmda_ref.certificates.identification_time`). A restart in W = 0
forgets W^0, V, alpha and t: every following stage is one from W^0 = 0, T0 has the law of claim C1d again, and counts
from the restart. What one stage has identified does not help the next one, unless the restart forgets to forget.
"""

import numpy as np

from rmda_ref import L1, Stage
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.identification_times import dkw, frequencies, last_nonzero, rmda_cdf

MARGINS = (0.15, 0.1)  # delta/sigma: quick, full
N_SEEDS, HORIZON = (3000, 10_000), 25  # stages of HORIZON sigma^2/delta^2 steps
LAM, STEP_SIZE, BIAS, N_STAGES = 20.0, 0.1, 3.0, 3
REMAINDER = 0.1  # times delta/sigma, see claim C1
EACH = 1e-7  # of each empirical distribution, to be further than it should from its law
FAILURE_PROBABILITY = N_STAGES * EACH


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    margin, n_seeds = setting.size(*MARGINS), setting.size(*N_SEEDS)
    n_steps = int(HORIZON / margin**2)
    stages = _stages(implementation, setting, margin, n_seeds, n_steps)
    first, later = rmda_cdf(margin, n_steps, BIAS), rmda_cdf(margin, n_steps)
    late = 1 - first[-1]
    spread = dkw(n_seeds, EACH)
    bar = spread + REMAINDER * margin + late
    checks = [Check.at_most("stage 1, from W^0 > 0: KS distance to its law", np.abs(stages[0] - first).max(), bar)]
    for k, found in enumerate(stages[1:], 2):
        distance = np.abs(found - later).max()
        checks.append(Check.at_most(f"stage {k}: KS distance to the law from W^0 = 0", distance, bar))
    checks.append(
        Check.at_most(
            "stages 2 and 3: two-sample KS distance", np.abs(stages[1] - stages[2]).max(), 2 * spread + 2 * late
        )
    )
    shown = np.unique(np.geomspace(1, n_steps - 1, 25).astype(int))
    names = ("stage 1", "stage 2", "stage 3")
    picture = Picture(
        "After a restart the identification time has the law of a first stage again",
        "T0, counted from the restart",
        "P(T0 <= t)",
        (
            Curve("law from W^0 > 0", shown.tolist(), first[shown].tolist(), "predicted"),
            Curve("law from W^0 = 0", shown.tolist(), later[shown].tolist(), "predicted"),
            *(Curve(name, shown.tolist(), found[shown].tolist()) for name, found in zip(names, stages, strict=True)),
        ),
        xscale="log",
    )
    return Measurement(tuple(checks), (picture,))


def _stages(
    implementation: Implementation, setting: Setting, margin: float, n_seeds: int, n_steps: int
) -> list[np.ndarray]:
    """P(T0 <= t), measured, of each stage."""
    rng = setting.rng("C8")
    start = np.full(n_seeds, 2 * STEP_SIZE * BIAS / (3 * margin))  # T_b = BIAS / margin^2
    states = implementation.staged_steps(
        implementation.RMDA(L1(LAM), STEP_SIZE),
        start,
        lambda w: margin - LAM + rng.standard_normal(w.shape),
        [Stage(n_steps, STEP_SIZE)] * N_STAGES,
    )
    found = []
    for k in range(N_STAGES):
        stage = (state for _, state in zip(range(n_steps), states))  # noqa: B905  (range first: takes no state too many)
        found.append(frequencies(last_nonzero(stage), n_steps))
        setting.progress((k + 1) / N_STAGES)
    return found


CLAIM = Claim(
    id="C8",
    title="A restart resets identification",
    statement=(
        "On an inactive coordinate with margin, noise and no curvature, T0 of every stage after a restart in W = 0 has "
        "the law of a run from W^0 = 0, whatever was identified before; from W^0 = d the law is that of the first "
        "passage of Brownian motion over u^(1/4) - (8 b/9) u^(3/4), b = 3 d delta/(2 eta sigma^2)."
    ),
    source="Huang & Lee (ICLR 2022), restarts; the law: rmda_ref/certificates/identification_time.py",
    bar=(
        f"Each stage of {N_SEEDS[1]:,} seeds (quick: {N_SEEDS[0]:,}) is within {dkw(N_SEEDS[1], EACH):.3f} "
        f"({dkw(N_SEEDS[0], EACH):.3f}) of its law but with probability {EACH:.0e} (Dvoretzky, Kiefer, Wolfowitz, "
        f"Massart), two stages within twice that of one another; plus P(T0 > n), the stages end at n = {HORIZON} "
        f"sigma^2/delta^2, plus {REMAINDER:g} delta/sigma for discrete time, see claim C1."
    ),
    measure=measure,
    kills=("norst_anchor", "norst_V", "norst_alpha", "norst_t"),
    runs=("norst_anchor", "norst_V", "norst_alpha", "norst_t"),
    theorems=("restarts", "time"),
    failure_probability=FAILURE_PROBABILITY,
)
