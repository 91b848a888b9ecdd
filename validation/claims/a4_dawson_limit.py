"""A4. With small steps the iterates follow a Dawson function, and the error is its next term, of order 1/T.

In the recurrence of `validation.recurrences` let a = eta h -> 0 with z = a t fixed. Summed, it reads

    sqrt(t) y_t = sqrt(t) x_0 - a sum_{i<=t} sqrt(i) x_{i-1}.

Put x_t = x_0 (q + a p/u + ...) at z = u^2. To leading order u q = u - int_0^u 2 v^2 q dv, so that D = u q solves D' = 1
- 2 u D: Dawson's function, q = D(sqrt z)/sqrt z, for every c. The next order has three parts: x_{i-1} = x_i - a x', the
half of the last term by Euler and Maclaurin, and the lag y = x + (1/c - 1) a x'. Together, with k = 1/c - 1,

    p' + 2 u p = D'/2 - q - (k/2) q'',    p(0) = 0,    q'' = -4 q - 2 (1 + u^2) q'/u,    q' = (1 - (1 + 2 u^2) q)/u.

Before order a^2 there is only the constant of Euler and Maclaurin: + a^{3/2} (-zeta(-1/2)) e^{-z}/u.

One consequence. A quadratic has f - f* = sum h x^2/2 = sum x_0^2 (z q^2)/(2 eta t) <= C ||x_0||^2/(2 eta t), where C =
max z q(z)^2 = max D^2 = 0.2927. That is a limit. At finite t it is measured here to hold for c = 1 and eta h <= 1
(momentum lags behind it: for c = 0.1 and eta h near 1, eta h t x_t^2 reaches 1.1 x_0^2).
"""

import math

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import dawsn, zeta

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

MOMENTA = (1.0, 0.5, 0.1)
STEP_SIZE = 0.2
SCALED_TIMES = np.geomspace(0.05, 20, 16)  # z = eta h T
LARGE_RATES = np.geomspace(1e-3, 1, 20)  # eta h of the bound, up to eta = 1/L
BAR = 0.5  # times 1/T, for c = 1
REMAINDER = 0.6  # times 1/(c T)^2


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    horizons = setting.size(quick=(100, 1000), full=(100, 1000, 10_000))
    limit = dawson_limit(SCALED_TIMES)
    checks: list[Check] = []
    curves = [Curve(f"next term, c = {c:g}", horizons, [_size(c) / t for t in horizons], "predicted") for c in MOMENTA]
    for c in MOMENTA:
        errors = []
        for n_steps in horizons:
            rate = SCALED_TIMES / n_steps
            *_, last = _ratios(implementation, rate, c, n_steps)
            off = last - limit
            errors.append(float(np.abs(off).max()))
            unexplained = np.abs(off - next_terms(SCALED_TIMES, rate, c)).max() * (c * n_steps) ** 2
            checks.append(
                Check.at_most(f"c = {c:g}, T = {n_steps}: error beyond the next term", unexplained, REMAINDER)
            )
            if c == 1:
                checks.append(Check.at_most(f"T = {n_steps}: error times T", errors[-1] * n_steps, BAR))
        curves.append(Curve(f"c = {c:g}", horizons, errors))
    checks.append(_bound(implementation))
    title = "Small steps: x_t follows Dawson's function, with an error of order 1/T that is known too"
    picture = Picture(title, "steps T", "largest |x_T/x_0 - limit| over z", tuple(curves), "log", "log")
    return Measurement(tuple(checks), (picture,))


def dawson_limit(z: np.ndarray) -> np.ndarray:
    """x / x_0 at z = eta h t for eta h -> 0."""
    return np.asarray(dawsn(np.sqrt(z)) / np.sqrt(z))


def next_terms(z: np.ndarray, rate: np.ndarray, momentum: float) -> np.ndarray:
    """What x / x_0 adds to the limit, up to and without the order rate^2."""
    u = np.sqrt(z)
    return np.asarray(rate * _first_order(z, momentum) - zeta(-0.5) * rate**1.5 * np.exp(-z) / u)


def _first_order(z: np.ndarray, momentum: float) -> np.ndarray:
    """p / u."""
    lag = 1 / momentum - 1

    def forcing(v: float, end: float) -> float:
        q = dawsn(v) / v
        slope = (1 - (1 + 2 * v * v) * q) / v
        bend = -4 * q - 2 * (1 + v * v) * slope / v
        return float(math.exp(v * v - end * end) * ((1 - 2 * v * v * q) / 2 - q - lag / 2 * bend))

    return np.array([quad(forcing, 0, u, args=(u,))[0] / u for u in np.sqrt(z)])


def _size(momentum: float) -> float:
    """T times the error that the next term predicts."""
    return float(np.abs(SCALED_TIMES * _first_order(SCALED_TIMES, momentum)).max())


def largest_gap() -> float:
    """C = max over z of z q(z)^2, the constant of f - f* <= C ||x_0||^2 / (2 eta t)."""
    best = minimize_scalar(lambda u: -(dawsn(u) ** 2), bounds=(0.1, 3), method="bounded")
    return -float(best.fun)


def _bound(implementation: Implementation) -> Check:
    """eta h t (x_t/x_0)^2, at most C at every t."""
    ratios = np.array(_ratios(implementation, LARGE_RATES, 1.0, n_steps=2000))
    t = np.arange(1, len(ratios) + 1)[:, None]
    largest = (LARGE_RATES * t * ratios**2).max()
    return Check("c = 1: largest 2 eta t (f - f*)/||x_0||^2", largest_gap(), largest, 0, largest_gap())


def _ratios(implementation: Implementation, rate: np.ndarray, momentum: float, n_steps: int) -> list[np.ndarray]:
    """x_t / x_0 for t = 1, ..., n_steps."""
    algorithm = implementation.RMDA(Zero(), STEP_SIZE, momentum)
    start = algorithm.init(np.full(rate.shape, 2.0))
    states = implementation.steps(algorithm, start, lambda w: rate / STEP_SIZE * w, n_steps)
    return [np.asarray(state.iterate / 2.0) for state in states]


CLAIM = Claim(
    id="A4",
    title="Small steps: a Dawson function",
    statement=(
        "On a quadratic with psi = 0, eta h -> 0 and z = eta h t fixed, x_t = x_0 D(sqrt z)/sqrt z for every "
        "momentum c, D Dawson's function, with an error of order 1/T whose leading term is known. Hence f - f* <= C "
        "||x_0||^2/(2 eta t), C = max D^2 = 0.2927; for c = 1 and eta h <= 1 it was found to hold at every t (no "
        "proof)."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/claims/a4_dawson_limit.py",
    bar=(
        "Error times T at most 0.5 for c = 1 (its next term gives 0.34). What the next term leaves is at most "
        "0.43/(c T)^2, the same at each T: bar 0.6. The bound on f has no slack: the largest value comes within 1e-3 "
        "of C."
    ),
    measure=measure,
    kills=("s_eta", "beta1", "sign"),
    runs=("s_eta", "beta1", "sign"),
    theorems=("dynamics", "convergence"),
    failure_probability=0.0,
)
