"""D2. The support certificate where the active part feeds back: bias and feedback are subtracted, not assumed away.

On a correlated lasso the mean gradient of an inactive entry moves with the iterates, and its dual average carries the
noise zeta_I - M zeta_A, M = H_IA H_AA^{-1}, of deviation sigma sqrt(1 + |M_i|^2) instead of sigma (the Schur identity,
`rmda_ref.certificates.schur`). There the certificate of claim D1 has no proof. Two problems:

- *mild*: neighbours coupled by 0.7, |M_i| <= 0.7. The identity leaves mu + noise, and the certificate asks for |Y_t| +
  2 r_t + (beta/alpha) B + feedback <= lam. A certificate that knows the same bounds but subtracts nothing needs
  (beta/alpha) B and the feedback twice; as |Y_t| <= |V_I/alpha_t| + (beta/alpha) B + feedback, it never comes earlier.
- *stiff*: the inactive entry sees a fast active entry and a slow one, |M| = 5. At first their pulls cancel and
  V_I/alpha is small; when the fast one has settled the slow one alone pushes |V_I/alpha| beyond lam, for hundreds of
  steps. The certificate of D1, given meanwhile, is then wrong in 16% of the runs, where it promises 0.1%.

The first step with 2 r_t + (beta_t/alpha_t) B <= delta predicts when the certificate comes: with Y_t near mu, and
feedback over, the condition says just that. Checked: the certificate comes and ends at the very steps at which its
condition, computed a second time (`validation.feedback_lassos`), says so; the noise of Y_t leaves its radius in at most
a fraction eps of the runs; no inactive entry is nonzero between the certificate and the loss of its premise; never
later than without subtraction; median within 15% of the predicted step.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtrc

from rmda_ref import L1
from rmda_ref.certificates import SupportCertificate
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table
from validation.feedback_lassos import (
    EPS,
    LAM,
    MOMENTUM,
    PROBLEMS,
    ROUNDING,
    TOLERANCE,
    Problem,
    Vector,
    Watched,
    mild,
    sums,
    unit_radii,
)
from validation.first_steps import Steps, note, outside
from validation.reentry import gap_bound

N_RUNS = {"quick": 50, "full": 500}
BASIC_HORIZON = 10  # of the certificate that believes in noise of deviation sigma only
UNLIKELY = 1e-8
# Of a run, not to be certified at 1.15 times the predicted step: feedback is not quite over then, and no bound on it is
# derived. The table shows what is measured.
LATE = 0.2


def failure_probability(n_runs: int) -> float:
    """Of a violation, of the noise leaving its radius more often than it may, and of a median beyond its tolerance."""
    total = 0.0
    for problem in (make() for make in PROBLEMS.values()):
        weights, squares = sums(problem.n_steps)
        pairs = gap_bound(squares / weights**2, unit_radii(problem.n_steps, problem.horizon, len(problem.means)))
        total += n_runs * len(problem.means) * pairs + UNLIKELY
        total += sum(float(bdtrc((n_runs - 1) // 2, n_runs, p)) for p in (problem.too_early(), LATE))
    return total


@dataclass(frozen=True, eq=False)
class Outcome:
    """Per run: since when each certificate holds (0: never), whether it was wrong, whether the noise left its radius.

    ``share`` and ``plain_share`` are the fractions of runs certified, per step; ``lost`` counts the runs that lost the
    premise, ``off_since`` and ``off_lost`` those in which the certificate came or ended at another step than it must;
    ``error`` is that of Y and of the radius.
    """

    since: Steps
    plain: Steps
    basic: Steps
    last_wrong: Steps
    wrong: npt.NDArray[np.bool_]
    basic_wrong: npt.NDArray[np.bool_]
    beyond: npt.NDArray[np.bool_]
    lost: int
    off_since: int
    off_lost: int
    error: float
    share: Vector
    plain_share: Vector


def watch(implementation: Implementation, problem: Problem, n_runs: int, rng: np.random.Generator) -> Outcome:
    active, signs = problem.active, np.sign(problem.planted.solution)
    inactive = ~active
    certificate = problem.certificate()
    basic = SupportCertificate(L1(LAM), problem.quadratic.noise, EPS, BASIC_HORIZON, int(inactive.sum()))
    start = np.zeros((n_runs, active.size))
    seen, believed = certificate.init(start), basic.init(start)
    plain, last_wrong, since_least, since_most, lost_least, lost_most = np.zeros((6, n_runs), np.int64)
    watched, error = Watched(problem, n_runs), 0.0
    wrong, basic_wrong, beyond = (np.zeros(n_runs, bool) for _ in range(3))
    share, plain_share = np.zeros(problem.n_steps), np.zeros(problem.n_steps)
    total, weight = np.zeros_like(start), 0.0
    last: list[Vector] = []

    def gradient(w: Vector) -> Vector:
        last[:] = [problem.planted.noisy_gradient(w, rng)]
        return last[0]

    algorithm = implementation.RMDA(L1(LAM), problem.step_size, MOMENTUM)
    stepping = implementation.steps(algorithm, algorithm.init(start), gradient, problem.n_steps)
    for t, state in enumerate(stepping, 1):
        s = problem.step_size * np.sqrt(t)
        weight, total = weight + s, total + s * last[0]
        nonzero = state.prox_iterate != 0
        basic_wrong |= (believed.certified & nonzero)[:, inactive].any(axis=1)
        before = seen
        seen = certificate.observe(before, total / weight, weight, state.iterate, state.prox_iterate)
        believed = basic.observe(believed, total / weight, weight)
        wrong |= before.certified & (seen.lost == 0) & nonzero[:, inactive].any(axis=1)
        must = watched.step(t, weight, total, state.iterate, state.prox_iterate)
        note(since_least, must.premise_at_most & (must.room >= -ROUNDING), t)
        note(since_most, must.premise & (must.room >= ROUNDING), t)
        note(lost_least, before.certified & ~must.premise, t)
        note(lost_most, before.certified & ~must.premise_at_most, t)
        off = np.abs(seen.residual - must.residual).max(), np.abs(seen.radius - watched.radii[t - 1]).max()
        error = max(error, *map(float, off))
        signs_right = (np.sign(state.prox_iterate) == signs)[:, active].all(axis=1)
        beyond |= signs_right & (np.abs(seen.residual - problem.means) > seen.radius).any(axis=1)
        note(plain, must.premise & (must.plain_room >= ROUNDING), t)
        last_wrong[~signs_right | nonzero[:, inactive].any(axis=1)] = t
        share[t - 1], plain_share[t - 1] = seen.certified.mean(), (plain > 0).mean()
    since = believed.since[:, inactive]
    joint = np.where((since > 0).all(axis=1), since.max(axis=1), 0)
    lost = int((seen.lost > 0).sum())
    return Outcome(
        seen.since,
        plain,
        joint,
        last_wrong,
        wrong,
        basic_wrong,
        beyond,
        lost,
        outside(seen.since, since_least, since_most),
        outside(seen.lost, lost_least, lost_most),
        error,
        share,
        plain_share,
    )


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_runs = setting.size(N_RUNS["quick"], N_RUNS["full"])
    checks: list[Check] = []
    rows: list[tuple[str | float, ...]] = []
    found = {}
    most = next(k for k in range(n_runs + 1) if bdtrc(k, n_runs, EPS) <= UNLIKELY)
    for name, make in PROBLEMS.items():
        problem = make()
        o = found[name] = watch(implementation, problem, n_runs, setting.rng("D2", name))
        median, predicted = _median_step(o.since), problem.predicted()
        by_then = o.share[int(predicted * (1 + TOLERANCE)) - 1]
        later = int(((o.plain > 0) & ((o.since == 0) | (o.since > o.plain))).sum())
        checks += (
            Check(f"{name}: runs with noise beyond the radius", EPS * n_runs, o.beyond.sum(), 0, most),
            Check.at_most(f"{name}: runs with a certified entry nonzero later", o.wrong.sum(), 0),
            Check.at_most(f"{name}: runs certified later for the subtraction", later, 0),
            Check.at_most(f"{name}: Y and radius off", o.error, ROUNDING),
            Check.at_most(f"{name}: runs certified at another step than they must be", o.off_since, 0),
            Check.at_most(f"{name}: runs whose premise ends at another step", o.off_lost, 0),
            Check.within(f"{name}: median certified step over predicted", 1, median / predicted, TOLERANCE),
        )
        medians = [float(np.median(o.last_wrong)), *(_median_step(x) for x in (o.since, o.plain, o.basic))]
        rows.append((name, *medians, o.basic_wrong.mean(), o.lost, 1 - by_then))
        setting.progress(len(found) / len(PROBLEMS))
    steps = ("median T0", "certified", "without subtraction", "assuming no feedback")
    columns = ("problem", *steps, "wrong then (of runs)", "premise lost (runs)", "not certified at 1.15 predicted")
    return Measurement(tuple(checks), (picture(found["mild"], mild().predicted()),), (Table(columns, tuple(rows)),))


def _median_step(since: Steps) -> float:
    """Over the runs; infinite where it is not certified."""
    return float(np.median(np.where(since > 0, since, np.inf)))


def picture(outcome: Outcome, predicted: int) -> Picture:
    n_steps = len(outcome.share)
    steps = np.linspace(predicted / 2, n_steps, 40).astype(int)
    return Picture(
        "Bias and feedback subtracted, the certificate comes earlier",
        "step t",
        "fraction of runs certified, correlated lasso",
        (
            Curve("predicted: 2 r + (beta/alpha) B = delta", (predicted, predicted), (0.0, 1.0), "predicted"),
            Curve("with subtraction", steps.tolist(), outcome.share[steps - 1].tolist()),
            Curve("without", steps.tolist(), outcome.plain_share[steps - 1].tolist()),
        ),
    )


FAILURE_PROBABILITY = max(failure_probability(n_runs) for n_runs in N_RUNS.values())

CLAIM = Claim(
    id="D2",
    title="The certificate under feedback",
    statement=(
        "On a lasso with Hessian H the dual average minus its observed bias and feedback, Y = V_I/alpha + "
        "(beta/alpha) M (W~ - W^0)_A - sum s_i S W_I^{i-1}/alpha, is mu plus noise of deviation sigma sqrt(1 + "
        "|M_i|^2) per step; |Y| + 2 r_t + (beta/alpha) B + feedback <= lam certifies the support for as long as the "
        "active signs are right and |M (W~ - W^0)_A| <= B."
    ),
    source="The Schur identity and the certificate: derived in rmda_ref/certificates/schur.py",
    bar=(
        f"Of the runs at most a fraction {EPS:g} leave the radius (binomial tail {UNLIKELY:g}); a violation needs the "
        "noise to change by two radii, which a union over pairs of steps bounds (validation/reentry.py): together "
        f"{FAILURE_PROBABILITY:.0e}. Never later: an inequality of every path, as the one without subtraction has the "
        f"same premise. The condition again: {ROUNDING:g}, for rounding. The median step is not exact: 15%; that a run "
        f"is later has a probability that is measured, not derived, and taken as {LATE:g}."
    ),
    measure=measure,
    kills=("thr_alpha",),
    theorems=("certificates", "identification"),
    failure_probability=FAILURE_PROBABILITY,
)
