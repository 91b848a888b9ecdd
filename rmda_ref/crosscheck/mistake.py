"""What a mistake is: what is done, the line of the algorithm that it breaks, how to mend it, how it is made.

Most are `edits` of the reference: run on the gradients that an implementation was given, they tell what it would have
done had it made the mistake. The others crash, or report something wrong: they are known by their `signs`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from rmda_ref.crosscheck import mutants
from rmda_ref.crosscheck.mutants import REFERENCE, Implementation, Mutant
from rmda_ref.crosscheck.task import Task

PUBLIC = {
    1: "clock and weight advance once a step, outside the loop over parameter groups",
    2: "time is kept per group, gradient sums per tensor: a tensor without gradients is thresholded as if it had some",
    3: "0/0 on a zero group where the threshold is 0",
    4: "a restart fails for a parameter that never had a gradient",
    5: "convolutions: a norm over three axes raises, or 4-D weights meet a 3-D state at the first restart",
    6: "sparsity counted per kernel while the penalty groups channels, or reported as 0 where the strength is 0",
    7: "a subproblem solved inexactly: groups that should be zero are not",
    8: "a crash when a whole layer becomes zero",
    9: "a screening mask without the factor sqrt(group size)",
    10: "a view that the solver changes in place, so that momentum is ignored",
    11: "a strength held in a tensor is multiplied in place, in every step",
    12: "the rules for the momentum of later stages differ between releases",
    13: "3-D and 5-D tensors go unpenalised; transposed convolutions, embeddings, depthwise kernels on the wrong axis",
    14: "a step size of 0 is accepted and gives NaN; strengths underflow in float16",
    15: "checkpoints that cannot be loaded, for a function is among the state",
    16: "the meaning of the momentum is reversed",
}

BETA = "beta_t = sqrt(t)"
WEIGHTED = "s_t = eta_t beta_t"
WEIGHT = "alpha_t = alpha_{t-1} + s_t"
SUM = "V^t = V^{t-1} + s_t g_t"
PROX = "W~^t = prox_{(alpha_t/beta_t) psi}(W^0 - V^t/beta_t)"
MIX = "W^t = (1 - c_t) W^{t-1} + c_t W~^t"
GRADIENT = "g_t is a gradient at W^{t-1}"
RESTART = "restart: W^0 <- W^t, V <- 0, alpha <- 0, t <- 0"
PSI = "psi(W) = lam sum_g sqrt(|g|) ||W_g||"
CLOCK = "each parameter has its own t, alpha, V; without a gradient all of them stand still"
AVERAGE = "M^t = (1 - c_t) M^{t-1} + c_t g_t"
STAGES = "eta and c of each stage"


def always(task: Task) -> bool:
    """A mistake that shows in every task."""
    return True


@dataclass(frozen=True)
class Mistake:
    """A mistake, by name.

    Attributes
    ----------
    name : short
    says : what is done
    line : of the algorithm, that it breaks
    fix : in words
    edits : of the reference, that make it; empty where it is known by signs
    concerns : the tasks in which it shows at all
    """

    name: str
    says: str
    line: str
    fix: str
    edits: tuple[Mutant, ...] = ()
    concerns: Callable[[Task], bool] = always

    @cached_property
    def parts(self) -> Implementation:
        """The implementation that makes it."""
        return mutants.build(*self.edits)

    def on(self, task: Task) -> Implementation:
        """What it makes of the reference in this task."""
        return self.parts if self.concerns(task) else REFERENCE
