"""The command line of the testbed: which claims to run, and how."""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from problems.data import DataError, DataSource, load
from rmda_ref.crosscheck.mutants import REFERENCE
from validation import console as terminal
from validation import foreign, on_arrays, registry, runner
from validation.benchmarks import device_step
from validation.claim import Claim, Profile, Setting
from validation.parts import fingerprint
from validation.place import Backend, BackendError, Place
from validation.progress import live
from validation.report.html import write_report
from validation.results import Findings, environment, write_results
from validation.training.run import Training
from validation.trial import Trial
from validation.verdict import judge

__all__ = ["app"]

_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130
_AGAIN = {True: "resumes there", False: "starts anew, for your algorithm may have changed"}  # whether it is ours
_PIPED_WIDTH = 110

app = typer.Typer(
    help="Measure what the theory of RMDA predicts, and show which mistakes each measurement would catch.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _main(context: typer.Context) -> None:
    """With no command: run every claim, quickly."""
    if context.invoked_subcommand is None:
        run()


@app.command("list")
def list_claims() -> None:
    """List the claims, their sources and the mutants they must kill."""
    terminal.print_claims(_console(), _claims([]))


@app.command()
def run(
    profile: Annotated[Profile, typer.Option(help="How much to measure.")] = "quick",
    only: Annotated[
        list[str] | None, typer.Option(help="Ids, or 'claims', or 'experiments'; comma-separated or repeated.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.", show_default="CPU count")] = (os.cpu_count() or 1),
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same numbers.")] = 0,
    data: Annotated[
        str | None,
        typer.Option(help="A directory with MNIST, 'openml' or 'digits'.", show_default="$RMDA_DATA_DIR, else digits"),
    ] = None,
    algorithm: Annotated[
        str | None, typer.Option(help="module:attribute, your own algorithm in the place of RMDA: which claims break?")
    ] = None,
    backend: Annotated[
        Backend, typer.Option(help="Whose arrays the library's algorithms run on: which claims hold there?")
    ] = "numpy",
    out: Annotated[Path, typer.Option(file_okay=False, help="Where the report goes.")] = Path("validation-report"),
    resume: Annotated[bool, typer.Option(help="Use what an interrupted run has measured.")] = True,
) -> None:
    """Run the claims and write the report; what an interrupted run has measured is used again, but not of your own
    algorithm, which may have changed. Mutants are run on the reference alone."""
    ids = [name for group in only or () for part in group.split(",") if (name := part.strip())]
    if only and not ids:
        _stop("error: --only names no claim; leave it out for all of them", _USAGE)
    claims = _claims(ids)
    source = _source(data)
    key = fingerprint(Setting(seed, profile, source))
    subject, versions = on_arrays.name_on(backend), {}
    if algorithm is not None:
        if backend != "numpy":
            _stop(
                "error: --algorithm and --backend do not go together: your own algorithm makes its own arrays", _USAGE
            )
        subject = _vetted(algorithm)
        out = out / "algorithms" / re.sub(r"\W+", "-", subject)
        key += datetime.now(UTC).isoformat()  # its sources are not ours to fingerprint: nothing is used again
    elif backend != "numpy":
        versions = _versions(backend)
        out = out / "backends" / backend
        key += f" on {versions}"
    if subject != REFERENCE.name:
        claims = {id_: replace(claim, kills=(), runs=()) for id_, claim in claims.items()}
    plan = runner.Run(seed, profile, source, registry.PACKAGES, out / "parts", out / "trainings", key)
    try:
        for folder in () if resume else (plan.parts, plan.trainings):
            shutil.rmtree(folder, ignore_errors=True)
        plan.parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _stop(f"error: the report cannot be written: {error}", _USAGE)
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.perf_counter()

    if subject == REFERENCE.name:  # what is trained is the library's own, on NumPy arrays
        _train(claims, plan, jobs)
    trials = _perform(claims, subject, plan, jobs)
    judged = judge(claims, trials, subject)
    verdicts = tuple(verdict for verdict in judged if not verdict.reference.unasked)
    unasked = {verdict.claim.id: verdict.reference.unasked for verdict in judged if verdict.reference.unasked}
    elapsed = time.perf_counter() - clock
    findings = Findings(verdicts, profile, seed, source.name, environment(versions), started, elapsed, subject, unasked)
    write_results(findings, out / "results.json")

    console = _console()
    terminal.print_findings(console, findings)
    terminal.print_unasked(console, judged)
    report = write_report(findings, out)
    held = len(verdicts) - len(findings.failing)
    broken = f"broken: {', '.join(verdict.claim.id for verdict in findings.failing)}; " if findings.failing else ""
    console.print(f"{held} of {len(verdicts)} claims hold; {broken}{elapsed:.1f} s. Report: {report}", soft_wrap=True)
    if backend == "cupy" and not ids:  # all that there is to say of a device
        device_step.show(console)
    if findings.failing or not verdicts:  # an algorithm that was asked nothing has shown nothing
        raise typer.Exit(_FAILED)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    return console


def _claims(wanted: list[str]) -> dict[str, Claim]:
    try:
        return registry.select(registry.discover(registry.PACKAGES), wanted)
    except registry.RegistryError as error:
        _stop(f"error: {error}", _USAGE)


def _source(data: str | None) -> DataSource:
    try:
        source = DataSource.resolve(data)
        load(source)  # so that a damaged file is known now, and not an hour from now
    except DataError as error:
        _stop(f"error: {error}", _USAGE)
    return source


def _vetted(algorithm: str) -> str:
    try:
        return foreign.load(algorithm).name
    except foreign.ForeignError as error:
        _stop(f"error: {error}", _USAGE)


def _versions(backend: str) -> dict[str, str]:
    """Of a backend that can be used; else the command ends."""
    try:
        return Place.named(backend).versions
    except BackendError as error:
        _stop(f"error: {error}", _USAGE)


def _train(claims: dict[str, Claim], plan: runner.Run, workers: int) -> None:
    """The training runs that the claims need, round by round: some depend on what others found."""
    done = runner.finished(runner.jobs_of(claims), plan)
    waiting = [claim for claim in claims.values() if runner.Job(claim.id, REFERENCE.name) not in done]
    before: tuple[Training, ...] = ()
    while (todo := runner.trainings_of(waiting, plan)) and todo != before:  # what cannot be kept is left to its claim
        typer.echo(f"{len(todo)} training runs.", err=True)
        with _stopping(lambda: f"finished training runs are kept in {plan.trainings}", _AGAIN[True]):
            _execute("training runs", todo, 0, plan, workers)
        before = todo


def _perform(claims: dict[str, Claim], subject: str, plan: runner.Run, workers: int) -> dict[runner.Job, Trial]:
    every = runner.jobs_of(claims, subject)
    kept = runner.finished(every, plan)
    todo = [job for job in every if job not in kept]
    again = f"; {len(kept)} kept from before" if kept else ""
    typer.echo(f"{len(claims)} claims: {len(todo)} jobs to run{again}.", err=True)

    def kept_now() -> str:
        return f"{len(runner.finished(every, plan))} of {len(every)} jobs are kept in {plan.parts}"

    with _stopping(kept_now, _AGAIN[not foreign.is_foreign(subject)]):
        _execute("jobs", todo, len(kept), plan, workers)
    return runner.finished(every, plan)


def _execute(what: str, todo: Sequence[runner.Work], kept: int, plan: runner.Run, workers: int) -> None:
    with live(Console(stderr=True), what, kept, kept + len(todo)) as watch:
        runner.execute(todo, plan, workers, watch)


@contextmanager
def _stopping(kept: Callable[[], str], again: str) -> Iterator[None]:
    """Says what is kept where the work is interrupted, or a worker dies."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` and CI end us this way
    try:
        yield
    except KeyboardInterrupt:
        _stop(f"interrupted: {kept()}; the same command {again}.", _INTERRUPTED)
    except runner.WorkerDied as error:
        _stop(f"error: {error}; the same command {again}.", _FAILED)
    finally:
        signal.signal(signal.SIGTERM, previous)


def _stop(message: str, status: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(status)
