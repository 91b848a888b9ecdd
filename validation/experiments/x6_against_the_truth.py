"""X6. The structure of every epoch of X1 against the true one: groups kept in vain, and groups missed, in W~ and in W.

The support of the certified optimum is known, so that each epoch's mistakes can be counted. A *false* group is nonzero
and ought to be zero, a *missed* one is zero and ought not to be. With c < 1 a group of W is zero only after W~'s has
been so for long: its average decays to a denormal number, which is flushed to zero here (N3 shows that it stalls there
otherwise).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from problems.data import load
from problems.multinomial_regression import MultinomialRegression
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Measurement, Picture, Setting, Table
from validation.experiments.x1_group_lasso_regression import LAM, SHOWN, best, contest, trains
from validation.training.run import History
from validation.training.summary import boundaries, curves, spread

Support = np.ndarray


def false(history: History, truth: Support, of_iterate: bool = False) -> np.ndarray:
    """Groups that are nonzero in vain, epoch by epoch."""
    return np.asarray((history.mask(of_iterate) & ~truth).sum(axis=1))


def missed(history: History, truth: Support, of_iterate: bool = False) -> np.ndarray:
    """Groups that ought not to be zero, epoch by epoch."""
    return np.asarray((~history.mask(of_iterate) & truth).sum(axis=1))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    runs = contest(setting)
    histories = runs.histories(setting.store)
    truth = best(MultinomialRegression.on(load(setting.data), LAM)).support
    checks = (
        Check(
            "RMDA: false groups beyond those of ProxSGD, c of RMDA", -np.inf, _excess(histories, truth), -np.inf, -1.0
        ),
        Check.at_most("RMDA: zero groups of W beyond those of W~, any epoch", _zero_beyond(histories["RMDA"]), 0),
    )
    shown, marks = {name: histories[name] for name in SHOWN}, boundaries(runs.stages)
    pictures = (
        Picture(
            "Groups kept in vain",
            "epoch",
            "false groups of W~",
            curves(shown, lambda h: false(h, truth)),
            marks=marks,
        ),
        Picture(
            "Groups missed",
            "epoch",
            "missed groups of W~",
            curves(shown, lambda h: missed(h, truth)),
            marks=marks,
        ),
        Picture(
            "W is not sparse while it is an average: with c < 1 only W~ is",
            "epoch",
            "false groups",
            (
                *curves({f"{name}, W~": histories[name] for name in AVERAGING}, lambda h: false(h, truth)),
                *curves({f"{name}, W": histories[name] for name in AVERAGING}, lambda h: false(h, truth, True)),
            ),
            marks=marks,
        ),
    )
    note = f"{int(truth.sum())} of {len(truth)} groups of the optimum are nonzero."
    return Measurement(checks, pictures, (_table(histories, truth),), note)


AVERAGING = ("RMDA", "RAMDA")


def _excess(histories: Mapping[str, Sequence[History]], truth: Support) -> float:
    pairs = zip(histories["RMDA"], histories["ProxSGD, c of RMDA"], strict=True)
    return float(max(false(rmda, truth)[-1] - false(other, truth)[-1] for rmda, other in pairs))


def _zero_beyond(runs: Sequence[History]) -> float:
    zeros = [((~run.mask(of_iterate=True)).sum(axis=1), (~run.mask()).sum(axis=1)) for run in runs]
    return float(max(0, *(int((of_iterate - structured).max()) for of_iterate, structured in zeros)))


def _table(histories: Mapping[str, Sequence[History]], truth: Support) -> Table:
    rows = []
    for name, runs in histories.items():
        figures = [
            spread([float(count(run, truth, of_iterate)[-1]) for run in runs], 1)
            for of_iterate in (False, True)
            for count in (false, missed)
        ]
        exact = [int(((false(run, truth) + missed(run, truth)) == 0).sum()) for run in runs]
        rows.append((name, *figures, spread([float(n) for n in exact], 0)))
    columns = ("algorithm", "false, W~", "missed, W~", "false, W", "missed, W", "epochs with the true support")
    return Table(columns, tuple(rows))


CLAIM = Claim(
    id="X6",
    title="Structure against the certified optimum's",
    statement=(
        "In the runs of X1 the structured point of RMDA ends with fewer groups kept in vain than ProxSGD with the same "
        "step sizes and momenta, and at no epoch has the averaged iterate W more zero groups than W~. False and missed "
        "groups of every algorithm are counted at every epoch."
    ),
    source="Huang & Lee (ICLR 2022), manifold identification; the optimum by rmda_ref.linear_model",
    bar=("Strict inequalities, on every seed. No failure probability is known: an observation."),
    measure=measure,
    theorems=("identification", "no-identification"),
    trains=trains,
)
