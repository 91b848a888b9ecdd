"""What a run found, and its record ``results.json``."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rmda_ref.crosscheck.mutants import REFERENCE
from rmda_ref.files import write_whole
from validation.claim import Profile
from validation.on_arrays import backend_of
from validation.parts import jsonable
from validation.verdict import Verdict
from validation.versions import VERSIONS

__all__ = ["Environment", "Findings", "environment", "write_results"]


@dataclass(frozen=True)
class Environment:
    """Where the numbers were made. ``commit`` is None outside a git checkout."""

    versions: Mapping[str, str]
    cpu: str
    cores: int
    platform: str
    commit: str | None


@dataclass(frozen=True)
class Findings:
    """All that one run found.

    Parameters
    ----------
    verdicts : one for each claim.
    profile, seed, data : what was asked for; ``data`` is the name of the data set.
    environment : the machine and the versions.
    started : when the run started, ISO 8601.
    seconds : how long this run took; what an earlier one had kept is not counted.
    subject : what was put to the claims: the reference, also on the arrays of a backend, or a user's algorithm by its
        name.
    unasked : why a claim was not put to it, by id; such a claim has no verdict.
    """

    verdicts: tuple[Verdict, ...]
    profile: Profile
    seed: int
    data: str
    environment: Environment
    started: str
    seconds: float
    subject: str = REFERENCE.name
    unasked: Mapping[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> str:
        """Whose arrays the algorithms ran on; a user's own takes NumPy's."""
        return backend_of(self.subject) or "numpy"

    @property
    def failing(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.holds)


def environment(versions: Mapping[str, str] = MappingProxyType({})) -> Environment:
    """Describe this machine and this checkout; ``versions`` of what else the numbers were made with."""
    return Environment({**VERSIONS, **versions}, _cpu(), os.cpu_count() or 1, platform.platform(), _commit())


def write_results(findings: Findings, path: Path) -> None:
    """Write the record; on one machine, two runs with the same seed differ in ``timing`` only, and in the seconds per
    epoch of what they train."""
    record = {
        "holds": not findings.failing,
        "subject": findings.subject,
        "backend": findings.backend,
        "profile": findings.profile,
        "seed": findings.seed,
        "data": findings.data,
        "claims": {verdict.claim.id: _claim(verdict) for verdict in findings.verdicts},
        "not_asked": findings.unasked,
        "environment": findings.environment,
        "timing": {
            "started": findings.started,
            "seconds": findings.seconds,
            "claims": {verdict.claim.id: _timing(verdict) for verdict in findings.verdicts},
        },
    }
    write_whole(path, json.dumps(jsonable(record), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _claim(verdict: Verdict) -> dict[str, Any]:
    measurement = verdict.reference.measurement
    return {
        "title": verdict.claim.title,
        "theorems": verdict.claim.theorems,
        "failure_probability": verdict.claim.failure_probability,
        "verdict": "holds" if verdict.holds else "fails",
        "checks": [{**jsonable(check), "holds": check.holds} for check in verdict.checks],
        "tables": measurement.tables if measurement else (),
        "note": measurement.note if measurement else "",
        "left_out": verdict.reference.left_out,
        "error": verdict.reference.error or None,
        "mutants": {
            name: {
                "fate": verdict.fate(name),
                "required": name in verdict.claim.kills,
                "by": trial.failure or None,
            }
            for name, trial in verdict.mutants.items()
        },
    }


def _timing(verdict: Verdict) -> dict[str, float]:
    trials = (verdict.reference, *verdict.mutants.values())
    return {trial.implementation: trial.seconds for trial in trials}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
