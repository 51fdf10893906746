"""Command line of `run.py`: options, exit codes, and what each command prints.

Imports are lazy, so that `--help` and `--list` answer at once.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from runner.outcome import Outcome, Status
    from runner.request import RunRequest

_EPILOG = """\
examples:
  python run.py --pipeline training
  python run.py --pipeline training --set profile=quick
  python run.py --pipeline training --set data.source=customers.csv --stack local
  python run.py --pipeline training --json 2>/dev/null | python -m json.tool
  python run.py stack --help                       (stacks: list, show, diff, apply, ...)
  python run.py contract --help                    (a contract for your own table: draft, check)

exit codes:
  0    done
  2    the input is at fault: a name, a setting, or the data
  3    a model or promotion gate held it back; monitoring says alarm, or cannot tell
  130  stopped by Ctrl-C
  1    anything else"""


# As the system and SQLite say it; ZenML's stores and the libraries that write artifacts pass it on.
_FULL_DISK = re.compile("No space left on device|database or disk is full|Disk quota exceeded")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; None reads the words from `sys.argv`."""
    from churn.errors import ChurnError, InputError

    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run_command(words)
    except ChurnError as error:
        refused = error.exit_code == InputError.exit_code
        return _print_error("refused" if refused else "failed", str(error), error.exit_code)
    except KeyboardInterrupt:
        return _print_error("interrupted", "Stopped by Ctrl-C.", 130)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        return _print_error("failed", f"{_named(error)}.", 1)


def _print_error(status: str, sentence: str, exit_code: int) -> int:
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    console.print(f"[red]{status}:[/] ", end="")
    console.print(sentence, markup=False, soft_wrap=True)
    return exit_code


def _named(error: Exception) -> str:
    from churn.errors import error_reason

    reason = error_reason(error) if str(error).strip() else "no reason given"
    return f"{type(error).__name__}: {reason}"


def _run_command(words: Sequence[str]) -> int:
    if words[:1] == ["stack"]:
        return _manage_stacks(words[1:])
    if words[:1] == ["contract"]:
        return _manage_contracts(words[1:])
    options = build_parser().parse_args(words)
    if options.list:
        return _print_list(as_json=options.json)
    if options.doctor:
        return _print_diagnosis(options.stack, as_json=options.json)
    return _run_pipeline(options)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of every option."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Who is about to leave, why, and what is it worth doing about it?",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command = parser.add_mutually_exclusive_group(required=True)
    command.add_argument("--pipeline", metavar="NAME", help="run this pipeline")
    command.add_argument("--list", action="store_true", help="list pipelines and stacks")
    command.add_argument(
        "--doctor", action="store_true", help="check Python, versions, stack, data and ports"
    )
    parser.add_argument("--stack", metavar="NAME", help="run on this stack (default: local-mlflow)")
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings other than configs/")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="overrides",
        help="change one setting, such as profile=quick; repeatable",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="compile the pipeline for the stack and say what would run; nothing runs",
    )
    parser.add_argument("--no-cache", action="store_true", help="take nothing from earlier runs")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object on stdout, all else on stderr"
    )
    parser.add_argument("--verbose", action="store_true", help="show what the libraries log")
    return parser


def _manage_stacks(words: Sequence[str]) -> int:
    from stacks.cli import parser as stack_parser
    from stacks.cli import run_command

    options = stack_parser().parse_args(words)
    from rich.console import Console

    from runner.silence import silence_libraries

    silence_libraries(verbose=False)
    run_command(options, Console(highlight=False))
    return 0


def _manage_contracts(words: Sequence[str]) -> int:
    from runner.contract_command import parser as contract_parser
    from runner.contract_command import run_command

    options = contract_parser().parse_args(words)
    from rich.console import Console

    return run_command(options, Console(highlight=False))


def _run_pipeline(options: argparse.Namespace) -> int:
    from runner.request import RunRequest
    from runner.silence import set_environment_defaults
    from stacks.spec import DEFAULT_STACK

    set_environment_defaults()
    request = RunRequest(
        pipeline=options.pipeline,
        stack=options.stack or DEFAULT_STACK,
        config=options.config,
        overrides=tuple(options.overrides),
        cache=not options.no_cache,
        verbose=options.verbose,
    )
    if options.dry_run:
        return _print_dry_run(request, as_json=options.json)
    if not options.json:
        return run_pipeline(request, as_json=False).exit_code
    with _reserved_stdout() as stdout:
        outcome = run_pipeline(request, as_json=True)
    stdout.write(json.dumps(outcome.as_json(), indent=1) + "\n")
    stdout.flush()
    return outcome.exit_code


def _print_dry_run(request: RunRequest, *, as_json: bool) -> int:
    from rich.console import Console

    from runner.dry_run import dry_run, print_dry_run

    with _reserved_stdout() as stdout:
        plan = dry_run(request)
        if as_json:
            stdout.write(json.dumps(plan.as_json(), indent=1) + "\n")
        else:
            print_dry_run(plan, Console(file=stdout, highlight=False))
        stdout.flush()
    return 0


def run_pipeline(request: RunRequest, *, as_json: bool) -> Outcome:
    """Runs a pipeline and shows its progress; every error becomes an outcome.

    With `as_json` stdout is reserved for the JSON object, and the summary goes to stderr.
    """
    from rich.console import Console

    from churn.command import STOPPED
    from churn.errors import ChurnError
    from runner.execute import execute
    from runner.progress_view import ProgressView
    from runner.run_summary import print_summary

    console = Console(stderr=True, highlight=False)
    console.print(f"[bold]{request.pipeline}[/] on {request.stack}")
    try:
        with ProgressView(console) as view:
            outcome = execute(request, on_wait=view.show_waiting, on_bytes=view.show_download)
            view.show_cached(outcome.cached)
    except ChurnError as error:
        statuses: dict[int, Status] = {2: "refused", 3: "held"}
        status = statuses.get(error.exit_code, "failed")
        return _error_outcome(request, status, error, str(error), console)
    except KeyboardInterrupt as error:
        return _error_outcome(request, "interrupted", error, STOPPED, console)
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        status, sentence = _unforeseen(error, verbose=request.verbose)
        return _error_outcome(request, status, error, sentence, console)
    print_summary(outcome, console if as_json else Console(highlight=False))
    return outcome


def _unforeseen(error: Exception, *, verbose: bool) -> tuple[Status, str]:
    """Status and sentence of an error that no code of ours has named; a full disk has its own."""
    full = _FULL_DISK.search(str(error))
    if full:
        return "refused", (
            f"The run could not write on: {full[0]}. Free some space, or choose another place with "
            "--set output.folder=PATH, and run it again."
        )
    hint = "" if verbose else " Run it again with --verbose to see where."
    return "failed", f"{_named(error)}.{hint}"


def _error_outcome(
    request: RunRequest, status: Status, error: BaseException, sentence: str, console: Console
) -> Outcome:
    """Prints an error, with its notes below it, and returns it as the run's outcome."""
    from runner.outcome import Outcome

    console.print(f"\n[red]{status}:[/] ", end="")
    console.print(sentence, markup=False, soft_wrap=True)
    notes = " ".join(getattr(error, "__notes__", ()))
    if notes:
        console.print(notes, markup=False, soft_wrap=True)
    if request.verbose:
        console.print_exception()
    result = getattr(error, "result", None)
    return Outcome(request.pipeline, status, request.stack, error=sentence, result=result)


@contextmanager
def _reserved_stdout() -> Iterator[TextIO]:
    """Sends everything to stderr, even what native libraries write; yields the real stdout."""
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    before, sys.stdout = sys.stdout, sys.stderr
    try:
        yield os.fdopen(real, "w", encoding="utf-8")
    finally:
        sys.stdout = before


def _print_list(*, as_json: bool) -> int:
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


def _print_diagnosis(stack: str | None, *, as_json: bool) -> int:
    """Prints the doctor's findings; returns 1 if something is broken."""
    from runner.doctor import diagnose
    from stacks.spec import DEFAULT_STACK

    findings = diagnose(stack or DEFAULT_STACK)
    broken = any(each.status == "broken" for each in findings)
    if as_json:
        print(json.dumps([each.as_json() for each in findings], indent=1))
        return int(broken)
    marks = {"fine": "✓", "note": "!", "broken": "✗"}
    width = max(len(each.subject) for each in findings)
    for each in findings:
        print(f"  {marks[each.status]} {each.subject.ljust(width)}  {each.finding}")
        if each.remedy:
            print(f"    {' ' * width}  → {each.remedy}")
    return int(broken)
