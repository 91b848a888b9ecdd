"""C4. Proximal SGD leaves zero with the same probability at every step, whatever its step size.

From W^{t-1} = 0 the step is W^t = prox_{eta_t lam |.|}(-eta_t g_t), which is zero if and only if |g_t| <= lam: eta_t
has cancelled. With g_t = (lam - delta) + sigma N(0, 1), delta the margin by which the optimality condition |E g| <= lam
at zero holds, it leaves with probability Q(delta/sigma) + Q((2 lam - delta)/sigma), Q the Gaussian tail. No step size
makes that smaller; an average of gradients, which has less noise, would.

Whether the k-th visit to zero leaves is independent of all that was before, so that the first N visits are N Bernoulli
trials.
"""

import numpy as np
from scipy.special import ndtr

from rmda_ref import L1, PowerDecay
from rmda_ref.crosscheck.mutants import Implementation
from rmda_ref.schedules import Schedule
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

BAR = 5.5  # standard deviations of the binomial
MARGINS = np.array([2.0, 1.0, 0.5])  # delta / sigma
LAM, SIGMA, CURVATURE = 2.0, 1.0, 0.5
SCHEDULES: dict[str, Schedule] = {"eta": 0.2, "eta/sqrt(t)": PowerDecay(0.2, power=0.5)}
N_TRIALS, N_LATE, N_REPLICATES, N_STEPS = 3_000_000, 200_000, 10_000, 600
BLOCK = 50  # steps that make one point of the picture
FAILURE_PROBABILITY = float(4 * ndtr(-BAR) * len(MARGINS) * len(SCHEDULES))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    predicted = ndtr(-MARGINS) + ndtr(-(2 * LAM / SIGMA - MARGINS))
    checks: list[Check] = []
    points: list[Curve] = []
    middles = np.repeat((np.arange(N_STEPS // BLOCK) + 0.5) * BLOCK, len(MARGINS)).tolist()
    for name, schedule in SCHEDULES.items():
        visits, exits = _count(implementation, schedule, setting.rng("C4", name))
        for k, (margin, p) in enumerate(zip(MARGINS, predicted, strict=True)):
            z, trials = _score(visits[:, k], exits[:, k], p, N_TRIALS)
            late, enough = _score(visits[-BLOCK:, k], exits[-BLOCK:, k], p, N_LATE)
            checks += (
                Check.within(f"step {name}, delta/sigma = {margin:g}: z of the last exits", 0.0, late, BAR),
                Check(f"step {name}, delta/sigma = {margin:g}: last visits to zero", N_LATE, enough, N_LATE, np.inf),
                Check.within(f"step {name}, delta/sigma = {margin:g}: z of the exits", 0.0, z, BAR),
                Check(f"step {name}, delta/sigma = {margin:g}: visits to zero", N_TRIALS, trials, N_TRIALS, np.inf),
            )
        frequencies = _by_block(exits) / _by_block(visits)
        points.append(Curve(f"step {name}", middles, frequencies.ravel().tolist()))
    lines = [
        Curve(f"delta/sigma = {margin:g}", (1, N_STEPS), (p, p), "predicted")
        for margin, p in zip(MARGINS, predicted, strict=True)
    ]
    title = "Proximal SGD leaves zero as often at the end as at the start, whatever its step size"
    return Measurement(tuple(checks), (Picture(title, "step t", "P(W^t != 0 | W^{t-1} = 0)", (*lines, *points)),))


def _count(
    implementation: Implementation, schedule: Schedule, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Per step, margin and replicate: whether W^{t-1} = 0, and whether also W^t != 0."""
    mean = (LAM - SIGMA * MARGINS)[:, None]
    algorithm = implementation.ProxSGD(L1(LAM), schedule)
    start = algorithm.init(np.zeros((len(MARGINS), N_REPLICATES)))
    states = implementation.steps(
        algorithm, start, lambda w: mean + CURVATURE * w + SIGMA * rng.standard_normal(w.shape), N_STEPS
    )
    zero = np.array([start.iterate == 0, *(state.iterate == 0 for state in states)])
    return zero[:-1], zero[:-1] & ~zero[1:]


def _by_block(counted: np.ndarray) -> np.ndarray:
    """Sums over the steps of a block and over replicates, per margin."""
    return np.asarray(counted.reshape(-1, BLOCK, len(MARGINS), N_REPLICATES).sum(axis=(1, 3)))


def _score(visits: np.ndarray, exits: np.ndarray, p: float, n: int) -> tuple[float, int]:
    """Binomial z of the exits among the first ``n`` visits to zero, and how many visits there were."""
    left = exits[visits][:n]
    z = (left.sum() - left.size * p) / np.sqrt(left.size * p * (1 - p))
    return float(z), int(visits.sum())


CLAIM = Claim(
    id="C4",
    title="ProxSGD leaves the manifold for ever",
    statement=(
        "With an l1 term, on an inactive coordinate with margin delta and Gaussian gradient noise of deviation sigma, "
        "P(W^t != 0 | W^{t-1} = 0) = Q(delta/sigma) + Q((2 lam - delta)/sigma) at every step t, whatever the step "
        "size; a decaying one, eta/sqrt(t), does not help."
    ),
    source=(
        "That proximal SGD does not identify: Huang & Lee (ICLR 2022), the motivation of RMDA; derived in "
        "validation/claims/c4_proxsgd_exit.py"
    ),
    bar=(
        f"The first {N_TRIALS:,} visits to zero are independent trials, and so are the first {N_LATE:,} of the last "
        f"{BLOCK} steps. |z| >= {BAR} for one of them, in one of the {len(MARGINS) * len(SCHEDULES)} cases, has "
        f"probability {FAILURE_PROBABILITY:.0e}."
    ),
    measure=measure,
    kills=("proxsgd_thr_one",),
    theorems=("no-identification",),
    failure_probability=FAILURE_PROBABILITY,
)
