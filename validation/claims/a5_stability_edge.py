"""A5. RMDA is stable up to eta h = 4/c - 2, and already at the edge it grows like a power of t.

For large t the recurrence of `validation.recurrences` has constant coefficients, r_t = 1 - 1/(2t) + ... With a = eta h,

    (x_t, y_t) = (M + N/t + N/(4 t^2) + ...) (x_{t-1}, y_{t-1}),
    M = [[1 - c - c a, c], [-a, 1]],    N = [[0, -c/2], [0, -1/2]],
    det(lambda - M) = lambda^2 - (2 - c - c a) lambda + (1 - c).

Both roots lie in the unit disc iff |1 - c| < 1 and |2 - c - c a| < 2 - c, that is iff 0 < a < 4/c - 2. At the edge the
root is -1: the iterates alternate. In the eigenbasis of M let B = R^{-1} N R; a real root lambda_1, the larger one,
drags the other mode along, and the mode grows by the factor

    lambda_1 + B_11/t + (B_12 B_21/(lambda_1 - lambda_2) + B_11/4)/t^2 + O(t^-3)

and the other has the share B_21/((lambda_1 - lambda_2) t) of it in x_t: like |lambda_1|^t t^kappa, kappa =
B_11/lambda_1. At the edge the eigenvectors are r = (1, a/2) and l = (1, -c/2), so that kappa = l^T N r/(-l^T r) = (2 -
c)/(2c) > 0: the edge itself is unstable, like sqrt(t) for c = 1 and like t^9.5 for c = 0.1.

Below the edge what is left is the pull to the start, 2 a t x_t/x_0 = 1 + (1/(2a) - 3/4)/t + ... (claim A3).
"""

import numpy as np

from rmda_ref import Zero
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

MOMENTA = (1.0, 0.5, 0.1)
OF_THE_EDGE = np.array([0.9, 0.98, 1.0, 1.02, 1.05])  # eta h over 4/c - 2
SHOWN = 1, 3  # below and above the edge
STEP_SIZE, N_STEPS = 0.2, 1000
DECAY_BAR = 2e-3
GROWTH_BARS = {
    1.0: 1e-3,
    0.5: 1e-3,
    0.1: 0.25,
}  # remainder kappa^3/(lambda_1 - lambda_2)^2/t^2, at the edge: 0.13 for c = .1


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    checks: list[Check] = []
    curves: list[Curve] = []
    for c in MOMENTA:
        rates = OF_THE_EDGE * edge(c)
        ratios = _ratios(implementation, rates, c)
        early, late = np.abs(ratios[N_STEPS // 2 - 1]), np.abs(ratios[-1])
        for k, of_edge in enumerate(OF_THE_EDGE):
            name = f"c = {c:g}, {of_edge:g} of the edge"
            if of_edge < 1:
                left = 2 * rates[k] * N_STEPS * late[k]
                checks.append(Check.within(f"{name}: 2 eta h t x_t/x_0", 1.0, left, DECAY_BAR))
            else:
                predicted = growth(rates[k], c, N_STEPS // 2, N_STEPS)
                checks.append(
                    Check.within(f"{name}: log growth", predicted, np.log(late[k] / early[k]), GROWTH_BARS[c])
                )
        if c == 1:
            curves += _curves(ratios, rates)
    title = "Two per cent below eta h = 4/c - 2 the start is forgotten, two per cent above the iterates diverge"
    return Measurement(tuple(checks), (Picture(title, "step t", "|x_t / x_0|", tuple(curves), "log", "log"),))


def edge(momentum: float) -> float:
    """The largest stable eta h."""
    return 4 / momentum - 2


def growth(rate: float, momentum: float, start: int, end: int) -> float:
    """log |x_end / x_start| by the largest root, at or above the edge."""
    matrix = np.array([[1 - momentum - momentum * rate, momentum], [-rate, 1.0]])
    per_time = np.array([[0.0, -momentum / 2], [0.0, -1 / 2]])
    roots, basis = np.linalg.eig(matrix)
    order = np.argsort(-np.abs(roots))
    roots, basis = roots[order], basis[:, order]
    mixing = np.linalg.inv(basis) @ per_time @ basis
    second = mixing[0, 1] * mixing[1, 0] / (roots[0] - roots[1]) + mixing[0, 0] / 4
    t = np.arange(start + 1, end + 1)
    grown = np.log(np.abs(roots[0] + mixing[0, 0] / t + second / t**2)).sum()
    share = mixing[1, 0] / (roots[0] - roots[1]) / np.array([start, end])
    seen = np.log(np.abs(basis[0, 0] + basis[0, 1] * share))
    return float(grown + seen[1] - seen[0])


def _ratios(implementation: Implementation, rates: np.ndarray, momentum: float) -> np.ndarray:
    """x_t / x_0, per step and rate."""
    algorithm = implementation.RMDA(Zero(), STEP_SIZE, momentum)
    start = algorithm.init(np.full(rates.shape, 0.5))
    states = implementation.steps(algorithm, start, lambda w: rates / STEP_SIZE * w, N_STEPS)
    return np.array([state.iterate / 0.5 for state in states])


def _curves(ratios: np.ndarray, rates: np.ndarray) -> list[Curve]:
    """The runs of c = 1 below and above the edge, each with its prediction."""
    below, above = SHOWN
    t = np.unique(np.geomspace(1, N_STEPS, 60).astype(int))
    late, left = t[t >= 50], t[t >= 200]  # by then the largest root has died below the edge
    onset = np.log(np.abs(ratios[late[0] - 1, above]))
    grown = [np.exp(onset + growth(rates[above], 1.0, late[0], s)) for s in late]
    return [
        Curve("1/(2 eta h t)", left.tolist(), (1 / (2 * rates[below] * left)).tolist(), "predicted"),
        Curve("growth of the largest root", late.tolist(), grown, "predicted"),
        Curve("c = 1, .98 of the edge", t.tolist(), np.abs(ratios[t - 1, below]).tolist()),
        Curve("c = 1, 1.02 of the edge", t.tolist(), np.abs(ratios[t - 1, above]).tolist()),
    ]


CLAIM = Claim(
    id="A5",
    title="The stability edge",
    statement=(
        "On a quadratic with psi = 0, constant eta and momentum c, the iterates forget their start iff eta h < 4/c - "
        "2. Above the edge they grow like |lambda|^t t^kappa, lambda the larger root of lambda^2 - (2 - c - c eta h) "
        "lambda + 1 - c; at the edge itself like t^{(2-c)/(2c)}."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1 with psi = 0; derived in validation/claims/a5_stability_edge.py",
    bar=(
        "The remainders are of order 1/t: 2e-3 at t = 1000 below the edge. Above it the logarithm of the growth from "
        "t = 500 to 1000 (up to 254) is predicted to 1e-3; for c = 0.1 to 0.25, because at the edge the roots are "
        "0.1 apart and the series is one in 1/(c t) (it leaves 0.13)."
    ),
    measure=measure,
    kills=("c_swap", "s_eta", "grad_at_prox"),
    runs=("c_swap", "s_eta", "grad_at_prox"),
    theorems=("dynamics",),
    failure_probability=0.0,
)
