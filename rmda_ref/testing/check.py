"""Run the laws on an operator; make what fails small, and say it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from rmda_ref.testing.case import KINDS, Case, FloatArray, Outcome
from rmda_ref.testing.laws import LAWS, Law

MOST_TRIALS = 400  # of a smaller counterexample


class LawViolation(AssertionError):
    """A law does not hold.

    Attributes
    ----------
    law : its name
    case : a counterexample, made small
    found : what was found there
    meaning : what such a mistake usually means
    """

    def __init__(self, subject: str, law: Law, case: Case, found: str) -> None:
        self.law, self.case, self.found, self.meaning = law.name, case, found, law.meaning
        told = "\n".join(f"    {line}" for line in (f"w = {case.w!r}", f"step = {case.step}", *found.splitlines()))
        super().__init__(f"law {law.name!r} is violated by {subject}: {law.statement}\n{told}\nusually: {law.meaning}")


def cases(
    shape: tuple[int, ...], n_examples: int, seed: int, dtypes: Iterable[Any], steps: tuple[float, float]
) -> Iterator[Case]:
    """Random cases of every kind and dtype in turn; steps are log-uniform."""
    dtypes, rng = tuple(dtypes), np.random.default_rng(seed)
    for i in range(n_examples):
        step = float(np.exp(rng.uniform(*np.log(steps))))
        yield Case.draw(
            int(rng.integers(2**32)), shape, dtypes[i % len(dtypes)], step, KINDS[i // len(dtypes) % len(KINDS)]
        )


def outcome(law: Law, subject: Any, case: Case) -> Outcome:
    """What the law finds; an exception is a violation."""
    try:
        return law.check(subject, case)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return Outcome(np.inf, lambda: said)


def require(law: Law, subject: Any, case: Case, name: str | None = None) -> Outcome:
    """The outcome, or `LawViolation` at a smaller counterexample."""
    found = outcome(law, subject, case)
    if found.holds:
        return found

    def fails_alike(smaller: Case) -> bool:
        """Not by an exception or a NaN where there was none."""
        other = outcome(law, subject, smaller)
        return not other.holds and np.isfinite(other.excess) == np.isfinite(found.excess)

    small = shrink(case, fails_alike)
    raise LawViolation(name or repr(subject), law, small, outcome(law, subject, small).said())


def shrink(case: Case, fails: Callable[[Case], bool]) -> Case:
    """A case that still fails, with a round step, and with entries that are zero or round wherever that can be."""
    trials = 0

    def try_(smaller: Case) -> bool:
        nonlocal case, trials
        trials += 1
        if trials > MOST_TRIALS or not fails(smaller):
            return False
        case = smaller
        return True

    try_(case.at(other=np.zeros_like(case.other)))
    any(try_(case.at(step=step)) for step in (1.0, 2.0, 5.0, 10.0, float(np.round(case.step, 1))) if step > 0)
    if not try_(case.at(w=np.zeros_like(case.w))):
        for i in range(case.w.size):
            flat = case.w.reshape(-1)
            for value in (0.0, float(np.sign(flat[i])), float(np.round(flat[i])), float(np.round(flat[i], 1))):
                if value == flat[i]:
                    break
                changed = flat.copy()
                changed[i] = value
                if try_(case.at(w=changed.reshape(case.w.shape))):
                    break
    return case


def check_regularizer(
    regularizer: Any,
    shape: tuple[int, ...],
    *,
    n_examples: int = 40,
    seed: int = 0,
    dtypes: Iterable[Any] = (np.float64, np.float32),
    steps: tuple[float, float] = (0.01, 10.0),
) -> None:
    """Check every law that applies to a regularizer.

    Parameters
    ----------
    regularizer : object like those of `rmda_ref.regularizers`
        ``prox(w, step, metric=None)`` and ``value(w)`` are required; ``subdiff_distance``, ``conjugate`` and
        ``manifold`` are checked where they are, and traits (``convex``, ``weak_convexity``, ``indicator``,
        ``partly_smooth``, ``homogeneity``, ``metric_prox``, ``symmetries``) say which laws apply.
    shape : shape of the parameters to try, of about a dozen entries
    n_examples : examples for each law
    seed : the same seed tries the same examples
    dtypes : floating-point types to try in turn
    steps : the smallest and the largest step

    Raises
    ------
    LawViolation
        At the first law that fails.

    >>> from rmda_ref import L1
    >>> check_regularizer(L1(lam=0.5), shape=(6,))
    """
    for law in LAWS:
        if law.applies(regularizer):
            for case in cases(shape, n_examples, seed, dtypes, steps):
                require(law, regularizer, case)


class _Functions:
    """A prox and a value as an object that the laws understand."""

    def __init__(self, prox: Callable[..., Any], value: Callable[..., float], weak_convexity: float) -> None:
        self._prox, self.value, self.weak_convexity = prox, value, weak_convexity
        self.convex = weak_convexity == 0

    def prox(self, w: FloatArray, step: float) -> FloatArray:
        return np.asarray(self._prox(w, step))


# Steps are those that are asked for, so the law of any step is not among them.
FOR_FUNCTIONS = ("optimality", "three points", "monotonicity", "envelope", "no step", "ties")


def check_prox(
    prox: Callable[[FloatArray, float], Any],
    value: Callable[[FloatArray], float],
    *,
    shape: tuple[int, ...] = (4,),
    steps: tuple[float, float] = (1e-3, 1e3),
    weak_convexity: float = np.inf,
    n_examples: int = 100,
    seed: int = 0,
    dtype: Any = np.float64,
) -> None:
    """Check that ``prox(w, step)`` minimises step psi(x) + 1/2 ||x - w||^2 globally, with psi = ``value``.

    Parameters
    ----------
    prox : (array, step) -> array
    value : array -> float, infinite outside the domain of psi
    shape : shape of the parameters to try, of about a dozen entries at most
    steps : the smallest and the largest step to try
    weak_convexity : rho such that psi + rho/2 ||.||^2 is convex: 0 for convex psi; infinite if it is not known
    n_examples : examples for each law
    seed : the same seed tries the same examples
    dtype : floating-point type

    Raises
    ------
    LawViolation
        At the first law that fails.
    """
    subject = _Functions(prox, value, weak_convexity)
    for law in LAWS:
        if law.name in FOR_FUNCTIONS:
            for case in cases(shape, n_examples, seed, (dtype,), steps):
                require(law, subject, case, "the given functions")
