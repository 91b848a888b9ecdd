"""The algorithms that are compared: how each is made, and how its hyper-parameters change from stage to stage.

Stages are those of the authors' code. In a new stage every step size is multiplied by gamma; RMDA and RAMDA restart.
RMDA also divides its c by gamma (at most 1); RAMDA shrinks its epsilon by gamma, and in the last stage its c grows as
min(c sqrt(k), 1). The others keep their momentum and their averages. RDA and prox-SVRG know no stages.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from rmda_ref import RAMDA, RDA, RMDA, GradualPruning, ProxAdam, ProxGen, ProxSGD, ProxSVRG, Regularizer, RigL
from rmda_ref.algorithms.masked_msgd import Layer
from rmda_ref.algorithms.msgd import MSGD
from rmda_ref.algorithms.rigl import erdos_renyi_kernel
from rmda_ref.regularizers import Blocks
from rmda_ref.schedules import decayed_stages, ramped_stages
from validation.training.player import Fused, Player, Pure, Svrg

__all__ = ["METHODS", "Entrant", "Method", "Stages"]

EPSILON = 1e-6  # of RAMDA's metric
UPDATE_EVERY, UPDATE_UNTIL, DROP_FRACTION = 100, 0.75, 0.3  # RigL, as in its paper; the end as a share of a run
PRUNE_FROM, PRUNE_UNTIL, N_PRUNINGS = 0.1, 0.5, 40  # shares of a run


@dataclass(frozen=True)
class Stages:
    """Epochs in each stage, and what a step size is multiplied by between two."""

    epochs: tuple[int, ...]
    gamma: float = 0.1

    @property
    def n_epochs(self) -> int:
        return sum(self.epochs)


@dataclass(frozen=True)
class Entrant:
    """An algorithm with its hyper-parameters.

    Parameters
    ----------
    method : a name in `METHODS`
    step_size : of the first stage
    momentum : the weight of what is new, of the first stage; 1 means none
    density : of a method that takes a mask: the fraction of active weights in the end
    label : how tables call it
    """

    method: str
    step_size: float
    momentum: float = 0.1
    density: float = 1.0
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or self.method


@dataclass(frozen=True)
class Start:
    """What an entrant is given: psi, W^0, the length of the run in steps, the seed."""

    psi: Regularizer
    w0: NDArray[Any]
    n_steps: int
    seed: int


@dataclass(frozen=True)
class Method:
    """How an entrant starts, what changes at the start of stage k (the last one or not), and whether it restarts."""

    start: Callable[[Entrant, Start], Player]
    changes: Callable[[Entrant, float, int, bool], dict[str, Any]]
    restarts: bool = False


def _shrink(entrant: Entrant, gamma: float, k: int, last: bool) -> dict[str, Any]:
    return {"step_size": entrant.step_size * gamma**k}


def _rmda(entrant: Entrant, gamma: float, k: int, last: bool) -> dict[str, Any]:
    stage = decayed_stages(entrant.step_size, entrant.momentum, gamma, [1] * (k + 1))[k]
    return {"step_size": stage.step_size, "momentum": stage.momentum}


def _ramda(entrant: Entrant, gamma: float, k: int, last: bool) -> dict[str, Any]:
    stage = ramped_stages(entrant.step_size, entrant.momentum, gamma, [1] * (k + 1 if last else k + 2))[k]
    return {"step_size": stage.step_size, "momentum": stage.momentum, "epsilon": EPSILON * gamma**k}


def _nothing(entrant: Entrant, gamma: float, k: int, last: bool) -> dict[str, Any]:
    return {}


def _masked_layers(entrant: Entrant, start: Start) -> tuple[Layer, ...]:
    """Erdos-Renyi densities for the weights; biases are dense."""
    blocks = start.psi.blocks if isinstance(start.psi, Blocks) else ()
    weights = [block.shape for block in blocks if len(block.shape) == 2]
    densities = iter(erdos_renyi_kernel(weights, entrant.density))
    return tuple(Layer(block.size, next(densities) if len(block.shape) == 2 else 1.0) for block in blocks)


def _rigl(entrant: Entrant, start: Start) -> Player:
    layers, until = _masked_layers(entrant, start), int(UPDATE_UNTIL * start.n_steps)
    settings = (UPDATE_EVERY, until, DROP_FRACTION, start.seed)
    return Pure(RigL(layers, entrant.step_size, entrant.momentum, *settings), start.w0)


def _pruning(entrant: Entrant, start: Start) -> Player:
    first, last = int(PRUNE_FROM * start.n_steps), int(PRUNE_UNTIL * start.n_steps)
    every = max(1, (last - first) // N_PRUNINGS)
    algorithm = GradualPruning(
        _masked_layers(entrant, start), entrant.step_size, entrant.momentum, first, every, N_PRUNINGS
    )
    return Pure(algorithm, start.w0)


def _adam(entrant: Entrant, start: Start) -> Player:
    return Pure(ProxAdam(start.psi, entrant.step_size, entrant.momentum), start.w0)


def _gen(entrant: Entrant, start: Start) -> Player:
    return Pure(ProxGen(start.psi, entrant.step_size, entrant.momentum), start.w0)


METHODS = {
    "RMDA": Method(lambda e, s: Fused(RMDA(s.psi, e.step_size, e.momentum), s.w0), _rmda, restarts=True),
    "RAMDA": Method(lambda e, s: Pure(RAMDA(s.psi, e.step_size, e.momentum, EPSILON), s.w0), _ramda, restarts=True),
    "RDA": Method(lambda e, s: Fused(RDA(s.psi, 1 / e.step_size), s.w0), _nothing),
    "ProxSGD": Method(lambda e, s: Fused(ProxSGD(s.psi, e.step_size, e.momentum), s.w0), _shrink),
    "ProxSGD, c of RMDA": Method(lambda e, s: Fused(ProxSGD(s.psi, e.step_size, e.momentum), s.w0), _rmda),
    "ProxAdamW": Method(_adam, _shrink),
    "ProxGen": Method(_gen, _shrink),
    "MSGD": Method(lambda e, s: Pure(MSGD(e.step_size, e.momentum), s.w0), _shrink),
    "prox-SVRG": Method(lambda e, s: Svrg(ProxSVRG(s.psi, e.step_size), s.w0), _nothing),
    "RigL": Method(_rigl, _shrink),
    "magnitude pruning": Method(_pruning, _shrink),
}
"""By name. ProxAdamW has no weight decay, as in the authors' code."""
