"""Optimizers, one a file: frozen hyper-parameters, pure ``init`` / ``step`` / ``restart`` on an explicit state."""

from rmda_ref.algorithms.prox_sgd import ProxSGD, ProxSGDState
from rmda_ref.algorithms.ramda import RAMDA, RAMDAState
from rmda_ref.algorithms.rda import RDA, RDAState
from rmda_ref.algorithms.rmda import RMDA, RMDAState
from rmda_ref.algorithms.run import staged_steps, steps
from rmda_ref.algorithms.stepper import Stepper

__all__ = [
    "RAMDA",
    "RDA",
    "RMDA",
    "ProxSGD",
    "ProxSGDState",
    "RAMDAState",
    "RDAState",
    "RMDAState",
    "Stepper",
    "staged_steps",
    "steps",
]
