"""Command line of stacks: `run.py stack ...`."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from churn.home import home
from stacks.spec import StackSpec, load_stack

if TYPE_CHECKING:
    from rich.console import Console

ACTIONS = {
    "list": "every stack, and its status here",
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
_COLOURS = {"applied": "green", "differs": "yellow", "broken": "red"}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the arguments after `run.py stack`."""
    made = argparse.ArgumentParser(
        prog="run.py stack",
        description="Stacks as code: stacks/definitions/NAME.yaml says what a stack is.",
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
            help="output.folder of the runs (default: CHURN_HOME, or .churn)",
        )
        action.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return made


def run_command(arguments: argparse.Namespace, console: Console) -> None:
    """Runs an action.

    Raises:
        ChurnError: it cannot be done, and nothing was changed.
    """
    state = arguments.state and arguments.state.expanduser()
    values = {"state": str(home(state))}
    if arguments.action == "list":
        _list(values, console, as_json=arguments.json)
    elif arguments.action == "show":
        _show(load_stack(arguments.stack), values, console, as_json=arguments.json)
    elif arguments.action in {"diff", "delete"}:
        _diff_or_delete(arguments, load_stack(arguments.stack), values, console)
    else:
        _apply(arguments, load_stack(arguments.stack), values, console)


def _list(values: Mapping[str, str], console: Console, *, as_json: bool) -> None:
    from stacks.manage import list_stacks

    stacks = list_stacks(values)
    if as_json:
        _print_json(console, {"stacks": [each.as_json() for each in stacks]})
        return
    width = max(len(each.name) for each in stacks)
    for each in stacks:
        mark = "*" if each.active else " "
        colour = _COLOURS.get(each.status, "dim")
        console.print(
            f"{mark} [bold]{each.name.ljust(width)}[/]  [{colour}]{each.status.ljust(11)}[/]  "
            f"{each.description}",
            soft_wrap=True,
        )
        if each.remark:
            console.print(f"  {' ' * width}  {' ' * 11}  ", end="")
            console.print(each.remark, markup=False, soft_wrap=True)
    if any(each.active for each in stacks):
        console.print("\n* active for your own zenml commands; a run uses what --stack names")


def _show(spec: StackSpec, values: Mapping[str, str], console: Console, *, as_json: bool) -> None:
    from stacks.manage import show_stack

    document = show_stack(spec, values)
    if as_json:
        _print_json(console, document)
        return
    import yaml

    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    console.print(text.rstrip(), markup=False, soft_wrap=True)


def _diff_or_delete(
    arguments: argparse.Namespace, spec: StackSpec, values: Mapping[str, str], console: Console
) -> None:
    from stacks import manage

    if arguments.action == "diff":
        changes = manage.diff_stack(spec, values)
        unchanged = "nothing to change; ZenML holds it as the file says"
    else:
        changes = manage.delete_stack(spec, values)
        unchanged = "ZenML does not have it; nothing to delete"
    if arguments.json:
        _print_json(console, {"stack": spec.name, "changes": [asdict(each) for each in changes]})
        return
    if not changes:
        console.print(f"{spec.name}: {unchanged}")
    for each in changes:
        console.print(f"{_MARKS[each.action]} {each.kind} [bold]{each.name}[/]")
        for line in each.details:
            console.print(f"    {line}", markup=False, soft_wrap=True)


def _apply(
    arguments: argparse.Namespace, spec: StackSpec, values: Mapping[str, str], console: Console
) -> None:
    from stacks.apply import apply_stack
    from stacks.manage import activate_stack

    activate = arguments.action == "activate"
    applied = (activate_stack if activate else apply_stack)(spec, values)
    if arguments.json:
        _print_json(
            console, {"stack": spec.name, "id": str(applied.id), "changes": applied.changes}
        )
        return
    for change in applied.changes:
        action, _, rest = change.partition(" ")
        console.print(f"{_MARKS[action]} {rest}")
    if not applied.changes:
        held = "" if activate else "; ZenML holds it as the file says"
        console.print(f"{spec.name}: nothing to change{held}")
    if activate:
        console.print(f"{spec.name} is the active stack of your own zenml commands now, after")
        command = f"export ZENML_CONFIG_PATH={os.environ['ZENML_CONFIG_PATH']}"
        console.print(f"  {command}", markup=False, soft_wrap=True)


def _print_json(console: Console, document: object) -> None:
    console.print(json.dumps(document, indent=1), markup=False, soft_wrap=True)
