"""The library as a claim runs it, and the same with a mistake in it: an edit of its own source.

A mutant cannot drift away from the reference: its edit must match the source exactly once, or building it fails.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rmda_ref.algorithms import (
    gradual_pruning,
    grda,
    mda,
    msgd,
    prox_adam,
    prox_gen,
    prox_saga,
    prox_sgd,
    prox_svrg,
    ramda,
    rda,
    rigl,
    rmda,
    run,
)
from rmda_ref.crosscheck import network
from rmda_ref.losses import multinomial
from rmda_ref.regularizers import blocks, group_lasso

__all__ = ["MODULES", "REFERENCE", "Implementation", "Mutant", "build", "named"]


@dataclass(frozen=True)
class Implementation:
    """All that a claim runs: algorithms, the loops that take gradients at the iterate, and what a layer needs.

    The cross-check runs ``network``, which is given the implementation whose algorithms it is to use.
    """

    name: str
    RMDA: Callable[..., Any]
    RDA: Callable[..., Any]
    RAMDA: Callable[..., Any]
    ProxSGD: Callable[..., Any]
    MSGD: Callable[..., Any]
    MDA: Callable[..., Any]
    GRDA: Callable[..., Any]
    ProxAdam: Callable[..., Any]
    ProxGen: Callable[..., Any]
    ProxSVRG: Callable[..., Any]
    ProxSAGA: Callable[..., Any]
    RigL: Callable[..., Any]
    GradualPruning: Callable[..., Any]
    steps: Callable[..., Any]
    staged_steps: Callable[..., Any]
    GroupLasso: Callable[..., Any]
    Block: Callable[..., Any]
    Blocks: Callable[..., Any]
    MultinomialLoss: Callable[..., Any]
    network: ModuleType

    @classmethod
    def of(cls, name: str, modules: dict[str, ModuleType]) -> "Implementation":
        return cls(
            name,
            RMDA=modules["rmda"].RMDA,
            RDA=modules["rda"].RDA,
            RAMDA=modules["ramda"].RAMDA,
            ProxSGD=modules["prox_sgd"].ProxSGD,
            MSGD=modules["msgd"].MSGD,
            MDA=modules["mda"].MDA,
            GRDA=modules["grda"].GRDA,
            ProxAdam=modules["prox_adam"].ProxAdam,
            ProxGen=modules["prox_gen"].ProxGen,
            ProxSVRG=modules["prox_svrg"].ProxSVRG,
            ProxSAGA=modules["prox_saga"].ProxSAGA,
            RigL=modules["rigl"].RigL,
            GradualPruning=modules["gradual_pruning"].GradualPruning,
            steps=modules["run"].steps,
            staged_steps=modules["run"].staged_steps,
            GroupLasso=modules["group_lasso"].GroupLasso,
            Block=modules["blocks"].Block,
            Blocks=modules["blocks"].Blocks,
            MultinomialLoss=modules["multinomial"].MultinomialLoss,
            network=modules["network"],
        )


MODULES = {
    "rmda": rmda,
    "rda": rda,
    "ramda": ramda,
    "prox_sgd": prox_sgd,
    "msgd": msgd,
    "mda": mda,
    "grda": grda,
    "prox_adam": prox_adam,
    "prox_gen": prox_gen,
    "prox_svrg": prox_svrg,
    "prox_saga": prox_saga,
    "rigl": rigl,
    "gradual_pruning": gradual_pruning,
    "run": run,
    "group_lasso": group_lasso,
    "blocks": blocks,
    "multinomial": multinomial,
    "network": network,
}
REFERENCE = Implementation.of("reference", MODULES)


@dataclass(frozen=True)
class Mutant:
    """One mistake: in ``module``, ``old`` replaced by ``new``."""

    name: str
    mistake: str
    module: str
    old: str
    new: str

    def build(self) -> Implementation:
        """The implementation that makes this mistake; LookupError if the edit no longer fits the reference."""
        return build(self)


def build(*mutants: Mutant) -> Implementation:
    """The implementation that makes all these mistakes; LookupError if an edit does not fit what the others left."""
    name = " + ".join(mutant.name for mutant in mutants)
    sources: dict[str, str] = {}
    for mutant in mutants:
        original = MODULES[mutant.module]
        source = sources.get(mutant.module) or inspect.getsource(original)
        if source.count(mutant.old) != 1:
            raise LookupError(f"mutant {mutant.name}: {mutant.old!r} must stand once in {original.__name__}")
        sources[mutant.module] = source.replace(mutant.old, mutant.new)
    return Implementation.of(name, MODULES | {module: _run(module, name, text) for module, text in sources.items()})


def _run(module: str, name: str, source: str) -> ModuleType:
    original = MODULES[module]
    edited = ModuleType(original.__name__)
    edited.__file__ = original.__file__
    exec(compile(source, f"<mutant {name}>", "exec"), edited.__dict__)
    return edited


def named(*mutants: Mutant) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants}
