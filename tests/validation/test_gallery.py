"""The galleries: what the library does lies on what another method finds, and every operator is shown."""

from dataclasses import replace

import numpy as np
import pytest

import rmda_ref.regularizers as library
from rmda_ref.regularizers import L1, Nuclear, Regularizer
from validation.claim import Check, Curve, Gallery, Measurement, Picture
from validation.gallery import galleries
from validation.gallery.lines import LINES, Line
from validation.gallery.naming import BY_ANOTHER_METHOD, BY_THE_LIBRARY
from validation.gallery.plane import Penalty, Set
from validation.gallery.planes import PLANES
from validation.gallery.signal import OfBlocks, OfRow, OfSignal, OfSpectrum, best_of, each, envelope
from validation.gallery.signals import SIGNALS
from validation.parts import recall, store
from validation.report.gallery import draw, svg
from validation.trial import Trial

PANELS = (*LINES, *PLANES, *SIGNALS)
NOT_SHOWN = {
    "Regularizer": "the abstract base class",
    "Zero": "its prox is the dashed identity of the first gallery",
    "Blocks": "it hands each block to the regularizer of that block",
}
# Lines are kept to 5 digits. A grid of cells h finds a minimiser to sqrt(2 L h) where psi has slope L, for the
# objective is curved by 1 at least: 4e-3 for the 7e-6 of the plane and L = 1; on a line h is 1e-10. A circle drawn
# as 1000 sides turns by 3e-3 within half a side, and a point half a unit away finds its foot that much askew.
RESOLUTION = {Line: 2e-5, Penalty: 4e-3, Set: 2e-3, OfRow: 2e-5, OfSpectrum: 2e-5, OfSignal: 2e-5, OfBlocks: 2e-5}


def named(panel) -> str:
    return f"{type(panel.regularizer).__name__}, {panel.what}"


def off(picture: Picture) -> float:
    """How far the worst point of the library is from the nearest one of the other method."""
    curves = {curve.label: np.array([curve.x, curve.y]) for curve in picture.curves}
    found, prox = curves[BY_ANOTHER_METHOD], curves[BY_THE_LIBRARY]
    found = found[:, np.isfinite(found).all(axis=0)]
    return float(np.linalg.norm(prox[:, :, None] - found[:, None, :], axis=0).min(axis=1).max())


@pytest.fixture(scope="module")
def shown() -> tuple[Gallery, ...]:
    return galleries()


@pytest.mark.parametrize("place", range(len(PANELS)), ids=[named(panel) for panel in PANELS])
def test_the_points_of_the_library_lie_on_the_line_of_the_other_method(shown, place):
    """In every panel, to the resolution of that method."""
    pictures = [picture for gallery in shown for picture in gallery.panels]
    assert len(pictures) == len(PANELS)
    assert off(pictures[place]) <= RESOLUTION[type(PANELS[place])]


@pytest.mark.parametrize(
    "panel",
    [
        Line(L1(1.1), "wrong strength", np.abs),
        Line(L1(1.0), "wrong set", levels=(0.0,)),
        Penalty(L1(1.0), "wrong norm", np.hypot),
        Set(L1(1.0), "no projection", (np.array([[0.0, 1.0], [1.0, 0.0]]),)),
        OfSpectrum(Nuclear(0.8), "wrong strength", each(lambda z: 0.9 * z)),
        OfRow(L1(0.8), "wrong penalty", envelope(3, 0.8)),
        OfSignal(L1(0.8), "wrong penalty", 0.8),
        OfBlocks(L1(0.8), "wrong penalty", best_of(2)),
    ],
    ids=named,
)
def test_a_wrong_operator_does_not(panel):
    """Off by more than any resolution."""
    assert off(panel.picture()) > 0.05


@pytest.mark.parametrize("panel", [panel for panel in PANELS if hasattr(panel, "phi")], ids=named)
def test_penalties_of_one_number_are_those_of_the_library(panel):
    """phi written apart is psi, up to a constant: to the rounding of a few operations on numbers below 10."""
    numbers = np.array(panel.levels) if panel.phi is None else np.linspace(-3.0, 3.0, 41)
    expected = np.zeros_like(numbers) if panel.phi is None else panel.phi(numbers)
    found = np.array([panel.regularizer.value(np.array([number])) for number in numbers])
    assert np.array_equal(np.isinf(found), np.isinf(expected))
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite] - found[finite][0], (expected - expected[finite][0])[finite], atol=1e-12)


@pytest.mark.parametrize("panel", [panel for panel in PANELS if hasattr(panel, "psi")], ids=named)
def test_penalties_of_two_numbers_are_those_of_the_library(panel):
    """psi written apart is psi; 1e-6 of it where psi is itself a minimum found by iteration, with a gap of 1e-14."""
    for w in np.random.default_rng(0).standard_normal((20, 2)):
        assert panel.regularizer.value(w) == pytest.approx(float(panel.psi(*w)), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("panel", [panel for panel in PLANES if isinstance(panel, Set)], ids=named)
def test_outlines_lie_in_the_sets(panel):
    """psi is 0 there."""
    assert all(panel.regularizer.value(w) == 0 for line in panel.outline for w in line)


def test_every_operator_is_shown(shown):
    """By its name in the title of a panel, or it is said why not."""
    operators = {
        name
        for name in library.__all__
        if isinstance(getattr(library, name), type) and issubclass(getattr(library, name), Regularizer)
    }
    names = {picture.title.splitlines()[0] for gallery in shown for picture in gallery.panels}
    assert operators - names - set(NOT_SHOWN) == set()
    assert not set(NOT_SHOWN) & names


def test_jumps_break_the_line(shown):
    """No vertical stroke: neighbours of a line are near each other, or NaN is between them."""
    for gallery in shown[:2]:
        for picture in gallery.panels:
            (curve,) = (curve for curve in picture.curves if curve.label == BY_ANOTHER_METHOD)
            rises = np.hypot(np.diff(curve.x), np.diff(curve.y))
            assert np.nanmax(rises) < 0.35, picture.title


def test_galleries_are_the_same_every_time_and_read_back(tmp_path, shown):
    """Equal numbers, equal files; and from JSON, NaN included."""
    assert repr(galleries()) == repr(shown)
    assert [svg(gallery) for gallery in shown] == [svg(replace(gallery)) for gallery in shown]
    trial = Trial("Z1", "reference", Measurement((Check.at_most("q", 0, 1),), galleries=shown), "", 0.5)
    store(tmp_path / "part.json", "key", trial)
    assert repr(recall(tmp_path / "part.json", "key")) == repr(trial)


def test_a_gallery_draws_its_panels_alike():
    """One axes a panel, in rows of four; a label looks the same in all, and is said once; NaN breaks a line."""
    line = Curve("a", (0.0, 1.0, np.nan, 2.0), (0.0, 1.0, np.nan, 5.0), "predicted")
    other = Curve("b", (0.0, 1.0), (2.0, 3.0))
    panels = [Picture("T\nwhat", "x", "y", curves, aspect="equal") for curves in ((line, other), (other,), (), (line,))]
    figure = draw(Gallery("title", (*panels, panels[1])))
    shown = [axes for axes in figure.axes if axes.axison]
    assert len(shown) == 5 and len(figure.axes) == 8
    assert [text.get_text() for text in figure.legends[0].texts] == ["a", "b"]
    points = [axes.lines[-1] for axes in shown if axes.lines and axes.lines[-1].get_label() == "b"]
    assert len({(found.get_color(), found.get_marker()) for found in points}) == 1 and len(points) == 3
    assert np.isnan(shown[0].lines[0].get_xdata()[2])
    assert len({(axes.get_xlim(), axes.get_ylim(), axes.get_aspect()) for axes in shown}) == 1
    assert [axes.get_xlabel() for axes in shown] == ["", "x", "x", "x", "x"]


@pytest.mark.parametrize("panels", [(), (Picture("t", "x", "y", (), "log", "log"),)])
def test_a_gallery_with_nothing_to_show_is_still_drawn(panels):
    """An image without a legend."""
    assert b"</svg>" in svg(Gallery("title", panels))
