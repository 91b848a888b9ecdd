"""The mistakes that implementations make, each as a small edit of the reference's own source.

A mutant cannot drift away from the reference: its edit must match the source exactly once, or building it fails.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from rmda_ref.algorithms import prox_sgd, rda, rmda, run


@dataclass(frozen=True)
class Implementation:
    """All that a claim runs: the algorithms, and the loops that take the gradient at the iterate."""

    name: str
    RMDA: Callable[..., Any]
    RDA: Callable[..., Any]
    ProxSGD: Callable[..., Any]
    steps: Callable[..., Any]
    staged_steps: Callable[..., Any]

    @classmethod
    def of(cls, name: str, modules: dict[str, ModuleType]) -> "Implementation":
        return cls(
            name,
            RMDA=modules["rmda"].RMDA,
            RDA=modules["rda"].RDA,
            ProxSGD=modules["prox_sgd"].ProxSGD,
            steps=modules["run"].steps,
            staged_steps=modules["run"].staged_steps,
        )


MODULES = {"rmda": rmda, "rda": rda, "prox_sgd": prox_sgd, "run": run}
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
        original = MODULES[self.module]
        source = inspect.getsource(original)
        if source.count(self.old) != 1:
            raise LookupError(f"mutant {self.name}: {self.old!r} must stand once in {original.__name__}")
        edited = ModuleType(original.__name__)
        edited.__file__ = original.__file__
        code = compile(source.replace(self.old, self.new), f"<mutant {self.name}>", "exec")
        exec(code, edited.__dict__)
        return Implementation.of(self.name, {**MODULES, self.module: edited})


_SCALE = "scale = math.sqrt(t)"
_WEIGHTED_STEP = "step_size_at(self.step_size, t) * scale"
_PROX_STEP = "weight / scale, momentum"
_CENTRE = "state.anchor - grad_sum / now.scale"
_AVERAGE = "(1 - now.momentum) * state.iterate + now.momentum * prox_iterate"
_RESET = "weight=0.0, t=0)\n\n    def unpack"


def _named(*mutants: Mutant) -> dict[str, Mutant]:
    return {mutant.name: mutant for mutant in mutants}


# Seen in any run that leaves its anchor, with no regularizer and no restart.
STEP_MUTANTS = _named(
    Mutant("beta1", "beta_t = 1", "rmda", _SCALE, "scale = 1.0"),
    Mutant("s_eta", "s_t = eta_t", "rmda", _WEIGHTED_STEP, "step_size_at(self.step_size, t)"),
    Mutant("beta_next", "beta_t = sqrt(t + 1)", "rmda", _SCALE, "scale = math.sqrt(t + 1)"),
    Mutant("center_prev", "centre W^{t-1}", "rmda", _CENTRE, "state.iterate - grad_sum / now.scale"),
    Mutant("sign", "centre W^0 + V/beta", "rmda", _CENTRE, "state.anchor + grad_sum / now.scale"),
    Mutant("V_noscale", "centre W^0 - V", "rmda", _CENTRE, "state.anchor - grad_sum"),
    Mutant(
        "c_swap",
        "c and 1 - c swapped",
        "rmda",
        _AVERAGE,
        "now.momentum * state.iterate + (1 - now.momentum) * prox_iterate",
    ),
    Mutant(
        "c_late",
        "average with W^0",
        "rmda",
        _AVERAGE,
        "(1 - now.momentum) * state.anchor + now.momentum * prox_iterate",
    ),
    Mutant("grad_at_prox", "gradient at W~", "run", "gradient(state.iterate))", "gradient(state.prox_iterate))"),
)

# Seen only with a regularizer.
PROX_MUTANTS = _named(
    Mutant("alpha_prev", "prox with alpha_{t-1}", "rmda", _PROX_STEP, "(weight - weighted_step) / scale, momentum"),
    Mutant("thr_alpha", "prox with alpha", "rmda", _PROX_STEP, "weight, momentum"),
    Mutant("thr_eta", "prox with eta", "rmda", _PROX_STEP, "step_size_at(self.step_size, t), momentum"),
)

# Seen only after a restart.
RESTART_MUTANTS = _named(
    Mutant("norst_anchor", "restart keeps W^0", "rmda", "anchor = state.iterate\n", "anchor = state.anchor\n"),
    Mutant(
        "norst_V",
        "restart keeps V",
        "rmda",
        "grad_sum = namespace(anchor).zeros_like(anchor)",
        "grad_sum = state.grad_sum",
    ),
    Mutant("norst_alpha", "restart keeps alpha", "rmda", _RESET, _RESET.replace("0.0", "state.weight")),
    Mutant("norst_t", "restart keeps t", "rmda", _RESET, _RESET.replace(" t=0", " t=state.t")),
)

RMDA_MUTANTS = STEP_MUTANTS | PROX_MUTANTS | RESTART_MUTANTS
MUTANTS = RMDA_MUTANTS | _named(
    Mutant(
        "proxsgd_thr_one",
        "ProxSGD: prox with 1 for eta",
        "prox_sgd",
        "grad_average, now.prox_step",
        "grad_average, 1.0",
    ),
    Mutant("rda_no_gamma", "RDA: beta_t = sqrt(t)", "rda", "self.gamma * math.sqrt(t)", "math.sqrt(t)"),
)
