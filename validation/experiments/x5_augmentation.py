"""X5. Dropout of inputs and random shifts: an infinite sum, where SVRG and SAGA do not apply and dual averaging does.

Every batch is augmented anew (inputs kept with probability 0.8, images shifted by up to 2 pixels), so that the full
gradient is an expectation that no pass over the data computes. The network, penalty and step sizes are those of X2. F
is estimated on one augmented copy of the training images, the same for all.
"""

from collections.abc import Sequence

from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Measurement, Setting
from validation.experiments import x2_network_groups as x2
from validation.training.contest import Contest
from validation.training.networks import network_contest, small
from validation.training.run import Training
from validation.training.summary import final_table, ordering, pictures


def plain(setting: Setting) -> Contest:
    """The first contest of X2, whose search serves here too."""
    return next(iter(x2.contests(setting).values()))


def contest(setting: Setting) -> Contest:
    """The same entrants, with the chosen step sizes, on augmented images."""
    entrants = tuple(each for each in plain(setting).chosen(setting.store) if each.method != "MSGD")
    lam = x2.LAM[setting.data.name]
    return network_contest(setting, entrants, "group lasso", lam, small(setting), augmented=True)


def trains(setting: Setting) -> Sequence[Training]:
    return plain(setting).searches(setting.store) or contest(setting).needs(setting.store)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    augmented = contest(setting)
    histories = augmented.histories(setting.store)
    rmda = histories["RMDA"]
    tail = augmented.stages.epochs[-1] // 2
    changes = max(int(run.changes[-tail:].sum()) for run in rmda)
    checks = (
        Check("RMDA: zero groups, %", 100.0, 100 * min(run.zero[-1] for run in rmda), 5.0, 100.0),
        Check.at_most(f"RMDA: groups that change in the last {tail} epochs, %", 100 * changes / rmda[0].n_parts, 5.0),
        Check("RMDA: accuracy, %", 100.0, 100 * min(run.accuracy[-1] for run in rmda), 75.0, 100.0),
    )
    table = final_table(augmented, setting.store, "groups")
    shown = pictures(augmented, setting.store, "groups", "augmented")
    return Measurement(checks, shown, (table,), ordering(histories, "groups"))


CLAIM = Claim(
    id="X5",
    title="Structure under dropout and random shifts",
    statement=(
        "The network of X2 on images that are shifted at random and whose inputs are dropped: the sum over samples "
        "becomes infinite. RMDA ends with a structure that has settled; the others, with the step sizes of X2, stand "
        "beside it, and the note says who has more structure, whichever way it falls."
    ),
    source="Huang & Lee (ICLR 2022): variance reduction under data augmentation and dropout",
    bar=(
        "Set after looking: an observation. No order between the algorithms is asked for. Changes are counted in the "
        "second half of the last stage, for a restart begins the identification anew (C8)."
    ),
    measure=measure,
    theorems=("identification", "no-identification", "ramda"),
    trains=trains,
)
