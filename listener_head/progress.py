"""How long work tells how far it is, and the bar that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[str, int, int], None]
"""Takes what is done, how much of it is finished, and of how much."""


@contextmanager
def progress_bar(begin: str, transient: bool = False) -> Iterator[Report]:
    """A bar on standard error with what is done, how much of it, and the time left.

    ``begin`` is what is done at first; a ``transient`` bar is gone afterwards.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=transient) as bar:
        task = bar.add_task(begin, total=None)

        def report(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=min(done, total), total=total)

        yield report
