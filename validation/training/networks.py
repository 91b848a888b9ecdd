"""The settings that the experiments on networks share: sizes, stages, seeds and the steps that are searched."""

from validation.claim import Setting
from validation.training.contest import Contest, Tuned
from validation.training.methods import Entrant, Stages
from validation.training.task import Penalty, Task

__all__ = ["STRUCTURED", "UNPENALISED", "network_contest", "seeds", "small", "stages"]

STRUCTURED: tuple[Tuned, ...] = (
    Tuned(Entrant("RMDA", 0.3, 0.01), (1.0, 0.3, 0.1, 0.03)),
    Tuned(Entrant("RAMDA", 0.01, 0.01), (0.1, 0.03, 0.01, 0.003)),
    Tuned(Entrant("ProxSGD", 0.1, 0.1), (1.0, 0.3, 0.1, 0.03)),
    Tuned(Entrant("ProxAdamW", 1e-3), (1e-2, 3e-3, 1e-3, 3e-4)),
)
"""Four candidates each; momenta are those of the authors' code."""
UNPENALISED = Tuned(Entrant("MSGD", 0.01), (0.1, 0.03, 0.01, 0.003))


def small(setting: Setting) -> tuple[int, ...]:
    """Widths after the input: 300-100-10, and in the quick profile 32-16-10."""
    return setting.size((32, 16, 10), (300, 100, 10))


def seeds(setting: Setting) -> tuple[int, ...]:
    return tuple(setting.seed + k for k in range(setting.size(1, 3)))


def stages(setting: Setting) -> tuple[Stages, Stages]:
    """Of a run, and of a search run: about a quarter of it. A pass over the digits has 12 steps, over MNIST 469."""
    if setting.data.name == "digits":
        return setting.size(
            (Stages((40, 20, 60)), Stages((10, 5, 15))),
            (Stages((80, 40, 120)), Stages((20, 10, 30))),
        )
    return setting.size(
        (Stages((2, 1, 1)), Stages((1,))),
        (Stages((8, 4, 4)), Stages((2, 1, 1))),
    )


def network_contest(
    setting: Setting,
    entrants: tuple[Entrant | Tuned, ...],
    penalty: Penalty,
    lam: float,
    sizes: tuple[int, ...],
    augmented: bool = False,
) -> Contest:
    """On images, with the stages, the seeds and the search that all these experiments have."""
    run, search = stages(setting)
    return Contest(Task(setting.data, sizes, penalty, lam, augmented), entrants, run, seeds(setting), search)
