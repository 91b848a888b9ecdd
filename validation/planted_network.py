"""A small tanh network that looks at half of its inputs, learnt by a network of the same shape: many seeds at once.

The group lasso acts on the columns of the first layer, one per input; seed by seed they are groups of one block.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from problems import Planted
from rmda_ref import Block, Blocks, GroupLasso
from validation.claim import Table
from validation.many_teachers import ManyTeachers
from validation.separation import Outcomes

SIZES = (10, 8, 3)
N_NEEDED = 5  # inputs
LAM, STEP_SIZE = 0.05, 0.1
RAMDA_STEP_SIZE = 0.005  # with gradients of mean square m = 0.02, eta/(2/3 eta m)^(1/3) is 0.12, as RMDA's
MARGIN = 0.07  # of the group strength lam sqrt(8) = 0.14
LABEL_NOISE, KEEP, BATCH = 0.5, 0.8, 8


@dataclass(frozen=True, eq=False)
class PlantedNetworks:
    """
    Parameters
    ----------
    smooth : the distances to the teachers, without regularizer or tilt.
    lam : strength of the group lasso, per root of a group's size.
    """

    smooth: ManyTeachers
    lam: float

    @classmethod
    def draw(cls, rng: np.random.Generator, n_seeds: int, lam: float = LAM) -> "PlantedNetworks":
        inputs, hidden, outputs = SIZES
        first = 1.5 * np.sqrt(2 / (inputs + hidden)) * rng.standard_normal((n_seeds, hidden, inputs))
        second = 1.5 * np.sqrt(2 / (hidden + outputs)) * rng.standard_normal((n_seeds, outputs, hidden))
        order = rng.permuted(np.tile(np.arange(inputs), (n_seeds, 1)), axis=1)
        first *= (order < N_NEEDED)[:, None, :]
        parts = (first, np.zeros((n_seeds, hidden)), second, np.zeros((n_seeds, outputs)))
        target = np.concatenate([part.reshape(-1) for part in parts])
        return cls(ManyTeachers(SIZES, target, KEEP, LABEL_NOISE, BATCH), lam)

    @property
    def regularizer(self) -> Any:
        """The group lasso on the columns of each first layer."""
        first, *others = self.smooth.shapes
        rest = sum(int(np.prod(shape)) for shape in others)
        return Blocks((Block("first", first, GroupLasso(self.lam, axis=1)), Block("rest", (rest,))))

    def planted(self, rng: np.random.Generator) -> Planted:
        """Tilted, so that the teachers are the global minimisers with the margin above."""
        return Planted.with_margin(self.smooth, self.regularizer, MARGIN, rng)

    def inputs(self, w: np.ndarray) -> np.ndarray:
        """Which inputs the first layer of each seed looks at."""
        return np.asarray(self.smooth.parts(w)[0].any(axis=1))

    def is_right(self, w: np.ndarray) -> np.ndarray:
        """Whether each seed looks at the inputs of its teacher."""
        return np.asarray((self.inputs(w) == self.inputs(self.smooth.target)).all(axis=1))

    def random_start(self, rng: np.random.Generator) -> np.ndarray:
        """Glorot's initial point, without biases: it knows nothing of the teachers."""
        first, bias, second, shift = self.smooth.parts(np.zeros(self.smooth.target.size))
        for weight in (first, second):
            weight += np.sqrt(2 / (weight.shape[1] + weight.shape[2])) * rng.standard_normal(weight.shape)
        return np.concatenate([part.reshape(-1) for part in (first, bias, second, shift)])

    def table(self, problem: Planted, outcomes: Outcomes) -> Table:
        """Support alone can mislead: a model that keeps every input does not flicker either."""
        rows = tuple(
            (
                name,
                float(self.inputs(outcome.final).sum(axis=1).mean()),
                (problem.objective(outcome.final) - problem.optimal_value) / self.smooth.n_seeds,
            )
            for name, outcome in outcomes.items()
        )
        return Table(("algorithm", f"inputs kept of {SIZES[0]} ({N_NEEDED} needed)", "F(W~) - F*, mean"), rows)


def noise_over_margin(networks: PlantedNetworks, rng: np.random.Generator, n_samples: int = 100) -> float:
    """Root mean square norm of the gradient noise of an unneeded input at the solution, over the margin."""
    smooth = networks.smooth
    unneeded = ~networks.inputs(smooth.target)
    norms = [
        (smooth.parts(smooth.noisy_gradient(smooth.target, rng))[0] ** 2).sum(axis=1)[unneeded]
        for _ in range(n_samples)
    ]
    return float(np.sqrt(np.mean(norms))) / MARGIN
