"""``rmda-ref crosscheck`` and ``rmda-ref vectors``."""

import json
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from rmda_ref.crosscheck.adapters.process import PROTOCOL
from rmda_ref.crosscheck.check import TIMEOUT, crosscheck
from rmda_ref.crosscheck.console import print_report
from rmda_ref.crosscheck.html import render
from rmda_ref.crosscheck.report import Report
from rmda_ref.crosscheck.vectors import VectorError, export, verify
from rmda_ref.files import write_whole

_DEPARTS, _USAGE, _INTERRUPTED = 1, 2, 130
_PIPED_WIDTH = 110

app = typer.Typer(
    help="Where an implementation of RMDA, RDA or ProxSGD departs from the reference, and which mistake it is.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
_vectors = typer.Typer(help="Test vectors for any language.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_vectors, name="vectors")


@app.command("crosscheck")
def _crosscheck(
    subject: Annotated[str, typer.Argument(help="module:attribute; with --adapter process a command, in quotes.")],
    adapter: Annotated[str, typer.Option(help="torch, optax, function or process.")] = "function",
    algorithm: Annotated[str, typer.Option(help="rmda, rda or prox_sgd.")] = "rmda",
    only: Annotated[list[str] | None, typer.Option(help="A scenario; repeat for more.")] = None,
    dtype: Annotated[list[str] | None, typer.Option(help="A dtype; repeat for more.")] = None,
    random: Annotated[int, typer.Option(min=0, help="Random scenarios besides.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Of the random scenarios.")] = 0,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds for one call.")] = TIMEOUT,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the findings there.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write a page with pictures there.")] = None,
) -> None:
    """Drive an implementation through all scenarios; exit status 0 if it agrees, 1 if it departs, 2 for bad usage."""
    sys.path.insert(0, "")  # the user's module lies where the user is
    what: Any = shlex.split(subject) if adapter == "process" else subject
    for file in (json_file, html_file):
        if file is not None and not file.absolute().parent.is_dir():
            _stop(f"error: {file} cannot be written: {file.absolute().parent} is no directory", _USAGE)
    clock = time.perf_counter()
    try:
        report = _watched(
            what,
            adapter,
            algorithm=algorithm,
            only=only or (),
            dtypes=dtype or (),
            timeout=timeout,
            random=random,
            seed=seed,
        )
    except (ValueError, ImportError) as error:
        _stop(f"error: {error}", _USAGE)
    except KeyboardInterrupt:
        _stop("interrupted", _INTERRUPTED)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    print_report(console, report)
    typer.echo(f"{time.perf_counter() - clock:.1f} s", err=True)
    if json_file is not None:
        write_whole(json_file, json.dumps(report.as_json(), indent=2) + "\n")
    if html_file is not None:
        write_whole(html_file, render(report))
    if not report.agrees:
        raise typer.Exit(_DEPARTS)


@app.command("protocol")
def _protocol() -> None:
    """Print the page that tells what a program in any language has to answer (--adapter process)."""
    typer.echo(PROTOCOL, nl=False)


def _watched(subject: Any, adapter: str, **options: Any) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=None)

        def watch(done: int, total: int, name: str) -> None:
            progress.update(bar, completed=done, total=total, description=name)

        return crosscheck(subject, adapter, watch=watch, **options)


@_vectors.command("export")
def _export(directory: Annotated[Path, typer.Argument(help="A new or empty directory.")]) -> None:
    """Write the test vectors: index.json, and arrays as .npy."""
    try:
        typer.echo(f"{export(directory)} vectors in {directory}; read {directory / 'README.txt'}")
    except (VectorError, OSError) as error:
        _stop(f"error: {error}", _USAGE)


@_vectors.command("verify")
def _verify(directory: Annotated[Path, typer.Argument(help="With answers/ID.npy for each vector.")]) -> None:
    """Compare answers with the vectors of this version; exit status 0 if all agree, 1 if one departs or is missing."""
    try:
        verdicts = verify(directory)
    except (VectorError, OSError) as error:
        _stop(f"error: {error}", _USAGE)
    for verdict in verdicts:
        typer.echo(str(verdict))
    agree = sum(verdict.agrees for verdict in verdicts)
    typer.echo(f"{agree} of {len(verdicts)} vectors agree.")
    if agree < len(verdicts):
        raise typer.Exit(_DEPARTS)


def _stop(message: str, status: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(status)
