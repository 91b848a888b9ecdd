"""The scenarios, from the plainest on: each isolates one thing that implementations get wrong.

The numbers in ``mistakes`` are those of `rmda_ref.crosscheck.mistake.PUBLIC`.
"""

from dataclasses import replace
from functools import cache

from rmda_ref.crosscheck.candidate import Feature
from rmda_ref.crosscheck.scenario import Scenario
from rmda_ref.crosscheck.task import Algorithm, Parameter, Penalty, Task
from rmda_ref.schedules import Stage, decayed_stages, ramped_stages

FEW, STEP = 6, 0.3


def _plain(n_steps: int = FEW, momentum: float = 1.0) -> tuple[Stage, ...]:
    return (Stage(n_steps, STEP, momentum),)


def _two(momentum: float = 1.0) -> tuple[Stage, ...]:
    return (Stage(4, STEP, momentum), Stage(4, STEP / 2, momentum))


def _vector(penalty: Penalty = "none", lam: float = 0.0) -> Parameter:
    return Parameter("vector", (8,), penalty, lam)


def _groups(name: str, shape: tuple[int, ...], axis: tuple[int, ...], lam: float = 0.12, group: int = 0) -> Parameter:
    return Parameter(name, shape, "group_lasso", lam, axis, group)


_MATRIX = _groups("matrix", (6, 5), (0,))
_BIAS = Parameter("bias", (6,), group=1)
_LAYER = (_MATRIX, _BIAS)
_IMAGE = _groups("kernel", (4, 3, 2, 2), (0, 2, 3), 0.1)
_RESTART: tuple[Feature, ...] = ("restart",)


def _skip(steps: range) -> dict[str, frozenset[int]]:
    return {"matrix": frozenset(steps)}


SCENARIOS = (
    Scenario(
        "plain",
        "the dual average alone: no penalty, no momentum",
        Task((_vector(),), _plain()),
        (),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "momentum",
        "the average of iterates, c < 1",
        Task((_vector(),), _plain(momentum=0.3)),
        (16,),
        algorithms=("rmda", "prox_sgd"),
    ),
    Scenario(
        "schedules",
        "a step size and a momentum that change in every step",
        Task((_vector(),), (Stage(FEW, lambda t: 0.4 / t**0.5, lambda t: min(0.2 * t, 1.0)),)),
        (12,),
        algorithms=("rmda", "prox_sgd"),
    ),
    Scenario(
        "l1",
        "the threshold of entries",
        Task((_vector("l1", 0.25),), _plain()),
        (),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "groups",
        "the threshold of groups, and its factor sqrt(group size)",
        Task((_MATRIX,), _plain()),
        (7, 9),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "groups with momentum",
        "the structured point beside the average: they must not share memory",
        Task((_MATRIX,), _plain(momentum=0.4)),
        (10,),
        algorithms=("rmda", "prox_sgd"),
    ),
    Scenario(
        "two parameter groups",
        "clocks of several parameter groups",
        Task(_LAYER, _plain()),
        (1,),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "skipped gradients",
        "a parameter without gradient in steps 2 to 4: it and its clock stand still",
        Task(_LAYER, _plain()),
        (2,),
        needs=("absent gradients",),
        without=_skip(range(2, 5)),
    ),
    Scenario(
        "late gradients",
        "a parameter whose first gradient comes in step 4",
        Task(_LAYER, _plain()),
        (2,),
        needs=("absent gradients",),
        without=_skip(range(1, 4)),
    ),
    Scenario(
        "zero gradients",
        "a gradient of zeros is a gradient: the clock runs, and the threshold grows",
        Task(_LAYER, _plain()),
        (),
        still=("matrix",),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "strength 0",
        "a zero group that meets the threshold 0: 0/0",
        Task((replace(_MATRIX, lam=0.0), _BIAS), _plain()),
        (3,),
        still=("matrix",),
        zeros=(1, 3),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "all-zero layer",
        "a layer all of whose groups become zero",
        Task((replace(_MATRIX, lam=2.0), _BIAS), _plain()),
        (8,),
        algorithms=("rmda", "rda", "prox_sgd"),
    ),
    Scenario(
        "restart",
        "a new stage: W^0, V, alpha and t all start anew",
        Task(_LAYER, _two()),
        (),
        _RESTART,
        algorithms=("rmda", "rda"),
    ),
    Scenario(
        "restart with momentum",
        "a new stage starts at W, not at the structured point",
        Task(_LAYER, _two(0.4)),
        (),
        _RESTART,
        algorithms=("rmda", "prox_sgd"),
    ),
    Scenario(
        "restart before a gradient",
        "a restart when a parameter has not had a gradient yet",
        Task(_LAYER, _two()),
        (4,),
        ("restart", "absent gradients"),
        without=_skip(range(1, 6)),
    ),
    Scenario(
        "3 and 5 axes",
        "penalties of tensors that are no matrices and no images",
        Task(
            (
                _groups("sequence", (4, 3, 2), (0, 2), 0.1),
                _groups("volume", (3, 3, 2, 1, 2), (0, 2, 3, 4), 0.1, group=1),
            ),
            _plain(),
        ),
        (13,),
    ),
    Scenario(
        "4 axes", "the input channels of a convolution: one norm over three axes", Task((_IMAGE,), _plain()), (5, 13)
    ),
    Scenario(
        "restart, 1 to 4 axes",
        "a new stage for tensors of every number of axes",
        Task(
            (
                _IMAGE,
                _groups("sequence", (4, 3, 2), (0, 2), 0.1, group=1),
                replace(_MATRIX, group=2),
                replace(_BIAS, group=3),
            ),
            _two(),
        ),
        (5,),
        _RESTART,
    ),
    Scenario(
        "depthwise convolution",
        "a kernel with one input channel: groups are the output channels",
        Task((_groups("depthwise", (5, 1, 2, 2), (1, 2, 3), 0.15),), _plain()),
        (13,),
    ),
    Scenario(
        "transposed convolution",
        "a kernel whose input channels come first",
        Task((_groups("transposed", (5, 3, 2, 2), (1, 2, 3), 0.1),), _plain()),
        (13,),
    ),
    Scenario(
        "embedding",
        "a matrix whose groups are its rows",
        Task((_groups("embedding", (7, 4), (1,), 0.1),), _plain()),
        (13,),
    ),
    Scenario(
        "strength as a tensor",
        "a strength that is an array: it must not be changed in place",
        Task((_MATRIX,), _plain(), array_lam=True),
        (11,),
        needs=("array strengths",),
    ),
    Scenario(
        "step size 0",
        "it must be refused, or nothing may move: no 0/0",
        Task((_MATRIX,), (Stage(3, lambda t: 0.0),)),
        (14,),
        zeros=(1,),
        verdict="refusal",
    ),
    Scenario(
        "tiny strength",
        "a strength below what float16 can hold, but for step sizes that make thresholds of it",
        Task((_vector("l1", 2.9e-8),), (Stage(3, 8192.0),)),
        (14,),
        scale=2.0**-9,
        grad_unit=2.0**-24,
        levels=4,
    ),
    Scenario(
        "strided gradients",
        "gradients that are not contiguous in memory",
        Task((_IMAGE, replace(_MATRIX, group=1)), _plain()),
        (),
        strided=True,
    ),
    Scenario(
        "checkpoint",
        "written, and read into a new optimizer, in the middle of a stage with momentum",
        Task(_LAYER, _plain(8, 0.4)),
        (15,),
        ("checkpoint",),
        resume_after=4,
    ),
    Scenario(
        "reported sparsity",
        "the share of zero groups as reported and in fact; a dead filter leaves kernels at zero",
        Task((replace(_IMAGE, lam=0.2), _BIAS), _plain()),
        (6,),
        ("sparsity",),
        dead=True,
        reports=True,
    ),
    Scenario(
        "sparsity at strength 0",
        "zero groups are zero groups also where the strength is 0",
        Task((replace(_MATRIX, lam=0.0),), _plain()),
        (6,),
        ("sparsity",),
        zeros=(1, 3),
        still=("matrix",),
        reports=True,
    ),
    Scenario(
        "closed loop",
        "gradients at the implementation's own parameters; momentum and a restart",
        Task(_LAYER, _two(0.6)),
        (),
        _RESTART,
        loop="closed",
    ),
    Scenario(
        "closure",
        "gradients asked for by step(closure): at W, not at the structured point",
        Task(_LAYER, _plain(momentum=0.4)),
        (),
        ("closure",),
        loop="closure",
        algorithms=("rmda", "prox_sgd"),
    ),
    Scenario(
        "momentum rule, per stage",
        "its own schedule: c times 1/gamma per stage, up to 1",
        Task(_LAYER, decayed_stages(STEP, 0.3, 0.5, (3, 3, 3)), rule="decayed", gamma=0.5),
        (12,),
        ("own schedule",),
    ),
    Scenario(
        "momentum rule, ramp",
        "its own schedule: c held, then min(c sqrt(k), 1) in the last stage, k = 1, 2, …",
        Task(_LAYER, ramped_stages(STEP, 0.3, 0.5, (3, 5)), rule="ramped", gamma=0.5),
        (12,),
        ("own schedule",),
    ),
    Scenario(
        "drift",
        "three thousand steps with momentum: sums kept in too few digits",
        Task((Parameter("vector", (4,), "l1", 0.05),), (Stage(3000, 0.1, 0.5),)),
        (),
        dtypes=("float64", "float32"),
        algorithms=("rmda", "prox_sgd"),
    ),
)


@cache
def scenarios(algorithm: Algorithm) -> tuple[Scenario, ...]:
    """Those that an algorithm can be asked, with its tasks."""
    asked = (scenario for scenario in SCENARIOS if algorithm in scenario.algorithms)
    return tuple(replace(scenario, task=replace(scenario.task, algorithm=algorithm)) for scenario in asked)
