"""The mistakes that are made by editing the reference, each a line or two of its own source.

Those that claims of the testbed catch too are in `rmda_ref.crosscheck.mutants`.
"""

from collections.abc import Callable

from rmda_ref.crosscheck.mistake import (
    AVERAGE,
    BETA,
    CLOCK,
    MIX,
    PROX,
    PSI,
    RESTART,
    STAGES,
    SUM,
    WEIGHT,
    WEIGHTED,
    Mistake,
    always,
)
from rmda_ref.crosscheck.mutants import MUTANTS, Mutant
from rmda_ref.crosscheck.task import Task


def _known(name: str, line: str, fix: str, concerns: Callable[[Task], bool] = always) -> Mistake:
    mutant = MUTANTS[name]
    return Mistake(name, mutant.mistake, line, fix, (mutant,), concerns)


def _new(
    name: str, says: str, line: str, fix: str, *edits: tuple[str, str, str], concerns: Callable[[Task], bool] = always
) -> Mistake:
    made = tuple(Mutant(name, says, module, old, new) for module, old, new in edits)
    return Mistake(name, says, line, fix, made, concerns)


_STEP = "state if grad is None else algorithms[name].step(state, grad)"
_CLOCKS = '{field: getattr(%s, field) for field in ("t", "weight") if field in state.__dataclass_fields__}'
_REPLACE = '__import__("dataclasses").replace'
_ROOT = "return np.sqrt(self.layout.sizes(shape))"

EDITS = (
    _known("beta1", BETA, "divide V by sqrt(t), and weigh gradients by eta sqrt(t)"),
    _known("s_eta", WEIGHTED, "weigh the gradient by eta sqrt(t), not by eta"),
    _known("beta_next", BETA, "count t from 1 at the first step, for both the weight and the scale"),
    _known("center_prev", PROX, "subtract V/beta from the start of the stage W^0, not from the last iterate"),
    _known("sign", PROX, "V/beta is subtracted"),
    _known("V_noscale", PROX, "divide V by beta_t before the prox"),
    _known("c_swap", MIX, "the momentum c is the weight of the *new* point: 1 means no momentum"),
    _known("c_late", MIX, "average with the last iterate, not with W^0"),
    _known("alpha_prev", WEIGHT, "add s_t to alpha before the prox"),
    _known("thr_alpha", PROX, "the strength of the prox is alpha/beta, not alpha"),
    _known("thr_eta", PROX, "the strength of the prox is alpha/beta, not eta: it grows with t"),
    _known("norst_anchor", RESTART, "set W^0 to the present iterate"),
    _known("norst_V", RESTART, "set V to zero"),
    _known("norst_alpha", RESTART, "set alpha to zero"),
    _known("norst_t", RESTART, "set t to zero"),
    _known("weight_decay", SUM, "no weight decay in the gradient: psi is for the prox alone"),
    _known(
        "V_float32", SUM, "keep V in the dtype of the parameter or a wider one", lambda task: task.dtype == "float64"
    ),
    _known("c_prev", MIX, "use the momentum of this step: set it before the step, not after"),
    _known("prox_after_mixing", PROX, "take the prox of W^0 - V/beta first, and average after"),
    _known("no_sqrt_size", PSI, "multiply the strength of a group by sqrt(number of its entries)"),
    _known("proxsgd_thr_one", "W^t = prox_{eta_t psi}(W^{t-1} - eta_t M^t)", "the strength of the prox is eta"),
    _known("rda_no_gamma", "beta_t = gamma sqrt(t)", "multiply by gamma"),
    _new(
        "c_swap_below_1",
        "c and 1 - c swapped, except where c = 1",
        MIX,
        "the momentum c is the weight of the *new* point",
        (
            "rmda",
            "(1 - now.momentum) * state.iterate + now.momentum * prox_iterate",
            "prox_iterate if momentum_at(self.momentum, now.t) == 1 else "
            "now.momentum * state.iterate + (1 - now.momentum) * prox_iterate",
        ),
    ),
    _new(
        "proxsgd_c_swap",
        "ProxSGD: c and 1 - c swapped",
        AVERAGE,
        "the momentum c is the weight of the *new* gradient: 1 means none",
        (
            "prox_sgd",
            "now.decay * state.grad_average + now.weighted_step * grad",
            "now.weighted_step * state.grad_average + now.decay * grad",
        ),
    ),
    _new(
        "proxsgd_undamped",
        "ProxSGD: M = (1 - c) M + g",
        AVERAGE,
        "multiply the new gradient by c",
        ("prox_sgd", "state.grad_average + now.weighted_step * grad", "state.grad_average + grad"),
    ),
    _new(
        "rda_beta1",
        "RDA: beta_t = gamma",
        "beta_t = gamma sqrt(t)",
        "multiply gamma by sqrt(t)",
        ("rda", "float(self.gamma) * math.sqrt(t)", "float(self.gamma)"),
    ),
    _new(
        "rda_mean_lost",
        "RDA: the gradient in place of the sum",
        "G^t = G^{t-1} + g_t",
        "sum the gradients",
        ("rda", "grad_sum = state.grad_sum + grad", "grad_sum = grad * float(now.t)"),
    ),
    _new(
        "c_ignored",
        "momentum is ignored: W^t = W~^t",
        MIX,
        "the prox must not write into the memory of the parameter (a view does): copy W^0 - V/beta first",
        ("rmda", "(1 - now.momentum) * state.iterate + now.momentum * prox_iterate", "prox_iterate"),
    ),
    _new(
        "clock_last_group",
        "only the last parameter group's clock advances",
        CLOCK,
        "advance t and alpha inside the loop over parameter groups (check the indentation)",
        (
            "network",
            f"following[name] = {_STEP}",
            f"following[name] = after = {_STEP}\n"
            f"        if parameter.group != task.parameters[-1].group and grad is not None:\n"
            f"            following[name] = {_REPLACE}(after, **{_CLOCKS % 'state'})",
        ),
    ),
    _new(
        "clock_runs",
        "the clock of a parameter without gradient runs on",
        CLOCK,
        "keep t and alpha per parameter, beside V",
        (
            "network",
            _STEP,
            f"{_REPLACE}(state, **{_CLOCKS % 'algorithms[name].tick(state.t, state.weight)'}) "
            "if grad is None else algorithms[name].step(state, grad)",
        ),
    ),
    _new(
        "none_is_zero",
        "a missing gradient is taken for one of zeros",
        CLOCK,
        "leave a parameter without gradient as it is",
        ("network", _STEP, "algorithms[name].step(state, 0 * state.iterate if grad is None else grad)"),
    ),
    _new(
        "zero_is_none",
        "a gradient of zeros is taken for a missing one",
        CLOCK,
        "step wherever there is a gradient, zero or not: the threshold grows with t",
        (
            "network",
            _STEP,
            "state if grad is None or not __import__('numpy').any(grad.value) else algorithms[name].step(state, grad)",
        ),
    ),
    _new(
        "no_restart",
        "a restart changes nothing",
        RESTART,
        "start the stage anew: set W^0, V, alpha and t",
        ("network", "algorithms[name].restart(state) for", "state for"),
    ),
    _new(
        "restart_at_prox",
        "a restart from the structured point",
        RESTART,
        "W^0 is the iterate W, the average",
        ("rmda", "anchor = state.iterate\n", "anchor = state.prox_iterate\n"),
    ),
    _new(
        "restart_late",
        "the first restart comes a step late",
        RESTART,
        "restart before the first step of the new stage",
        (
            "network",
            "return task.stages",
            "return (__import__('dataclasses').replace(task.stages[0], n_steps=task.stages[0].n_steps + 1),"
            " *task.stages[1:]) if len(task.stages) > 1 else task.stages",
        ),
    ),
    _new(
        "screen_no_sqrt",
        "groups are screened without sqrt(group size); the others are scaled without a clip",
        PSI,
        "the mask needs the same threshold as the prox, sqrt(group size) included",
        (
            "group_lasso",
            _ROOT,
            'self.__dict__["root"] = np.sqrt(self.layout.sizes(shape))\n        return self.__dict__["root"]',
        ),
        (
            "group_lasso",
            "    kernel = group_soft_threshold\n",
            "    kernel = lambda norm, strength, root: (norm - strength) / norm * (norm > strength / root)\n"
            '    parameters = property(lambda self: (self.__dict__["root"],))\n',
        ),
    ),
    _new(
        "lam_grows",
        "the strength is multiplied by sqrt(group size) in place, again in every step",
        PSI,
        "write lam * sqrt(size), not lam *= sqrt(size): a tensor is changed in place",
        (
            "group_lasso",
            _ROOT,
            'self.__dict__["n"] = self.__dict__.get("n", 0) + 1\n'
            '        return np.sqrt(self.layout.sizes(shape)) ** self.__dict__["n"]',
        ),
        concerns=lambda task: task.array_lam,
    ),
    _new(
        "lam_float16",
        "strengths are kept in float16, where they underflow",
        PSI,
        "keep strengths and step sizes as Python numbers or in float32",
        ("network", "lam, axis = parameter.lam,", "lam, axis = float(__import__('numpy').float16(parameter.lam)),"),
        concerns=lambda task: task.dtype == "float16",
    ),
    _new(
        "ramp_from_2",
        "the momentum ramp begins at k = 2",
        STAGES,
        "min(c sqrt(k), 1) with k = 1 in the first step",
        ("network", "first=1", "first=2"),
    ),
    _new(
        "decay_for_ramp",
        "c times 1/gamma per stage, where a ramp in the last stage is asked",
        STAGES,
        "hold c, and ramp it in the last stage",
        ("network", 'if task.rule == "decayed"', 'if task.rule != "given"'),
    ),
    _new(
        "ramp_for_decay",
        "a momentum ramp in the last stage, where c times 1/gamma per stage is asked",
        STAGES,
        "multiply c by 1/gamma at each restart, up to 1",
        ("network", 'if task.rule == "decayed"', 'if task.rule == "none"'),
        ("network", 'task.rule == "ramped"', 'task.rule != "given"'),
    ),
    _new(
        "ranks_unpenalised",
        "tensors of 3 and 5 axes go unpenalised",
        PSI,
        "take the axes from the task, not from the number of axes",
        (
            "network",
            '    if parameter.penalty == "l1":',
            '    if len(parameter.shape) in (3, 5):\n        return Zero()\n    if parameter.penalty == "l1":',
        ),
    ),
    _new(
        "axis_from_rank",
        "groups always run along axis 1 (all other axes within a group)",
        PSI,
        "transposed convolutions, embeddings and depthwise kernels have their channels on axis 0: ask for the axes",
        (
            "network",
            "parameter.lam, parameter.axis\n",
            "parameter.lam, parameter.axis and tuple(a for a in range(len(parameter.shape)) if a != 1)\n",
        ),
    ),
    _new(
        "axis_complement",
        "groups along the other axes",
        PSI,
        "axis names the axes *within* a group",
        (
            "network",
            "parameter.lam, parameter.axis\n",
            "parameter.lam, parameter.axis\n"
            "    axis = axis and tuple(a for a in range(len(parameter.shape)) if a not in axis)\n",
        ),
    ),
    _new(
        "bias_penalised",
        "biases are penalised like the other entries",
        PSI,
        "give biases no penalty",
        ("network", "return Zero()", "return L1(max(p.lam for p in task.parameters))"),
    ),
)
