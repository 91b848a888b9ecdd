"""Training runs on disk: one npz file each, without pickle, written whole or not at all, read under the same key."""

import ast
import hashlib
import importlib
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rmda_ref.files import write_whole
from validation.training.run import History, Training, train
from validation.versions import VERSIONS

__all__ = ["Store"]

# What a run is made of. Reports, claims and certificates may change without a run becoming another one.
_SOURCES = (
    "rmda_ref.algorithms",
    "rmda_ref.backends",
    "rmda_ref.kernels",
    "rmda_ref.layout",
    "rmda_ref.losses",
    "rmda_ref.regularizers",
    "rmda_ref.schedules",
    "problems.augmentation",
    "problems.data",
    "problems.image_network",
    "problems.mlp",
    "problems.multinomial_regression",
    "validation.training.denormals",
    "validation.training.methods",
    "validation.training.player",
    "validation.training.run",
    "validation.training.task",
)


@cache
def _made_of() -> str:
    """Hash of the code above, without comments and docstrings, and of the versions of the libraries."""
    digest = hashlib.sha256(repr(VERSIONS).encode())
    for name in _SOURCES:
        origin = Path(importlib.import_module(name).__file__ or "")
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for path in files:
            digest.update(f"{name} {path.name} {_code(path)}\n".encode())
    return digest.hexdigest()


def _code(path: Path) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


class Store:
    """The runs in a folder; without one, those of this process, in memory.

    Parameters
    ----------
    folder : Path, optional
        Made when the first run is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._read: dict[Training, History] = {}

    def recall(self, training: Training) -> History | None:
        """A kept run; None where there is none, or a damaged one."""
        if training not in self._read and self.folder is not None:
            history = _load(self.folder / f"{_key(training)}.npz")
            if history is not None:
                self._read[training] = history
        return self._read.get(training)

    def history(self, training: Training, progress: Callable[[float], None] = lambda fraction: None) -> History:
        """The run: as it was kept, or else performed and kept."""
        history = self.recall(training)
        if history is None:
            history = self._read[training] = train(training, progress)
            if self.folder is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                write_whole(self.folder / f"{_key(training)}.npz", _written(training, history))
        return history

    def missing(self, trainings: Iterable[Training]) -> tuple[Training, ...]:
        """Those that are not kept yet, each once."""
        return tuple(each for each in dict.fromkeys(trainings) if self.recall(each) is None)


def _key(training: Training) -> str:
    return hashlib.sha256(f"{training!r} {_made_of()}".encode()).hexdigest()[:32]


def _written(training: Training, history: History) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {field.name: getattr(history, field.name) for field in fields(history)}
    np.savez_compressed(buffer, training=repr(training), **arrays)
    return buffer.getvalue()


def _load(path: Path) -> History | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            found = {field.name: kept[field.name] for field in fields(History)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return History(**found | {name: int(found[name]) for name in ("n_parts", "size")})
