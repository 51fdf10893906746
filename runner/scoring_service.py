"""Deploys the scoring pipeline as a service of ZenML's, asks it about a customer, stops it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from churn.errors import ChurnError, InputError, error_reason, one_line
from churn.root import ROOT
from deployment.zenml_deployments import NAME, PORT
from stacks.spec import DEFAULT_STACK

_STORE = ".churn/production"


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what was asked for and returns the exit code."""
    asked = _parser().parse_args(arguments)
    from runner.silence import silence_libraries

    silence_libraries(verbose=False)
    try:
        said: str = asked.do(asked)
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("Stopped by Ctrl-C.\n")
        return 130
    except Exception as error:  # noqa: BLE001 - the last line of defence: one sentence, exit 1
        reason = one_line(error).rstrip(".") or "no reason given"
        sys.stderr.write(f"{type(error).__name__}: {reason}.\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


def _deploy(asked: argparse.Namespace) -> str:
    # A run that calls this has one; ZenML would write it down as the stack that the user has set.
    os.environ.pop("ZENML_ACTIVE_STACK_ID", None)
    from runner.zenml_deployment import deploy

    deployed = deploy(
        asked.store,
        asked.stack,
        name=asked.name,
        port=asked.port,
        keyed=asked.keyed,
        state=asked.state,
    )
    key = f" Callers show the key {deployed.key}" if deployed.key else ""
    return f"'{deployed.name}' answers at {deployed.address}/invoke.{key}"


def _invoke(asked: argparse.Namespace) -> str:
    from runner.zenml_deployment import find, invoke

    customer = _customer(asked.customer)
    found = find(asked.name)
    return json.dumps(invoke(found.address, customer, key=found.key, keep=asked.keep), indent=1)


def _stop(asked: argparse.Namespace) -> str:
    from runner.zenml_deployment import stop

    there = stop(asked.name)
    return f"'{asked.name}' is stopped." if there else f"There was no deployment '{asked.name}'."


def _customer(place: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        reason = error_reason(error)
        raise InputError(
            f"The customer in {place} cannot be read ({reason}); name a file with one JSON object."
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"The customer in {place} is not a JSON object; name a file with one.")
    return content


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runner.scoring_service", description=__doc__, allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    deploy = commands.add_parser("deploy", help="start it, or start it anew")
    deploy.add_argument("--store", default=str(ROOT / _STORE), help=f"bundle store ({_STORE})")
    deploy.add_argument("--stack", default=DEFAULT_STACK, help=f"stack ({DEFAULT_STACK})")
    deploy.add_argument("--port", type=int, help=f"port ({PORT}, or any free one)")
    deploy.add_argument("--state", type=Path, default=ROOT / ".churn", help="folder (.churn)")
    deploy.add_argument("--keyed", action="store_true", help="answer only who shows a key")
    deploy.set_defaults(do=_deploy)
    invoke = commands.add_parser("invoke", help="ask it about one customer")
    invoke.add_argument("--customer", required=True, help="file with a JSON object; -: stdin")
    invoke.add_argument("--keep", action="store_true", help="store the answer as an artifact")
    invoke.set_defaults(do=_invoke)
    stop = commands.add_parser("stop", help="stop it; its runs stay in ZenML")
    stop.set_defaults(do=_stop)
    for command in (deploy, invoke, stop):
        command.add_argument("--name", default=NAME, help=f"ZenML's name of it ({NAME})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
