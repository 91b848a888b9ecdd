"""A record beside the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from rmda_ref.crosscheck.drive import Record
from rmda_ref.crosscheck.judge import Comparison


@dataclass(frozen=True)
class Run:
    """A record beside the reference; ``comparison`` is None where a refusal was asked for."""

    record: Record
    comparison: Comparison | None
    wrong: str = ""  # what is wrong besides numbers

    @property
    def agrees(self) -> bool:
        return not self.wrong and (self.comparison is None or self.comparison.departure is None)


def departures(runs: Sequence[Run]) -> list[Run]:
    """Those that depart in numbers, the plainest first."""
    return [run for run in runs if run.comparison is not None and run.comparison.departure is not None]
