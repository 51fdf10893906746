"""Shows the progress of a run on a terminal, step by step."""

from __future__ import annotations

import logging
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

_LABEL = 19
_WIDEST = 120


class ProgressView(logging.Handler):
    """Renders the records of the `churn.progress` logger; a context manager.

    On a terminal a running step has a progress bar; elsewhere only finished steps get a line.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._bars = Progress(
            TextColumn("  [cyan]{task.fields[mark]}[/] {task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._download: Progress | None = None
        self._first_rows: dict[TaskID, tuple[float, int]] = {}
        """When a step's first rows were reported, and how many; those an earlier run did are among them."""
        self._before = (logging.NOTSET, True)

    def __enter__(self) -> ProgressView:
        """Starts listening."""
        logger = logging.getLogger("churn.progress")
        self._before = (logger.level, logger.propagate)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        logger.addHandler(self)
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stops listening and leaves logger and terminal as they were."""
        logger = logging.getLogger("churn.progress")
        logger.removeHandler(self)
        level, logger.propagate = self._before
        logger.setLevel(level)
        self._stop_download()
        self._bars.stop()

    def show_waiting(self, what: str) -> None:
        """Shows what is being waited for before the first step; '' ends the wait."""
        self._stop_download()
        self._end_bar()
        if what:
            self._task = self._bars.add_task(f"{what} ...", total=None, mark="·", note="")

    def show_download(self, done: int, total: int | None) -> None:
        """Shows how many bytes of a table are downloaded."""
        if self._download is None:
            self._bars.stop()
            columns = (TextColumn("  downloading"), BarColumn(bar_width=24), DownloadColumn())
            self._download = Progress(
                *columns,
                console=self._console,
                transient=True,
                disable=not self._console.is_terminal,
            )
            self._download.start()
            self._download.add_task("", total=total)
        self._download.update(self._download.task_ids[0], completed=done, total=total)

    def emit(self, record: logging.LogRecord) -> None:
        """Renders one record of a step."""
        fields = record.__dict__
        step = str(fields.get("step", "")).replace("_", " ")
        match fields.get("event"):
            case "start":
                self._end_bar()
                self._task = self._bars.add_task(step.ljust(_LABEL), total=None, mark="·", note="")
            case "progress" if self._task is not None:
                done, total = fields["done"], fields["total"]
                self._bars.update(
                    self._task, completed=done, total=total, note=f"{done} of {total} splits"
                )
            case "rows" if self._task is not None:
                self._show_rows(self._task, fields["done"], fields["total"])
            case "done":
                self._line("[green]✓[/]", step, record.getMessage(), f"{fields['seconds']:.1f} s")
            case "failed":
                self._line("[red]✗[/]", step, "stopped here", "")
            case "warned":
                self._line("[yellow]![/]", step, record.getMessage(), "")

    def _show_rows(self, task: TaskID, done: int, total: int | None) -> None:
        """Shows rows, rows a second and the time that is left, each as far as it is known."""
        now = time.perf_counter()
        began, first = self._first_rows.setdefault(task, (now, done))
        note = f"{done:,}" + (f" of {total:,} rows" if total else " rows")
        if now > began and done > first:
            rate = (done - first) / (now - began)
            note += f", {rate:,.0f} rows/s"
            if total:
                left = round((total - done) / rate)
                note += f", {left // 60}:{left % 60:02d} left"
        self._bars.update(task, completed=done, total=total, note=note)

    def show_cached(self, findings: dict[str, str]) -> None:
        """Lists the steps whose results were taken from an earlier run."""
        for step, finding in findings.items():
            self._line("[dim]=[/]", step.replace("_", " "), finding, "cached")

    def _line(self, mark: str, step: str, sentence: str, ending: str) -> None:
        self._end_bar()
        label = step.ljust(_LABEL)
        # Times line up at the right; a sentence too long for that is not cut.
        width = max(0, min(_WIDEST, self._console.width) - _LABEL - len(ending) - 6)
        self._console.print(
            f"  {mark} {label} {escape(sentence.ljust(width))} [dim]{ending}[/]",
            highlight=False,
            soft_wrap=True,
        )

    def _end_bar(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None

    def _stop_download(self) -> None:
        if self._download is not None:
            self._download.stop()
            self._download = None
            self._bars.start()
