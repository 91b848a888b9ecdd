"""G2. Where gradients do not depend on the iterate, RAMDA and RMDA from 0 have the same support at every step.

From W^0 = 0 the subproblem min <V, W> + alpha psi(W) + 1/2 <W, P W> has a solution with W_g = 0 if and only if -V_g is
in alpha times the subdifferential of psi at W_g = 0: for a group norm (or an entry, l1)

    W~_g^t = 0   iff   ||V_g^t|| <= alpha_t lam_g:

the metric does not enter. V and alpha are the same in both algorithms when the same gradients come. That the metric
cancels is a property of W^0 = 0; from another start the condition is ||P W^0 - V|| <= alpha lam_g, and supports differ.
With feedback the iterates, hence the gradients, hence the supports differ too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from rmda_ref import L1, GroupLasso
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

N_SEEDS = {"quick": 50, "full": 500, "exhaustive": 500}
N_STEPS, N_GROUPS, SIZE = 250, 20, 4
STEP_SIZE, LAM, SIGMA = 0.3, 1.0, 2.0
LEAST_SCALE, MOST_SCALE = 0.3, 3.0  # of the noise in an entry
# A tie within rounding: ||V_g||/(alpha lam) within so many roundings of 1. At either end of the ball, on the line of
# any one entry, the density is at most that of a Gaussian of the least deviation, sqrt(9/8/t) sigma scale (claim B1).
ROUNDINGS = 8
DENSITY = LAM / (np.sqrt(2 * np.pi) * np.sqrt(9 / 8 / N_STEPS) * SIGMA * LEAST_SCALE)
N_TESTS = N_SEEDS["full"] * N_STEPS * N_GROUPS * (SIZE + 1)
FAILURE_PROBABILITY = float(N_TESTS * 2 * DENSITY * 2 * ROUNDINGS * np.finfo(float).eps / 2)
# psi, the support of W~, and the magnitude of V over its strength.
Norms = Callable[[np.ndarray], np.ndarray]
REGULARIZERS: dict[str, tuple[Any, Norms, Norms]] = {
    "entries": (L1(LAM), lambda w: w != 0, lambda v: np.abs(v) / LAM),
    "groups": (
        GroupLasso(LAM, axis=-1),
        lambda w: np.asarray(w.any(axis=-1)),
        lambda v: np.asarray(np.sqrt((v**2).sum(axis=-1)) / (LAM * np.sqrt(SIZE))),
    ),
}


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    shape = (setting.size(**N_SEEDS), N_GROUPS, SIZE)
    rng = setting.rng("G2", "means")
    mean = rng.uniform(-1.5 * LAM, 1.5 * LAM, (N_GROUPS, SIZE))  # some inside their ball, some outside
    scale = rng.uniform(LEAST_SCALE, MOST_SCALE, (N_GROUPS, SIZE))  # of the noise: the metric differs between entries
    checks: list[Check] = []
    curves: list[Curve] = []
    for name, (psi, support, norms) in REGULARIZERS.items():
        runs, outside = [], []
        for maker in (implementation.RAMDA, implementation.RMDA):
            noise = setting.rng("G2", name)  # the same for both
            algorithm = maker(psi, STEP_SIZE)
            states = implementation.steps(
                algorithm,
                algorithm.init(np.zeros(shape)),
                lambda w, noise=noise: mean + SIGMA * scale * noise.standard_normal(w.shape),
                N_STEPS,
            )
            pairs = [(support(s.prox_iterate), norms(s.grad_sum) > s.weight) for s in states]
            runs.append([nonzero for nonzero, _ in pairs])
            outside.append([beyond for _, beyond in pairs])
        ours, theirs = np.array(runs)
        changes = int((ours[1:] != ours[:-1]).sum())
        checks += (
            Check.within(f"{name}: differing, of {ours.size:,}", 0, int((ours != theirs).sum()), 0),
            Check.within(f"{name}: not as |V| <= alpha lam says", 0, int((np.array(runs) != outside).sum()), 0),
            Check(f"{name}: changes of the support seen", ours.size / 1000, changes, ours.size / 1000, np.inf),
        )
        steps = range(1, N_STEPS + 1)
        share = [run.reshape(N_STEPS, -1).mean(axis=1) for run in (ours, theirs)]
        curves += (
            Curve(f"{name}: RMDA", steps, share[1].tolist(), "predicted"),
            Curve(f"{name}: RAMDA", steps[::6], share[0][::6].tolist()),
        )
    title = "From 0 and without feedback RAMDA's support is RMDA's, at every step"
    picture = Picture(title, "step t", "active, fraction", tuple(curves), xscale="log")
    return Measurement(tuple(checks), (picture,))


CLAIM = Claim(
    id="G2",
    title="RAMDA's support is RMDA's",
    statement=(
        "With W^0 = 0 and gradients that do not depend on the iterate, RAMDA and RMDA have the same zero entries (l1) "
        "and the same zero groups (group lasso) at every step: a group is zero iff ||V_g^t|| <= alpha_t lam_g, in "
        "which the metric does not appear."
    ),
    source="Huang & Lee (NeurIPS 2024), the subproblem of RAMDA; derived in validation/claims/g2_ramda_support.py",
    bar=(
        "Exact: not one support may differ, of 1.25 million (quick) or 12.5 million. Rounding could turn a tie alone, "
        f"||V_g|| within {ROUNDINGS} roundings of alpha lam: with densities of at most {DENSITY:.0f} in these units, "
        f"of probability {FAILURE_PROBABILITY:.0e} in the full profile."
    ),
    measure=measure,
    kills=("ramda_alpha_prev", "alpha_prev"),
    runs=("ramda_alpha_prev", "alpha_prev"),
    theorems=("ramda", "identification"),
    failure_probability=FAILURE_PROBABILITY,
)
