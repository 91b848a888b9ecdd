"""The picture of a fit: its gap and its structure by epoch."""

from typing import TYPE_CHECKING

import numpy as np

try:
    from matplotlib.figure import Figure  # without pyplot: nothing global, and no display is asked for
    from matplotlib.ticker import MaxNLocator
except ImportError as error:  # pragma: no cover
    raise ImportError("history.plot() needs matplotlib: pip install 'rmda-ref[report]'") from error

if TYPE_CHECKING:
    from rmda_ref.linear_model.history import History

COLOURS = {"rmda": "#0072B2", "newton": "#D55E00"}  # Okabe & Ito: told apart by the colour-blind
LABELS = {"rmda": "RMDA", "newton": "Newton on the manifold"}


def draw(history: "History") -> Figure:
    """Two panels over the epochs: the proved gap, and the features in the model."""
    figure = Figure(figsize=(7, 5), layout="constrained")
    top, bottom = figure.subplots(2, sharex=True)
    epoch, phase = history.column("epoch"), history.column("phase")
    gap, n_active = history.column("gap"), history.column("n_active")
    known = np.isfinite(gap).any()
    height = gap if known else history.column("objective")
    for axes, values in ((top, height), (bottom, n_active)):
        axes.plot(epoch, values, color="0.7", zorder=1)
        for name, colour in COLOURS.items():
            mine = phase == name
            if mine.any():
                axes.plot(epoch[mine], values[mine], "o", color=colour, label=LABELS[name])
    top.set_ylabel("proved bound on\nobjective - optimum" if known else "objective")
    if known:
        top.set_yscale("log")
    top.legend(frameon=False)
    bottom.set_ylabel("features in the model")
    bottom.set_xlabel("passes over the samples, then rounds of Newton")
    for axis in (bottom.xaxis, bottom.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    bottom.set_ylim(bottom=0)
    return figure
