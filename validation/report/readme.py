"""Put an experiment's table and picture into the README: ``python -m validation.report.readme REPORT_FOLDER``.

The table is the first of X1, between the two marks; the picture, the second of X1, is copied beside the report's code.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from rmda_ref.files import write_whole

__all__ = ["insert", "markdown"]

CLAIM, TABLE, PICTURE = "X1", 0, 2
BEGIN, END = f"<!-- {CLAIM}: written by validation.report.readme -->", f"<!-- end of {CLAIM} -->"
IMAGE = Path(__file__).with_name("experiment.svg")
README = Path(__file__).parents[2] / "README.md"


def markdown(table: dict[str, Any]) -> str:
    """A table of ``results.json`` in Markdown."""
    lines = [table["columns"], ["---"] * len(table["columns"]), *table["rows"]]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def insert(readme: str, record: dict[str, Any]) -> str:
    """The README with the table of this record (``results.json``) and its note.

    Raises
    ------
    ValueError
        If the README has no place for it, or the record lacks the experiment.
    """
    if CLAIM not in record["claims"]:
        raise ValueError(f"the run has no {CLAIM}; run it: python -m validation run --only experiments")
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README must have a line {BEGIN!r} and a line {END!r}")
    claim = record["claims"][CLAIM]
    made = f"`--profile {record['profile']}`, {claim['note']}"
    return f"{before}{BEGIN}\n{markdown(claim['tables'][TABLE])}\n\n{made}\n{END}{after}"


def main(folder: str) -> None:
    """Write the README and the picture."""
    report = Path(folder)
    record = json.loads((report / "results.json").read_text(encoding="utf-8"))
    write_whole(README, insert(README.read_text(encoding="utf-8"), record))
    shutil.copyfile(report / "pictures" / f"{CLAIM}-{PICTURE}.svg", IMAGE)


if __name__ == "__main__":
    main(*sys.argv[1:])
