"""One self-contained page for a run: it can be mailed, archived and read without a network."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from rmda_ref.crosscheck import mutants
from rmda_ref.files import write_whole
from validation.report import gallery, pictures
from validation.results import Findings
from validation.theorems import THEOREMS
from validation.verdict import Verdict, columns_of, killers, risk, tightest
from validation.wording import FATES, bar, chance, number, seconds

__all__ = ["Drawn", "render", "write_report"]


class Drawn(NamedTuple):
    """A picture or a gallery as an SVG file."""

    title: str
    image: bytes
    note: str = ""
    wide: bool = False


def write_report(findings: Findings, out: Path) -> Path:
    """Write ``out/report.html`` and the pictures in ``out/pictures/``; return the path of the page."""
    drawn = {verdict.claim.id: tuple(_drawn(verdict)) for verdict in findings.verdicts}
    (out / "pictures").mkdir(parents=True, exist_ok=True)
    for id_, images in drawn.items():
        for position, image in enumerate(images, 1):
            (out / "pictures" / f"{id_}-{position}.svg").write_bytes(image.image)
    page = out / "report.html"
    write_whole(page, render(findings, drawn))
    return page


def render(findings: Findings, drawn: dict[str, tuple[Drawn, ...]]) -> str:
    """The page as text; ``drawn`` gives for each claim its pictures and galleries."""
    pages = Environment(
        loader=PackageLoader("validation", "report"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(number=number, bar=bar, chance=chance, seconds=seconds, tightest=tightest, data_uri=_data_uri)
    columns = columns_of(findings.verdicts)
    return pages.get_template("template.html").render(
        findings=findings,
        drawn=drawn,
        columns=columns,
        killers={name: killers(findings.verdicts, name) for name in columns},
        mutants=mutants.MUTANTS,
        fates=FATES,
        theorems=THEOREMS,
        risk=risk(findings.verdicts),
    )


def _drawn(verdict: Verdict) -> Iterator[Drawn]:
    measurement = verdict.reference.measurement
    for picture in measurement.pictures if measurement else ():
        yield Drawn(picture.title, pictures.svg(picture))
    for shown in measurement.galleries if measurement else ():
        yield Drawn(shown.title, gallery.svg(shown), shown.note, wide=True)


def _data_uri(image: bytes) -> str:
    return f"data:image/svg+xml;base64,{b64encode(image).decode()}"
