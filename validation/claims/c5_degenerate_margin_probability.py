"""C5. At margin 0 a coordinate is not identified: noise makes it nonzero again in every decade of steps.

Let delta = 0 and no curvature, W^0 = 0. W~ is not zero at step t iff M_t = sum sqrt(i) zeta_i > 0: RMDA's dual average
shrinks, but so does nothing else. M is Brownian motion W at the clock tau = t^2/2, and zero from step xT to T exactly
if W has no zero in between and is negative. The last zero of W before tau_2 lies before tau_1 with probability (2/pi)
asin sqrt(tau_1/tau_2) (Levy's arcsine law; by time inversion the law of the first zero after a time), so that

    P(W~ = 0 at all steps in (xT, T]) = asin(x)/pi,

for RDA, whose clock is t itself, asin(sqrt(x))/pi. With x -> 0 it is 0: P(T0 < infinity) = 0. In discrete time W may
look past the boundary between steps. It crosses one that is r sqrt(t) farther away, r = 0.5826
(`validation.identification_times`), which is at most r sqrt(T): with g that over sqrt(tau_1), rho^2 = tau_1/tau_2,

    P(W < g sqrt(tau_1) on [tau_1, tau_2]) = int_{-infinity}^g phi(z) (1 - 2 Q((g - z) rho/sqrt(1 - rho^2))) dz

is more than it, approximately (r is the mean overshoot, for long runs), and the arcsine law, with g = 0, less.
"""

import numpy as np
from scipy.special import bdtr, ndtr

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.identification_times import OVERSHOOT, last_nonzero

N_SEEDS, N_STEPS = (20_000, 40_000), (800, 8000)  # quick, full
FRACTIONS = (0.1, 0.5)
SHOWN = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
LAM, STEP_SIZE = 20.0, 0.1
SPREADS = 5.5  # standard deviations of the binomial


def arcsine(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.arcsin(x) / np.pi)


def farther(x: float, n_steps: int) -> float:
    """The upper end above: the boundary is r sqrt(T) away on the whole of [xT, T]; the clock is t (t + 1)/2."""
    g = OVERSHOOT * np.sqrt(n_steps) / np.sqrt(x * n_steps * (x * n_steps + 1) / 2)
    z, weights = np.polynomial.legendre.leggauss(200)
    low = -10.0
    z, weights = low + (g - low) * (z + 1) / 2, weights * (g - low) / 2
    stays = 1 - 2 * ndtr(-(g - z) * x / np.sqrt(1 - x * x))
    return float(weights @ (np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * stays))


def bounds(x: float, n_seeds: int, n_steps: int) -> tuple[float, float]:
    """Where the measured fraction must lie."""
    low, high = float(arcsine(np.array(x))), farther(x, n_steps)
    spread = [SPREADS * np.sqrt(p * (1 - p) / n_seeds) for p in (low, high)]
    return low - spread[0], high + spread[1]


def _failure() -> float:
    total = []
    for n_seeds, n_steps in zip(N_SEEDS, N_STEPS, strict=True):
        outside = 0.0
        for x in FRACTIONS:
            low, high = bounds(x, n_seeds, n_steps)
            below = bdtr(np.ceil(low * n_seeds) - 1, n_seeds, arcsine(np.array(x)))
            outside += float(below + 1 - bdtr(np.floor(high * n_seeds), n_seeds, farther(x, n_steps)))
        total.append(outside)
    return max(total)


FAILURE_PROBABILITY = _failure()


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_seeds, n_steps, rng = setting.size(*N_SEEDS), setting.size(*N_STEPS), setting.rng("C5")
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE)
    states = implementation.steps(
        algorithm, algorithm.init(np.zeros(n_seeds)), lambda w: LAM + rng.standard_normal(w.shape), n_steps
    )
    times = last_nonzero(states, lambda t: setting.progress(t / n_steps))
    checks = []
    for x in FRACTIONS:
        low, high = bounds(x, n_seeds, n_steps)
        fraction = float(np.mean(times <= x * n_steps))
        checks.append(Check(f"P(zero from {x:g} T to T)", float(arcsine(np.array(x))), fraction, low, high))
    grid = np.geomspace(0.01, 1, 200)
    picture = Picture(
        "At margin 0 nothing is identified: the chance of having been zero since xT vanishes with x",
        "x",
        "P(W~ = 0 at all steps from xT to T)",
        (
            Curve("asin(x)/pi", grid.tolist(), arcsine(grid).tolist(), "predicted"),
            Curve("asin(sqrt(x))/pi, RDA's", grid.tolist(), arcsine(np.sqrt(grid)).tolist(), "context"),
            Curve("RMDA", SHOWN, [float(np.mean(times <= x * n_steps)) for x in SHOWN]),
        ),
        "log",
        "log",
    )
    return Measurement(tuple(checks), (picture,))


CLAIM = Claim(
    id="C5",
    title="Margin 0 is never identified",
    statement=(
        "For RMDA with constant step size on a coordinate with margin 0, noise and no curvature, W~ is zero at all "
        "steps from xT to T with probability asin(x)/pi for large T: .0319 for x = .1, .1667 for x = .5, and 0 for "
        "ever."
    ),
    source="Levy's arcsine law at RMDA's clock t^2/2; derived in validation/claims/c5_degenerate_margin_probability.py",
    bar=(
        f"{N_SEEDS[1]:,} seeds, T = {N_STEPS[1]} (quick: {N_STEPS[0]}): between the arcsine law and the law of a "
        f"boundary that is farther by the mean overshoot of a random walk (Siegmund's correction, an approximation), "
        f"{SPREADS} binomial standard deviations on either side. Outside with probability {FAILURE_PROBABILITY:.0e} if "
        "the chance lies between the two, by the binomial law and a union over both x."
    ),
    measure=measure,
    kills=("s_eta",),
    runs=("s_eta",),
    theorems=("limits", "time"),
    failure_probability=FAILURE_PROBABILITY,
)
