"""What a training step costs, as ratios within one run: ``python -m validation.benchmarks.training_step``.

- the gradient of `problems.mlp.MLP`, plain NumPy, over PyTorch's forward and backward of the same network on the same
  batch of 128 in float32, on one thread of the CPU; PyTorch is installed by ``make frameworks``;
- the fused step of RMDA over that of ProxSGD with momentum, on the parameters of that network with a group lasso over
  what leaves each unit, and on a layer of 10 outputs and 784 inputs with a bias; and the same with the gradient
  before either.

Candidates take turns, every second round in reverse, so that they share whatever else the machine is doing. The ratio
is the median over rounds of (candidate / other of the same round); beside it stand that of the fastest rounds, and the
median milliseconds of each.

A step of RMDA reads W, W^0, V and the gradient, and writes V and W; one of ProxSGD has no W^0 to read. Where memory is
what counts, that makes 6 against 5.
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from problems.mlp import MLP
from rmda_ref import RMDA, Block, Blocks, GroupLasso, ProxSGD, Regularizer

BATCH_SIZE = 128
NETWORKS = ((784, 300, 100, 10), (784, 512, 256, 128, 64, 32, 16, 10))
LAYER = (10, 785)
LAM, STEP_SIZE, MOMENTUM = 1e-3, 0.1, 0.1
ROUNDS, ROUNDS_LAYER = 300, 10_000
GRADIENT_BAR, STEP_BAR = 1.5, 1.1
Call = Callable[[], object]


@dataclass(frozen=True)
class Compared:
    """Two calls: the median and the least of their ratio, and the median milliseconds of each."""

    ratio: float
    of_fastest: float
    first: float
    second: float


def compare(first: Call, second: Call, rounds: int) -> Compared:
    for call in (first, second):
        call()  # compiled or loaded, and every page touched
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        if number % 2:
            later = seconds(second)
            times.append((seconds(first), later))
        else:
            times.append((seconds(first), seconds(second)))
    firsts, seconds_ = zip(*times, strict=True)
    return Compared(
        statistics.median(a / b for a, b in times),
        min(firsts) / min(seconds_),
        1e3 * statistics.median(firsts),
        1e3 * statistics.median(seconds_),
    )


def seconds(call: Call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def batch(net: MLP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters, samples and labels."""
    rng = np.random.default_rng(0)
    w = net.initial(rng, np.float32)
    X = rng.standard_normal((BATCH_SIZE, net.sizes[0]), dtype=np.float32)
    return w, X, rng.integers(0, net.sizes[-1], BATCH_SIZE)


def by_torch(net: MLP, w: np.ndarray, X: np.ndarray, y: np.ndarray) -> tuple[Call, Callable[[], np.ndarray]]:
    """Forward and backward of the same network in torch.nn; and the gradient it left, flat."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    layers: list[Any] = []
    for fan_in, fan_out in pairwise(net.sizes):
        layers += (torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU())
    model = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, block in zip(model.parameters(), net.unflatten(w).values(), strict=True):
            parameter.copy_(torch.from_numpy(block))
    samples, labels, loss = torch.from_numpy(X), torch.from_numpy(y), torch.nn.CrossEntropyLoss()

    def step() -> None:
        model.zero_grad(set_to_none=True)
        loss(model(samples), labels).backward()

    return step, lambda: np.concatenate([parameter.grad.numpy().reshape(-1) for parameter in model.parameters()])


def gradient_over_torch(net: MLP) -> Compared:
    w, X, y = batch(net)
    step, left = by_torch(net, w, X, y)
    step()
    np.testing.assert_allclose(net.gradient(w, X, y), left(), rtol=0, atol=1e-5)  # float32: they do the same
    return compare(lambda: net.gradient(w, X, y), step, ROUNDS)


def group_lasso(net: MLP) -> Blocks:
    """On the columns of each weight, that is on what leaves each unit; none on the biases."""
    psi = GroupLasso(LAM, axis=0)
    return Blocks(
        tuple(Block(name, shape, psi) if len(shape) == 2 else Block(name, shape) for name, shape in net.blocks)
    )


def rmda_over_prox_sgd(psi: Regularizer, w0: np.ndarray, grad: np.ndarray, rounds: int) -> Compared:
    rmda, proxsgd = (kind(psi, STEP_SIZE, MOMENTUM).stepper(w0) for kind in (RMDA, ProxSGD))
    return compare(lambda: rmda.step(grad), lambda: proxsgd.step(grad), rounds)


def with_gradient(net: MLP) -> Compared:
    """Whole training steps: the gradient, then the fused step."""
    w, X, y = batch(net)
    rmda, proxsgd = (kind(group_lasso(net), STEP_SIZE, MOMENTUM).stepper(w) for kind in (RMDA, ProxSGD))

    def train(stepper: Any) -> Call:
        return lambda: stepper.step(net.gradient(stepper.iterate, X, y))

    return compare(train(rmda), train(proxsgd), ROUNDS)


def main() -> None:
    console = Console()
    table = Table(title=f"Training step, float32, batch of {BATCH_SIZE}, one thread: ratios")
    for column in ("first / second", "sizes", "ratio", "fastest", "bar", "ms", "ms"):
        table.add_column(column, justify="left" if column in {"first / second", "sizes"} else "right", overflow="fold")

    def add(what: str, sizes: tuple[int, ...], found: Compared, bar: str) -> None:
        figures = (f"{found.ratio:.3f}", f"{found.of_fastest:.3f}", bar, f"{found.first:.3g}", f"{found.second:.3g}")
        table.add_row(what, "-".join(map(str, sizes)), *figures)

    networks = [MLP(sizes) for sizes in NETWORKS]
    if importlib.util.find_spec("torch"):
        for net in networks:
            add("gradient: NumPy / PyTorch", net.sizes, gradient_over_torch(net), f"<= {GRADIENT_BAR}")
    else:
        console.print("PyTorch is not installed: the gradient is not compared; `make frameworks` installs it.")
    for net in networks:
        w, X, y = batch(net)
        found = rmda_over_prox_sgd(group_lasso(net), w, net.gradient(w, X, y), ROUNDS)
        add("step: RMDA / ProxSGD", net.sizes, found, f"<= {STEP_BAR}")
    rng = np.random.default_rng(0)
    w, grad = (0.05 * rng.standard_normal(LAYER, dtype=np.float32) for _ in range(2))
    found = rmda_over_prox_sgd(GroupLasso(LAM, axis=0), w, grad, ROUNDS_LAYER)
    add("step: RMDA / ProxSGD", LAYER, found, f"<= {STEP_BAR}")
    for net in networks:
        add("both: RMDA / ProxSGD", net.sizes, with_gradient(net), "")
    console.print(table)


if __name__ == "__main__":
    main()
