"""Several algorithms on one task and several seeds; step sizes that are not given are searched with equal budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from validation.training.methods import Entrant, Stages
from validation.training.run import History, Training
from validation.training.store import Store
from validation.training.task import Task

__all__ = ["Contest", "Tried", "Tuned"]


@dataclass(frozen=True)
class Tuned:
    """An entrant whose step size is searched: it is the first of the grid where nothing has been tried."""

    entrant: Entrant
    grid: tuple[float, ...]

    @property
    def candidates(self) -> tuple[Entrant, ...]:
        return tuple(replace(self.entrant, step_size=step_size) for step_size in self.grid)


@dataclass(frozen=True)
class Tried:
    """What the search found for one candidate: F at the end of the search run."""

    entrant: Entrant
    objective: float
    chosen: bool


@dataclass(frozen=True)
class Contest:
    """
    Parameters
    ----------
    task : what is trained
    entrants : with their hyper-parameters, or with a grid of step sizes
    stages : of a run
    seeds : of the runs
    search : stages of a search run. Each candidate has one, with seed ``search_seed``, which no run has; the candidate
        with the smallest F(W~) at its end is chosen. F is what is minimised and needs no test samples.
    """

    task: Task
    entrants: tuple[Entrant | Tuned, ...]
    stages: Stages
    seeds: tuple[int, ...]
    search: Stages
    search_seed: int = 1000

    def searches(self, store: Store) -> tuple[Training, ...]:
        """The runs of the search that are not kept."""
        return store.missing(self._search(each) for entrant in self.entrants for each in _candidates(entrant))

    def needs(self, store: Store) -> tuple[Training, ...]:
        """The runs that can be performed now and are not kept: those of the search first."""
        return self.searches(store) or store.missing(self._trainings(store))

    def histories(self, store: Store) -> Mapping[str, Sequence[History]]:
        """By the name of the entrant, one for each seed; what is not kept is performed."""
        return {
            entrant.name: [store.history(Training(self.task, entrant, self.stages, seed)) for seed in self.seeds]
            for entrant in self.chosen(store)
        }

    def chosen(self, store: Store) -> tuple[Entrant, ...]:
        """The entrants with the step sizes that the search chose."""
        return tuple(self._best(entrant, store) for entrant in self.entrants)

    def tried(self, store: Store) -> tuple[Tried, ...]:
        """Every candidate of the search."""
        found = []
        for entrant in self.entrants:
            best = self._best(entrant, store)
            found += [Tried(each, self._value(each, store), each == best) for each in _candidates(entrant)]
        return tuple(found)

    def _trainings(self, store: Store) -> list[Training]:
        return [
            Training(self.task, entrant, self.stages, seed) for entrant in self.chosen(store) for seed in self.seeds
        ]

    def _best(self, entrant: Entrant | Tuned, store: Store) -> Entrant:
        if isinstance(entrant, Entrant):
            return entrant
        return min(entrant.candidates, key=lambda candidate: self._value(candidate, store))

    def _search(self, candidate: Entrant) -> Training:
        return Training(self.task, candidate, self.search, self.search_seed)

    def _value(self, candidate: Entrant, store: Store) -> float:
        value = float(store.history(self._search(candidate)).objective[-1])
        return value if np.isfinite(value) else np.inf


def _candidates(entrant: Entrant | Tuned) -> tuple[Entrant, ...]:
    return entrant.candidates if isinstance(entrant, Tuned) else ()
