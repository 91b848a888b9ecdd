"""The optimizers that RMDA is compared with, written a second time from their papers: nothing of the library.

Each takes the start and the recorded gradients and returns the points after each step; float64, loops, sums over the
whole history.
"""

from validation.oracles.optimizers.adaptive import prox_adam, prox_gen
from validation.oracles.optimizers.dual_averaging import grda, mda, ramda, rda, rmda
from validation.oracles.optimizers.histories import Points
from validation.oracles.optimizers.penalty import AbsoluteValues, ColumnNorms, Nothing, Penalty
from validation.oracles.optimizers.sgd import msgd, prox_sgd
from validation.oracles.optimizers.sparse_training import gradual_pruning, rigl
from validation.oracles.optimizers.variance_reduction import prox_saga, prox_svrg

__all__ = [
    "AbsoluteValues",
    "ColumnNorms",
    "Nothing",
    "Penalty",
    "Points",
    "gradual_pruning",
    "grda",
    "mda",
    "msgd",
    "prox_adam",
    "prox_gen",
    "prox_saga",
    "prox_sgd",
    "prox_svrg",
    "ramda",
    "rda",
    "rigl",
    "rmda",
]
