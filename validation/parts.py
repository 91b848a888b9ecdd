"""Trials on disk: one JSON file each, written whole or not at all, and read back only under the same key."""

import hashlib
import importlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rmda_ref.files import write_whole
from validation.claim import Check, Curve, Gallery, Measurement, Picture, Setting, Table
from validation.trial import Trial
from validation.versions import VERSIONS

__all__ = ["fingerprint", "jsonable", "recall", "store"]

_SOURCES = ("rmda_ref", "problems", "validation")


def fingerprint(setting: Setting) -> str:
    """Hash of all that a trial may depend on: our sources, the versions of the libraries, the setting."""
    digest = hashlib.sha256(repr((VERSIONS, setting.seed, setting.profile, setting.data)).encode())
    for package in _SOURCES:
        for folder in importlib.import_module(package).__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                content = path.read_bytes()
                digest.update(f"{package} {path.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def jsonable(value: Any) -> Any:
    """Dataclasses, mappings, sequences and NumPy values as valid JSON; non-finite numbers become strings."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case np.ndarray() | np.generic():
            return jsonable(value.tolist())
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple() | range():
            return [jsonable(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: jsonable(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"cannot write {type(value).__name__} {value!r} as JSON")


def store(path: Path, key: str, trial: Trial) -> None:
    """Write a trial; a measurement that JSON cannot hold, or that would not read back, is an error of the trial."""
    try:
        content = jsonable(trial)
        _trial(content)
    except (TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: the measurement cannot be kept: {error}"
        content = jsonable(replace(trial, measurement=None, error=reason))
    write_whole(path, json.dumps({"key": key, "trial": content}, allow_nan=False))


def recall(path: Path, key: str) -> Trial | None:
    """Read a trial back; None where there is none, or a damaged one, or one under another key."""
    try:
        part = json.loads(path.read_text(encoding="utf-8"))
        return _trial(part["trial"]) if part["key"] == key else None
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _trial(part: dict[str, Any]) -> Trial:
    measurement = part["measurement"]
    return Trial(**{**part, "measurement": measurement and _measurement(measurement)})


def _measurement(part: dict[str, Any]) -> Measurement:
    return Measurement(
        checks=tuple(
            Check(quantity=quantity, **{name: float(value) for name, value in figures.items()})
            for quantity, figures in (
                (check["quantity"], {name: check[name] for name in check if name != "quantity"})
                for check in part["checks"]
            )
        ),
        pictures=tuple(_picture(picture) for picture in part["pictures"]),
        tables=tuple(
            Table(tuple(table["columns"]), tuple(tuple(row) for row in table["rows"])) for table in part["tables"]
        ),
        note=part["note"],
        galleries=tuple(
            Gallery(**{**gallery, "panels": tuple(_picture(panel) for panel in gallery["panels"])})
            for gallery in part["galleries"]
        ),
    )


def _picture(part: dict[str, Any]) -> Picture:
    marks = tuple(map(float, part["marks"]))
    return Picture(**{**part, "curves": tuple(_curve(curve) for curve in part["curves"]), "marks": marks})


def _curve(part: dict[str, Any]) -> Curve:
    return Curve(part["label"], tuple(map(float, part["x"])), tuple(map(float, part["y"])), part["kind"])
