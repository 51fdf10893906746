"""How far a replay is: a bar on a terminal, else a line every few seconds. Both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_QUIET_SECONDS = 2.0


@contextmanager
def showing_progress(total: int, console: Console | None = None) -> Iterator[Callable[[int], None]]:
    """Yields what is called with how many of the messages are done."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _lines(total)
        return
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)


def _lines(total: int) -> Callable[[int], None]:
    reported = time.monotonic()

    def report(done: int) -> None:
        nonlocal reported
        if time.monotonic() - reported > _QUIET_SECONDS:
            reported = time.monotonic()
            sys.stderr.write(f"{done:,} of {total:,} messages\n")

    return report
