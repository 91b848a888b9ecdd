"""X2. Group lasso on the inputs and neurons of ReLU networks: who finds structure, and what it costs in accuracy.

The groups are the columns of every weight matrix: the weights that leave an input, or a hidden neuron. The networks are
784-300-100-10 and the paper's 784-512-256-128-64-32-16-10 (in the quick profile smaller ones). F is not convex and its
minimisers are not known: what is compared is what each algorithm ends with.
"""

from collections.abc import Mapping, Sequence

from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Measurement, Picture, Setting
from validation.training.contest import Contest
from validation.training.networks import STRUCTURED, UNPENALISED, network_contest, small
from validation.training.run import History, Training
from validation.training.summary import final_table, mean, ordering, pictures, search_table

LAM = {"digits": 2e-3, "mnist": 2e-4}
DEEP_LAM = {"digits": 1e-3, "mnist": 1e-4}


def contests(setting: Setting) -> Mapping[str, Contest]:
    """One for each network, each with a search of its own."""
    data, entrants = setting.data.name, (*STRUCTURED, UNPENALISED)
    deep = setting.size((48, 32, 16, 10), (512, 256, 128, 64, 32, 16, 10))
    networks = ((small(setting), LAM[data]), (deep, DEEP_LAM[data]))
    found = (network_contest(setting, entrants, "group lasso", lam, sizes) for sizes, lam in networks)
    return {_name(contest): contest for contest in found}


def trains(setting: Setting) -> Sequence[Training]:
    return [training for contest in contests(setting).values() for training in contest.needs(setting.store)]


def _name(contest: Contest) -> str:
    return "-".join(map(str, contest.task.sizes))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    checks: list[Check] = []
    tables, searches, notes = [], [], []
    shown: list[Picture] = []
    for name, contest in contests(setting).items():
        histories = contest.histories(setting.store)
        checks += _checks(name, histories, contest.stages.epochs[-1] // 2)
        tables.append(final_table(contest, setting.store, "groups"))
        searches.append(search_table(contest.tried(setting.store)))
        shown += pictures(contest, setting.store, "groups", name)
        notes.append(f"{name}, lam = {contest.task.lam:g}. {ordering(histories, 'groups')}")
    return Measurement(tuple(checks), tuple(shown), (*tables, *searches), " ".join(notes))


def _checks(name: str, histories: Mapping[str, Sequence[History]], tail: int) -> list[Check]:
    rmda, dense = histories["RMDA"], histories["MSGD"]
    lost = max(100 * (mean(dense, lambda h: h.accuracy[-1]) - run.accuracy[-1]) for run in rmda)
    changes = max(int(run.changes[-tail:].sum()) for run in rmda)
    return [
        Check(f"{name}, RMDA: zero groups, %", 100.0, 100 * min(run.zero[-1] for run in rmda), 5.0, 100.0),
        Check.at_most(f"{name}, RMDA: accuracy below MSGD's, percentage points", max(0.0, lost), 5.0),
        Check.at_most(
            f"{name}, RMDA: groups that change in the last {tail} epochs, %", 100 * changes / rmda[0].n_parts, 5.0
        ),
        Check.at_most(f"{name}, MSGD: zero groups, %", 100 * max(run.zero[-1] for run in dense), 5.0),
    ]


CLAIM = Claim(
    id="X2",
    title="Inputs and neurons of networks",
    statement=(
        "ReLU networks with a group lasso over the columns of every weight matrix (the inputs and the neurons): RMDA "
        "ends with a structure that has settled, at little loss of accuracy against MSGD without a penalty. RAMDA, "
        "ProxSGD and ProxAdamW stand beside it, and the note says who has more structure, whichever way it falls."
    ),
    source="Huang & Lee (ICLR 2022), experiments; the network 784-512-256-128-64-32-16-10 is theirs",
    bar=(
        "Set after looking: an observation. No order between the algorithms is asked for. Changes are counted in the "
        "second half of the last stage, for a restart begins the identification anew (C8). Step sizes are "
        "chosen by the smallest F(W~) among four candidates for each algorithm and network; momenta and "
        "stages are those of the authors' code. The strengths lam were chosen after pilots so that accuracy holds."
    ),
    measure=measure,
    theorems=("identification", "no-identification", "ramda"),
    trains=trains,
)
