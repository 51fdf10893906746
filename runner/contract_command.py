"""Command line of data contracts: `run.py contract ...`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from churn.contract import contract_content
from churn.errors import ChurnError, InputError
from churn.root import ROOT

if TYPE_CHECKING:
    from rich.console import Console

    from churn.contract import DataContract
    from churn.drafting.contract_check import Finding, Weight

EPILOG = """\
examples:
  python run.py contract draft customers.csv --output data/contracts/mine.yaml
  python run.py contract check data/contracts/mine.yaml --source customers.csv

exit codes: 0 done or nothing wrong, 2 something is wrong"""
_TITLES: Mapping[Weight, str] = {
    "wrong": "Wrong, to be mended",
    "warning": "To be looked at",
    "confirm": "Guessed, to be confirmed: correct the column if need be, and delete its `confirm`",
    "cost": "Left out for want of a role; give it to the column that means it",
    "optional": "Optional",
}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the arguments after `run.py contract`."""
    made = argparse.ArgumentParser(
        prog="run.py contract",
        description="Data contracts: what a customer table's columns mean, in one file.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = made.add_subparsers(dest="action", metavar="ACTION", required=True)
    draft = actions.add_parser("draft", help="write a first contract from a table")
    draft.add_argument(
        "source", metavar="TABLE", help="a path or an address, as data.source takes it"
    )
    draft.add_argument("--output", metavar="FILE", type=Path, required=True, help="the new file")
    draft.add_argument("--id", metavar="COLUMN", help="the column of the customers' ids")
    draft.add_argument("--target", metavar="COLUMN", help="the column that says who left")
    draft.add_argument("--yes", metavar="VALUE", help="its value for a customer who left")
    check = actions.add_parser("check", help="list all that a contract lacks")
    check.add_argument("contract", metavar="FILE", type=Path, help="a contract's file")
    check.add_argument("--source", metavar="TABLE", help="a table to be read and checked by it")
    for action in (draft, check):
        action.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return made


def run_command(arguments: argparse.Namespace, console: Console) -> int:
    """Runs an action and returns the exit code.

    With `--json` a refusal is an object on stdout, too: its `status` and `error` say so.

    Raises:
        ChurnError: a file cannot be read, or a table cannot be drafted from.
    """
    act = _draft if arguments.action == "draft" else _check
    try:
        return act(arguments, console)
    except ChurnError as error:
        if arguments.json:
            _print_json({"status": "refused", "error": str(error)})
        raise


def _print_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=1) + "\n")
    sys.stdout.flush()


def _draft(arguments: argparse.Namespace, console: Console) -> int:
    from churn.data.intake.raw import LARGEST
    from churn.data.sources import open_source, whole_table
    from churn.drafting.contract_text import contract_text
    from churn.drafting.draft import Hints, draft_contract

    output: Path = arguments.output
    name = _contract_name(output)
    source = open_source(arguments.source, largest=LARGEST)
    hints = Hints(id=arguments.id, target=arguments.target, yes=arguments.yes)
    content = draft_contract(whole_table(source, LARGEST), name, source.shown, hints)
    text = contract_text(content, _from_root(source.shown), source.digest())
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _exists(output) from None
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}. Name another.") from None
    if arguments.json:
        _print_json({"status": "completed", "path": str(output), "contract": content})
    else:
        _print_draft(content, output, source.shown, console)
    return 0


def _contract_name(output: Path) -> str:
    if output.exists():
        raise _exists(output)
    if output.suffix != ".yaml" or not re.fullmatch(r"[a-z][a-z0-9_-]*", output.stem):
        raise InputError(
            f"--output {output}: the contract's name is the file's, so call it NAME.yaml in lower-case "
            "letters, digits, - and _, such as data/contracts/mine.yaml."
        )
    return output.stem


def _exists(output: Path) -> InputError:
    return InputError(
        f"{output} is there already and is not overwritten. Name another, or move it."
    )


def _print_draft(content: Mapping[str, Any], output: Path, source: str, console: Console) -> None:
    columns, left_out = content["columns"], content.get("left_out", {})
    kinds = {each["kind"]: each for each in columns}
    open_questions = sum("confirm" in each for each in columns)
    lines = [
        f"Wrote {output}: {len(columns)} columns described, {len(left_out)} left out.",
        f"  id      {kinds['id']['name']}" + (" (surrogate)" if "surrogate" in kinds["id"] else ""),
        (
            f"  target  {kinds['target']['name']}: {kinds['target']['yes_value']!r} left, "
            f"{kinds['target']['no_value']!r} stayed"
        ),
        *(f"  left out: {column}: {why}." for column, why in left_out.items()),
        f"{open_questions} guesses are marked `confirm`: read them, and delete the lines that are right. Then:",
        f"  python run.py contract check {output} --source {source}",
        (
            f"  python run.py --pipeline training --set data.contract={output} "
            f"--set data.source={source}"
        ),
    ]
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _check(arguments: argparse.Namespace, console: Console) -> int:
    from churn.drafting.contract_check import check_contract

    path: Path = arguments.contract
    contract, findings = check_contract(contract_content(path))
    if contract is not None and arguments.source is not None:
        findings += _check_source(arguments.source, contract, path)
    code = InputError.exit_code if any(each.weight == "wrong" for each in findings) else 0
    if arguments.json:
        status = "refused" if code else "completed"
        listed = [asdict(each) for each in findings]
        _print_json({"status": status, "path": str(path), "findings": listed})
    else:
        _print_findings(findings, path, console)
    return code


def _check_source(address: str, contract: DataContract, path: Path) -> list[Finding]:
    """What is wrong with the table of an address, by a contract of that file."""
    from churn.data import accepted_snapshot
    from churn.data.intake.header import name_file
    from churn.data.intake.raw import LARGEST
    from churn.data.sources import open_source, whole_table
    from churn.drafting.contract_check import Finding, check_table

    source = open_source(address, contract, largest=LARGEST)
    try:
        table = whole_table(source, LARGEST)
    except InputError as error:
        found = [Finding("wrong", str(error))]
    else:
        found = check_table(table, contract, accepted_snapshot(contract, root=ROOT))
    return [replace(each, sentence=name_file(each.sentence, contract, str(path))) for each in found]


def _print_findings(findings: list[Finding], path: Path, console: Console) -> None:
    lines: list[str] = []
    for weight, title in _TITLES.items():
        those = [each.sentence for each in findings if each.weight == weight]
        if those:
            lines += [f"{title} ({len(those)}):", *(f"  {sentence}" for sentence in those)]
    wrong = any(each.weight == "wrong" for each in findings)
    lines.append(f"{path}: {'not usable yet' if wrong else 'valid, can be trained with'}.")
    console.print("\n".join(lines), markup=False, soft_wrap=True)


def _from_root(source: str) -> str:
    """A path as a contract names it, relative to the project where it lies inside; an address as it is."""
    from churn.data.intake.address import is_url

    if is_url(source):
        return source
    path = Path(source).expanduser().resolve()
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
