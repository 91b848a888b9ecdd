"""rmda-ref: the framework-free reference for training structured models by regularized dual averaging."""

from rmda_ref.algorithms import RDA, RMDA, ProxSGD, ProxSGDState, RDAState, RMDAState, staged_steps, steps
from rmda_ref.checkpoint import load_state, save_state
from rmda_ref.regularizers import (
    L1,
    Block,
    Blocks,
    ElasticNet,
    GroupLasso,
    Nuclear,
    Rank,
    Regularizer,
    Support,
    WholeSpace,
    Zero,
)
from rmda_ref.schedules import PowerDecay, SqrtRamp, Stage, decayed_stages, ramped_stages

__all__ = [
    "L1",
    "RDA",
    "RMDA",
    "Block",
    "Blocks",
    "ElasticNet",
    "GroupLasso",
    "Nuclear",
    "PowerDecay",
    "ProxSGD",
    "ProxSGDState",
    "RDAState",
    "RMDAState",
    "Rank",
    "Regularizer",
    "SqrtRamp",
    "Stage",
    "Support",
    "WholeSpace",
    "Zero",
    "decayed_stages",
    "load_state",
    "ramped_stages",
    "save_state",
    "staged_steps",
    "steps",
]
