"""A14. Every algorithm equals another implementation of it, written apart from its paper, on the same gradients.

The other implementations (`validation.oracles.optimizers`) were written by an author who had not seen these. They hold
every gradient of the run and compute each point anew from the whole history, with prox operators of their own. The
gradients are recorded: random ones, the same for both. Prox-SVRG and prox-SAGA ask for gradients of components, which
are those of a least-squares problem.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rmda_ref import L1, GroupLasso, Layer
from rmda_ref.crosscheck.mutants import BASELINE_MUTANTS, RAMDA_MUTANTS, REFERENCE, Implementation
from validation.claim import Check, Claim, Curve, Measurement, Picture, Setting
from validation.on_arrays import offered
from validation.oracles import optimizers as apart

BAR = 1e-10
N_SEEDS, N_STEPS, SHAPE, N_COMPONENTS = 2, 60, (4, 5), 6
LAM = 0.15
PENALTIES = {"l1": (L1(LAM), apart.AbsoluteValues(LAM)), "groups": (GroupLasso(LAM, axis=0), apart.ColumnNorms(LAM))}

Array = np.ndarray
Pair = tuple[Array, Array]  # ours and theirs, (T, ...)
Compared = Callable[["Inputs", Any, Any, Any], Pair]


class Inputs:
    """What both implementations are given."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.w0 = rng.standard_normal(SHAPE)
        self.grads = rng.standard_normal((N_STEPS, *SHAPE)) + 0.5 * rng.standard_normal(SHAPE)
        self.etas = rng.uniform(0.05, 0.4, N_STEPS)
        self.momenta = rng.uniform(0.1, 1.0, N_STEPS)
        self.indices = rng.integers(N_COMPONENTS, size=N_STEPS).tolist()
        self.rows = rng.standard_normal((N_COMPONENTS, *SHAPE))
        self.targets = rng.standard_normal(N_COMPONENTS)

    def eta(self, t: int) -> float:
        return float(self.etas[t - 1])

    def c(self, t: int) -> float:
        return float(self.momenta[t - 1])

    def component(self, i: int, w: Array) -> Array:
        return np.asarray((float((self.rows[i] * w).sum()) - self.targets[i]) * self.rows[i])


def _run(algorithm: Any, w0: Array, grads: Array, steps: Any) -> Array:
    """Iterates and structured points, side by side."""
    given = iter(grads)
    states = steps(algorithm, algorithm.init(w0), lambda w: next(given), len(grads))
    return np.array([np.stack((state.iterate, state.prox_iterate)) for state in states])


def _both(points: Any) -> Array:
    iterate, structured = points if isinstance(points, tuple) else (points, points)
    return np.stack((iterate, structured), axis=1)


def _msgd(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.MSGD(x.eta, x.c), x.w0, x.grads, ours.steps)
    return found, _both(apart.msgd(x.w0, x.grads, x.etas, 1 - x.momenta))


def _mda(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.MDA(x.eta, x.c), x.w0, x.grads, ours.steps)
    return found, _both(apart.mda(x.w0, x.grads, x.etas, x.momenta))


def _rmda(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.RMDA(psi, x.eta, x.c), x.w0, x.grads, ours.steps)
    return found, _both(apart.rmda(x.w0, x.grads, x.etas, x.momenta, penalty))


def _rda(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    return _run(ours.RDA(psi, 1.7), x.w0, x.grads, ours.steps), _both(apart.rda(x.w0, x.grads, 1.7, penalty))


def _ramda(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.RAMDA(psi, x.eta, x.c, epsilon=1e-3), x.w0, x.grads, ours.steps)
    return found, _both(apart.ramda(x.w0, x.grads, x.etas, x.momenta, 1e-3, penalty))


def _prox_sgd(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.ProxSGD(psi, x.eta, x.c), x.w0, x.grads, ours.steps)
    return found, _both(apart.prox_sgd(x.w0, x.grads, x.etas, x.momenta, penalty))


def _prox_adam(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.ProxAdam(psi, x.eta, 0.2, 0.05, 1e-3, 0.3), x.w0, x.grads, ours.steps)
    return found, _both(apart.prox_adam(x.w0, x.grads, x.etas, 0.8, 0.95, 1e-3, 0.3, penalty))


def _prox_gen(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.ProxGen(psi, x.eta, x.c, 0.05, 1e-3), x.w0, x.grads, ours.steps)
    return found, _both(apart.prox_gen(x.w0, x.grads, x.etas, 1 - x.momenta, 0.95, 1e-3, penalty))


def _grda(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    found = _run(ours.GRDA(psi, 0.2, 0.7, 0.6), x.w0, x.grads, ours.steps)
    return found, _both(apart.grda(x.w0, x.grads, 0.2, 0.7, 0.6, penalty))


def _prox_svrg(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    algorithm = ours.ProxSVRG(psi, 0.05)
    epochs = [x.indices[k : k + 20] for k in range(0, N_STEPS, 20)]

    def full(w: Array) -> Array:
        return np.asarray(np.mean([x.component(i, w) for i in range(N_COMPONENTS)], axis=0))

    state, found = algorithm.init(x.w0, full(x.w0)), []
    for number, epoch in enumerate(epochs):
        if number:
            # The full gradient is asked for where the next epoch begins, wherever that is.
            start = algorithm.restart(state, np.zeros(SHAPE)).snapshot
            state = algorithm.restart(state, full(start))
        for i in epoch:
            state = algorithm.step(state, x.component(i, state.iterate), x.component(i, state.snapshot))
            found.append(np.stack((state.iterate, state.prox_iterate)))
    theirs = apart.prox_svrg(x.component, N_COMPONENTS, x.w0, 0.05, epochs, penalty)
    return np.array(found), _both(theirs)


def _prox_saga(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    algorithm = ours.ProxSAGA(psi, 0.05)
    state, found = algorithm.init(x.w0, np.array([x.component(i, x.w0) for i in range(N_COMPONENTS)])), []
    for i in x.indices:
        state = algorithm.step(state, x.component(i, state.iterate), i)
        found.append(np.stack((state.iterate, state.prox_iterate)))
    return np.array(found), _both(apart.prox_saga(x.component, N_COMPONENTS, x.w0, 0.05, x.indices, penalty))


def _rigl(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    size = x.w0.size
    algorithm = ours.RigL((Layer(size, 0.4),), x.eta, x.c, 7, 50, 0.6, 3)
    w0, grads = x.w0.reshape(-1), x.grads.reshape(N_STEPS, -1)
    theirs = apart.rigl(w0, algorithm.init(w0).mask, grads, x.etas, 1 - x.momenta, 7, 50, 0.6)
    return _run(algorithm, w0, grads, ours.steps), _both(theirs)


def _pruning(x: Inputs, ours: Implementation, psi: Any, penalty: Any) -> Pair:
    algorithm = ours.GradualPruning((Layer(x.w0.size, 0.3),), x.eta, x.c, 10, 5, 6)
    w0, grads = x.w0.reshape(-1), x.grads.reshape(N_STEPS, -1)
    theirs = apart.gradual_pruning(w0, grads, x.etas, 1 - x.momenta, 0.7, 10, 6, 5)
    return _run(algorithm, w0, grads, ours.steps), _both(theirs)


ALGORITHMS: Mapping[str, Compared] = {
    "RMDA": _rmda,
    "MDA": _mda,
    "RDA": _rda,
    "GRDA": _grda,
    "RAMDA": _ramda,
    "MSGD": _msgd,
    "ProxSGD": _prox_sgd,
    "ProxAdam": _prox_adam,
    "ProxGen": _prox_gen,
    "ProxSVRG": _prox_svrg,
    "ProxSAGA": _prox_saga,
    "RigL": _rigl,
    "GradualPruning": _pruning,
}
WITHOUT_PENALTY = ("MDA", "MSGD", "RigL", "GradualPruning")


def measure(implementation: Implementation, setting: Setting) -> Measurement:
    inputs = [Inputs(setting.rng("A14", k)) for k in range(N_SEEDS)]
    checks, curves = [], []
    for name, compare in _asked(implementation).items():
        penalties = list(PENALTIES.values())[: 1 if name in WITHOUT_PENALTY else 2]
        pairs = [compare(x, implementation, *penalty) for x in inputs for penalty in penalties]
        apart_by = np.max([_apart(*pair) for pair in pairs], axis=0)
        checks.append(Check.at_most(f"{name}: largest difference", apart_by.max(), BAR))
        curves.append(Curve(name, range(1, N_STEPS + 1), apart_by.tolist(), "path"))
    title = "Two implementations of each algorithm stay together"
    bar = Curve("bar", (1,), (BAR,), "bar")
    picture = Picture(title, "step t", "largest difference / size", (*curves, bar), yscale="log")
    return Measurement(tuple(checks), (picture,))


def _asked(implementation: Implementation) -> Mapping[str, Compared]:
    """All algorithms of the reference; of a mutant, or on a backend, those that are not the reference's own."""
    if implementation is REFERENCE:
        return ALGORITHMS
    touched = {name: f for name, f in ALGORITHMS.items() if getattr(implementation, name) != getattr(REFERENCE, name)}
    return {name: ALGORITHMS[name] for name in offered(implementation, touched or ALGORITHMS)}


def _apart(ours: Array, theirs: Array) -> Array:
    """The largest difference of an entry at each step, relative to the largest entry of the run."""
    differences = np.abs(ours - theirs).reshape(len(ours), -1).max(axis=1)
    return np.asarray(differences / max(1.0, np.abs(theirs).max()))


CLAIM = Claim(
    id="A14",
    title="Two implementations of each algorithm",
    statement=(
        "RMDA, MDA, RDA, gRDA, RAMDA, MSGD, ProxSGD, ProxAdamW, ProxGen, prox-SVRG, prox-SAGA, RigL and gradual "
        "pruning give the iterates and structured points of a second implementation, written apart from the papers, on "
        "the same gradients: l1 norm and group lasso, step sizes and momenta that change at every step."
    ),
    source=(
        "The papers named in the docstrings of rmda_ref.algorithms; the second implementations: "
        "validation/oracles/optimizers"
    ),
    bar=(
        "1e-10: sums over 60 steps differ by 60 roundings of their terms, 1e-14, and the division by a metric of at "
        "least 1e-3 may raise that a thousandfold. A decision (a zero, a mask) within rounding of its threshold would "
        "differ by more; with these random numbers none is."
    ),
    measure=measure,
    kills=(*BASELINE_MUTANTS, *RAMDA_MUTANTS),
    theorems=("rda", "ramda", "no-identification"),
    failure_probability=0.0,
)
