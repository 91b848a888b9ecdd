"""A12. A layer of a network is trained as Algorithm 1 says, seen from outside and sample by sample.

The parameter is a weight matrix, (out, in), with a group lasso on its columns, and a bias without regularizer; the
gradient is a mean over a batch; now and then a batch does not use the layer at all, and no gradient comes. Let k count
the gradients that came. By the optimality of the subproblem, with V = sum s_i g_i, alpha = sum s_i and
s_i = eta sqrt(i) over these alone, the columns j of W~ satisfy, with u = -(V + sqrt(k) (W~ - W^0))/alpha,

    u_j = lam sqrt(out) W~_j / ||W~_j||  where W~_j != 0,      ||u_j|| <= lam sqrt(out)  where W~_j = 0,

and u = 0 on the bias. The gradient of one sample (x, y) is p x^T on the weight and p on the bias, p = softmax - e_y.
"""

import math
from dataclasses import dataclass

import numpy as np

from rmda_ref.crosscheck.mutants import LAYER_MUTANTS, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting

BAR = 1e-12
N_SEEDS, N_STEPS = 10, 60
N_OUT, N_IN, N_SAMPLES, BATCH = 3, 6, 40, 8
LAM, STEP_SIZE, MOMENTUM = 0.05, 0.4, 0.6
ABSENT = 4  # every fourth batch has no gradient for the layer
QUANTITIES = ("columns of the weight", "bias", "steps without a gradient")


@dataclass(frozen=True, eq=False)
class Samples:
    """What the layer learns from; a batch is an array of indices."""

    x: np.ndarray
    y: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Samples":
        x = rng.standard_normal((N_SAMPLES, N_IN))
        return cls(x, np.argmax(x[:, :N_OUT] + 0.5 * rng.standard_normal((N_SAMPLES, N_OUT)), axis=1))

    def gradient(self, w: np.ndarray, batch: np.ndarray) -> np.ndarray:
        """The mean of the gradients of single samples, from the formula: flat, weight before bias."""
        weight, bias = _parts(w)
        total = np.zeros_like(w)
        for i in batch:
            scores = weight @ self.x[i] + bias
            p = np.exp(scores - scores.max())
            p /= p.sum()
            p[self.y[i]] -= 1
            total += np.concatenate([np.outer(p, self.x[i]).reshape(-1), p])
        return total / len(batch)


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    residuals = np.array([_residuals(implementation, setting.rng("A12", k)) for k in range(N_SEEDS)]).max(axis=0)
    curves = [
        Curve(name, range(1, N_STEPS + 1), row.tolist()) for name, row in zip(QUANTITIES, residuals.T, strict=True)
    ]
    bar = Curve("bar", (1,), (BAR,), "bar")
    title = "A layer's columns, bias and skipped steps follow Algorithm 1, to rounding"
    return Measurement(
        tuple(Check.at_most(name, row.max(), BAR) for name, row in zip(QUANTITIES, residuals.T, strict=True)),
        (Picture(title, "batch", "largest residual / size of the terms", (*curves, bar), yscale="log"),),
    )


def _residuals(implementation: Implementation, rng: np.random.Generator) -> np.ndarray:
    """After each batch: of the columns, of the bias, and how far a step without a gradient moved."""
    samples, start = Samples.draw(rng), rng.standard_normal(N_OUT * N_IN + N_OUT)
    weight = implementation.Block("weight", (N_OUT, N_IN), implementation.GroupLasso(LAM, axis=0))
    psi = implementation.Blocks((weight, implementation.Block("bias", (N_OUT,))))
    loss = implementation.MultinomialLoss(samples.x, samples.y, fit_intercept=True, n_classes=N_OUT)
    batches = rng.integers(N_SAMPLES, size=(N_STEPS, BATCH))
    points: list[np.ndarray] = []

    def gradient(w: np.ndarray) -> np.ndarray | None:
        points.append(w)
        if len(points) % ABSENT == 0:
            return None
        found = loss.gradient(np.column_stack(_parts(w)), batches[len(points) - 1])
        return np.concatenate([found[:, :-1].reshape(-1), found[:, -1]])

    algorithm = implementation.RMDA(psi, STEP_SIZE, MOMENTUM)
    before = algorithm.init(start)
    rows, count, grad_sum, weight_sum = [], 0, np.zeros_like(start), 0.0
    for t, state in enumerate(implementation.steps(algorithm, before, gradient, N_STEPS), 1):
        moved = 0.0
        if t % ABSENT:
            count += 1
            s = STEP_SIZE * math.sqrt(count)
            grad_sum, weight_sum = grad_sum + s * samples.gradient(points[-1], batches[t - 1]), weight_sum + s
        else:
            moved = float(
                np.abs(state.iterate - before.iterate).max() + np.abs(state.prox_iterate - before.prox_iterate).max()
            )
        found, before = np.asarray(state.prox_iterate), state
        dual = -(grad_sum + math.sqrt(count) * (found - start)) / weight_sum
        size = np.linalg.norm(grad_sum) / weight_sum + np.linalg.norm(start)
        columns, bias = _distances(found, dual)
        rows.append((columns / size, bias / size, moved))
    return np.array(rows)


def _distances(w: np.ndarray, u: np.ndarray) -> tuple[float, float]:
    """From ``u`` to the subdifferential at ``w``, on the weight and on the bias."""
    (weight, _), (dual, rest) = _parts(w), _parts(u)
    strength = LAM * math.sqrt(N_OUT)
    norms = np.linalg.norm(weight, axis=0)
    along = dual - strength * weight / np.where(norms > 0, norms, 1)
    beyond = np.maximum(np.linalg.norm(dual, axis=0) - strength, 0)
    distances = np.where(norms > 0, np.linalg.norm(along, axis=0), beyond)
    return float(np.linalg.norm(distances)), float(np.linalg.norm(rest))


def _parts(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight (out, in) and bias of a flat parameter."""
    return w[: N_OUT * N_IN].reshape(N_OUT, N_IN), w[N_OUT * N_IN :]


CLAIM = Claim(
    id="A12",
    title="A layer, sample by sample",
    statement=(
        "On a layer with a group lasso on the columns of its weight (strength lam sqrt(out) each), a free bias, "
        "gradients that are means over batches, and batches without a gradient, every W~ solves the subproblem of "
        "Algorithm 1 over the gradients that came; a batch without one changes nothing."
    ),
    source="Huang & Lee (ICLR 2022), Algorithm 1, group lasso on input channels; derived in the file of the claim",
    bar=(
        "A handful of roundings relative to the size of the terms, 1e-15; a column near zero turns by the rounding "
        "over its norm: a margin of 1000. A skipped step must change no bit, and is held to the same bar."
    ),
    measure=measure,
    kills=(*LAYER_MUTANTS, "skip_ticks"),
    runs=(*LAYER_MUTANTS, "skip_ticks", "beta1", "thr_eta"),
    theorems=("algorithm",),
    failure_probability=0.0,
)
