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
    """One for each network; the step sizes are searched on the first and used on both."""
    lam, entrants = LAM[setting.data.name], (*STRUCTURED, UNPENALISED)
    first = network_contest(setting, entrants, "group lasso", lam, small(setting))
    deep = setting.size((48, 32, 16, 10), (512, 256, 128, 64, 32, 16, 10))
    if first.searches(setting.store):
        return {_name(first): first}
    second = network_contest(setting, first.chosen(setting.store), "group lasso", DEEP_LAM[setting.data.name], deep)
    return {_name(first): first, _name(second): second}


def trains(setting: Setting) -> Sequence[Training]:
    return [training for contest in contests(setting).values() for training in contest.needs(setting.store)]


def _name(contest: Contest) -> str:
    return "-".join(map(str, contest.task.sizes))


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    contest = next(iter(contests(setting).values()))
    contest.histories(setting.store)  # the search is over then
    checks: list[Check] = []
    tables, notes = [], []
    shown: list[Picture] = []
    for name, each in contests(setting).items():
        histories = each.histories(setting.store)
        checks += _checks(name, histories, setting)
        tables.append(final_table(each, setting.store, "groups"))
        shown += pictures(each, setting.store, "groups", name)
        notes.append(f"{name}, lam = {each.task.lam:g}. {ordering(histories, 'groups')}")
    return Measurement(
        tuple(checks), tuple(shown), (*tables, search_table(contest.tried(setting.store))), " ".join(notes)
    )


def _checks(name: str, histories: Mapping[str, Sequence[History]], setting: Setting) -> list[Check]:
    rmda, dense = histories["RMDA"], histories["MSGD"]
    lost = max(100 * (mean(dense, lambda h: h.accuracy[-1]) - run.accuracy[-1]) for run in rmda)
    tail = len(rmda[0].changes) // 4
    changes = max(int(run.changes[-tail:].sum()) for run in rmda)
    return [
        Check(f"{name}, RMDA: zero groups, %", 100.0, 100 * min(run.zero[-1] for run in rmda), 5.0, 100.0),
        Check.at_most(f"{name}, RMDA: accuracy below MSGD's, percentage points", max(0.0, lost), 5.0),
        Check.at_most(f"{name}, RMDA: groups that change in the last quarter, %", 100 * changes / rmda[0].n_parts, 5.0),
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
    source="Huang & Lee (ICLR 2022), Section 5; the network 784-512-256-128-64-32-16-10 is theirs",
    bar=(
        "Set after looking at one seed: an observation. No order between the algorithms is asked for. Step sizes are "
        "chosen by the smallest F(W~) among four candidates for each algorithm, on the first network; momenta and "
        "stages are those of the authors' code. The strengths lam were chosen after pilots so that accuracy holds."
    ),
    measure=measure,
    theorems=("identification", "no-identification", "ramda"),
    trains=trains,
)
