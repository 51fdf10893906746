#!/usr/bin/env python3
"""The one door: runs a pipeline on a stack, and says how it ended.

Exit codes: 0 done; 2 the input is at fault; 3 a gate held the model back; 130 stopped by Ctrl-C;
1 anything else.
Imports are lazy, so that `--help` and `--list` answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from churn.errors import one_line

if TYPE_CHECKING:
    from rich.console import Console

    from runner.execute import Request
    from runner.outcome import Outcome, Status

EPILOG = """\
examples:
  python run.py --pipeline training
  python run.py --pipeline training --set profile=quick
  python run.py --pipeline training --set data.source=customers.csv --stack local
  python run.py --pipeline training --json 2>/dev/null | python -m json.tool
  python run.py stack --help                       (stacks: list, show, diff, apply, ...)

exit codes:
  0    done
  2    the input is at fault: a name, a setting, or the data
  3    a model or promotion gate held it back
  130  stopped by Ctrl-C
  1    anything else"""


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="run.py",
        description="Who is about to leave, why, and what is it worth doing about it?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    asked = made.add_mutually_exclusive_group(required=True)
    asked.add_argument("--pipeline", metavar="NAME", help="run this pipeline")
    asked.add_argument("--list", action="store_true", help="list pipelines and stacks")
    asked.add_argument(
        "--doctor", action="store_true", help="check Python, versions, stack, data and ports"
    )
    made.add_argument("--stack", metavar="NAME", help="run on this stack (default: local-mlflow)")
    made.add_argument("--config", metavar="FILE", type=Path, help="settings other than configs/")
    made.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one setting, such as profile=quick; repeatable",
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="compile the pipeline for the stack and say what would run; nothing runs",
    )
    made.add_argument("--no-cache", action="store_true", help="take nothing from earlier runs")
    made.add_argument(
        "--json", action="store_true", help="one JSON object on stdout, all else on stderr"
    )
    made.add_argument("--verbose", action="store_true", help="let the libraries talk")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what was asked for and returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["stack"]:
        return handle_stacks(words[1:])
    asked = parser().parse_args(words)
    if asked.list:
        return show_list(as_json=asked.json)
    if asked.doctor:
        return show_doctor(asked.stack, as_json=asked.json)
    from runner.execute import Request
    from runner.silence import settle_environment
    from stacks.spec import DEFAULT_STACK

    settle_environment()
    request = Request(
        pipeline=asked.pipeline,
        stack=asked.stack or DEFAULT_STACK,
        config=asked.config,
        overrides=tuple(asked.overrides),
        cache=not asked.no_cache,
        verbose=asked.verbose,
    )
    if asked.dry_run:
        return rehearse(request, as_json=asked.json)
    if not asked.json:
        return run(request, as_json=False).exit_code
    with own_stdout() as stdout:
        outcome = run(request, as_json=True)
    stdout.write(json.dumps(outcome.as_json(), indent=1) + "\n")
    stdout.flush()
    return outcome.exit_code


def handle_stacks(words: Sequence[str]) -> int:
    """Does what `run.py stack ...` asks for and returns the exit code."""
    from stacks.cli import parser as stack_parser
    from stacks.cli import run_command

    asked = stack_parser().parse_args(words)
    from rich.console import Console

    from churn.root import ROOT
    from runner.silence import hush

    hush(verbose=False)
    return run_command(asked, ROOT, Console(highlight=False), Console(stderr=True, highlight=False))


def rehearse(request: Request, *, as_json: bool) -> int:
    """Compiles a pipeline for a stack, shows what would run, and returns the exit code."""
    from rich.console import Console

    from churn.errors import ChurnError, InputError
    from runner.dry_run import dry_run, show

    errors = Console(stderr=True, highlight=False)
    with own_stdout() as stdout:
        try:
            found = dry_run(request)
        except ChurnError as error:
            refused = error.exit_code == InputError.exit_code
            errors.print(f"[red]{'refused' if refused else 'failed'}:[/] ", end="")
            errors.print(str(error), markup=False, soft_wrap=True)
            return error.exit_code
        if as_json:
            stdout.write(json.dumps(found.as_json(), indent=1) + "\n")
        else:
            show(found, Console(file=stdout, highlight=False))
        stdout.flush()
    return 0


def run(request: Request, *, as_json: bool) -> Outcome:
    """Runs a pipeline and shows it; every way to end becomes an outcome."""
    from rich.console import Console

    from churn.errors import ChurnError
    from runner.execute import execute
    from runner.outcome import Outcome
    from runner.progress_view import ProgressView

    console = Console(stderr=True, highlight=False)
    console.print(f"[bold]{request.pipeline}[/] on {request.stack}")

    def ended(status: Status, error: BaseException, sentence: str) -> Outcome:
        notes = " ".join(getattr(error, "__notes__", ()))
        console.print(f"\n[red]{status}:[/] ", end="")
        console.print(sentence, markup=False, soft_wrap=True)
        if notes:
            console.print(notes, markup=False, soft_wrap=True)
        if request.verbose:
            console.print_exception()
        return Outcome(request.pipeline, status, request.stack, error=sentence)

    try:
        with ProgressView(console) as view:
            outcome = execute(request, say=view.waiting, on_bytes=view.downloading)
            view.cached(outcome.cached)
    except ChurnError as error:
        status: Status = {2: "refused", 3: "held"}.get(error.exit_code, "failed")
        return ended(status, error, str(error))
    except KeyboardInterrupt as error:
        return ended("interrupted", error, "Stopped by Ctrl-C; nothing half-written stays behind.")
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        reason = one_line(error) or "no reason given"
        hint = "" if request.verbose else " Run it again with --verbose to see where."
        return ended("failed", error, f"{type(error).__name__}: {reason.rstrip('.')}.{hint}")
    show(outcome, console if as_json else Console(highlight=False))
    return outcome


def show(outcome: Outcome, console: Console) -> None:
    """Prints the table at the end."""
    from runner.summary import show_summary

    show_summary(outcome, console)


@contextmanager
def own_stdout() -> Iterator[object]:
    """Sends everything to stderr, even what native libraries write; yields the real stdout."""
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    before, sys.stdout = sys.stdout, sys.stderr
    try:
        yield os.fdopen(real, "w", encoding="utf-8")
    finally:
        sys.stdout = before


def show_list(*, as_json: bool) -> int:
    """Prints pipelines and stacks, a line each."""
    from runner.pipeline_catalog import PIPELINES
    from stacks.spec import DEFAULT_STACK, load_stack, stack_names

    pipelines = {entry.name: entry.summary for entry in PIPELINES}
    stacks = {name: load_stack(name).description for name in stack_names()}
    if as_json:
        print(json.dumps({"pipelines": pipelines, "stacks": stacks, "default": DEFAULT_STACK}))
        return 0
    width = max(map(len, (*pipelines, *stacks)))
    for title, entries in (("Pipelines", pipelines), ("Stacks", stacks)):
        print(f"{title}:")
        for name, line in entries.items():
            print(f"  {name.ljust(width)}  {line}")
    return 0


def show_doctor(stack: str | None, *, as_json: bool) -> int:
    """Prints what was looked at; 1 where something is broken."""
    from runner.doctor import diagnose
    from stacks.spec import DEFAULT_STACK

    found = diagnose(stack or DEFAULT_STACK)
    broken = any(each.status == "broken" for each in found)
    if as_json:
        print(json.dumps([each.as_json() for each in found], indent=1))
        return int(broken)
    marks = {"fine": "✓", "note": "!", "broken": "✗"}
    width = max(len(each.subject) for each in found)
    for each in found:
        print(f"  {marks[each.status]} {each.subject.ljust(width)}  {each.finding}")
        if each.remedy:
            print(f"    {' ' * width}  → {each.remedy}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
