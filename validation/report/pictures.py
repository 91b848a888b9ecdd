"""Draw a picture: predictions are lines, measurements are points beside them, bars are dashed, context is thin."""

import io
import textwrap
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure  # without pyplot: nothing global, and no display is asked for

from validation.claim import Curve, Picture

__all__ = ["GREY", "STYLE", "draw", "dressed", "svg", "written"]

# Okabe & Ito's palette, less its yellow, which is too pale on white.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", ":")  # of paths, as their colours come again
_BLACK, GREY = "#000000", "#595959"
_MOST_POINTS = 400
_SPARSE = 50  # up to here points are drawn large and hollow, the line showing through them

STYLE: Any = {
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E2E2E2",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "svg.hashsalt": "rmda-ref",  # the same picture is the same file
}


def svg(picture: Picture) -> bytes:
    """The picture as an SVG file, the same bytes every time."""
    return written(draw(picture))


def written(figure: Figure) -> bytes:
    """The figure as an SVG file, the same bytes every time."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        # savefig would lay it out twice.
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return buffer.getvalue()


def draw(picture: Picture) -> Figure:
    """The picture as a figure."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.5, 5.0), layout="constrained")
        axes = figure.add_subplot()
        log = picture.xscale == "log"
        for curve, colour, marker in dressed(picture.curves):
            _plot(axes, curve, colour, marker, log)
        # A log axis with nothing positive to show has no limits.
        points = [_shown(curve, log) for curve in picture.curves]
        if log and any(np.any(x > 0) for x, _ in points):
            axes.set_xscale("log", nonpositive="mask")
        if picture.yscale == "log" and any(np.any(y > 0) for _, y in points):
            axes.set_yscale("log", nonpositive="mask")
        for mark in picture.marks:
            axes.axvline(mark, color=GREY, linestyle=":", linewidth=1.2)
        axes.set_aspect(picture.aspect)
        axes.set_title("\n".join(textwrap.wrap(picture.title, 68)), loc="left")
        axes.set_xlabel(picture.xlabel)
        axes.set_ylabel(picture.ylabel)
        longest = max((len(curve.label) for curve in picture.curves), default=0)
        if longest:
            figure.legend(loc="outside lower center", ncols=max(1, min(3, 75 // (longest + 8))))
    return figure


def dressed(curves: tuple[Curve, ...]) -> Iterator[tuple[Curve, str, str]]:
    """Each curve with its colour and marker; as many predictions as measurements are pairs, in order."""
    count = {kind: sum(curve.kind == kind for curve in curves) for kind in ("predicted", "measured")}
    paired = count["predicted"] == count["measured"] > 1
    seen = {"predicted": 0, "measured": 0, "path": 0, "bar": 0, "context": 0}
    for curve in curves:
        place = seen[curve.kind]
        seen[curve.kind] += 1
        if curve.kind in ("bar", "context"):
            colour = GREY
        elif curve.kind in ("measured", "path") or paired:
            colour = _COLOURS[place % len(_COLOURS)]
        else:  # black first, then colours that no measurement has taken
            colour = _BLACK if place == 0 else _COLOURS[(count["measured"] + place - 1) % len(_COLOURS)]
        yield curve, colour, _MARKERS[place % len(_MARKERS)]


def _plot(axes: Axes, curve: Curve, colour: str, marker: str, log: bool) -> None:
    x, y = _thinned(*_shown(curve, log), log)
    match curve.kind:
        case "bar" if len(x) == 1:
            axes.axhline(y[0], color=colour, linestyle="--", linewidth=1.6, label=curve.label)
        case "bar":
            axes.plot(x, y, color=colour, linestyle="--", linewidth=1.6, label=curve.label)
        case "context":
            axes.plot(x, y, color=colour, linewidth=0.8, label=curve.label)
        case "predicted":
            axes.plot(x, y, color=colour, linewidth=1.8, zorder=2.5, label=curve.label)
        case "path":
            before = sum(line.get_color() == colour for line in axes.lines)
            axes.plot(x, y, _DASHES[before % len(_DASHES)], color=colour, linewidth=1.4, label=curve.label)
        case "measured" if len(x) <= _SPARSE:
            hollow: Any = {"markersize": 7, "markerfacecolor": "none", "markeredgewidth": 1.6}
            axes.plot(x, y, marker, color=colour, zorder=3, label=curve.label, **hollow)
        case "measured":
            axes.plot(x, y, marker, color=colour, markersize=3, markeredgewidth=0, label=curve.label)


def _shown(curve: Curve, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """The points that an axis can show: finite, and right of 0 where x is on a log scale."""
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    shown = np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not log))
    return x[shown], y[shown]


def _thinned(x: np.ndarray, y: np.ndarray, log: bool) -> tuple[np.ndarray, np.ndarray]:
    """At most 400 points, evenly spread along the axis where x increases, else along the curve."""
    if len(x) <= _MOST_POINTS:
        return x, y
    place = (np.log(x) if log else x) if np.all(np.diff(x) > 0) else np.arange(len(x))
    chosen = np.unique(np.searchsorted(place, np.linspace(place[0], place[-1], _MOST_POINTS)))
    chosen = np.minimum(chosen, len(x) - 1)  # linspace may end one rounding beyond the last point
    return x[chosen], y[chosen]
