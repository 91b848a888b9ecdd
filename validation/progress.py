"""What the terminal shows while jobs run."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from validation.runner import Watch, Work

__all__ = ["live"]


@contextmanager
def live(console: Console, what: str, kept: int, total: int) -> Iterator[Watch]:
    """Show a bar for the run and one for each job in progress; nothing where the console is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        overall = progress.add_task(what, completed=kept, total=total)
        running: dict[Work, TaskID] = {}

        def watch(job: Work, fraction: float) -> None:
            if fraction < 1:
                if job not in running:
                    running[job] = progress.add_task(f"  {job}", total=100)
                progress.update(running[job], completed=int(100 * fraction))
            else:
                progress.advance(overall)
                if job in running:
                    progress.remove_task(running.pop(job))

        yield watch
