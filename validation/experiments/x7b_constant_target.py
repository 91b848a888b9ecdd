"""X7b. A ReLU network is trained towards a constant: RMDA takes out every weight, for good, and the bias finds it.

The group lasso acts on the columns of every layer's weights, not on the biases. All weights 0 and the output's bias at
the constant xi is the minimum of F, with a known F*, and F has no other stationary point (problems/constant_target.py:
the proof, dead units included). There f has no gradient in the weights: the margin is the full strength of psi.

ProxSGD beside it. Weights that are all 0 stay 0 as long as every gradient of the output's weights is at most lam; it is
(b_L - xi - e) relu(b_{L-1}), e the mean label noise of the batch. Without label noise b_L -> xi geometrically, and
ProxSGD identifies as well, sooner than RMDA, whose pull to W^0 must fade first: what fails ProxSGD elsewhere is the
noise of a gradient at the solution, and here there is none. With label noise there is, unless all units of the last
hidden layer are dead; the chance that a step leaves 0 is then a Gaussian tail, known from the point where it starts.
Weights that leave 0 move the hidden biases, and those that come to lie low stay there: exits become rarer with time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from scipy.special import dawsn
from scipy.stats import norm

from problems.constant_target import ConstantTarget
from rmda_ref import Block, Blocks, GroupLasso
from rmda_ref.crosscheck.mutants import Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting, Table
from validation.separation import Outcome, curves, last_wrong_step, seeds_right_throughout, shown_steps
from validation.uncoupled_law import is_out

N_SEEDS, N_STEPS = (6, 50), (1300, 4000)  # quick, full
SIZES, CONSTANT, BATCH = (4, 8, 8), 1.0, 8
LAM, STEP_SIZE = 0.2, 0.2
NOISE = 1.5  # standard deviation of the labels, where they are noisy
REMAINDER, FLOOR, MOST_SIGMAS = 0.03, 0.15, 5.0  # bars: of the bias without and with label noise, of ProxSGD's exits
ALGORITHMS: dict[str, Callable[[Implementation, Any], Any]] = {
    "RMDA, c = 1": lambda implementation, psi: implementation.RMDA(psi, STEP_SIZE),
    "RMDA, c = 0.1": lambda implementation, psi: implementation.RMDA(psi, STEP_SIZE, 0.1),
    "ProxSGD": lambda implementation, psi: implementation.ProxSGD(psi, STEP_SIZE),
}


@dataclass(frozen=True, eq=False)
class Run(Outcome):
    """Of one algorithm; W~ is *right* where it has no weight.

    Attributes
    ----------
    error : (n_steps, n_seeds), b_L - xi
    reach : (n_steps, n_seeds), the largest relu(b_{L-1})
    """

    error: np.ndarray
    reach: np.ndarray


def regularizer(problem: ConstantTarget) -> Blocks:
    """The columns of the weights, nothing of the biases."""
    weights = [shape for shape in problem.shapes if len(shape) == 3]
    biases = sum(prod(shape) for shape in problem.shapes if len(shape) == 2)
    columns = [Block(f"W{layer}", shape, GroupLasso(LAM, axis=1)) for layer, shape in enumerate(weights, 1)]
    return Blocks((*columns, Block("biases", (biases,))))


def run(
    algorithm: Any, problem: ConstantTarget, start: np.ndarray, n_steps: int, implementation: Implementation, rng: Any
) -> Run:
    right, error, reach = [], [], []
    for state in implementation.steps(
        algorithm, algorithm.init(start), lambda w: problem.noisy_gradient(w, rng), n_steps
    ):
        weights, biases = problem.parts(state.prox_iterate)
        right.append(~np.any([weight.any(axis=(1, 2)) for weight in weights], axis=0))
        error.append(biases[-1][:, 0] - CONSTANT)
        reach.append(np.maximum(biases[-2], 0).max(axis=1))
    return Run(np.array(right), state.prox_iterate, np.array(error), np.array(reach))


def exits(found: Run, label_noise: float) -> tuple[int, np.ndarray]:
    """How often ProxSGD left the structure, and the chances that it would, at each step that starts there.

    With m = b_L - xi and e normal, a step leaves iff |m - e| reach > lam.
    """
    before, after = found.right[:-1], found.right[1:]
    deviation, error, reach = label_noise / np.sqrt(BATCH), found.error[:-1][before], found.reach[:-1][before]
    error, reach = error[reach > 0], reach[reach > 0]  # where all units are dead it stays
    room = LAM / reach
    return int((before & ~after).sum()), norm.sf((room - error) / deviation) + norm.sf((room + error) / deviation)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    n_steps, runs = setting.size(*N_STEPS), dict[float, dict[str, Run]]()
    problems = {noise: ConstantTarget(setting.size(*N_SEEDS), SIZES, CONSTANT, noise, BATCH) for noise in (0.0, NOISE)}
    start = problems[0.0].random_start(setting.rng("X7b", "start"))
    for noise, problem in problems.items():
        runs[noise] = {}
        for name, algorithm in ALGORITHMS.items():
            made = algorithm(implementation, regularizer(problem))
            runs[noise][name] = run(made, problem, start, n_steps, implementation, setting.rng("X7b", noise))
            setting.progress(sum(map(len, runs.values())) / (len(problems) * len(ALGORITHMS)))
    first = problems[0.0].parts(start)[1][-1][:, 0] - CONSTANT
    law = predicted(problems[0.0], start, n_steps)
    titles = (
        "Without label noise RMDA takes out every weight; ProxSGD does so sooner, its gradients being exact in the end",
        "With label noise RMDA takes out every weight and keeps it out; ProxSGD's come back, more and more rarely",
    )
    ylabel = "seeds without a weight, fraction"
    pictures = [
        Picture(title, "step t", ylabel, (law, *curves(dict(found))), xscale="log")
        for title, found in zip(titles, runs.values(), strict=True)
    ]
    pictures.append(bias_picture({noise: found["RMDA, c = 1"] for noise, found in runs.items()}, first))
    checks = (*exact_checks(runs[0.0], first), *noisy_checks(runs[NOISE]))
    return Measurement(checks, tuple(pictures), (table(problems, runs),))


def structure_check(label: str, found: Run) -> Check:
    """No weight on any seed."""
    seeds, n_seeds = seeds_right_throughout(found.right), found.right.shape[1]
    return Check(f"{label}: seeds right (T0 = {last_wrong_step(found.right)})", n_seeds, seeds, n_seeds, n_seeds)


def exact_checks(exact: dict[str, Run], first: np.ndarray) -> list[Check]:
    """Without label noise; ``first`` : b_L - xi of each seed at the start."""
    result = [structure_check(f"no label noise, {name}", found) for name, found in exact.items()]
    n_steps = len(exact["ProxSGD"].right)
    for name in ("RMDA, c = 1", "RMDA, c = 0.1"):
        ratio = 2 * STEP_SIZE * n_steps * exact[name].error[-1] / first
        furthest = ratio[np.argmax(np.abs(ratio - 1))]
        quantity = f"no label noise, {name}: 2 eta t (b - xi)/(b^0 - xi), furthest seed"
        result.append(Check.within(quantity, 1.0, furthest, REMAINDER))
    return result


def noisy_checks(noisy: dict[str, Run]) -> list[Check]:
    """With label noise."""
    result = [structure_check(f"label noise, {name}", found) for name, found in noisy.items() if name != "ProxSGD"]
    n_steps, n_seeds = noisy["ProxSGD"].right.shape
    held = seeds_right_throughout(noisy["ProxSGD"].right)
    result.append(Check("label noise, ProxSGD: seeds right", 0, held, 0, n_seeds / 2))
    rms = np.sqrt(np.mean(noisy["RMDA, c = 1"].error[n_steps // 2 :] ** 2))
    result.append(
        Check.within("label noise, RMDA, c = 1: rms of b - xi over its floor", 1.0, rms / floor(NOISE), FLOOR)
    )
    count, chances = exits(noisy["ProxSGD"], NOISE)
    sigmas = (count - chances.sum()) / np.sqrt(np.sum(chances * (1 - chances)))
    quantity = f"label noise, ProxSGD: its {count} exits less the {chances.sum():.0f} predicted, deviations"
    return [*result, Check.within(quantity, 0.0, sigmas, MOST_SIGMAS)]


def floor(label_noise: float) -> float:
    """Standard deviation of b_L - xi of RMDA with c = 1, in the end (claim B2)."""
    return label_noise * float(np.sqrt(STEP_SIZE / BATCH / (2 - STEP_SIZE)))


def predicted(problem: ConstantTarget, start: np.ndarray, n_steps: int) -> Curve:
    """As if f had no gradient in the weights before they are out, either: the pull to W^0 against psi."""
    groups = [weight.transpose(0, 2, 1) for weight in problem.parts(start)[0]]
    steps = shown_steps(n_steps)
    nothing = np.zeros(1)  # neither gradient nor noise
    out = [
        [is_out(g, nothing, nothing, LAM * np.sqrt(g.shape[-1]), STEP_SIZE, t) for g in groups] for t in steps
    ]  # step, layer, seed
    chance = np.all(out, axis=1).mean(axis=1).tolist()
    return Curve("RMDA, predicted as if f had no gradient in the weights", steps, chance, "predicted")


def bias_picture(found: dict[float, Run], first: np.ndarray) -> Picture:
    """Between two shown steps: root mean squares over steps and seeds."""
    steps = np.array(shown_steps(len(found[0.0].error)))
    z = STEP_SIZE * steps
    forgotten = np.sqrt(np.mean(first**2)) * dawsn(np.sqrt(z)) / np.sqrt(z)
    lines, points = [], []
    for noise, outcome in found.items():
        label = f"label noise {noise:g}"
        line = np.hypot(forgotten, floor(noise)).tolist()
        squares = np.add.reduceat(np.mean(outcome.error**2, axis=1), steps - 1) / np.diff(steps, append=steps[-1] + 1)
        lines.append(Curve(f"predicted without weights, {label}", steps.tolist(), line, "predicted"))
        points.append(Curve(f"RMDA, c = 1, {label}", steps.tolist(), np.sqrt(squares).tolist()))
    title = "RMDA's bias goes to the constant like 1/(2 eta t), down to a floor where labels are noisy"
    return Picture(title, "step t", "|b - xi|, root mean square", (*lines, *points), xscale="log", yscale="log")


def table(problems: dict[float, ConstantTarget], runs: dict[float, dict[str, Run]]) -> Table:
    rows = []
    for noise, problem in problems.items():
        psi = regularizer(problem)
        for name, outcome in runs[noise].items():
            half, w = len(outcome.right) // 2, outcome.final
            wrong = float((~outcome.right[half:]).mean())
            left = sum(int(np.count_nonzero(weight)) for weight in problem.parts(w)[0]) / problem.n_seeds
            rms = float(np.sqrt(np.mean(outcome.error[half:] ** 2)))
            gap = (problem.value(w) + psi.value(w) - problem.optimal_value) / problem.n_seeds
            rows.append((f"{noise:g}", name, wrong, left, rms, gap))
    columns = (
        "label noise",
        "algorithm",
        "steps with a weight, last half",
        f"weights in the end of {sum(a * b for a, b in pairwise((*SIZES, 1)))}, mean",
        "|b - xi|, rms of the last half",
        "F(W~) - F*, mean",
    )
    return Table(columns, tuple(rows))


CLAIM = Claim(
    id="X7b",
    title="ReLU network towards a constant",
    statement=(
        "A ReLU network (4-8-8-1) is trained towards a constant, with a group lasso on the columns of its weights and "
        "none on its biases; the minimum is known, and F has no other stationary point. From a random start W~ of "
        "RMDA, c = 1 and c = 0.1, has no weight left at every step after a finite one, and its last bias goes to the "
        "constant: it is off by (b^0 - xi)/(2 eta t) without label noise, and by the floor of claim B2 with it. "
        "ProxSGD does as RMDA without label noise, for its gradients become exact; with it, weights leave 0 and come "
        "back, as often as a Gaussian tail says (which is less and less often, as the hidden biases move)."
    ),
    source=(
        "Huang & Lee (ICLR 2022), manifold identification; constant targets: Jentzen & Riekert (ZAMP 2022) and "
        "Hutzenthaler et al. (arXiv 2112.07369), for SGD without psi; the stationary points and ProxSGD's chances are "
        "derived in problems/constant_target.py and here"
    ),
    bar=(
        f"Every seed ({N_SEEDS[0]} quick, {N_SEEDS[1]} full) of RMDA right at every step after the first tenth of "
        f"{N_STEPS[0]} (quick) or {N_STEPS[1]} steps, and of ProxSGD without label noise; with it at most half of "
        "ProxSGD's (a seed whose last hidden units are dead, or nearly, holds). The bias: 2 eta t (b - xi)/(b^0 - xi) "
        f"within {REMAINDER} of 1 (left out are 1/(2 eta t), 0.002 in the quick profile, the momentum, and the "
        f"gradients before the weights were out); its floor within {FLOOR:.0%}, some six deviations of a root mean "
        f"square over half the steps of 6 seeds. ProxSGD's exits, events of known chances, within {MOST_SIGMAS:g} "
        "deviations of their sum (6e-7 for a normal variable). That RMDA is right after a tenth is an observation, "
        "with no probability: set after pilots of 500 seeds, in which RMDA was last wrong at step 93 and ProxSGD, "
        "under label noise, held on 20."
    ),
    measure=measure,
    theorems=("identification", "no-identification", "dynamics"),
    failure_probability=None,
)
