"""Optimizers, one a file: frozen hyper-parameters, pure ``init`` / ``step`` / ``restart`` on an explicit state."""

from rmda_ref.algorithms.gradual_pruning import GradualPruning
from rmda_ref.algorithms.grda import GRDA, GRDAState
from rmda_ref.algorithms.masked_msgd import Layer, MaskedState
from rmda_ref.algorithms.mda import MDA
from rmda_ref.algorithms.msgd import MSGD, MSGDState
from rmda_ref.algorithms.prox_adam import ProxAdam, ProxAdamState
from rmda_ref.algorithms.prox_gen import ProxGen, ProxGenState
from rmda_ref.algorithms.prox_saga import ProxSAGA, ProxSAGAState
from rmda_ref.algorithms.prox_sgd import ProxSGD, ProxSGDState
from rmda_ref.algorithms.prox_svrg import ProxSVRG, ProxSVRGState
from rmda_ref.algorithms.ramda import RAMDA, RAMDAState
from rmda_ref.algorithms.rda import RDA, RDAState
from rmda_ref.algorithms.rigl import RigL, erdos_renyi_kernel
from rmda_ref.algorithms.rmda import RMDA, RMDAState
from rmda_ref.algorithms.run import scheduled_steps, staged_steps, steps
from rmda_ref.algorithms.stepper import Stepper

__all__ = [
    "GRDA",
    "MDA",
    "MSGD",
    "RAMDA",
    "RDA",
    "RMDA",
    "GRDAState",
    "GradualPruning",
    "Layer",
    "MSGDState",
    "MaskedState",
    "ProxAdam",
    "ProxAdamState",
    "ProxGen",
    "ProxGenState",
    "ProxSAGA",
    "ProxSAGAState",
    "ProxSGD",
    "ProxSGDState",
    "ProxSVRG",
    "ProxSVRGState",
    "RAMDAState",
    "RDAState",
    "RMDAState",
    "RigL",
    "Stepper",
    "erdos_renyi_kernel",
    "scheduled_steps",
    "staged_steps",
    "steps",
]
