"""One algorithm in training: what it does with a batch, at the start of an epoch, and between two stages."""

import dataclasses
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fused", "Player", "Pure", "Svrg"]

Array = NDArray[np.floating[Any]]


class Player(Protocol):
    @property
    def iterate(self) -> Array:
        """W, where gradients are taken."""

    @property
    def structured(self) -> Array:
        """W~, the point that is scored."""

    def begin_epoch(self, problem: Any) -> None: ...
    def advance(self, batch: Any) -> None:
        """One step."""

    def next_stage(self, restart: bool, **changes: Any) -> None:
        """Go on with other hyper-parameters, from a restart or from where the algorithm stands."""


class Fused:
    """By the in-place stepper."""

    def __init__(self, algorithm: Any, w0: Array) -> None:
        self.stepper = algorithm.stepper(w0)

    @property
    def iterate(self) -> Array:
        return np.asarray(self.stepper.iterate)

    @property
    def structured(self) -> Array:
        return np.asarray(self.stepper.state.prox_iterate)

    def begin_epoch(self, problem: Any) -> None:
        pass

    def advance(self, batch: Any) -> None:
        self.stepper.step(batch.gradient(self.stepper.iterate))

    def next_stage(self, restart: bool, **changes: Any) -> None:
        if restart:
            self.stepper.restart(**changes)
        else:
            algorithm = dataclasses.replace(self.stepper.algorithm, **changes)
            self.stepper = algorithm.stepper(self.stepper.state)


class Pure:
    """By the pure step."""

    def __init__(self, algorithm: Any, w0: Array) -> None:
        self.algorithm, self.state = algorithm, algorithm.init(w0)

    @property
    def iterate(self) -> Array:
        return np.asarray(self.state.iterate)

    @property
    def structured(self) -> Array:
        return np.asarray(self.state.prox_iterate)

    def begin_epoch(self, problem: Any) -> None:
        pass

    def advance(self, batch: Any) -> None:
        self.state = self.algorithm.step(self.state, batch.gradient(self.state.iterate))

    def next_stage(self, restart: bool, **changes: Any) -> None:
        self.algorithm = dataclasses.replace(self.algorithm, **changes)
        if restart:
            self.state = self.algorithm.restart(self.state)


class Svrg(Pure):
    """Prox-SVRG: a full gradient an epoch, and two gradients a batch."""

    def __init__(self, algorithm: Any, w0: Array) -> None:
        self.algorithm, self.w0, self.state = algorithm, w0, None

    @property
    def iterate(self) -> Array:
        return self.w0 if self.state is None else super().iterate

    @property
    def structured(self) -> Array:
        return self.iterate

    def begin_epoch(self, problem: Any) -> None:
        if self.state is None:
            self.state = self.algorithm.init(self.w0, problem.train.gradient(self.w0))
        else:
            self.state = self.algorithm.restart(self.state, problem.train.gradient(self.state.average))

    def advance(self, batch: Any) -> None:
        state = self.state
        self.state = self.algorithm.step(state, batch.gradient(state.iterate), batch.gradient(state.snapshot))

    def next_stage(self, restart: bool, **changes: Any) -> None:
        self.algorithm = dataclasses.replace(self.algorithm, **changes)
