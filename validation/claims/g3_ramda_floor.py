"""G3. The noise floor of RAMDA is that of RMDA with step size eta/kappa, where kappa knows of the floor.

One coordinate without a regularizer, gradient h x + sigma N(0, 1), started at the optimum. P^t grows like
kappa sqrt(t) with kappa = (2/3 eta m)^{1/3}, m the mean square of the gradients: with P^t for beta_t the recurrence of
`validation.recurrences` is, r = P^{t-1}/P^t -> 1 and e = eta/kappa,

    y_t = r y_{t-1} - e (h x_{t-1} + sigma N_t),      x_t = (1 - c) x_{t-1} + c y_t,

whose stationary variance solves a linear (Lyapunov) equation: with r = 1, v := var W = e sigma^2 (2 - c)/(h (2 (2 - c)
- c e h)). The gradients have mean square m = sigma^2 + h^2 v, not sigma^2: v and kappa are the fixed point of the two.
P^t also wanders, by 3/(4 sqrt(t)) of itself (half of the 3/2 sqrt(1/t) of U^t, over 3/2): what that does to v is of
order 1/t, as is the pull 1 - r ~ 1/(2t) over the rate e h.
"""

import numpy as np
from scipy.special import chdtr, chdtrc

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

MOMENTA = (1.0, 0.3)
STEP_SIZE, SIGMA = 0.4, 1.0
CURVATURES = (0.5, 1.0, 2.0)
N_REPLICATES = {"quick": 6000, "full": 40_000, "exhaustive": 40_000}
N_STEPS = {"quick": 300, "full": 1500, "exhaustive": 1500}
BARS = {"quick": 0.12, "full": 0.05, "exhaustive": 0.05}
TRANSIENT = {"quick": 0.02, "full": 0.005, "exhaustive": 0.005}  # of order 1/t: 6/t and 7.5/t


def floor(curvature: float, momentum: float) -> tuple[float, float]:
    """var W and kappa: the fixed point."""
    variance = 0.0
    for _ in range(200):
        variance, kappa = _given(variance, curvature, momentum)
    return variance, kappa


def _given(variance: float, curvature: float, momentum: float) -> tuple[float, float]:
    """The floor, and kappa, where the gradients have the mean square sigma^2 + h^2 times this variance."""
    kappa = (2 / 3 * STEP_SIZE * (SIGMA**2 + curvature**2 * variance)) ** (1 / 3)
    rate, lazy = STEP_SIZE / kappa, 2 - momentum
    return rate * SIGMA**2 * lazy / (curvature * (2 * lazy - momentum * rate * curvature)), kappa


# By how much the floor would be off if kappa did not know of it.
NAIVE = [_given(0.0, h, c)[0] / floor(h, c)[0] - 1 for c in MOMENTA for h in CURVATURES]


def _outside(profile: str) -> float:
    """Of a sample variance of Gaussian replicates, beyond the bar less what is left for the transient."""
    n, room = N_REPLICATES[profile], BARS[profile] - TRANSIENT[profile]
    return float(chdtr(n, n * (1 - room)) + chdtrc(n, n * (1 + room)))


FAILURE_PROBABILITY = max(len(MOMENTA) * len(CURVATURES) * _outside(profile) for profile in BARS)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n, n_steps = setting.size(**N_REPLICATES), setting.size(**N_STEPS)
    checks: list[Check] = []
    curves: list[Curve] = []
    times = np.unique(np.geomspace(1, n_steps, 40).astype(int))
    for c in MOMENTA:
        variances = _variances(implementation, setting, c, n, times)
        for place, h in enumerate(CURVATURES):
            expected, kappa = floor(h, c)
            ratio = variances[-1, place] / expected
            name = f"c = {c:g}, eta h/kappa = {STEP_SIZE * h / kappa:.2g}: variance of W over the floor"
            checks.append(Check.within(name, 1.0, ratio, BARS[setting.profile]))
        middle = floor(CURVATURES[1], c)[0]
        curves += (
            Curve(f"c = {c:g}: floor", (1, n_steps), (middle, middle), "predicted"),
            Curve(f"c = {c:g}", times.tolist(), variances[:, 1].tolist()),
        )
    title = "RAMDA's noise floor is RMDA's with step size eta/kappa"
    picture = Picture(title, "step t", f"variance of W^t, h = {CURVATURES[1]:g}", tuple(curves), "log")
    return Measurement(tuple(checks), (picture,))


def _variances(implementation: Implementation, setting: Setting, c: float, n: int, times: np.ndarray) -> np.ndarray:
    """Mean squares of W - W* at the times, per curvature."""
    rng, curvature = setting.rng("G3", c), np.array(CURVATURES)[:, None]
    algorithm = implementation.RAMDA(Zero(), STEP_SIZE, c)
    start, wanted = algorithm.init(np.zeros((len(CURVATURES), n))), set(times.tolist())
    states = implementation.steps(
        algorithm, start, lambda w: curvature * w + SIGMA * rng.standard_normal(w.shape), int(times[-1])
    )
    return np.array([np.mean(state.iterate**2, axis=1) for t, state in enumerate(states, 1) if t in wanted])


CLAIM = Claim(
    id="G3",
    title="RAMDA's noise floor",
    statement=(
        "Under gradient noise sigma and constant eta and c, var W -> e sigma^2 (2-c)/(h (2(2-c) - c e h)) with e = "
        "eta/kappa, kappa = (2/3 eta (sigma^2 + h^2 var W))^(1/3): the floor of RMDA with step size e, where the "
        "metric counts the floor's own gradients."
    ),
    source="Huang & Lee (NeurIPS 2024), the algorithm RAMDA; derived in validation/claims/g3_ramda_floor.py",
    bar=(
        "5% in the full profile, 12% in the quick one, which has fewer replicates and steps: 0.5% and 2% are "
        "left for terms of order 1/t, the rest for the sample variance, taken as chi-square (W is Gaussian up to the "
        f"same 1/t). Beyond it with probability {FAILURE_PROBABILITY:.0e} in one of the "
        f"{len(MOMENTA) * len(CURVATURES)} cases. Without the floor in kappa the prediction would be "
        f"{min(NAIVE):.0%} to {max(NAIVE):.0%} off."
    ),
    measure=measure,
    kills=("ramda_sqrt", "ramda_no_eta"),
    runs=("ramda_sqrt", "ramda_no_eta"),
    theorems=("ramda", "limits"),
    failure_probability=FAILURE_PROBABILITY,
)
