"""Any language: a program that answers JSON lines on stdin with JSON lines on stdout (see `PROTOCOL`)."""

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from rmda_ref.crosscheck.candidate import QUANTITIES, Candidate, Feature, Grads, Misbehaviour, Observation, checked
from rmda_ref.crosscheck.task import Arrays, Task, at

PROTOCOL = """\
The process protocol, version 1
===============================

rmda-ref starts your program once and writes requests to its standard input, one JSON object a line. Your program
answers each with one JSON object on one line of its standard output, flushed. Standard error is yours. Arrays are
nested lists in C order, numbers decimal with enough digits to be exact; a parameter without a gradient has null.

  -> {"op": "hello", "version": 1}
  <- {"dtypes": ["float64"], "features": ["restart", "absent gradients"]}
     dtypes among float16, bfloat16, float32, float64: what your program computes in.
     features: which of the requests below, and of null gradients ("absent gradients"), it can answer.

  -> {"op": "begin", "dtype": "float64", "algorithm": "rmda",
      "parameters": [{"name": "weight", "shape": [6, 4], "penalty": "group_lasso", "lam": 0.25, "axis": [0],
                      "start": [[0.5, ...], ...]}, ...],
      "stages": [{"step_sizes": [0.3, ...], "momenta": [1.0, ...]}, ...]}
  <- {}
     Forget everything; a new run. penalty is "none", "l1" or "group_lasso"; axis are the axes within a group, whose
     strength is lam sqrt(number of entries of a group). A momentum of 1 is no momentum. For "rda" a step size is
     1/gamma.

  -> {"op": "step", "step_size": 0.3, "momentum": 1.0, "grads": {"weight": [[...], ...], "bias": null}}
  <- {"params": {"weight": [[...], ...], "bias": [...]}}
     One step. Optional in the answer: "grad_sum" and "prox_iterate", objects like "params".

  -> {"op": "restart"}     <- {}                    feature "restart": a new stage begins
  -> {"op": "save"}        <- {"state": anything}   feature "checkpoint"
  -> {"op": "load", "state": anything}   <- {}      after a new "begin"; the state as it was given
  -> {"op": "sparsity"}    <- {"sparsity": 0.25}    feature "sparsity": the share of zero groups

An answer {"error": "why"} ends the scenario. The end of standard input ends the program.
"""


class ProcessCandidate(Candidate):
    """A program in any language, started with the given command (a list of words)."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = [command] if isinstance(command, str) else list(command)
        self.dtypes = ()
        self._features: tuple[str, ...] = ()
        self._start_program()

    def _start_program(self) -> None:
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise Misbehaviour("import", f"the program {self._command[0]!r} cannot be started: {error}") from error

    def greet(self) -> None:
        """Ask what it can do."""
        hello = self._ask(op="hello", version=1)
        dtypes, features = hello.get("dtypes"), hello.get("features", [])
        if not isinstance(dtypes, list) or not dtypes or not isinstance(features, list):
            raise Misbehaviour("garbage", f"hello must be answered with lists of dtypes and features, got {hello}")
        self.dtypes, self._features = tuple(map(str, dtypes)), tuple(map(str, features))

    def _ask(self, **request: Any) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            line = stdout.readline()
        except (OSError, ValueError) as error:
            raise Misbehaviour("raises", f"the program ended at {request['op']!r} ({error})") from error
        if not line:
            status = self._process.wait()
            raise Misbehaviour("raises", f"the program ended at {request['op']!r}, with status {status}")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Misbehaviour(
                "garbage", f"{request['op']!r} was answered with {line.strip()[:80]!r}, no JSON"
            ) from error
        if not isinstance(answer, dict):
            raise Misbehaviour(
                "garbage", f"{request['op']!r} was answered with a {type(answer).__name__}, no JSON object"
            )
        if "error" in answer:
            raise Misbehaviour("raises", f"the program answered {request['op']!r} with the error {answer['error']!r}")
        return answer

    def begin(self, task: Task, start: Arrays) -> None:
        if self._process.poll() is not None:  # it ended in the scenario before
            self._start_program()
        self._task, self._start = task, start
        self._ask(op="begin", dtype=task.dtype, algorithm=task.algorithm, parameters=self._told(), stages=_stages(task))

    def _told(self) -> list[dict[str, Any]]:
        return [
            {"name": p.name, "shape": p.shape, "penalty": p.penalty, "lam": p.lam, "axis": p.axis}
            | {"start": self._start[p.name].tolist()}
            for p in self._task.parameters
        ]

    def step(self, grads: Grads, step_size: float, momentum: float) -> Observation:
        lists = {name: None if grad is None else grad.tolist() for name, grad in grads.items()}
        answer = self._ask(op="step", step_size=step_size, momentum=momentum, grads=lists)
        shown = {quantity: self._arrays(answer, quantity) for quantity in QUANTITIES if quantity in answer}
        return Observation(self._arrays(answer, "params"), shown)

    def _arrays(self, answer: dict[str, Any], key: str) -> Arrays:
        given = answer.get(key)
        if not isinstance(given, dict) or given.keys() != {p.name for p in self._task.parameters}:
            raise Misbehaviour("garbage", f"'step' must be answered with {key!r}, an object with every parameter")
        arrays = {}
        for p in self._task.parameters:
            try:
                array = np.asarray(given[p.name], dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise Misbehaviour("garbage", f"{key} of {p.name!r} is no nested list of numbers: {error}") from error
            arrays[p.name] = checked(p.name, array, p.shape, "float64")
        return arrays

    def restart(self) -> None:
        self._ask(op="restart")

    def resume(self) -> None:
        state = self._ask(op="save").get("state")
        self._ask(
            op="begin",
            dtype=self._task.dtype,
            algorithm=self._task.algorithm,
            parameters=self._told(),
            stages=_stages(self._task),
        )
        self._ask(op="load", state=state)

    def sparsity(self) -> float:
        answer = self._ask(op="sparsity").get("sparsity")
        if not isinstance(answer, int | float):
            raise Misbehaviour("garbage", f"'sparsity' was answered with {answer!r}, no number")
        return float(answer)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was still to be written has no reader
                    pipe.close()

    def lacks(self, feature: Feature) -> str:
        if feature in ("closure", "own schedule", "array strengths"):
            return "the process protocol has no such thing"
        return "" if feature in self._features else f"the program does not name the feature {feature!r}"


def _stages(task: Task) -> list[dict[str, list[float]]]:
    return [
        {
            "step_sizes": [at(stage.step_size, t) for t in range(1, stage.n_steps + 1)],
            "momenta": [at(stage.momentum, t) for t in range(1, stage.n_steps + 1)],
        }
        for stage in task.stages
    ]
