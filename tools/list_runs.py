"""Lists the latest runs, a line each, with their figures, verdict and model version.

    python tools/list_runs.py
    python tools/list_runs.py --tag "verdict: hold" --pipeline training --last 100

No library does it: `zenml pipeline runs list` shows neither. Reads the metadata and tags that
`runner.run_labels` puts on every run; a run that failed early shows its status alone. Answers of a
deployed scoring pipeline are runs, too, many of them: only --pipeline scoring lists them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zenml.models import PipelineRunResponse

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("started", "run", "stack", "status", "model", "ROC-AUC", "verdict", "version", "s")
_FIRST_TO_GO = ("started", "s", "stack", "version")  # a name has its time in it
_BETWEEN = 2  # blanks between two columns
_ANSWERS = "scoring"  # the pipeline whose runs are answers to single customers
_LAST = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table and returns the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    os.environ.setdefault("ZENML_ENABLE_RICH_TRACEBACK", "false")
    os.environ["ZENML_LOGGING_VERBOSITY"] = "CRITICAL"
    sys.path.insert(0, str(ROOT))
    from churn.home import home
    from stacks.zenml_store import choose_folder

    try:
        choose_folder(home())
        _print_runs(options)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        print(
            f"ZenML's runs cannot be listed: {reason}. `.venv/bin/python run.py --doctor` says more.",
            file=sys.stderr,
        )
        return 1
    return 0


def _print_runs(options: argparse.Namespace) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from zenml.client import Client

    client = Client()
    filters: dict[str, Any] = {"pipeline_name": options.pipeline or f"notequals:{_ANSWERS}"}
    if options.tag:
        filters["tags"] = options.tag
    found = client.list_pipeline_runs(
        sort_by="desc:created", size=options.last, hydrate=True, **filters
    )
    lines = [dict(zip(COLUMNS, cells(run), strict=True)) for run in found.items]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    shown = columns_for(lines, console.width)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1), collapse_padding=True)
    for name in shown:
        numbers = name in {"ROC-AUC", "s"}
        table.add_column(name, no_wrap=True, justify="right" if numbers else "left")
    for line in lines:
        table.add_row(*(line[name] for name in shown))
    console.print(table)
    console.print(f"  {len(lines)} of {found.total} runs, newest first.", style="dim")
    gone = [name for name in COLUMNS if name not in shown]
    if gone:
        console.print(f"  A wider window shows {', '.join(gone)}, too.", style="dim")
    answers = 0
    if not options.pipeline:
        answers = client.list_pipeline_runs(pipeline_name=_ANSWERS, size=1).total
    if answers:
        left_out = f"{answers:,} answers of the deployed pipeline are left out"
        console.print(f"  {left_out}: --pipeline {_ANSWERS}.", style="dim")


def columns_for(lines: Sequence[Mapping[str, str]], width: int) -> tuple[str, ...]:
    """The columns that fit a window; those that a run's name repeats are left out first."""
    needed = {
        name: _BETWEEN + max(len(name), *(len(line[name]) for line in lines), 0) for name in COLUMNS
    }
    shown = list(COLUMNS)
    for name in _FIRST_TO_GO:
        if sum(needed[each] for each in shown) > width:
            shown.remove(name)
    return tuple(shown)


def cells(run: PipelineRunResponse) -> tuple[str, ...]:
    """A run as the table shows it."""
    metadata = dict(run.run_metadata)
    auc, seconds = metadata.get("roc_auc"), metadata.get("seconds")
    return (
        f"{run.created:%Y-%m-%d %H:%M}",
        run.name,
        run.stack.name if run.stack else "",
        run.status.value,
        str(metadata.get("model", "")),
        f"{auc:.4f}" if isinstance(auc, float) else "",
        str(metadata.get("outcome") or metadata.get("verdict", "")),
        str(metadata.get("model_version", "")),
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
