"""The latest runs, a line each, with what they came to: what ZenML's own list of runs leaves out.

    python tools/list_runs.py
    python tools/list_runs.py --tag "verdict: hold" --pipeline training --last 100

Reads the figures and tags that `pipelines.labels` puts on every run; a run that ended before it
came to anything shows its status alone.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

COLUMNS = ("started", "run", "stack", "status", "model", "ROC-AUC", "verdict", "version", "s")
_LAST = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table and returns the exit code."""
    asked = _parser().parse_args(arguments)
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ["ZENML_LOGGING_VERBOSITY"] = "CRITICAL"
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from zenml.client import Client

    chosen: dict[str, Any] = {"pipeline": asked.pipeline} if asked.pipeline else {}
    if asked.tag:
        chosen["tags"] = asked.tag
    found = Client().list_pipeline_runs(
        sort_by="desc:created", size=asked.last, hydrate=True, **chosen
    )
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1), collapse_padding=True)
    for name in COLUMNS:
        numbers = name in {"ROC-AUC", "s"}
        table.add_column(name, no_wrap=True, justify="right" if numbers else "left")
    for run in found.items:
        table.add_row(*cells(run))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table)
    console.print(f"  {len(found.items)} of {found.total} runs, newest first.", style="dim")
    return 0


def cells(run: PipelineRunResponse) -> tuple[str, ...]:
    """A run as the table shows it."""
    told = dict(run.run_metadata)
    auc, seconds = told.get("roc_auc"), told.get("seconds")
    return (
        f"{run.created:%Y-%m-%d %H:%M}",
        run.name,
        run.stack.name if run.stack else "",
        run.status.value,
        str(told.get("model", "")),
        f"{auc:.4f}" if isinstance(auc, float) else "",
        str(told.get("outcome") or told.get("verdict", "")),
        str(told.get("model_version", "")),
        f"{seconds:.0f}" if isinstance(seconds, int | float) else "",
    )


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    made.add_argument("--last", type=_count, default=_LAST, help=f"how many ({_LAST})")
    made.add_argument("--pipeline", help="of this pipeline alone")
    made.add_argument("--tag", action="append", help='with this tag, as "verdict: promote"')
    return made


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1000:  # noqa: PLR2004 - one page is enough for a terminal
        raise argparse.ArgumentTypeError("give a number from 1 to 1000")
    return number


if __name__ == "__main__":
    sys.exit(main())
