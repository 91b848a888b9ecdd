"""Step sizes and momentum over the steps of a stage, and stages with restarts.

A schedule is a float or a function of t = 1, 2, … (the step within the stage). A *stage* is a run of steps with its
own schedules; between two stages the algorithm restarts. The two ways in which the authors raise the momentum
(their c, where 1 means none) are `decayed_stages` (RMDA's code) and `ramped_stages` (RAMDA's code).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rmda_ref import checks

Schedule = float | Callable[[int], float]

MOMENTUM_REMEDY = "it is the paper's c: 1 means no momentum"


def step_size_at(schedule: Schedule, t: int) -> float:
    """The step size of step t; ValueError unless it is positive and finite."""
    value = schedule(t) if callable(schedule) else schedule
    if not 0 < value < math.inf:
        checks.positive(f"step_size at step {t}", value)
    return float(value)  # a NumPy float64 would make a float32 parameter float64


def momentum_at(schedule: Schedule, t: int) -> float:
    """The momentum of step t; ValueError unless it is in (0, 1]."""
    value = schedule(t) if callable(schedule) else schedule
    if not 0 < value <= 1:
        checks.fraction(f"momentum at step {t}", value, MOMENTUM_REMEDY)
    return float(value)


def tolerance_at(schedule: Schedule, t: int) -> float:
    """The tolerance of step t; ValueError unless it is positive and finite."""
    return checks.positive(f"tolerance at step {t}", schedule(t) if callable(schedule) else schedule)


def check_schedules(step_size: Schedule, momentum: Schedule = 1.0) -> None:
    """Raise ValueError or TypeError for a constant that is no step size or momentum; functions are checked per step."""
    if not callable(step_size):
        checks.positive("step_size", step_size)
    if not callable(momentum):
        checks.fraction("momentum", momentum, MOMENTUM_REMEDY)


@dataclass(frozen=True)
class PowerDecay:
    """eta_t = start / t^power.

    >>> PowerDecay(start=1.0, power=0.5)(4)
    0.5
    """

    start: float
    power: float

    def __post_init__(self) -> None:
        checks.positive("start", self.start)
        checks.nonnegative("power", self.power)

    def __call__(self, t: int) -> float:
        return float(self.start / t**self.power)


@dataclass(frozen=True)
class SqrtRamp:
    """c_t = min(start sqrt(k), 1), where k counts first, first + 1, … from the first step of the stage.

    The two releases of RAMDA start with k = 1 and k = 2.

    >>> [SqrtRamp(start=0.5)(t) for t in (1, 4, 9)]
    [0.5, 1.0, 1.0]
    """

    start: float
    first: int = 1

    def __post_init__(self) -> None:
        checks.fraction("start", self.start, MOMENTUM_REMEDY)

    def __call__(self, t: int) -> float:
        return min(self.start * math.sqrt(self.first + t - 1), 1.0)


@dataclass(frozen=True)
class GrowingStrength:
    """lam_t = min(start + increment floor(t / every), ceiling): incremental regularization (Wang et al., ICLR 2021).

    A strength that grows in small steps lets the parameters part into those that matter and those that do not before
    it is at its ceiling. `scheduled_steps` gives it to any algorithm.

    Parameters
    ----------
    increment : float, positive
    every : int, at least 1
        Steps between two increments.
    ceiling : float, at least ``start``
    start : float, at least 0

    >>> growth = GrowingStrength(increment=0.1, every=10, ceiling=0.25)
    >>> [growth(t) for t in (1, 9, 10, 20, 30, 1000)]
    [0.0, 0.0, 0.1, 0.2, 0.25, 0.25]
    """

    increment: float
    every: int
    ceiling: float
    start: float = 0.0

    def __post_init__(self) -> None:
        checks.positive("increment", self.increment)
        checks.count("every", self.every, 1, "it is the number of steps between two increments")
        checks.nonnegative("start", self.start)
        if checks.nonnegative("ceiling", self.ceiling) < self.start:
            raise ValueError(f"ceiling is {self.ceiling!r}, below start {self.start!r}; the strength can only grow")

    def __call__(self, t: int) -> float:
        """The strength of step t."""
        return min(self.start + self.increment * (t // self.every), self.ceiling)


@dataclass(frozen=True)
class MaskDecay:
    """The factor of the entries outside an N:M mask at step t: 1 up to ``start``, 0 from ``end`` on (Kao et al. 2022).

    In between it is 1 - (t - start)/(end - start), or exp(-rate (t - start)) with a ``rate``. `lam` is the strength of
    `rmda_ref.NM` whose prox multiplies by this factor.

    Parameters
    ----------
    end : int, at least 1
        The first step with factor 0.
    start : int, at least 0, below ``end``
        The last step with factor 1.
    rate : float, positive, optional
        Exponential decay, per step; linear without it.

    >>> decay = MaskDecay(end=4)
    >>> [decay(t) for t in (0, 1, 2, 4, 9)]
    [1.0, 0.75, 0.5, 0.0, 0.0]
    >>> decay.lam(2, prox_step=0.5)  # 1 / (1 + 0.5 lam) = 0.5
    2.0
    >>> decay.lam(4, prox_step=0.5)
    inf
    """

    end: int
    start: int = 0
    rate: float | None = None

    def __post_init__(self) -> None:
        checks.count("start", self.start, 0, "it is the last step without a mask")
        checks.count("end", self.end, self.start + 1, "it is the first step with a hard mask, after start")
        if self.rate is not None:
            checks.positive("rate", self.rate)

    def __call__(self, t: int) -> float:
        """The factor at step t."""
        if t >= self.end:
            return 0.0
        since = max(t - self.start, 0)
        return 1 - since / (self.end - self.start) if self.rate is None else math.exp(-self.rate * since)

    def lam(self, t: int, prox_step: float) -> float:
        """lam with 1/(1 + prox_step lam) = factor: (1/factor - 1)/prox_step, infinite for factor 0.

        ``prox_step`` is the step of the prox, not the step size: alpha_t/beta_t in RMDA (``algorithm.tick``).
        """
        checks.positive("prox_step", prox_step)
        factor = self(t)
        return (1 / factor - 1) / prox_step if factor > 0 else math.inf


@dataclass(frozen=True)
class Stage:
    """``n_steps`` steps with one step size and momentum each, or schedules of the step within the stage."""

    n_steps: int
    step_size: Schedule
    momentum: Schedule = 1.0

    def __post_init__(self) -> None:
        checks.count("n_steps", self.n_steps, 1, "it is the length of the stage")
        check_schedules(self.step_size, self.momentum)


def decayed_stages(step_size: float, momentum: float, gamma: float, n_steps: Sequence[int]) -> tuple[Stage, ...]:
    """Per stage the step size is multiplied by ``gamma`` and the momentum by 1/gamma, up to 1 (RMDA's code).

    >>> [(stage.step_size, stage.momentum) for stage in decayed_stages(1.0, 0.5, 0.5, n_steps=[10, 10, 10])]
    [(1.0, 0.5), (0.5, 1.0), (0.25, 1.0)]
    """
    checks.fraction("gamma", gamma, "it shrinks the step size")
    return tuple(Stage(n, step_size * gamma**k, min(momentum / gamma**k, 1.0)) for k, n in enumerate(n_steps))


def ramped_stages(
    step_size: float, momentum: float, gamma: float, n_steps: Sequence[int], first: int = 1
) -> tuple[Stage, ...]:
    """Per stage the step size is multiplied by ``gamma``; the momentum is held, then ramped as min(c sqrt(k), 1)
    inside the last stage, k counting from ``first`` (RAMDA's code).

    >>> last = ramped_stages(1.0, 0.5, 0.1, n_steps=[10, 10])[-1]
    >>> last.step_size, last.momentum
    (0.1, SqrtRamp(start=0.5, first=1))
    """
    checks.fraction("gamma", gamma, "it shrinks the step size")
    momenta: list[Schedule] = [momentum] * (len(n_steps) - 1) + [SqrtRamp(momentum, first)]
    return tuple(Stage(n, step_size * gamma**k, c) for k, (n, c) in enumerate(zip(n_steps, momenta, strict=True)))
