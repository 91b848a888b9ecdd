"""Run the jobs of a set of claims, in this process or in several, and keep every result as it comes."""

import multiprocessing
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

from problems.data import DataSource
from rmda_ref.crosscheck.mutants import REFERENCE
from validation.claim import Claim, Profile, Setting
from validation.on_arrays import backend_of
from validation.parts import recall, store
from validation.registry import discover, mutants_of
from validation.training.run import Training
from validation.training.store import Store
from validation.trial import Trial, attempt

__all__ = ["Job", "Run", "Watch", "Work", "WorkerDied", "execute", "finished", "jobs_of", "trainings_of"]

_NEARLY_DONE = 0.999  # only the runner, once a job's part is written, calls the job done
_SECONDS_BETWEEN_REPORTS = 0.25


@dataclass(frozen=True)
class Job:
    """One claim on one implementation."""

    claim: str
    implementation: str

    def __str__(self) -> str:
        if self.implementation == REFERENCE.name:
            return self.claim
        return f"{self.claim} on {backend_of(self.implementation) or self.implementation}"


@dataclass(frozen=True)
class Run:
    """What the jobs of a run share. It crosses to other processes, so it holds names and no functions.

    Parameters
    ----------
    seed, profile, data : the setting of every measurement.
    packages : names of the packages that hold the claims.
    parts, trainings : the folders of the results and of the training runs.
    key : results stored under another key are not of this run; training runs have keys of their own.
    """

    seed: int
    profile: Profile
    data: DataSource
    packages: tuple[str, ...]
    parts: Path
    trainings: Path
    key: str

    def setting(self, progress: Callable[[float], None] = lambda fraction: None) -> Setting:
        return Setting(self.seed, self.profile, self.data, progress, Store(self.trainings))

    def part(self, job: Job) -> Path:
        return self.parts / f"{job.claim}--{re.sub(r'[: ]', '--', job.implementation)}.json"


Work = Job | Training
Watch = Callable[[Work, float], None]  # a job and its fraction done: 0 when it starts, 1 when its part is kept


class WorkerDied(RuntimeError):
    """A worker process ended without a word; the message names what was running."""


def jobs_of(claims: Mapping[str, Claim], subject: str = REFERENCE.name) -> tuple[Job, ...]:
    """Every job of these claims on ``subject``, then on their mutants, which often stop early.

    The longest come last in the registry and first here, so that no worker ends long after the others. Of the claims
    that run every operator one leads, which compiles them all, and the others wait: side by side each would compile
    them again.
    """
    backwards = tuple(claims)[::-1]
    every_operator = [name for name in backwards if claims[name].every_operator]
    others = [name for name in backwards if name not in every_operator]
    names = (*every_operator[:1], *others, *every_operator[1:])
    subjects = (Job(name, subject) for name in names)
    return (*subjects, *(Job(name, mutant) for name in names for mutant in mutants_of(claims[name])))


def finished(jobs: Iterable[Job], run: Run) -> dict[Job, Trial]:
    """The trials of this run that are on disk."""
    trials = ((job, recall(run.part(job), run.key)) for job in jobs)
    return {job: trial for job, trial in trials if trial is not None}


def trainings_of(claims: Iterable[Claim], run: Run) -> tuple[Training, ...]:
    """The training runs that the claims need, that are not kept, and that can be performed now."""
    setting = run.setting()
    return tuple(
        dict.fromkeys(training for claim in claims for training in (claim.trains(setting) if claim.trains else ()))
    )


def execute(jobs: Sequence[Work], run: Run, workers: int, watch: Watch) -> None:
    """Perform the jobs, storing each result as soon as it is there; one worker means this process.

    Raises
    ------
    WorkerDied
        If a worker process was killed or crashed.
    """
    run.parts.mkdir(parents=True, exist_ok=True)
    if workers > 1:
        _in_processes(jobs, run, workers, watch)
    else:
        for job in jobs:
            _perform(job, run, watch)
            watch(job, 1.0)


def _perform(job: Work, run: Run, watch: Watch) -> None:
    reported = time.monotonic()

    def progress(fraction: float) -> None:
        nonlocal reported
        if time.monotonic() - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = time.monotonic()
            watch(job, min(max(float(fraction), 0.0), _NEARLY_DONE))

    watch(job, 0.0)
    if isinstance(job, Training):
        with suppress(Exception):  # it is raised again, and reported, in the claim that needs the run
            run.setting().store.history(job, progress)
    else:
        claim = discover(run.packages)[job.claim]
        store(run.part(job), run.key, attempt(claim, job.implementation, run.setting(progress)))


def _in_processes(jobs: Sequence[Work], run: Run, workers: int, watch: Watch) -> None:
    context = multiprocessing.get_context("spawn")
    reports: Queue[tuple[Work, float]] = context.Queue()
    before = multiprocessing.active_children()
    with ProcessPoolExecutor(workers, context, initializer=_join, initargs=(reports,)) as pool:
        with _no_interrupts():
            pending = {pool.submit(_perform_and_report, job, run): job for job in jobs}
        try:
            _follow(pending, reports, watch)
        except BaseException:
            # Shutting a pool down waits for the jobs in progress, which may have hours to go.
            for child in set(multiprocessing.active_children()).difference(before):
                child.terminate()
            pool.shutdown(cancel_futures=True)
            raise


def _follow(pending: dict[Future[None], Work], reports: "Queue[tuple[Work, float]]", watch: Watch) -> None:
    running: set[Work] = set()
    while pending:
        done, _ = wait(pending, timeout=_SECONDS_BETWEEN_REPORTS, return_when=FIRST_COMPLETED)
        for job, fraction in _waiting(reports):
            if job in pending.values():  # a last report may arrive after the end of its job
                running.add(job)
                watch(job, fraction)
        for future in done:
            job = pending.pop(future)
            try:
                future.result()
            except BrokenProcessPool as error:
                names = ", ".join(sorted(map(str, running))) or str(job)
                raise WorkerDied(f"a worker process died (out of memory?) during one of: {names}") from error
            running.discard(job)
            watch(job, 1.0)


def _waiting(reports: "Queue[tuple[Work, float]]") -> Iterator[tuple[Work, float]]:
    while True:
        try:
            yield reports.get_nowait()
        except Empty:
            return


@contextmanager
def _no_interrupts() -> Iterator[None]:
    # A process started while SIGINT is ignored ignores it for ever: Ctrl-C is for the parent to handle,
    # which ends its workers itself. Processes start when jobs are submitted.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


_reports: "Queue[tuple[Work, float]]"  # of a worker, set when it starts


def _join(reports: "Queue[tuple[Work, float]]") -> None:
    global _reports
    _reports = reports


def _perform_and_report(job: Work, run: Run) -> None:
    _perform(job, run, lambda job, fraction: _reports.put((job, fraction)))
