"""D1. A certificate, given while RMDA runs, that inactive entries and groups are zero for ever.

`rmda_ref.certificates.support` proves: with probability 1 - eps the noise of the dual average stays below the radius
r_t for all t and all groups at once, and then a group with |V/alpha| <= strength - 2 r_t at some t is zero ever after.
This claim runs RMDA on a separable problem in which the assumptions hold, two entries of it active, the others with
mean gradient strength - delta, and counts

- the runs in which the noise leaves the radius somewhere: at most a fraction eps, by Ville's inequality. How close it
  comes shows whether the radius is tight; the picture shows two radii that are too small, without the union over the m
  entries, and valid at fixed times only;
- the runs in which a certified group is nonzero later. The certificate asks for the radius twice, so that there the
  guarantee is far from tight: `validation.reentry` bounds the probability of any violation, and the bar is none;
- the certificate itself: its radius is the formula's, and each magnitude is certified at the first step at which
  |V/alpha| <= strength - 2 r_t, recomputed here;
- when groups are certified. At the first step t_c with 2 r_t <= delta at least half of the entries are: the noise of
  V/alpha is symmetric, and a certificate stays. T0, the last step at which a run is wrong, is far earlier: the
  certificate pays for all times, and for mu being unknown, with a factor that the table reports."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, bdtrc, bdtrik, chdtrc, ndtr

from rmda_ref import L1, GroupLasso
from rmda_ref.certificates import SupportCertificate, anytime_radius, best_rho
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table
from validation.first_steps import note, outside
from validation.reentry import violation_bound

Vector = npt.NDArray[np.float64]

N_RUNS = {"quick": 300, "full": 2000}
EPS, HORIZON = 0.05, 100
SIGMA, LAM, STEP_SIZE, MOMENTUM = 0.5, 1.0, 0.1, 0.5
ACTIVE, TARGET = 2, 5.0  # magnitudes that are active, and where
ROUNDING = 1e-10  # of sums of up to 1300 weights, that the certificate takes back as differences
UNLIKELY = 1e-8  # of each count beyond its bar


@dataclass(frozen=True)
class Case:
    """``n`` magnitudes of ``size`` entries each, with margin ``margin`` (in units of sigma), for ``n_steps`` steps."""

    name: str
    margin: float
    size: int
    n: int
    n_steps: int

    @property
    def regularizer(self) -> L1 | GroupLasso:
        return L1(LAM) if self.size == 1 else GroupLasso(LAM, axis=-1)

    @property
    def strength(self) -> float:
        return LAM * float(np.sqrt(self.size))

    def means(self, n_runs: int, rng: np.random.Generator) -> Vector:
        """The mean gradients of the inactive magnitudes, and the linear term of the active ones."""
        shape = (n_runs, self.n) if self.size == 1 else (n_runs, self.n, self.size)
        directions = np.atleast_3d(rng.standard_normal(shape))
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        norms = np.full((self.n, 1), self.strength - self.margin * SIGMA)
        norms[:ACTIVE] = TARGET
        return np.asarray((directions * norms).reshape(shape))

    def deviations(self) -> Vector:
        """Of an entry of V/alpha, for t = 1, 2, …"""
        return SIGMA * np.sqrt(_squares(self.n_steps)) / _sums(self.n_steps)

    def radii(self, odds: float) -> Vector:
        """r_t with m/eps = ``odds``, by the formula, for step size 1: it does not matter."""
        rho = best_rho(SIGMA**2 * HORIZON * (HORIZON + 1) / 2, self.size, odds)
        bound = anytime_radius(SIGMA**2 * _squares(self.n_steps), rho, self.size, odds)
        return np.asarray(bound / _sums(self.n_steps))

    @property
    def half_certified(self) -> int:
        """The first t with 2 r_t <= delta."""
        return int(np.argmax(2 * self.radii(self.n / EPS) <= self.margin * SIGMA)) + 1


def _squares(n_steps: int) -> Vector:
    """sum of i up to t."""
    t = np.arange(1.0, n_steps + 1)
    return t * (t + 1) / 2


def _sums(n_steps: int) -> Vector:
    """H_t."""
    return np.asarray(np.cumsum(np.sqrt(np.arange(1.0, n_steps + 1))))


CASES = (
    Case("entries, delta = sigma", 1.0, 1, 12, 400),
    Case("entries, delta = sigma/2", 0.5, 1, 12, 1300),
    Case("groups of 5, delta = sigma", 1.0, 5, 8, 500),
)


def failure_probability(cases: tuple[Case, ...], n_runs: int) -> float:
    """Of a violation anywhere, of a group that is not certified at the end, and of the counts."""
    total = 0.0
    for case in cases:
        inactive = n_runs * (case.n - ACTIVE)
        radii, sds, delta = case.radii(case.n / EPS), case.deviations(), case.margin * SIGMA
        total += inactive * violation_bound(sds**2, radii, delta, case.size)
        total += inactive * float(chdtrc(case.size, ((delta - 2 * radii[-1]) / sds[-1]) ** 2))
        total += 2 * UNLIKELY  # of exceedances, and of too few certified at half_certified
    return total


FAILURE_PROBABILITY = max(failure_probability(CASES, n_runs) for n_runs in N_RUNS.values())


def most(n: int, p: float) -> int:
    """The least k such that more than k of n events of probability at most ``p`` is UNLIKELY."""
    k = int(bdtrik(1 - 1e-3, n, p))
    while bdtrc(k, n, p) > UNLIKELY:
        k += 1
    return k


def least(n: int, p: float) -> int:
    """The largest k such that fewer than k of n events of probability at least ``p`` is UNLIKELY."""
    k = int(bdtrik(1e-3, n, p))
    while bdtr(k - 1, n, p) > UNLIKELY:
        k -= 1
    return k


@dataclass(frozen=True, eq=False)
class Counts:
    """Of all runs of a case: per step unless it says otherwise.

    Attributes
    ----------
    beyond : fraction of runs in which the noise has left each radius so far, per radius and step
    zero, certified : fraction of the inactive magnitudes
    since, last_wrong : per run, when all of it was certified, and T0
    violations : number of runs in which a certified magnitude was nonzero later
    radius_error : of the certificate's radius, relative, at worst
    off_time : number of magnitudes that are not certified at the first step of the condition
    uncertified : number of inactive magnitudes that are not certified in the end
    """

    beyond: dict[str, Vector]
    zero: Vector
    certified: Vector
    since: npt.NDArray[np.int64]
    last_wrong: npt.NDArray[np.int64]
    violations: int
    radius_error: float
    off_time: int
    uncertified: int


def watch(implementation: Implementation, case: Case, n_runs: int, rng: np.random.Generator) -> Counts:
    means, roots = case.means(n_runs, rng), np.sqrt(np.arange(1, case.n_steps + 1))
    certificate = SupportCertificate(case.regularizer, SIGMA, EPS, HORIZON, n_magnitudes=case.n)
    radii = {
        "with the union over m": case.radii(case.n / EPS),
        "without the union": case.radii(1 / EPS),
        "at fixed times: 1.96 deviations": 1.96 * case.deviations(),
    }
    beyond = {name: np.zeros((case.n_steps, n_runs), bool) for name in radii}
    zero, certified = np.zeros(case.n_steps), np.zeros(case.n_steps)
    violated, last_wrong = np.zeros(n_runs, bool), np.zeros(n_runs, np.int64)
    total, noise_sum, weight = np.zeros_like(means), np.zeros_like(means), 0.0
    early, late = (np.zeros(_norms(means, case).shape, np.int64) for _ in range(2))  # of the condition, to rounding
    strict, radius_error = radii["with the union over m"], 0.0
    last: list[Vector] = []  # gradient and noise of the present step

    def gradient(w: Vector) -> Vector:
        zeta = SIGMA * rng.standard_normal(w.shape)
        pull = np.zeros_like(w)
        pull[:, :ACTIVE] = w[:, :ACTIVE]
        last[:] = [means + pull + zeta, zeta]
        return last[0]

    algorithm = implementation.RMDA(case.regularizer, STEP_SIZE, MOMENTUM)
    start = algorithm.init(np.zeros_like(means))
    seen = certificate.init(start.iterate)
    for k, state in enumerate(implementation.steps(algorithm, start, gradient, case.n_steps)):
        s = STEP_SIZE * roots[k]
        weight, total, noise_sum = weight + s, total + s * last[0], noise_sum + s * last[1]
        nonzero = _norms(state.prox_iterate, case) > 0
        violated |= (seen.certified & nonzero).any(axis=1)
        seen = certificate.observe(seen, total / weight, weight)
        radius_error = max(radius_error, float(np.abs(seen.radius / strict[k] - 1).max()))
        room = case.strength - 2 * strict[k] - _norms(total / weight, case)
        note(early, room >= -ROUNDING, k + 1)
        note(late, room >= ROUNDING, k + 1)
        largest = _norms(noise_sum / weight, case)[:, ACTIVE:].max(axis=1)
        for name, r in radii.items():
            beyond[name][k] = largest > r[k]
        wrong = nonzero[:, ACTIVE:].any(axis=1) | ~nonzero[:, :ACTIVE].all(axis=1)
        last_wrong[wrong] = k + 1
        zero[k], certified[k] = 1 - nonzero[:, ACTIVE:].mean(), seen.certified[:, ACTIVE:].mean()
    since = seen.since[:, ACTIVE:]
    return Counts(
        {name: np.logical_or.accumulate(b).mean(axis=1) for name, b in beyond.items()},
        zero,
        certified,
        since.max(axis=1),
        last_wrong,
        int(violated.sum()),
        radius_error,
        outside(seen.since, early, late),
        int((since == 0).sum()),
    )


def _norms(x: Vector, case: Case) -> Vector:
    return np.abs(x) if case.size == 1 else np.asarray(np.linalg.norm(x, axis=-1))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_runs = setting.size(N_RUNS["quick"], N_RUNS["full"])
    checks: list[Check] = []
    rows = []
    found = {}
    for case in CASES:
        counts = found[case] = watch(implementation, case, n_runs, setting.rng("D1", case.name))
        exceeded = counts.beyond["with the union over m"][-1] * n_runs
        checks += (
            Check(f"{case.name}: runs beyond the radius", EPS * n_runs, exceeded, 0, most(n_runs, EPS)),
            Check.at_most(f"{case.name}: runs with a certified group nonzero later", counts.violations, 0),
            Check.at_most(f"{case.name}: groups not certified in the end", counts.uncertified, 0),
            Check.at_most(f"{case.name}: radius off its formula, relative", counts.radius_error, ROUNDING),
            Check.at_most(f"{case.name}: certified at another step than the condition's", counts.off_time, 0),
        )
        if case.size == 1:
            trials, t = n_runs * (case.n - ACTIVE), case.half_certified
            by_then = counts.certified[t - 1] * trials
            quantity = f"{case.name}: certified at t = {t}, where 2 r = delta"
            checks.append(Check(quantity, trials / 2, by_then, least(trials, 0.5), trials))
        t0, since = np.median(counts.last_wrong), np.median(counts.since)
        rows.append((case.name, exceeded / n_runs, t0, since, since / t0))
        setting.progress(len(found) / len(CASES))
    columns = ("case", f"runs beyond r (at most {EPS:g})", "median T0", "median certified", "ratio")
    entries = CASES[0]
    return Measurement(
        tuple(checks),
        (radius_picture(found[entries], entries.n_steps), certified_picture(found[entries], entries)),
        (Table(columns, tuple(rows)),),
    )


def radius_picture(counts: Counts, n_steps: int) -> Picture:
    steps = np.unique(np.geomspace(1, n_steps, 40).astype(int))
    curves = [Curve(name, steps.tolist(), values[steps - 1].tolist()) for name, values in counts.beyond.items()]
    bar = Curve(f"eps = {EPS:g}", (1, n_steps), (EPS, EPS), "bar")
    title = "Only the anytime radius with the union over all entries is left as rarely as it promises"
    return Picture(title, "step t", "runs whose noise has left the radius", (bar, *curves), xscale="log")


def certified_picture(counts: Counts, case: Case) -> Picture:
    steps = np.unique(np.geomspace(1, case.n_steps, 60).astype(int))
    at_least = ndtr((case.margin * SIGMA - 2 * case.radii(case.n / EPS)) / case.deviations())
    return Picture(
        f"Entries are zero long before that is certain ({case.name})",
        "step t",
        "fraction of inactive entries",
        (
            Curve("certified at t: Phi((delta - 2r)/sd)", steps.tolist(), at_least[steps - 1].tolist(), "predicted"),
            Curve("certified by t", steps.tolist(), counts.certified[steps - 1].tolist()),
            Curve("zero at t", steps.tolist(), counts.zero[steps - 1].tolist()),
        ),
        xscale="log",
    )


CLAIM = Claim(
    id="D1",
    title="An online certificate of the support",
    statement=(
        "With known noise, W^0_I = 0 and no feedback, |V_g/alpha_t| <= strength_g - 2 r_t, r_t = sqrt((Q_t + rho)(k "
        "ln((Q_t + rho)/rho) + 2 ln(m/eps)))/alpha_t, Q_t = sigma^2 sum s_i^2, certifies that a group of k entries is "
        "zero at every later step, for all m groups and all t with probability 1 - eps."
    ),
    source=(
        "Derived in rmda_ref/certificates/support.py by the method of mixtures (Abbasi-Yadkori, Pal & Szepesvari 2011)"
    ),
    bar=(
        f"By the guarantee the noise leaves the radius in at most {EPS:g} of the runs: the count is binomial at worst, "
        f"and beyond its bar with probability {UNLIKELY:g}. No violation at all, and every group certified in the end: "
        "a union over pairs of steps, groups and runs (validation/reentry.py) bounds the probability that one is "
        f"seen. All together {FAILURE_PROBABILITY:.0e}. Radius and step of the certificate: {ROUNDING:g}, for rounding."
    ),
    measure=measure,
    kills=("thr_eta", "V_noscale"),
    theorems=("certificates", "identification"),
    failure_probability=FAILURE_PROBABILITY,
)
