"""C6. With a constant step size noise takes the sign of an active coordinate at a fixed rate, for ever.

Let f = (h/2)(W - b)^2 with an l1 term, W* > 0, noise sigma, a = eta h. While W~ > 0, with x = W - W*, y = W~ - W* and t
large (r_t -> 1 in `validation.recurrences`)

    y' = y - a x - eta sigma zeta,        x' = (1 - c) x + c y',

a linear system whose stationary covariance P solves P = F P F^T + (eta sigma)^2 v v^T, v = (c, 1). If W~ kept to it, it
would be zero or negative with probability Q(W*/sd W~) at every step. While it is zero it does not: what the prox cuts
off remains in V, but the gradient is that of W = 0, so the way back is slower and the rate higher. For c = 1 that is a
Markov chain on the line, z = y uncut,

    z' = z - a max(z, -W*) - eta sigma zeta,

whose stationary law, by quadrature, gives the rate P(z <= -W*) itself. (Above -2 W* - 2 (alpha/beta) lam, far away for
large t, no other sign is taken.)
"""

import numpy as np
from scipy.linalg import solve_discrete_lyapunov
from scipy.special import bdtr, ndtr

from rmda_ref import L1
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

N_SEEDS, N_STEPS = (10_000, 100_000), (800, 2000)  # quick, full
MOMENTA = (1.0, 0.5)
HEIGHTS = (1.5, 2.0)  # W* / sd W~
STEP_SIZE, SIGMA, LAM = 0.2, 1.0, 5.0  # h = 1
N_LOOKS = 3  # at t = n/4, n/2, n: looks at a run that are compared with one number
LOW, HIGH = 0.8, 1.4  # of Q(W*/sd W~), where only that is predicted
CHANGE = 0.06  # relative, of the rate between the first and the last look: the same remainder
FINITE = 0.06  # relative: r_t = 1 - 1/(2t) lowers the rate by up to 3.5% at t = 200
SPREADS = 5.5


def deviation(momentum: float) -> float:
    """The stationary standard deviation of W~, were it not cut off."""
    transition = np.array([[1 - momentum - momentum * STEP_SIZE, momentum], [-STEP_SIZE, 1.0]])  # of (x, y)
    v = np.array([momentum, 1.0]) * STEP_SIZE * SIGMA
    return float(np.sqrt(solve_discrete_lyapunov(transition, np.outer(v, v))[1, 1]))


def exact_rate(optimum: float) -> float:
    """P(z <= -W*) in the stationary law of the chain above (c = 1)."""
    spread = STEP_SIZE * SIGMA
    far = 9 * deviation(1.0)
    nodes, weights = np.polynomial.legendre.leggauss(200)
    # Two panels, as the drift has a kink at -W*.
    z = np.concatenate([-optimum + far * (nodes - 1) / 2, -optimum + (far + optimum) * (nodes + 1) / 2])
    weights = np.concatenate([weights * far / 2, weights * (far + optimum) / 2])
    means = z - STEP_SIZE * np.maximum(z, -optimum)
    kernel = np.exp(-(((z[:, None] - means) / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi)) * weights
    system = np.vstack([kernel - np.eye(z.size), weights])
    density = np.linalg.lstsq(system, np.append(np.zeros(z.size), 1.0), rcond=None)[0]
    return float((weights * density)[z <= -optimum].sum())


def interval(momentum: float, height: float) -> tuple[float, float, float]:
    """The predicted rate, and the least and greatest that are allowed, before the binomial."""
    gaussian = float(ndtr(-height))
    if momentum < 1:
        return gaussian, LOW * gaussian, HIGH * gaussian
    rate = exact_rate(height * deviation(1.0))
    return rate, (1 - FINITE) * rate, (1 + FINITE) * rate


INTERVALS = {(c, height): interval(c, height) for c in MOMENTA for height in HEIGHTS}


def allowed(low: float, high: float, n_seeds: int) -> tuple[float, float]:
    """With the spread of a binomial frequency."""
    below, above = (SPREADS * np.sqrt(p * (1 - p) / n_seeds) for p in (low, high))
    return low - below, high + above


def _failure(n_seeds: int) -> float:
    total = 0.0
    for _, low, high in INTERVALS.values():
        least, greatest = allowed(low, high, n_seeds)
        below, above = (
            bdtr(np.ceil(least * n_seeds) - 1, n_seeds, low),
            bdtr(np.floor(greatest * n_seeds), n_seeds, high),
        )
        total += float(below + 1 - above)
    changes = 2 * float(ndtr(-SPREADS)) * len(INTERVALS)  # Gaussian; looks far apart are nearly independent
    return N_LOOKS * total + changes


FAILURE_PROBABILITY = max(_failure(n_seeds) for n_seeds in N_SEEDS)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_seeds, n_steps = setting.size(*N_SEEDS), setting.size(*N_STEPS)
    looks = [n_steps >> k for k in reversed(range(N_LOOKS))]
    checks: list[Check] = []
    curves: list[Curve] = []
    for c in MOMENTA:
        lost = _lost(implementation, setting, c, looks)
        for k, height in enumerate(HEIGHTS):
            rate, low, high = INTERVALS[c, height]
            low, high = allowed(low, high, n_seeds)
            for t, fraction in zip(looks, lost[:, k], strict=True):
                checks.append(Check(f"c = {c:g}, W* = {height:g} sd, t = {t}: lost", rate, float(fraction), low, high))
            first, last = (float(fraction) for fraction in lost[[0, -1], k])
            room = CHANGE * first + SPREADS * np.sqrt(2 * first * (1 - first) / n_seeds)
            checks.append(
                Check.within(f"c = {c:g}, W* = {height:g} sd: last look less the first", 0, last - first, room)
            )
            curves.append(Curve(f"c = {c:g}, W* = {height:g} sd", looks, lost[:, k].tolist()))
    lines = [
        Curve(f"chain, W* = {height:g} sd", (looks[0], looks[-1]), (INTERVALS[1.0, height][0],) * 2, "predicted")
        for height in HEIGHTS
    ]
    title = "The sign of an active coordinate is lost as often at the end as at the start"
    return Measurement(tuple(checks), (Picture(title, "step t", "P(W~ <= 0)", (*lines, *curves), "log"),))


def _lost(implementation: Implementation, setting: Setting, momentum: float, looks: list[int]) -> np.ndarray:
    """The fraction of seeds with W~ <= 0, at each look, per height."""
    rng = setting.rng("C6", momentum)
    optimum = np.array(HEIGHTS)[:, None] * deviation(momentum)
    start = np.broadcast_to(optimum, (len(HEIGHTS), setting.size(*N_SEEDS))).copy()
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE, momentum)
    states = implementation.steps(
        algorithm,
        algorithm.init(start),
        lambda w: w - optimum - LAM + SIGMA * rng.standard_normal(w.shape),
        looks[-1],
    )
    lost = []
    for t, state in enumerate(states, 1):
        if t in looks:
            lost.append(np.mean(state.prox_iterate <= 0, axis=1))
            setting.progress((MOMENTA.index(momentum) + t / looks[-1]) / len(MOMENTA))
    return np.array(lost)


CLAIM = Claim(
    id="C6",
    title="Active signs are lost for ever",
    statement=(
        "With constant eta and noise sigma, W~ of an active coordinate has lost its sign with a probability that is "
        "the same at t = n/4, n/2 and n: for c = 1 that of the stationary Markov chain z' = z - eta h max(z, -|W*|) - "
        "eta sigma zeta, and for c = 0.5 about Q(|W*|/sd W~), sd W~ from the stationary covariance."
    ),
    source="Derived in validation/claims/c6_lost_sign_rate.py",
    bar=(
        f"c = 1: the chain's rate to {FINITE:.0%}, for the 1/t by which the run differs from it; c < 1: within [{LOW}, "
        f"{HIGH}] of Q(|W*|/sd W~), which neglects that a lost sign comes back late (chosen, not derived); the "
        f"last look against the first: {CHANGE:.0%}; on both sides {SPREADS} binomial "
        f"standard deviations of {N_SEEDS[1]:,} seeds (quick: {N_SEEDS[0]:,}), independent within a look. Outside at "
        f"one of {N_LOOKS * len(INTERVALS)} looks with probability {FAILURE_PROBABILITY:.0e}, by the binomial law."
    ),
    measure=measure,
    kills=("s_eta",),
    runs=("s_eta",),
    theorems=("limits", "dynamics"),
    failure_probability=FAILURE_PROBABILITY,
)
