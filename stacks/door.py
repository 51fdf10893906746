"""`run.py stack ...`: the stacks of this project from the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from stacks.spec import load_stack

if TYPE_CHECKING:
    from rich.console import Console

    from stacks.plan import Change

ACTIONS = {
    "list": "every stack, and how it stands here",
    "show": "what a stack is made of, placeholders filled in",
    "diff": "what applying it would change",
    "apply": "make ZenML hold it as its file says",
    "activate": "apply it, and set it active for your own zenml commands",
    "delete": "remove it, with what no other stack uses",
}
EPILOG = """\
examples:
  python run.py stack list
  python run.py stack diff cloud
  python run.py stack apply local-deepchecks

A run applies its own stack, for its own process alone; none of this is needed before it."""
_MARKS = {"create": "[green]+[/]", "update": "[yellow]~[/]", "delete": "[red]-[/]"}
_STANDINGS = {"applied": "green", "differs": "yellow", "broken": "red"}


def parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(
        prog="run.py stack",
        description="Stacks as code: stacks/NAME.yaml says what a stack is.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = made.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, line in ACTIONS.items():
        action = actions.add_parser(name, help=line, description=line.capitalize() + ".")
        if name != "list":
            action.add_argument("stack", metavar="NAME", help="a stack, such as local-mlflow")
        action.add_argument(
            "--state",
            metavar="FOLDER",
            type=Path,
            default=Path(".churn"),
            help="output.folder of the runs, where it is another than .churn",
        )
        action.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return made


def door(asked: argparse.Namespace, root: Path, console: Console, errors: Console) -> int:
    """Does what was asked for and returns the exit code.

    Args:
        asked: From `parser()`.
        root: What a relative state folder is relative to.
        console: For the answer.
        errors: For a sentence that says why there is none.
    """
    from churn.errors import ChurnError, InputError

    values = {"state": str(root / asked.state.expanduser())}
    try:
        told = _list(values, console, asked) if asked.action == "list" else None
        return told if told is not None else _one(asked, values, console)
    except ChurnError as error:
        refused = error.exit_code == InputError.exit_code
        errors.print(f"[red]{'refused' if refused else 'failed'}:[/] ", end="")
        errors.print(str(error), markup=False, soft_wrap=True)
        return error.exit_code


def _list(values: dict[str, str], console: Console, asked: argparse.Namespace) -> int:
    from stacks.manage import list_stacks

    found = list_stacks(values)
    if asked.json:
        _json(console, {"stacks": [asdict(each) for each in found]})
        return 0
    width = max(len(each.name) for each in found)
    for each in found:
        mark = "*" if each.active else " "
        style = _STANDINGS.get(each.standing, "dim")
        console.print(
            f"{mark} [bold]{each.name.ljust(width)}[/]  [{style}]{each.standing.ljust(11)}[/]  "
            f"{each.description}",
            soft_wrap=True,
        )
        if each.remark:
            console.print(f"  {' ' * width}  {' ' * 11}  ", end="")
            console.print(each.remark, markup=False, soft_wrap=True)
    if any(each.active for each in found):
        console.print("\n* active for your own zenml commands; a run uses what --stack names")
    return 0


def _one(asked: argparse.Namespace, values: dict[str, str], console: Console) -> int:
    from stacks import manage

    spec = load_stack(asked.stack)
    if asked.action == "show":
        document = manage.show_stack(spec, values)
        if asked.json:
            _json(console, document)
        else:
            import yaml

            text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
            console.print(text.rstrip(), markup=False, soft_wrap=True)
        return 0
    if asked.action == "diff":
        changes = manage.diff_stack(spec, values)
        _changes(
            changes, console, asked, nothing="nothing to change; ZenML holds it as the file says"
        )
        return 0
    if asked.action == "delete":
        changes = manage.delete_stack(spec, values)
        _changes(changes, console, asked, nothing="ZenML does not have it; nothing to delete")
        return 0
    if asked.action == "activate":
        applied = manage.activate_stack(spec, values)
        nothing = "nothing to change"
    else:
        from stacks.apply import apply_stack

        applied = apply_stack(spec, values)
        nothing = "nothing to change; ZenML holds it as the file says"
    if asked.json:
        _json(console, {"stack": spec.name, "id": str(applied.id), "changes": applied.changes})
        return 0
    for change in applied.changes:
        action, _, rest = change.partition(" ")
        console.print(f"{_MARKS[action]} {rest}")
    if not applied.changes:
        console.print(f"{spec.name}: {nothing}")
    if asked.action == "activate":
        console.print(f"{spec.name} is the active stack of your own zenml commands now.")
    return 0


def _changes(
    changes: Sequence[Change], console: Console, asked: argparse.Namespace, *, nothing: str
) -> None:
    if asked.json:
        _json(console, {"stack": asked.stack, "changes": [asdict(each) for each in changes]})
        return
    if not changes:
        console.print(f"{asked.stack}: {nothing}")
    for each in changes:
        console.print(f"{_MARKS[each.action]} {each.kind} [bold]{each.name}[/]")
        for line in each.details:
            console.print(f"    {line}", markup=False, soft_wrap=True)


def _json(console: Console, document: object) -> None:
    console.print(json.dumps(document, indent=1), markup=False, soft_wrap=True)
