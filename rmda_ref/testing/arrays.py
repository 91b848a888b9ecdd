"""Laws of arrays: extreme entries, memory, and compilation."""

from functools import partial
from typing import Any

import numpy as np

from rmda_ref.backends.numba import interpreted
from rmda_ref.testing.case import Case, Outcome, size_of, worst
from rmda_ref.testing.traits import has_metric, rounding, trait


def extremes(regularizer: Any, case: Case) -> Outcome:
    """Zero, denormal and huge entries give finite results (and scaled ones, for degree 1); others are refused."""
    w, step = case.rng.standard_normal(case.w.shape).astype(case.w.dtype), case.step
    tiny, huge = (1e-320, 1e300) if w.dtype == np.float64 else (1e-44, 1e36)
    for scale in (0.0, tiny, huge):
        point = (w * min(scale, 1.0) / (1 if scale <= 1 else np.abs(w).max(initial=1)) * max(scale, 1.0)).astype(
            w.dtype
        )
        with np.errstate(all="ignore"):
            u = regularizer.prox(point, step)
        if u.dtype != w.dtype or u.shape != w.shape or not np.isfinite(u).all():
            return Outcome(np.inf, partial("prox({!r}) = {!r}".format, point, u))
    for bad in (np.nan, np.inf):
        point = w.copy()
        point.reshape(-1)[-1:] = bad
        try:
            u = regularizer.prox(point, step)
        except ValueError:
            continue
        return Outcome(np.inf, partial("an entry {} is not refused".format, bad))
    if trait(regularizer, "homogeneity", None) == 1:
        exponents = (-300.0, 300.0) if w.dtype == np.float64 else (-40.0, 40.0)
        u, outcomes = regularizer.prox(w, step), []
        for exponent in exponents:
            factor = np.asarray(2.0**exponent, w.dtype)
            apart = regularizer.prox(w * factor, step * float(factor)) / factor - u
            outcomes.append(
                Outcome(
                    size_of(apart) / rounding(case.at(w=w), step),
                    partial("prox(a w, a s) is not a prox(w, s) for a = 2^{:g}".format, exponent),
                )
            )
        return worst(*outcomes)
    return Outcome(0.0)


def memory(regularizer: Any, case: Case) -> Outcome:
    """The input is untouched and its memory order does not matter; shape and dtype are kept; empty arrays pass."""
    w, step = case.w, case.step
    given = np.asfortranarray(w)
    given.flags.writeable = False
    before = given.copy()
    spaced = np.repeat(w, 2, axis=-1)[..., ::2]
    u = regularizer.prox(w.copy(), step)
    try:
        same = [regularizer.prox(given, step), regularizer.prox(spaced, step)]
    except ValueError as error:
        said = str(error)
        return Outcome(np.inf, lambda: f"read-only input: {said}")
    if u.dtype != w.dtype or u.shape != w.shape:
        return Outcome(np.inf, lambda: f"{w.dtype} {w.shape} became {u.dtype} {u.shape}")
    if not all(np.array_equal(other, u) for other in same) or not np.array_equal(given, before):
        return Outcome(np.inf, lambda: "the result depends on the memory order, or the input was changed")
    empty = np.empty((0,) * w.ndim, w.dtype)
    try:
        result = regularizer.prox(empty, step)
    except ValueError:  # it does not fit the layout
        return Outcome(0.0)
    return Outcome(0.0 if result.shape == empty.shape else np.inf, lambda: f"an empty array became {result!r}")


def interpreters(regularizer: Any, case: Case) -> Outcome:
    """The kernel as plain Python is the compiled one, up to the order of sums."""
    outcomes = []
    for metric in (None, case.metric) if has_metric(regularizer) else (None,):
        compiled = regularizer.prox(case.w, case.step, metric)
        with interpreted():
            plain = regularizer.prox(case.w, case.step, metric)
        outcomes.append(
            Outcome(
                size_of(compiled - plain) / rounding(case, case.step),
                partial("compiled {!r}, interpreted {!r}".format, compiled, plain),
            )
        )
    return worst(*outcomes)
