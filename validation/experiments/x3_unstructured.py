"""X3. Sparse weights: l1 by RMDA and RAMDA, against RigL and gradual magnitude pruning at the same sparsity.

RigL and pruning are given the density that they are to end with: once that of RMDA, once that of RAMDA, averaged over
the seeds; so the comparison is at equal sparsity, and accuracies can be read against each other. RigL's and pruning's
layers have Erdos-Renyi densities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.training.contest import Contest, Tuned
from validation.training.methods import Entrant
from validation.training.networks import STRUCTURED, network_contest, small
from validation.training.run import History, Training
from validation.training.summary import final_table, mean, ordering, pictures, search_table

LAM = {"digits": 1e-3, "mnist": 1e-4}
GRID = (0.1, 0.03, 0.01, 0.003)
PRUNED = ("RigL", "magnitude pruning")
LEADERS = ("RMDA", "RAMDA")


def penalised(setting: Setting) -> Contest:
    """The algorithms that find the sparsity by themselves."""
    return network_contest(setting, STRUCTURED, "l1", LAM[setting.data.name], small(setting))


def pruned(setting: Setting) -> Mapping[str, Contest]:
    """RigL and pruning at the density that each leader found; nothing before the leaders are done.

    Their step sizes are searched at RMDA's density, and used at RAMDA's too.
    """
    first = penalised(setting)
    if first.needs(setting.store):
        return {}
    found = first.histories(setting.store)
    dense = {leader: round(density(found[leader]), 4) for leader in LEADERS}
    searched = replace(first, entrants=tuple(Tuned(_masked(method, dense, "RMDA"), GRID) for method in PRUNED))
    if searched.searches(setting.store):
        return {"RMDA": searched}
    chosen = searched.chosen(setting.store)
    again = tuple(replace(_masked(each.method, dense, "RAMDA"), step_size=each.step_size) for each in chosen)
    return {"RMDA": searched, "RAMDA": replace(first, entrants=again)}


def _masked(method: str, dense: Mapping[str, float], leader: str) -> Entrant:
    return Entrant(method, GRID[0], 0.1, dense[leader], f"{method}, as sparse as {leader}")


def density(histories: Sequence[History]) -> float:
    """Fraction of the weights, biases left out, that are not zero at the end."""
    return mean(histories, lambda h: float(h.mask()[-1].mean()))


def trains(setting: Setting) -> Sequence[Training]:
    first = penalised(setting).needs(setting.store)
    return first or [each for contest in pruned(setting).values() for each in contest.needs(setting.store)]


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    first = penalised(setting)
    everyone: dict[str, Sequence[History]] = dict(first.histories(setting.store))
    searched = pruned(setting)["RMDA"]
    searched.histories(setting.store)  # the search is over then
    contests = pruned(setting)
    for contest in contests.values():
        everyone |= contest.histories(setting.store)
    tables = (
        final_table(first, setting.store, "weights"),
        *(final_table(contest, setting.store, "weights") for contest in contests.values()),
        search_table((*first.tried(setting.store), *searched.tried(setting.store))),
    )
    shown = (_picture(everyone), *pictures(first, setting.store, "weights", "l1"))
    return Measurement(tuple(_checks(everyone)), shown, tables, f"{_equal(everyone)} {ordering(everyone, 'weights')}")


def _checks(histories: Mapping[str, Sequence[History]]) -> list[Check]:
    checks = []
    for leader in LEADERS:
        for method in PRUNED:
            runs = histories[f"{method}, as sparse as {leader}"]
            off = max(abs(100 * float(run.mask()[-1].mean()) - 100 * density(histories[leader])) for run in runs)
            checks.append(Check.at_most(f"{method}: density off that of {leader}, percentage points", off, 0.5))
        worst = min(run.zero[-1] for run in histories[leader])
        checks.append(Check(f"{leader}: zero weights, %", 100.0, 100 * worst, 30.0, 100.0))
    return checks


def _equal(histories: Mapping[str, Sequence[History]]) -> str:
    """Accuracies at equal sparsity, in words."""
    sentences = []
    for leader in LEADERS:
        own = 100 * mean(histories[leader], lambda h: h.accuracy[-1])
        rest = ", ".join(
            f"{method} {100 * mean(histories[f'{method}, as sparse as {leader}'], lambda h: h.accuracy[-1]):.2f}"
            for method in PRUNED
        )
        zero = 100 * mean(histories[leader], lambda h: h.zero[-1])
        sentences.append(f"At {zero:.1f}% zero weights, accuracy in %: {leader} {own:.2f}, {rest}.")
    return " ".join(sentences)


def _picture(histories: Mapping[str, Sequence[History]]) -> Picture:
    points = tuple(
        Curve(
            name,
            tuple(100 * float(run.mask()[-1].mean()) for run in runs),
            tuple(100 * float(run.accuracy[-1]) for run in runs),
        )
        for name, runs in histories.items()
    )
    return Picture("Accuracy against sparsity, each seed a point", "weights kept, %", "accuracy, %", points)


CLAIM = Claim(
    id="X3",
    title="Sparse weights, against pruning",
    statement=(
        "A ReLU network with an l1 norm on its weights, trained by RMDA, RAMDA, ProxSGD and ProxAdamW; and RigL and "
        "gradual magnitude pruning on the same network without a penalty, at the sparsity of RMDA and of RAMDA. The "
        "note says who is more accurate at equal sparsity, whichever way it falls."
    ),
    source=("Huang & Lee (ICLR 2022), the comparison with RigL; Evci et al. (ICML 2020); Zhu & Gupta (2017)"),
    bar=(
        "Densities agree to half a percentage point: they are rounded layer by layer, and a seed of RMDA may have "
        "another than the mean. That l1 finds at least 30% of zeros was set after looking: an observation. No order "
        "between the methods is asked for. Step sizes are chosen by the smallest F(W~) among four candidates for each; "
        "RigL and pruning do not minimise its penalty, so that their choice may not be their most accurate one."
    ),
    measure=measure,
    theorems=("identification", "ramda"),
    trains=trains,
)
