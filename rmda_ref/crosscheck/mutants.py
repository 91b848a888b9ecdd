"""The mistakes that implementations make, each as a small edit of the reference's own source."""

from rmda_ref.crosscheck.baseline_mutants import BASELINE_MUTANTS
from rmda_ref.crosscheck.implementation import MODULES, REFERENCE, Implementation, Mutant, build, named

__all__ = [
    "BASELINE_MUTANTS",
    "FURTHER_MUTANTS",
    "LAYER_MUTANTS",
    "LOOP_MUTANTS",
    "MODULES",
    "MUTANTS",
    "PROX_MUTANTS",
    "RAMDA_MUTANTS",
    "REFERENCE",
    "RESTART_MUTANTS",
    "RMDA_MUTANTS",
    "STEP_MUTANTS",
    "Implementation",
    "Mutant",
    "build",
    "named",
]

_SCALE = "scale = math.sqrt(t)"
_WEIGHTED_STEP = "step_size_at(self.step_size, t) * scale"
_PROX_STEP = "weight / scale, momentum"
_CENTRE = "state.anchor - grad_sum / now.scale"
_AVERAGE = "(1 - now.momentum) * state.iterate + now.momentum * prox_iterate"
_RESET = "weight=0.0, t=0)\n\n    def unpack"


# Seen in any run that leaves its anchor, with no regularizer and no restart.
STEP_MUTANTS = named(
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
    Mutant("grad_at_prox", "gradient at W~", "run", "gradient(state.iterate)", "gradient(state.prox_iterate)"),
)

# Seen only with a regularizer.
PROX_MUTANTS = named(
    Mutant("alpha_prev", "prox with alpha_{t-1}", "rmda", _PROX_STEP, "(weight - weighted_step) / scale, momentum"),
    Mutant("thr_alpha", "prox with alpha", "rmda", _PROX_STEP, "weight, momentum"),
    Mutant("thr_eta", "prox with eta", "rmda", _PROX_STEP, "step_size_at(self.step_size, t), momentum"),
)

# Seen only after a restart.
RESTART_MUTANTS = named(
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

_V = "state.grad_sum + now.weighted_step * grad"
_PROX = "prox_iterate = self.regularizer.prox(state.anchor - grad_sum / now.scale, now.prox_step)"

# Seen in a run with a regularizer, momentum that varies, and restarts.
LOOP_MUTANTS = named(
    Mutant(
        "weight_decay",
        "weight decay leaks into g",
        "rmda",
        _V,
        "state.grad_sum + now.weighted_step * (grad + 0.01 * state.iterate)",
    ),
    Mutant("V_float32", "V accumulated in float32", "rmda", _V, f"({_V}).astype('float32').astype(grad.dtype)"),
    Mutant(
        "c_prev",
        "c_{t-1} for c_t",
        "rmda",
        "momentum_at(self.momentum, t)",
        "momentum_at(self.momentum, max(t - 1, 1))",
    ),
    Mutant(
        "prox_after_mixing",
        "prox of the average",
        "rmda",
        _PROX,
        "centre = state.anchor - grad_sum / now.scale\n        prox_iterate = self.regularizer.prox("
        "(1 - now.momentum) * state.iterate + now.momentum * centre, now.prox_step)",
    ),
    Mutant(
        "restart_late",
        "first restart a step late",
        "run",
        "gradient, stage.n_steps)",
        "gradient, stage.n_steps + (k == 0))",
    ),
    Mutant(
        "skip_ticks",
        "a skipped step advances the clock",
        "run",
        "state if grad is None else algorithm.step(state, grad)",
        "algorithm.step(state, 0 * state.iterate if grad is None else grad)",
    ),
)

# Seen in a layer of a network that is trained on batches.
LAYER_MUTANTS = named(
    Mutant("no_sqrt_size", "group weights lack sqrt(size)", "group_lasso", "np.sqrt(self.layout.sizes(shape))", "1.0"),
    Mutant("group_axis", "groups along the other axis", "group_lasso", "Rows(self.axis)", "Rows(1 - self.axis)"),
    Mutant(
        "bias_penalised",
        "bias regularised",
        "blocks",
        "field(default_factory=Zero)",
        "field(default_factory=lambda: __import__('rmda_ref').L1(0.05))",
    ),
    Mutant(
        "batch_sum",
        "gradient summed over the batch",
        "multinomial",
        "gradients[np.arange(len(y)), y] -= 1\n        return gradients",
        "gradients[np.arange(len(y)), y] -= 1\n        return gradients * len(y)",
    ),
)

_SQUARES = "state.square_sum + weighted_step * grad * grad"

# Seen in a run of RAMDA with a regularizer.
RAMDA_MUTANTS = named(
    Mutant("ramda_sqrt", "RAMDA: P = sqrt(U)", "ramda", "square_sum ** (1 / 3)", "square_sum ** (1 / 2)"),
    Mutant("ramda_unweighted", "RAMDA: U = sum of g^2", "ramda", _SQUARES, "state.square_sum + grad * grad"),
    Mutant("ramda_no_eta", "RAMDA: no eta in U", "ramda", _SQUARES, "state.square_sum + math.sqrt(t) * grad * grad"),
    Mutant(
        "ramda_alpha_prev",
        "RAMDA: prox with alpha_{t-1}",
        "ramda",
        "centre, weight, metric",
        "centre, state.weight, metric",
    ),
)

FURTHER_MUTANTS = LOOP_MUTANTS | LAYER_MUTANTS
MUTANTS = RMDA_MUTANTS | FURTHER_MUTANTS | RAMDA_MUTANTS | BASELINE_MUTANTS
