"""A report as tables in the terminal."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rmda_ref.crosscheck.ball import DTYPES
from rmda_ref.crosscheck.report import Report
from rmda_ref.crosscheck.verdict import Run

_ORDER = sorted(DTYPES, key=lambda dtype: ("float64", "float32", "float16", "bfloat16").index(dtype))


def print_report(console: Console, report: Report) -> None:
    """Scenario by dtype, then what departs first, and why."""
    if report.runs:
        console.print(_verdicts(report))
    console.print(Text(str(report)), soft_wrap=True)


def _verdicts(report: Report) -> Table:
    dtypes = [dtype for dtype in _ORDER if any(run.record.task.dtype == dtype for run in report.runs)]
    table = Table(
        box=box.SIMPLE_HEAD, caption="agrees: the share of the rounding bound that was used", caption_justify="left"
    )
    table.add_column("scenario")
    for dtype in dtypes:
        table.add_column(dtype)
    rows: dict[str, dict[str, Run]] = {}
    for run in report.runs:
        rows.setdefault(run.record.scenario.name, {})[run.record.task.dtype] = run
    for name, row in rows.items():
        table.add_row(Text(name), *(verdict(row[dtype]) if dtype in row else Text("") for dtype in dtypes))
    return table


def verdict(run: Run) -> Text:
    """The verdict on a run in a few words."""
    if run.wrong:
        return Text(run.record.finding.kind if run.record.finding else "wrong", style="bold red")
    if run.comparison is None:
        return Text("refuses", style="green")
    departure = run.comparison.departure
    if departure is not None:
        return Text(f"departs at {departure.step}", style="bold red")
    return Text(f"agrees {run.comparison.worst:.2f}", style="green")
