"""The verdicts as tables in the terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from rmda_ref.crosscheck import mutants
from validation.claim import Check, Claim, Table
from validation.results import Findings
from validation.verdict import Verdict, columns_of, killers, risk, tightest
from validation.wording import FATES, bar, chance, number, seconds

__all__ = ["print_claims", "print_findings", "print_unasked"]

_HANGING = (0, 0, 0, 5)  # below the title, beside the id
_MATRIX_WIDTH = 33  # columns of a kill matrix that fit in 110 characters


def print_claims(console: Console, claims: Mapping[str, Claim]) -> None:
    """List the claims: what they say, where they come from, which mutants they must kill."""
    grid = _grid("claim", "title", "source", "must kill")
    for claim in claims.values():
        grid.add_row(claim.id, *map(Text, (claim.title, claim.source, ", ".join(claim.kills))))
    console.print(grid)


def print_findings(console: Console, findings: Findings) -> None:
    """Print the verdicts, how likely chance is to fail one, the kill matrix and the tables of the experiments."""
    console.print(_verdicts(findings.verdicts))
    console.print(Text(chance(risk(findings.verdicts)) + "\n"))
    for part in _kill_matrix(findings.verdicts):
        console.print(part)
    for verdict in findings.verdicts:
        for table in verdict.reference.measurement.tables if verdict.reference.measurement else ():
            console.print(_table(f"{verdict.claim.id}  {verdict.claim.title}", table))


def print_unasked(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Name the claims that say nothing of a user's algorithm or a backend, by reason, and what others left out."""
    reasons: dict[str, list[str]] = {}
    for verdict in (verdict for verdict in verdicts if verdict.reference.unasked):
        reasons.setdefault(verdict.reference.unasked, []).append(verdict.claim.id)
    for reason, ids in reasons.items():
        console.print(Text(f"Not asked, for {reason}: {', '.join(ids)}"))
    without: dict[str, list[str]] = {}
    for verdict in (verdict for verdict in verdicts if verdict.reference.left_out and not verdict.reference.unasked):
        without.setdefault(verdict.reference.left_out, []).append(verdict.claim.id)
    for examples, ids in without.items():
        console.print(Text(f"Asked without what has no evaluation there: {', '.join(ids)} ({examples})"))


def _grid(*columns: str, title: str | None = None) -> Grid:
    # Headings are read as markup, cells made of Text are not.
    heading = escape(title) if title else None
    return Grid(*map(escape, columns), title=heading, title_justify="left", box=box.SIMPLE_HEAD)


def _verdicts(verdicts: tuple[Verdict, ...]) -> Grid:
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1))
    grid.add_column("claim, its tightest check")  # the only column that may shrink
    for name in ("predicted", "measured", "bar"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    grid.add_column("s", justify="right", no_wrap=True)
    for verdict in verdicts:
        lines: list[RenderableType] = [Text.assemble(f"{verdict.claim.id:4} ", (verdict.claim.title, "bold"))]
        shown = tightest(verdict.checks) if verdict.checks else None
        if shown:
            among = f" (one of {len(verdict.checks)})" if len(verdict.checks) > 1 else ""
            lines.append(Padding(Text(shown.quantity + among, "dim"), _HANGING))
        word = Text("holds", "green") if verdict.holds else Text("FAILS", "bold red")
        grid.add_row(Group(*lines), *_figures(shown), word, seconds(verdict.seconds))
        for complaint, check in _complaints(verdict):
            grid.add_row(Padding(Text(f"✗ {complaint}", "red"), _HANGING), *_figures(check))
    return grid


def _figures(check: Check | None) -> tuple[str, str, str]:
    return (number(check.predicted), number(check.measured), bar(check)) if check else ("", "", "")


def _complaints(verdict: Verdict) -> Iterator[tuple[str, Check | None]]:
    """Everything wrong with a claim, each in a few words."""
    for check in verdict.checks:
        if not check.holds:
            yield check.quantity, check
    if not verdict.checks:
        yield verdict.reference.failure, None
    for name in verdict.survivors:
        yield f"mutant {name} survives", None


def _kill_matrix(verdicts: tuple[Verdict, ...]) -> Iterator[Grid | Text]:
    names = columns_of(verdicts)
    numbered = list(enumerate(names, 1))
    for start in range(0, len(names), _MATRIX_WIDTH):
        columns = numbered[start : start + _MATRIX_WIDTH]
        grid = Grid(title="Kill matrix", title_justify="left", box=box.SIMPLE_HEAD, padding=0)
        grid.add_column("claim ", no_wrap=True)
        for position, _ in columns:
            grid.add_column(f"{position:>2}", justify="right", no_wrap=True)
        for verdict in verdicts:
            if any(name in verdict.mutants for _, name in columns):
                grid.add_row(verdict.claim.id, *(_fate(verdict, name) for _, name in columns))
        yield grid
    if names:
        yield Text("   ".join(f"{symbol or 'blank'} {meaning}" for symbol, meaning in FATES.values()) + "\n")
        legend = Grid("", "mutant", "its mistake", "exact identities that kill it", "claims", box=None, padding=(0, 1))
        for position, name in numbered:
            found = killers(verdicts, name)
            exact = ", ".join(claim.id for claim in found if claim.exact)
            legend.add_row(str(position), name, Text(mutants.MUTANTS[name].mistake), exact, str(len(found)))
        yield legend


def _fate(verdict: Verdict, mutant: str) -> Text:
    fate, required = verdict.fate(mutant), mutant in verdict.claim.kills
    style = {"killed": "green", "survived": "bold red" if required else "dim", "not run": ""}[fate]
    return Text(FATES[fate, required][0], style)


def _table(title: str, table: Table) -> Grid:
    grid = _grid(*table.columns, title=title)
    for row in table.rows:
        grid.add_row(*(Text(number(value)) for value in row))
    return grid
