"""A report as one self-contained page, with each departure drawn against the rounding bound."""

import io
from base64 import b64encode
from typing import Any

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure  # without pyplot: nothing global, and no display is asked for
from matplotlib.ticker import MaxNLocator

from rmda_ref.crosscheck.judge import deviations
from rmda_ref.crosscheck.mistake import Mistake
from rmda_ref.crosscheck.report import Report, conclusion, place
from rmda_ref.crosscheck.verdict import Run, departures

_MOST_PICTURES = 6
_STYLE: Any = {"font.size": 12, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False}
_STYLE |= {"axes.grid": True, "axes.axisbelow": True, "grid.color": "#E2E2E2", "svg.hashsalt": "rmda-ref"}


def render(report: Report) -> str:
    """The page as text."""
    pages = Environment(
        loader=PackageLoader("rmda_ref.crosscheck", "."),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first = {run.record.scenario.name: run for run in reversed(departures(report.runs))}
    shown = list(reversed(first.values()))[:_MOST_PICTURES]
    drawn = [(run, _data_uri(picture(run, report.diagnosis.named)), _told(run)) for run in shown]
    dtypes = list(dict.fromkeys(run.record.task.dtype for run in report.runs))
    rows: dict[str, dict[str, Run]] = {}
    for run in report.runs:
        rows.setdefault(run.record.scenario.name, {})[run.record.task.dtype] = run
    return pages.get_template("template.html").render(
        report=report, rows=rows, dtypes=dtypes, drawn=drawn, conclusion="\n".join(conclusion(report)), verdict=_verdict
    )


def _told(run: Run) -> str:
    assert run.comparison is not None and run.comparison.departure is not None
    return "\n".join(line.strip() for line in place(run.comparison.departure))


def _verdict(run: Run) -> str:
    if run.wrong:
        return run.record.finding.kind if run.record.finding else "wrong"
    if run.comparison is None:
        return "refuses"
    departure = run.comparison.departure
    return f"departs at step {departure.step}" if departure else f"{run.comparison.worst:.2f} of the bound"


def picture(run: Run, named: tuple[Mistake, ...] = ()) -> Figure:
    """How far the run is from the reference at each step, beside the bound and what a named mistake predicts."""
    assert run.comparison is not None
    found, bound = np.array(run.comparison.deviations), np.array(run.comparison.bounds)
    t = np.arange(1, len(found) + 1)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.5, 4.6), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(t, _shown(bound), color="#595959", linestyle="--", linewidth=1.6, label="what rounding can do")
        for mistake in (m for m in named if m.edits and m.concerns(run.record.task)):
            predicted = deviations(run.record, mistake.parts)[: len(t)]
            if any(predicted):
                axes.plot(
                    t[: len(predicted)],
                    _shown(np.array(predicted)),
                    color="#000000",
                    linewidth=1.8,
                    label=f"predicted: {mistake.name}",
                )
        look: Any = {"markersize": 7, "markerfacecolor": "none", "markeredgewidth": 1.6}
        axes.plot(t, _shown(found), "o", color="#D55E00", label="found", **look)
        if np.any(found > 0):
            axes.set_yscale("log", nonpositive="mask")
        axes.set_title(
            f"{run.record.scenario.name}, {run.record.task.dtype}: the entry furthest beyond its bound",
            loc="left",
            fontsize=13,
        )
        axes.set_xlabel("step")
        axes.set_ylabel("distance from the reference")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def _shown(y: Any) -> Any:
    return np.where(y > 0, y, np.nan)


def _data_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return f"data:image/svg+xml;base64,{b64encode(buffer.getvalue()).decode()}"
