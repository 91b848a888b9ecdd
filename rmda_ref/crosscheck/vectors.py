"""Language-neutral test vectors: JSON and .npy arrays that any program can test itself with, offline.

Nothing that a directory says is believed: answers are compared with vectors made anew, which on any two machines are
the same within their bounds. Arrays are read without pickle, and only after their header has been found to be what it
must be.
"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rmda_ref.certificates import exact_trajectory
from rmda_ref.crosscheck.candidate import Observation
from rmda_ref.crosscheck.drive import Record, plan
from rmda_ref.crosscheck.edits import EDITS
from rmda_ref.crosscheck.judge import compare, replay
from rmda_ref.crosscheck.mistake import PUBLIC, Mistake
from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.crosscheck.scenario import Scenario
from rmda_ref.crosscheck.scenarios import scenarios
from rmda_ref.crosscheck.task import at
from rmda_ref.files import write_whole
from rmda_ref.regularizers import L1, Zero

SCHEMA = 1
DTYPES = ("float64", "float32", "float16")  # of answers
_FIRST = 20  # steps of a long run on which mistakes are tried
_MOST_DIGITS = 12  # steps of an exact run: its fractions double in length every few
_INDEX_BYTES = 10_000_000

README = """\
Test vectors of rmda-ref {version}, schema {schema}.

index.json lists them: for each an id, what it isolates, the mistakes it detects, and the task: parameters (name, shape,
penalty "none", "l1" or "group_lasso", lam, axis: the axes within a group, whose strength is lam sqrt(group size)),
and stages with a step size and a momentum for each step; between two stages the algorithm restarts. A momentum of 1 is
none.

Arrays are flat: the parameters one after the other in the order of the index, each in C order; N entries, T steps.
  ID/start.npy              (N,)    parameters before the first step
  ID/grads.npy              (T, N)  the gradient of each step; "absent" in the index names the parameters that have none
                                    in some steps (there the array has zeros): they and their clocks stand still
  ID/expected.npy           (T, N)  parameters after each step, in float64
  ID/bound.DTYPE.npy        (T, N)  how far a correct implementation in DTYPE can be from them; 0 where it is exact
  ID/exact.json             where there is one: the same parameters as fractions "p/q", exact for step sizes, momenta
                            and strengths as the floats that they are, and for beta_t = sqrt(t) rounded to float64

Write what your implementation gives as answers/ID.npy, shape (T, N), float64, float32 or float16, and run
  rmda-ref vectors verify DIRECTORY
"""


class VectorError(Exception):
    """A directory that cannot be written or read; the message says why."""


@dataclass(frozen=True)
class Vector:
    """One test vector; arrays as in the README of an exported directory."""

    scenario: Scenario
    start: npt.NDArray[np.float64]
    grads: npt.NDArray[np.float64]
    expected: npt.NDArray[np.float64]
    bounds: dict[str, npt.NDArray[np.float64]]
    exact: tuple[tuple[Fraction, ...], ...] = ()

    @property
    def id(self) -> str:
        words = "".join(letter if letter.isalnum() else "-" for letter in self.scenario.name)
        return f"{self.scenario.task.algorithm}-{'-'.join(filter(None, words.split('-')))}"


@dataclass(frozen=True)
class VectorVerdict:
    """On one answer."""

    id: str
    agrees: bool
    says: str

    def __str__(self) -> str:
        return f"{'agrees ' if self.agrees else 'DEPARTS'}  {self.id}: {self.says}"


@cache
def vectors() -> tuple[Vector, ...]:
    """All vectors of this version, in the order of the scenarios."""
    found = (s for algorithm in ("rmda", "rda", "prox_sgd") for s in scenarios(algorithm))
    return tuple(_vector(scenario) for scenario in found if _plain(scenario))


def _plain(scenario: Scenario) -> bool:
    """Whether it is a matter of numbers alone, given gradients."""
    special = scenario.strided or scenario.reports or scenario.resume_after is not None
    return scenario.loop == "open" and scenario.verdict == "numbers" and not special and scenario.task.rule == "given"


def _record(scenario: Scenario, dtype: str) -> Record:
    """The reference's own gradients, with no run beside them yet."""
    return Record(scenario, replace(scenario.task, dtype=dtype), scenario.start(), plan(scenario), ())


def _vector(scenario: Scenario) -> Vector:
    names, grads = [p.name for p in scenario.task.parameters], plan(scenario)
    start = scenario.start()
    lent = [
        np.concatenate([(np.zeros(start[n].shape) if g[n] is None else g[n]).ravel() for n in names]) for g in grads
    ]
    expected: Any = None
    bounds = {}
    for dtype in DTYPES if "float16" in scenario.dtypes else DTYPES[:2]:
        states = [after for _, after in replay(_record(scenario, dtype), REFERENCE)]
        if expected is None:
            expected = [np.concatenate([np.ravel(s[n].iterate.value) for n in names]).astype(float) for s in states]
        errors = [
            np.concatenate([np.broadcast_to(s[n].iterate.error, s[n].iterate.shape).ravel() for n in names])
            for s in states
        ]
        bounds[dtype] = np.array(errors)
    flat = np.concatenate([start[name].ravel() for name in names])
    return Vector(scenario, flat, np.array(lent), np.array(expected), bounds, _exact(scenario, flat, lent))


def _exact(scenario: Scenario, start: Any, grads: list[Any]) -> tuple[tuple[Fraction, ...], ...]:
    """The iterates in rational arithmetic, where the algorithm stays rational."""
    task = scenario.task
    rational = all(p.penalty in ("none", "l1") for p in task.parameters) and len({p.lam for p in task.parameters}) == 1
    if task.algorithm != "rmda" or not rational or scenario.without or task.n_steps > _MOST_DIGITS:
        return ()
    psi, given = (L1(task.parameters[0].lam) if task.parameters[0].penalty == "l1" else Zero()), iter(grads)
    steps = exact_trajectory(psi, list(start), lambda w: list(next(given)), task.stages)
    return tuple(tuple(step.iterate) for step in steps)


@cache
def caught(scenario: Scenario) -> tuple[str, ...]:
    """The mistakes that a scenario detects, in its first twenty steps, in float64."""
    record = _record(scenario, "float64")
    record = replace(record, grads=record.grads[:_FIRST])
    return tuple(mistake.name for mistake in EDITS if _shows(mistake, record))


def _shows(mistake: Mistake, record: Record) -> bool:
    """Whether an implementation that makes the mistake departs from the reference."""
    try:
        states = [after for _, after in replay(record, mistake.on(record.task))]
    except Exception:  # a mistake that crashes here
        return True
    seen = tuple(
        Observation({n: np.asarray(s.iterate.value, dtype=float) for n, s in after.items()}) for after in states
    )
    return compare(replace(record, seen=seen), REFERENCE).departure is not None


def export(directory: Path) -> int:
    """Write all vectors into a new or empty directory; return how many there are.

    Raises VectorError if the directory holds something already.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise VectorError(f"{directory} is not empty; name a new directory")
    directory.mkdir(parents=True, exist_ok=True)
    entries = []
    for vector in vectors():
        folder = directory / vector.id
        folder.mkdir()
        arrays = {"start": vector.start, "grads": vector.grads, "expected": vector.expected}
        for name, array in {**arrays, **{f"bound.{dtype}": bound for dtype, bound in vector.bounds.items()}}.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        if vector.exact:
            write_whole(folder / "exact.json", json.dumps([list(map(str, step)) for step in vector.exact]))
        entries.append(_entry(vector))
    (directory / "answers").mkdir()
    write_whole(directory / "README.txt", README.format(version=version("rmda-ref"), schema=SCHEMA))
    index = {"schema": SCHEMA, "version": version("rmda-ref"), "vectors": entries}
    write_whole(
        directory / "index.json", json.dumps(index, indent=1) + "\n"
    )  # last: a directory with an index is whole
    return len(entries)


def _entry(vector: Vector) -> dict[str, Any]:
    scenario, task = vector.scenario, vector.scenario.task
    return {
        "id": vector.id,
        "algorithm": task.algorithm,
        "isolates": scenario.isolates,
        "flags": [{"public": number, "mistake": PUBLIC[number]} for number in scenario.mistakes],
        "detects": list(caught(scenario)),
        "exact": bool(vector.exact),
        "parameters": [
            {
                "name": p.name,
                "shape": list(p.shape),
                "penalty": p.penalty,
                "lam": p.lam,
                "axis": p.axis and list(p.axis),
            }
            for p in task.parameters
        ],
        "stages": [
            {
                "step_sizes": [at(stage.step_size, t) for t in range(1, stage.n_steps + 1)],
                "momenta": [at(stage.momentum, t) for t in range(1, stage.n_steps + 1)],
            }
            for stage in task.stages
        ],
        "absent": {name: sorted(steps) for name, steps in scenario.without.items()},
        "bounds": list(vector.bounds),
    }


def verify(directory: Path) -> list[VectorVerdict]:
    """The verdict on each answer in ``directory/answers``.

    Raises VectorError if the directory is none of ours, or of another schema.
    """
    index = directory / "index.json"
    if not _regular(index) or index.stat().st_size > _INDEX_BYTES:
        raise VectorError(f"{directory} holds no index.json of test vectors; make one with: rmda-ref vectors export")
    try:
        schema = json.loads(index.read_text(encoding="utf-8"))["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VectorError(f"{index} is damaged ({type(error).__name__}); export the vectors anew") from error
    if schema != SCHEMA:
        raise VectorError(f"{index} has schema {schema!r}, this version reads {SCHEMA}; export the vectors anew")
    return list(_verdicts(directory / "answers"))


def _verdicts(answers: Path) -> Iterator[VectorVerdict]:
    for vector in vectors():
        try:
            answer = _read(answers / f"{vector.id}.npy", vector)
        except (VectorError, OSError) as error:
            yield VectorVerdict(vector.id, False, str(error))
            continue
        off, bound = np.abs(answer.astype(np.float64) - vector.expected), vector.bounds[answer.dtype.name]
        # The expected value is itself rounded to float64.
        beyond = ~(off <= bound + np.spacing(np.abs(vector.expected)) * (bound > 0))
        if beyond.any():
            step, entry = (int(i) for i in np.argwhere(beyond)[0])
            found, expected = float(answer[step, entry]), vector.expected[step, entry]
            says = f"step {step + 1}, entry {entry}: {found:.17g}, not {expected:.17g} within {bound[step, entry]:.3g}"
            yield VectorVerdict(
                vector.id, False, f"{says}; detects {', '.join(caught(vector.scenario)) or 'nothing known'}"
            )
        else:
            yield VectorVerdict(vector.id, True, f"within the bound of {answer.dtype.name} at all {len(answer)} steps")


def _read(path: Path, vector: Vector) -> npt.NDArray[Any]:
    if not _regular(path):
        raise VectorError("no answer" if not os.path.lexists(path) else f"{path} is no regular file")
    try:
        with open(path, "rb") as file:
            major = np.lib.format.read_magic(file)[0]
            read_header = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(file)
    except (ValueError, TypeError, EOFError, SyntaxError, RecursionError, MemoryError) as error:
        raise VectorError(f"{path} is no .npy file: {type(error).__name__}") from error
    if shape != vector.expected.shape or dtype.name not in vector.bounds:
        wanted = f"shape {vector.expected.shape} in {', '.join(vector.bounds)}"
        raise VectorError(f"{path} holds shape {shape} in {dtype.name}; wanted is {wanted}")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (ValueError, EOFError, OSError) as error:
        raise VectorError(f"{path} is truncated or damaged: {error}") from error


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
