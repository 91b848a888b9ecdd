"""When an inactive coordinate becomes zero for ever: the law of the identification time T0, computed.

Model. One inactive coordinate of an l1 term (or a scalar magnitude like it), the margin delta > 0 by which its
optimality condition holds, and gradient noise of standard deviation sigma, independent from step to step. T0 is the
step from which on W~ is zero. It is nonzero at step t iff M_t = sum s_i zeta_i > (delta/sigma) alpha_t, up to a bias
that is treated below (the other threshold is 2 lam - delta away: neglected).

*Noise.* With constant eta, M_t/eta is Brownian motion W at the clock tau = sum i ~ t^2/2, alpha_t/eta ~ (2/3) t^{3/2}:
T0 is the last passage of W over k tau^{3/4}, k = (2/3) 2^{3/4} delta/sigma. By time inversion B(s) = s W(1/s) it is the
*first* passage of B over k s^{1/4}, and with s = k^4 u

    T0 delta^2/sigma^2 = X = (9/8)/sqrt(U),    U = first passage of Brownian motion over u^{1/4}.

For RDA (s_i = 1) the boundary is constant, X = 1/U, and U is Levy's: X is chi-square with one degree of freedom.

*Bias.* A start, or active coordinates on their way, at distance d (|W^0| of the coordinate; |M (W* - W^0)_A| in the
Schur identity, M = H_IA H_AA^{-1}) leads to a bias b_t = (beta_t/alpha_t) d = 3 d/(2 eta t) in the same dual average.
While the coordinate is nonzero its own curvature h (the Schur complement S, where active coordinates are the cause)
feeds back, so that without noise T0 is not 3 d/(2 eta delta), where b_t = delta, but T_b = d/(2 eta delta) if h d >>
delta (claims A6, C3c). Whatever the constant, a bias that decays like beta_t/alpha_t and equals delta at T_b = b
sigma^2/delta^2 lowers the boundary:

    RMDA: u^{1/4} - (8 b/9) u^{3/4},        RDA: 1 - sqrt(b u).

`predict_identification` combines noise and bias so, with T_b = d/(2 eta delta), for RDA (d/(2 eta delta))^2. That is
exact in the limit where either of them is absent, and a model in between, where feedback also acts on what noise did:
claim C9 prints medians of lassos beside it, from some 5% earlier to some 30% later. Without curvature the law is exact,
with three times the T_b of RMDA (claim C8), four times that of RDA.

*Equation.* Let b be the boundary and Q the Gaussian tail. Above b at time u one has crossed it before, and by the
strong Markov property

    Q(b(u)/sqrt(u)) = int_0^u Q((b(u) - b(s))/sqrt(u - s)) dF(s),    F the law of U

(Fortet 1943; Peskir 2002). On a geometric grid, with the mass of a cell at its geometric middle, it is a lower
triangular system. The kernel has a square root at s = u, the error the order 3/2: Richardson's extrapolation from two
grids removes it.

*Where it stops being right.* Feedback on the noise shortens T0, unless eta h T0 is small or d dominates. Where d
matters, h d >> delta is needed, else T_b is up to three times as large (claim C9 shows a lasso that is correlated too
much for it). delta/sigma must be small: T0 is an integer, P(T0 <= t) is off by O(delta/sigma) where t is small. Active
signs must be right. A restart starts T0 anew (claim C8).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from rmda_ref import checks
from rmda_ref.certificates.host import host_only

__all__ = ["IdentificationPrediction", "TimeLaw", "first_passage", "predict_identification", "rda_law", "rmda_law"]

Vector = npt.NDArray[np.float64]

N_CELLS = 200  # of the coarse grid: then F is within 2e-5 of its limit, see the tests
LATEST = 1e10  # of U: P(U > LATEST) is about 1e-5 for RMDA without bias
EARLY, LATE = 9.0, -7.0  # b(u)/sqrt(u) where F is 0 and 1 for double precision, up to 1e-12
NOISELESS = 1e-10  # sigma^2/delta^2 over T_b: below, noise moves T0 by less than 1e-4 of itself
FLOOR = 1e-12  # of P(X > x) and P(X <= x), for the log-odds
COUNTED = "it is how many coordinates must be zero"


def first_passage(boundary: Callable[[Vector], Vector], earliest: float, latest: float) -> tuple[Vector, Vector]:
    """Times u on a geometric grid, and F(u), the probability that Brownian motion has passed ``boundary`` by then.

    ``boundary`` is smooth and positive just after 0; before ``earliest`` a passage has negligible probability.

    >>> u, passed = first_passage(lambda s: 1 + 0 * s, 0.01, 1e4)  # 2 Q(1/sqrt(u)), by reflection
    >>> bool(np.abs(passed - 2 * ndtr(-1 / np.sqrt(u))).max() < 1e-14)
    True
    """
    coarse, fine = (_volterra(boundary, np.geomspace(earliest, latest, n + 1)) for n in (N_CELLS, 2 * N_CELLS))
    u = np.geomspace(earliest, latest, N_CELLS + 1)[1:]
    return u, np.asarray(fine[1::2] + (fine[1::2] - coarse) / (2**1.5 - 1))


def _volterra(boundary: Callable[[Vector], Vector], edges: Vector) -> Vector:
    """F at the right edges of the cells."""
    u, s = edges[1:], np.sqrt(edges[1:] * edges[:-1])
    height = boundary(u)
    elapsed = np.where(np.tri(u.size, dtype=bool), u[:, None] - s, 1.0)
    kernel = np.tril(ndtr((boundary(s) - height[:, None]) / np.sqrt(elapsed)))
    return np.asarray(np.cumsum(solve_triangular(kernel, ndtr(-height / np.sqrt(u)), lower=True)))


@dataclass(frozen=True, eq=False)
class TimeLaw:
    """The law of X = T0 delta^2/sigma^2, on a grid; make one by `rmda_law` or `rda_law`."""

    log_times: Vector
    log_odds: Vector  # of P(X <= x)

    @classmethod
    def of(cls, times: Vector, survival: Vector) -> "TimeLaw":
        """From P(X >= x) at ``times``, in any order."""
        order = np.argsort(times)
        times, survival = times[order], np.clip(survival[order], FLOOR, 1 - FLOOR)
        odds = np.log1p(-survival) - np.log(survival)
        rising = np.concatenate(([True], odds[1:] > np.maximum.accumulate(odds)[:-1]))
        return cls(np.log(times[rising]), odds[rising])

    def cdf(self, x: Any) -> Any:
        """P(X <= x), to about 2e-5.

        >>> round(float(rmda_law().cdf(0.9)), 3)
        0.5
        """
        host_only(x=x)
        with np.errstate(divide="ignore"):
            log_x = np.log(np.asarray(x, dtype=np.float64))
        inside = np.clip(log_x, self.log_times[0], self.log_times[-1])
        return 1 / (1 + np.exp(-PchipInterpolator(self.log_times, self.log_odds)(inside)))

    def quantile(self, q: Any, n_coordinates: int = 1) -> Any:
        """x with P(max X_i <= x) = q for ``n_coordinates`` independent ones: the quantile of one, at q^(1/m).

        Raises ValueError unless q lies in (0, 1).

        >>> [round(float(x), 2) for x in rmda_law().quantile([0.5, 0.9, 0.99])]
        [0.9, 3.7, 8.23]
        """
        checks.count("n_coordinates", n_coordinates, 1, COUNTED)
        log_q = np.log(_levels("q", q)) / n_coordinates
        odds = log_q - np.log(-np.expm1(log_q))
        inside = np.clip(odds, self.log_odds[0], self.log_odds[-1])
        return np.exp(PchipInterpolator(self.log_odds, self.log_times)(inside))


@lru_cache(maxsize=64)
def rmda_law(bias: float = 0.0) -> TimeLaw:
    """The law of T0 delta^2/sigma^2 for RMDA with constant step size.

    ``bias`` is T_b delta^2/sigma^2, T_b the step at which the bias falls to delta. A slightly negative one, of at
    least -1/4, is a bias away from the threshold, which may then never be passed: quantiles below the probability of
    that are no more than the end of the grid. Raises ValueError below.
    """
    if not -0.25 <= bias < math.inf:
        raise ValueError(
            f"bias must lie in [-0.25, inf), got {bias!r}; far from the threshold nothing is identified late"
        )
    # The boundary u^{1/4} - slope u^{3/4} is z sqrt(u) at u = (2/(z + sqrt(z^2 + 4 slope)))^4.
    slope = 8 * bias / 9

    def reached(z: float) -> float:
        root = z + math.sqrt(max(z * z + 4 * slope, 0.0))
        return (2 / root) ** 4 if root > 0 else math.inf

    u, passed = first_passage(lambda s: s**0.25 - slope * s**0.75, reached(EARLY), min(reached(LATE), LATEST))
    return TimeLaw.of(9 / 8 / np.sqrt(u), passed)


@lru_cache(maxsize=64)
def rda_law(bias: float = 0.0) -> TimeLaw:
    """The law of T0 delta^2/sigma^2 for RDA; chi-square with one degree of freedom for ``bias`` = 0.

    ``bias`` is T_b delta^2/sigma^2, T_b the step at which the bias falls to delta; at least 0.

    >>> round(float(rda_law().quantile(0.95)), 2)
    3.84
    """
    root = math.sqrt(checks.nonnegative("bias", bias))  # 1 - root sqrt(u) is z sqrt(u) at u = (z + root)^{-2}
    latest = (LATE + root) ** -2 if LATE + root > LATEST**-0.5 else LATEST
    u, passed = first_passage(lambda s: 1 - root * np.sqrt(s), (EARLY + root) ** -2, latest)
    return TimeLaw.of(1 / u, passed)


Regime = Literal["noise-limited", "bias-limited", "mixed"]


@dataclass(frozen=True)
class IdentificationPrediction:
    """Quantiles of the identification time.

    Attributes
    ----------
    quantiles : the levels
    steps : T0 at these levels, in steps (not rounded)
    noise_steps : the median without the bias
    bias_steps : T_b, when the bias alone would have fallen to the margin
    """

    quantiles: tuple[float, ...]
    steps: tuple[float, ...]
    noise_steps: float
    bias_steps: float

    @property
    def regime(self) -> Regime:
        """Which of the two takes ten times as long as the other, if one does."""
        if self.bias_steps <= self.noise_steps / 10:
            return "noise-limited"
        return "bias-limited" if self.noise_steps <= self.bias_steps / 10 else "mixed"


def predict_identification(
    margin: float,
    noise: float,
    step_size: float,
    *,
    distance: float = 0.0,
    n_coordinates: int = 1,
    quantiles: float | Sequence[float] = (0.5, 0.9, 0.99),
    algorithm: Literal["RMDA", "RDA"] = "RMDA",
) -> IdentificationPrediction:
    """Predict the step from which on an inactive coordinate stays zero.

    Parameters
    ----------
    margin : float, positive
        delta: by how much |grad f(W*)| stays below lam there.
    noise : float, at least 0
        sigma: the standard deviation, per step, of the gradient noise that the coordinate sees. With active
        neighbours that is the Schur noise zeta_I - M zeta_A: sigma sqrt(1 + |M|^2) for independent entries.
    step_size : float, positive
        eta, constant; for RDA 1/gamma.
    distance : float, at least 0
        |W^0| of the coordinate, or |M (W* - W^0)_A|, M = H_IA H_AA^{-1}, if the active ones have a way to go.
    n_coordinates : int, at least 1
        For the last of so many alike, if independent: where they are positively dependent, it comes earlier.
    quantiles : one or more numbers in (0, 1)
    algorithm : "RMDA" or "RDA"

    Returns
    -------
    IdentificationPrediction

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range; a margin of 0 never identifies.

    Notes
    -----
    Where this is right, and where it stops being so, is in the text of `rmda_ref.certificates.identification_time`:
    small delta/sigma, no restart, and eta h T0 small unless ``distance`` dominates.

    >>> prediction = predict_identification(margin=0.1, noise=1.0, step_size=0.1)
    >>> prediction.regime, [round(t) for t in prediction.steps]
    ('noise-limited', [90, 370, 823])
    >>> prediction = predict_identification(margin=0.1, noise=0.1, step_size=0.1, distance=2.0)
    >>> prediction.regime, round(prediction.bias_steps), [round(t) for t in prediction.steps]
    ('bias-limited', 100, [101, 116, 129])
    """
    if isinstance(margin, int | float) and margin == 0:
        raise ValueError("margin must be positive, got 0; a coordinate of margin 0 never identifies (claim C5)")
    margin, step_size = checks.positive("margin", margin), checks.positive("step_size", step_size)
    noise, distance = checks.nonnegative("noise", noise), checks.nonnegative("distance", distance)
    checks.count("n_coordinates", n_coordinates, 1, COUNTED)
    if algorithm not in ("RMDA", "RDA"):
        raise ValueError(f"algorithm must be 'RMDA' or 'RDA', got {algorithm!r}; other laws are not known")
    levels = np.atleast_1d(_levels("quantiles", quantiles))
    bias_steps = distance / (2 * step_size * margin)
    bias_steps = bias_steps if algorithm == "RMDA" else bias_steps**2
    unit = (noise / margin) ** 2
    if unit <= NOISELESS * bias_steps or unit == 0:
        return IdentificationPrediction(tuple(levels.tolist()), (bias_steps,) * levels.size, 0.0, bias_steps)
    law = rmda_law if algorithm == "RMDA" else rda_law
    steps = unit * law(bias_steps / unit).quantile(levels, n_coordinates)
    median = unit * float(law().quantile(0.5))
    return IdentificationPrediction(tuple(levels.tolist()), tuple(steps.tolist()), median, bias_steps)


def _levels(name: str, values: Any) -> Vector:
    """Probabilities strictly between 0 and 1."""
    host_only(**{name: values})
    levels = np.asarray(values)
    if levels.dtype.kind != "f" or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"{name} must lie in (0, 1), got {values!r}; 0.5 is the median")
    return levels.astype(np.float64)
