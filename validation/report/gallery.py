"""Draw a gallery: small panels in one figure, as wide as the page, with one legend."""

import textwrap
from math import ceil
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from validation.claim import Curve, Gallery, Picture
from validation.report.pictures import STYLE, dressed, written

__all__ = ["draw", "svg"]

_COLUMNS = 4
_WIDTH = 10.0  # inches: at 96 pixels an inch the width of the page, so that the points of the fonts are true
_SMALL: Any = {
    **STYLE,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 10,
    "grid.linewidth": 0.5,
}
_LOOK: dict[str, Any] = {
    "predicted": {"linewidth": 1.3, "zorder": 2.5},
    "measured": {"linestyle": "none", "markersize": 4, "markerfacecolor": "none", "markeredgewidth": 0.9, "zorder": 3},
    "bar": {"linestyle": "--", "linewidth": 1.0, "zorder": 2.1},
    "path": {"linewidth": 1.2, "zorder": 2.4},
    "context": {"linewidth": 0.8, "alpha": 0.65, "zorder": 2.0},
}


def svg(gallery: Gallery) -> bytes:
    """The gallery as an SVG file, the same bytes every time."""
    return written(draw(gallery))


def draw(gallery: Gallery) -> Figure:
    """The gallery as a figure."""
    columns = max(1, min(_COLUMNS, len(gallery.panels)))
    rows = max(1, ceil(len(gallery.panels) / columns))
    look = _looks(gallery)
    with mpl.rc_context(_SMALL):
        figure = Figure(figsize=(_WIDTH, 1.0 + 10.8 / _COLUMNS * rows), layout=ConstrainedLayoutEngine(h_pad=0.1))
        cells = figure.subplots(rows, columns, squeeze=False).reshape(-1)
        handles: dict[str, Any] = {}
        for axes, panel in zip(cells, gallery.panels, strict=False):
            for curve in panel.curves:
                x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
                (line,) = axes.plot(x, y, label=curve.label, **look[_key(curve)])
                handles.setdefault(curve.label, line)
            _finish(axes, panel, round(112 / columns))
        shown, hidden = cells[: len(gallery.panels)], cells[len(gallery.panels) :]
        _share([axes for axes in shown if axes.get_aspect() == 1])
        for axes in hidden:
            axes.set_axis_off()
        for place, axes in enumerate(shown):
            if len({(panel.xlabel, panel.ylabel) for panel in gallery.panels}) == 1:  # said once a column, once a row
                axes.set_xlabel(axes.get_xlabel() if place + columns >= len(shown) else "")
                axes.set_ylabel(axes.get_ylabel() if place % columns == 0 else "")
        figure.suptitle("\n".join(textwrap.wrap(gallery.title, 90)), x=0.01, ha="left", size=13)
        handles.pop("", None)
        if handles:
            figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4)
    return figure


def _key(curve: Curve) -> tuple[str, str]:
    return curve.kind, curve.label


def _looks(gallery: Gallery) -> dict[tuple[str, str], Any]:
    """How each kind of curve is drawn, in whatever panel."""
    distinct = {_key(curve): curve for panel in gallery.panels for curve in panel.curves}
    looks = {}
    for curve, colour, marker in dressed(tuple(distinct.values())):
        looks[_key(curve)] = {"color": colour, **_LOOK[curve.kind]}
        if curve.kind == "measured":
            looks[_key(curve)]["marker"] = marker
    return looks


def _share(panels: list[Axes]) -> None:
    """The same limits for all."""
    for name in ("xlim", "ylim"):
        limits = [getattr(axes, f"get_{name}")() for axes in panels]
        for axes in panels:
            axes.set(**{name: (min(low for low, _ in limits), max(high for _, high in limits))})


def _finish(axes: Axes, panel: Picture, characters: int) -> None:
    axes.set_xscale(panel.xscale)
    axes.set_yscale(panel.yscale)
    axes.set_aspect(panel.aspect)
    for axis, scale in ((axes.xaxis, panel.xscale), (axes.yaxis, panel.yscale)):
        if scale == "linear":
            axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=panel.aspect == "equal"))
    title = [part for line in panel.title.splitlines() for part in textwrap.wrap(line, characters)]
    axes.set_title("\n".join(title), loc="left")
    axes.set_xlabel(panel.xlabel)
    axes.set_ylabel(panel.ylabel)
