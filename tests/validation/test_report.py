"""The report: one page that needs nothing else, its pictures, and the same figures in the terminal."""

import io
import math
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from rmda_ref.crosscheck.mutants import REFERENCE, RMDA_MUTANTS
from validation.claim import Check, Claim, Curve, Gallery, Measurement, Picture, Table
from validation.console import print_claims, print_findings
from validation.report import gallery, readme
from validation.report.html import render, write_report
from validation.report.pictures import draw, svg
from validation.results import Findings, environment
from validation.theorems import THEOREMS
from validation.trial import Trial
from validation.verdict import Verdict

KILLED, SURVIVOR, OPTIONAL = tuple(RMDA_MUTANTS)[:3]
NASTY = "if 0 < t & t > 1 then <script>alert('x')</script>"
BY_KIND = tuple(
    Curve(kind, (0.0, 1.0, 10.0, 100.0), (-1.0, math.nan, 2.0, math.inf), kind)
    for kind in ("predicted", "measured", "bar")
)
PICTURES = tuple(
    Picture(f"{NASTY} {xscale} {yscale}", "x", "y", BY_KIND, xscale, yscale)
    for xscale, yscale in product(("linear", "log"), repeat=2)
)
GALLERIES = (Gallery("gallery " + NASTY, PICTURES, "caption " + NASTY), Gallery("without a note", PICTURES[:1]))


class Page(HTMLParser):
    """What a page asks for from elsewhere, where it jumps to, and what it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links, self.images, self.text = [], [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            {"id": self.ids, "src": self.images, "href": self.links}.get(name, []).append(value)

    def handle_data(self, data):
        self.text += data


def trial(name: str, error: float, **parts: object) -> Trial:
    return Trial("Z1", name, Measurement((Check.at_most("the error", error, 1.0),), **parts), "", 1.0)


def findings(*verdicts: Verdict) -> Findings:
    return Findings(verdicts, "quick", 0, "digits", environment(), "2026-01-01T00:00:00+00:00", 1.5)


def claim(id_: str, *texts: str, **options: tuple[str, ...]) -> Claim:
    title, statement, source, bar = texts or ("title", "statement", "source", "bar")
    return Claim(id_, title, statement, source, bar, lambda implementation, setting: None, **options)


GOOD = Verdict(
    claim("Z1", "good " + NASTY, "statement " + NASTY, "source " + NASTY, "bar " + NASTY, kills=(KILLED,)),
    trial(
        REFERENCE.name,
        0.5,
        pictures=PICTURES,
        galleries=GALLERIES,
        tables=(Table(("<b>", "n"), ((NASTY, 0.25),)),),
        note="N " + NASTY,
    ),
    {KILLED: trial(KILLED, 3.0), OPTIONAL: trial(OPTIONAL, 0.5)},
)
BAD = Verdict(claim("Z2", kills=(SURVIVOR,)), trial(REFERENCE.name, math.nan), {SURVIVOR: trial(SURVIVOR, 0.0)})
RAISED = Verdict(claim("Z3"), Trial("Z3", REFERENCE.name, None, f"Traceback: z3.py\nValueError: {NASTY}\n", 1.0), {})
FINDINGS = findings(GOOD, BAD, RAISED)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the report on the three verdicts is."""
    out = tmp_path_factory.mktemp("report")
    assert write_report(FINDINGS, out) == out / "report.html"
    return out


@pytest.fixture(scope="module")
def page(folder) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def printed(show, what) -> str:
    console = Console(file=io.StringIO(), width=220, highlight=False)
    show(console, what)
    return console.file.getvalue()


def test_the_page_needs_nothing_from_elsewhere(folder, page):
    """Images are inside, links stay inside, and nothing is named by an address."""
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|srcset", text)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & set(page.tags)
    assert page.images and all(image.startswith("data:image/svg+xml;base64,") for image in page.images)
    assert page.links and {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links) and len(set(page.ids)) == len(page.ids)


def test_text_is_escaped_wherever_it_comes_from(page):
    """Title, statement, source, bar, note, caption, table and traceback show as they were written."""
    for start in ("good ", "statement ", "source ", "bar ", "N ", "caption ", "ValueError: "):
        assert start + NASTY in page.text
    assert "<b>" in page.text and "b" not in page.tags


def test_every_picture_is_drawn_in_the_page_and_in_a_file(folder, page):
    """One image for each picture and then each gallery, in order, the same in both places."""
    expected = [*map(svg, PICTURES), *map(gallery.svg, GALLERIES)]
    files = [folder / "pictures" / f"Z1-{place}.svg" for place in range(1, len(expected) + 1)]
    assert sorted((folder / "pictures").iterdir()) == files
    inside = [b64decode(image.partition(",")[2]) for image in page.images]
    assert inside == [path.read_bytes() for path in files] == expected
    assert page.tags.count("figcaption") == 1
    assert all(ElementTree.fromstring(image).tag.endswith("svg") for image in inside)


def test_the_page_tells_what_fails_and_why(page):
    """Survivors, failing checks and tracebacks are in it."""
    text = " ".join(page.text.split())
    assert re.search(r"1 of 3 claims hold\. Failing: Z2 ?, Z3 ?\.", text)
    assert "Traceback: z3.py" in text and "the error0 nan≤ 1 ✗ fails" in text
    assert "SURVIVED, though the claim must kill it" in text and "killed, as the claim must" in text


def test_the_terminal_tells_the_same():
    """Verdicts, complaints, the kill matrix and the tables, markup left alone."""
    shown = printed(print_findings, FINDINGS)
    rows = [line.split() for line in shown.splitlines()]
    assert [row[-2] for row in rows if row[:1] in (["Z1"], ["Z2"], ["Z3"]) and row[-2] in ("holds", "FAILS")] == [
        "holds",
        "FAILS",
        "FAILS",
    ]
    assert "✗ the error" in shown and f"✗ mutant {SURVIVOR} survives" in shown and "✗ ValueError: if 0" in shown
    assert ["Z1", "●", "·"] in rows and ["Z2", "✗"] in rows
    assert [NASTY, "0.25"] in [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]


def test_the_terminal_shows_square_brackets_as_they_are():
    """Texts of claims are not markup."""
    odd = claim("Z1", "[bold] title", "statement", "[1, Theorem 2]", "bar")
    tables = (Table(("[/red]",), (("[i]",),)),)
    shown = printed(print_findings, findings(Verdict(odd, trial(REFERENCE.name, 0.0, tables=tables), {})))
    assert all(text in shown for text in ("[bold] title", "[/red]", "[i]"))
    assert "[1, Theorem 2]" in printed(print_claims, {"Z1": odd})


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: f"{picture.xscale}-{picture.yscale}")
def test_a_picture_has_the_axes_it_asks_for_and_only_finite_points(picture):
    """NaN and infinity leave gaps; every curve is drawn and named."""
    figure = draw(picture)
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_yscale()) == (picture.xscale, picture.yscale)
    assert [line.get_label() for line in axes.lines] == ["predicted", "measured", "bar"]
    expected = [10.0] if picture.xscale == "log" else [0.0, 10.0]
    assert all(np.array_equal(line.get_xdata(), expected) for line in axes.lines[:2])
    assert [text.get_text() for text in figure.legends[0].texts] == ["predicted", "measured", "bar"]


@pytest.mark.parametrize(
    "curves",
    [
        (),
        (Curve("empty", (), ()),),
        (Curve("nothing finite", (1.0, 2.0), (math.nan, math.inf)),),
        (Curve("nothing positive", (-1.0, -2.0), (-1.0, 0.0)),),
        (Curve("none in both", (math.nan, 1.0), (1.0, math.nan)),),
        (Curve("positive at 0 only", (0.0, 1.0), (1.0, 0.0)),),
        (Curve("one bar", (1.0,), (-1.0,), "bar"),),
    ],
)
def test_a_picture_with_nothing_to_show_on_log_axes_is_still_drawn(curves):
    """No warning, no error, an image."""
    image = svg(Picture("title", "x", "y", curves, "log", "log"))
    assert ElementTree.fromstring(image).tag.endswith("svg")


@pytest.mark.parametrize("xscale", ["linear", "log"])
def test_a_long_curve_is_thinned_from_end_to_end(xscale):
    """At most 400 points, the first and the last among them, spread evenly on the axis."""
    x = np.arange(1.0, 100_001.0)
    (line,) = draw(Picture("title", "x", "y", (Curve("c", x, 1 / x, "predicted"),), xscale)).axes[0].lines
    shown = line.get_xdata()
    assert 100 < len(shown) <= 400 and (shown[0], shown[-1]) == (1.0, 100_000.0)
    assert np.array_equal(line.get_ydata(), 1 / shown)
    steps = np.diff(np.log(shown[shown > 1000]) if xscale == "log" else shown)
    assert steps.max() < 1.1 * steps.min()


def test_context_is_a_thin_grey_line_and_takes_no_colour():
    """What the others are read against; a picture may ask for one unit to be as long on both axes."""
    curves = tuple(Curve(kind, (1, 2), (1, 2), kind) for kind in ("context", "measured"))
    (axes,) = draw(Picture("title", "x", "y", curves, aspect="equal")).axes
    context, measured = axes.lines
    assert (context.get_linestyle(), context.get_marker()) == ("-", "None")
    (alone,) = draw(Picture("title", "x", "y", curves[1:])).axes[0].lines
    assert context.get_color() != measured.get_color() == alone.get_color()
    assert axes.get_aspect() == 1


def test_predictions_and_measurements_in_pairs_share_their_colours():
    """The nth prediction belongs to the nth measurement; bars are grey and dashed."""
    kinds = ("predicted", "measured", "predicted", "measured", "bar")
    curves = tuple(Curve(f"{i}", (1, 2), (1, 2), kind) for i, kind in enumerate(kinds))
    first, one, second, two, bar = draw(Picture("title", "x", "y", curves)).axes[0].lines
    assert first.get_color() == one.get_color() != second.get_color() == two.get_color()
    assert bar.get_linestyle() == "--" and bar.get_color() not in (first.get_color(), second.get_color())
    assert (first.get_marker(), one.get_linestyle()) == ("None", "None")


def test_the_index_leads_from_each_theorem_to_its_claims():
    """Tested ones link to their claims, with the verdict; the others say that nothing tests them in this run."""
    key, other = tuple(THEOREMS)[:2]
    verdicts = tuple(replace(v, claim=replace(v.claim, theorems=(key,))) for v in (GOOD, BAD))
    text = " ".join(Page(render(findings(*verdicts), {"Z1": (), "Z2": ()})).text.split())
    index = text[text.index("Index by theorem") :]
    assert f"{THEOREMS[key].where} Z1 ✓ Z2 ✗" in index.replace("\N{NO-BREAK SPACE}", " ")
    assert f"{THEOREMS[other].where} none in this run" in index.replace(" (ours)", "")


def test_the_readme_takes_the_table_of_an_experiment():
    table = {"columns": ["algorithm", "F"], "rows": [["RMDA", "0.46 ± 0.01"], ["RDA", 1.5]]}
    record = {"profile": "full", "claims": {"X1": {"tables": [table], "note": "mnist, 3 seeds."}}}
    old = f"# Title\n\n{readme.BEGIN}\nanother table\n{readme.END}\n\nthe rest\n"
    new = readme.insert(old, record)
    assert "| algorithm | F |\n| --- | --- |\n| RMDA | 0.46 ± 0.01 |\n| RDA | 1.5 |\n" in new
    assert "`--profile full`, mnist, 3 seeds." in new and "another table" not in new
    assert new.startswith("# Title\n") and new.endswith("\n\nthe rest\n")
    assert readme.insert(new, record) == new
    with pytest.raises(ValueError, match="the README must have a line"):
        readme.insert("# Title\n", record)
    with pytest.raises(ValueError, match="the run has no X1"):
        readme.insert(old, {"claims": {}})
    assert readme.BEGIN in readme.README.read_text(encoding="utf-8")


def test_paths_are_lines_that_can_be_told_apart_and_marks_are_where_a_stage_begins():
    curves = tuple(Curve(f"algorithm {k}", (0, 1), (0, k), "path") for k in range(8))
    (axes,) = draw(Picture("title", "x", "y", curves, marks=(0.25, 0.5))).axes
    *paths, first, second = axes.lines
    assert len({(line.get_color(), line.get_linestyle()) for line in paths}) == 8
    assert {line.get_marker() for line in paths} == {"None"}
    assert [line.get_xdata()[0] for line in (first, second)] == [0.25, 0.5]
    assert "".join(line.get_label() for line in (first, second) if not line.get_label().startswith("_")) == ""
    ElementTree.fromstring(gallery.svg(Gallery("of paths", (Picture("title", "x", "y", curves),))))
