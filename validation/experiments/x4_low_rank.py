"""X4. Nuclear norm on a linear layer: rank against accuracy.

Multinomial logistic regression with the nuclear norm of its (10, pixels) weights. The nuclear norm has no prox in a
diagonal metric, so that RAMDA and ProxAdamW solve their subproblems inexactly, to a certified tolerance
(`rmda_ref.algorithms.diagonal_prox`).
"""

from collections.abc import Mapping, Sequence

from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table
from validation.training.contest import Contest
from validation.training.methods import Entrant
from validation.training.networks import network_contest
from validation.training.run import History, Training
from validation.training.summary import curves, mean, spread

LAMS = (0.03, 0.3)
ENTRANTS = (
    Entrant("RMDA", 0.1, 0.01),
    Entrant("RAMDA", 0.01, 0.01),
    Entrant("ProxSGD", 0.1, 0.1),
    Entrant("ProxAdamW", 1e-3),
)


def contests(setting: Setting) -> Mapping[float, Contest]:
    """One for each strength."""
    return {lam: network_contest(setting, ENTRANTS, "nuclear", lam, (10,)) for lam in LAMS}


def trains(setting: Setting) -> Sequence[Training]:
    return [training for contest in contests(setting).values() for training in contest.needs(setting.store)]


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    found = {lam: contest.histories(setting.store) for lam, contest in contests(setting).items()}
    return Measurement(tuple(_checks(found)), _pictures(found), (_table(found),))


Found = Mapping[float, Mapping[str, Sequence[History]]]


def rank(history: History) -> int:
    return int(history.mask()[-1].sum())


def _checks(found: Found) -> list[Check]:
    checks = []
    for lam, histories in found.items():
        rmda = histories["RMDA"]
        tail = len(rmda[0].changes) // 4
        changes = max(int(run.changes[-tail:].sum()) for run in rmda)
        checks.append(Check.at_most(f"lam = {lam:g}, RMDA: changes of rank in the last quarter", changes, 0))
    ranks = [mean(histories["RMDA"], lambda h: float(rank(h))) for histories in found.values()]
    checks.append(
        Check("RMDA: ranks at the smallest lam less those at the largest", 1.0, ranks[0] - ranks[-1], 1.0, 10)
    )
    return checks


def _table(found: Found) -> Table:
    rows = tuple(
        (
            f"{lam:g}",
            name,
            spread([float(rank(run)) for run in runs], 1),
            spread([100 * run.accuracy[-1] for run in runs], 2),
            spread([run.objective[-1] for run in runs], 4),
            spread([float(run.changes[-(len(run.changes) // 4) :].sum()) for run in runs], 0),
        )
        for lam, histories in found.items()
        for name, runs in histories.items()
    )
    return Table(("lam", "algorithm", "rank", "accuracy, %", "F", "changes, last quarter"), rows)


def _pictures(found: Found) -> tuple[Picture, ...]:
    names = tuple(next(iter(found.values())))
    points = tuple(
        Curve(
            name,
            tuple(float(rank(run)) for histories in found.values() for run in histories[name]),
            tuple(100 * float(run.accuracy[-1]) for histories in found.values() for run in histories[name]),
        )
        for name in names
    )
    largest = max(found)
    return (
        Picture("Rank against accuracy: each strength and seed a point", "rank of W~", "accuracy, %", points),
        Picture(
            f"The rank of W~, epoch by epoch (lam = {largest:g})",
            "epoch",
            "rank",
            curves(found[largest], lambda h: h.mask().sum(axis=1)),
        ),
    )


CLAIM = Claim(
    id="X4",
    title="Rank of a linear layer",
    statement=(
        "Multinomial logistic regression with the nuclear norm: at every strength RMDA ends with a rank that no longer "
        "changes, and a larger strength gives a smaller rank. RAMDA, ProxSGD and ProxAdamW stand beside it."
    ),
    source="Huang & Lee (ICLR 2022 and NeurIPS 2024), low-rank experiments; hyper-parameters of the authors' "
    "code, and of Adam for ProxAdamW",
    bar="No change of rank in the last quarter of the epochs, on every seed: set after looking, an observation.",
    measure=measure,
    theorems=("identification", "no-identification"),
    trains=trains,
)
