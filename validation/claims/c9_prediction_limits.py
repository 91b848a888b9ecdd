"""C9. Where the prediction of the identification time is right, and where it stops being right.

A lasso of three coordinates, H_ij = r^|i - j|, the middle one inactive with margin delta, W^0 = 0, W* = (a, 0, a).
`predict_identification` is given delta, the Schur noise sigma sqrt(1 + |M|^2), eta and d = |M (W* - W^0)_A|. It assumes
that feedback through the curvature S = H_II - M H_AI acts on the bias fully, so that the bias alone is at the margin
after d/(2 eta delta) steps, and on the noise not at all. The former needs S d >> delta. With growing correlation

    M = r/(1 + r^2) (1, 1),        S = (1 - r^2)/(1 + r^2) -> 0,

the feedback fades, the bias needs up to three times as long (claim C8), and T0 is later than predicted: at r = .9,
where S d/delta is 11, the prediction is wrong. At small correlation feedback on the noise, which makes T0 earlier, is
what is left.

Compared are the whole law, in discrete time as in claim C1d, and the chance of T0 before the median that the function
gives, which is in continuous time: at this delta/sigma some .04 of probability apart.

No theory gives the distance between the law of the lasso and the prediction: it is measured, and the bars stand where a
prediction is useful (.10) and where it is not (.20).
"""

import numpy as np

from rmda_ref import L1
from rmda_ref.certificates import predict_identification
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table
from validation.identification_times import dkw, frequencies, last_nonzero, rmda_cdf

CORRELATIONS = (0.2, 0.5, 0.7, 0.9)
USEFUL, USELESS = 0.10, 0.20  # KS distances
RIGHT, WRONG = (0.2, 0.5), 0.9  # where they are expected
N_SEEDS = (5000, 20_000)  # quick, full
MARGIN, STEP_SIZE, ACTIVE_SIZE, LAM = 0.15, 0.5, 20.0, 20.0  # the margin over the Schur noise
HORIZON = 12.0  # how many (sigma/delta)^2 after four times T_b runs end
DISCRETE = 0.05  # of probability: the median in continuous time for one in discrete time
EACH = 1e-7
FAILURE_PROBABILITY = (len(RIGHT) + 1) * EACH


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_seeds = setting.size(*N_SEEDS)
    distances: list[float] = []
    by_median: dict[float, float] = {}
    rows: list[tuple[str | float, ...]] = []
    laws: list[Curve] = []
    for k, correlation in enumerate(CORRELATIONS):
        measured, predicted = _compare(implementation, setting, correlation)
        distances.append(float(np.abs(measured - predicted).max()))
        by_median[correlation] = float(measured[int(median(correlation))])
        rows.append((correlation, median(correlation), int(np.argmax(measured >= 0.5)), distances[-1]))
        if correlation in (RIGHT[0], WRONG):
            shown = np.unique(np.geomspace(1, predicted.size - 1, 25).astype(int))
            laws += (
                Curve(f"r = {correlation:g}, predicted", shown.tolist(), predicted[shown].tolist(), "predicted"),
                Curve(f"r = {correlation:g}, RMDA", shown.tolist(), measured[shown].tolist()),
            )
        setting.progress((k + 1) / len(CORRELATIONS))
    found = dict(zip(CORRELATIONS, distances, strict=True))
    spread = dkw(n_seeds, EACH)
    checks = [
        Check.at_most(f"correlation {r:g}: KS distance to the prediction", found[r], USEFUL + spread) for r in RIGHT
    ]
    checks += (
        Check.within(f"correlation {r:g}: P(T0 <= median)", 0.5, by_median[r], USEFUL + DISCRETE + spread)
        for r in RIGHT
    )
    checks.append(Check(f"correlation {WRONG:g}: KS distance, wrong", USELESS, found[WRONG], USELESS - spread, 1.0))
    picture = Picture(
        "The predicted law of T0 holds for moderately correlated designs, and no longer at correlation .9",
        "correlation of neighbours",
        "KS distance of T0 to the predicted law",
        (
            Curve("useful", (CORRELATIONS[0], CORRELATIONS[-1]), (USEFUL, USEFUL), "bar"),
            Curve("RMDA", CORRELATIONS, distances),
        ),
    )
    title = "At correlation .2 T0 has nearly the predicted law; at .9 it is later"
    table = Table(("correlation", "median T0, predicted", "measured", "KS distance of the laws"), tuple(rows))
    second = Picture(title, "T0", "P(T0 <= t)", tuple(laws), xscale="log")
    return Measurement(tuple(checks), (picture, second), (table,))


def problem(correlation: float) -> tuple[np.ndarray, np.ndarray, float, float]:
    """H, W*, the Schur noise per unit of noise, and |M W*_A|."""
    solution = np.array([ACTIVE_SIZE, 0.0, ACTIVE_SIZE])
    hessian = correlation ** np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
    active = solution != 0
    projection = np.linalg.solve(hessian[np.ix_(active, active)], hessian[active][:, ~active][:, 0])
    return (
        hessian,
        solution,
        float(np.sqrt(1 + projection @ projection)),
        float(abs(projection @ solution[active])),
    )


def median(correlation: float) -> float:
    """Of T0, as the library predicts it."""
    _, _, noise, distance = problem(correlation)
    return predict_identification(MARGIN * noise, noise, STEP_SIZE, distance=distance, quantiles=0.5).steps[0]


def _compare(implementation: Implementation, setting: Setting, correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """P(T0 <= t), measured and predicted (in discrete time, as in claim C1d)."""
    hessian, solution, noise, distance = problem(correlation)
    margin = MARGIN * noise
    bias_steps = distance / (2 * STEP_SIZE * margin)
    n_steps = int(HORIZON / MARGIN**2 + 4 * bias_steps)
    at_solution = np.where(solution == 0, margin - LAM, -LAM)  # gradient of f at W*: the bias pushes up
    rng = setting.rng("C9", correlation)
    algorithm = implementation.RMDA(L1(LAM), STEP_SIZE)
    states = implementation.steps(
        algorithm,
        algorithm.init(np.zeros((setting.size(*N_SEEDS), 3))),
        lambda w: (w - solution) @ hessian + at_solution + rng.standard_normal(w.shape),
        n_steps,
    )
    times = last_nonzero(states)[:, 1]
    return frequencies(times, n_steps), rmda_cdf(MARGIN, n_steps, bias_steps * MARGIN**2)


CLAIM = Claim(
    id="C9",
    title="Limits of the predicted time",
    statement=(
        "On a lasso with an inactive coordinate between two active ones, T0 of RMDA is predicted to a KS distance of "
        ".1 (plus that of a sample) from margin, Schur noise, step size and distance at correlations .2 and .5, and "
        "not to .2 at correlation .9, where the Schur curvature is too small to pull the coordinate back. The bias is "
        "most of it: how the noise is scaled moves the distance by less than the bar."
    ),
    source="rmda_ref.certificates.predict_identification; the limits are derived and measured here",
    bar=(
        f"That the prediction errs by less than {USEFUL:g} at correlations .2 and .5 and more than {USELESS:g} at .9 "
        "is measured, not derived (.052, .078 and .241 with 20,000 other seeds). The rest is statistics: the distance "
        f"of {N_SEEDS[1]:,} seeds is off by more than {dkw(N_SEEDS[1], EACH):.3f} ({N_SEEDS[0]:,} in quick: "
        f"{dkw(N_SEEDS[0], EACH):.3f}) with probability {EACH:.0e} (Dvoretzky, Kiefer, Wolfowitz, Massart)."
    ),
    measure=measure,
    theorems=("time", "limits"),
    failure_probability=FAILURE_PROBABILITY,
)
