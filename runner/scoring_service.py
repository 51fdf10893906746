"""Command line of the deployed scoring pipeline: deploy it, score a customer with it, stop it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from churn.errors import ChurnError, InputError, error_reason, one_line
from churn.home import home
from churn.scoring.current import local_stores, several_stores
from deployment.zenml_deployments import NAME, PORT
from runner.silence import silence_libraries
from stacks.spec import DEFAULT_STACK, load_stack
from stacks.zenml_store import open_zenml


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    options = _parser().parse_args(arguments)
    silence_libraries(verbose=False)
    try:
        options.state = home(options.state)
        open_zenml(options.state)
        result: str = options.run(options)
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
    sys.stdout.write(f"{result}\n")
    return 0


def _deploy(options: argparse.Namespace) -> str:
    # A run that starts this sets it; ZenML would store it as the stack that the user has set.
    os.environ.pop("ZENML_ACTIVE_STACK_ID", None)
    from runner.zenml_deployment import deploy_scoring

    stack = load_stack(options.stack)
    deployed = deploy_scoring(
        options.store or str(_only_store(options.state)),
        stack,
        name=options.name,
        port=options.port,
        keyed=options.keyed,
        state=options.state,
    )
    key = f" Callers show the key {deployed.key}" if deployed.key else ""
    return f"'{deployed.name}' answers at {deployed.address}/invoke.{key}"


def _only_store(state: Path) -> Path:
    """The store of the only model in production.

    Raises:
        InputError: there is none, or there are several.
    """
    stores = local_stores(state / "production")
    if len(stores) > 1:
        raise InputError(several_stores(stores, "--store"))
    if not stores:
        raise InputError(
            f"Nothing is in production in {state / 'production'}. Run `python run.py --pipeline "
            "promotion` first, or name a store with --store."
        )
    return stores[0]


def _invoke(options: argparse.Namespace) -> str:
    from runner.zenml_deployment import get_deployment, invoke_deployment

    customer = _read_customer(options.customer)
    deployed = get_deployment(options.name)
    return json.dumps(
        invoke_deployment(deployed.address, customer, key=deployed.key, keep=options.keep), indent=1
    )


def _stop(options: argparse.Namespace) -> str:
    from deployment.zenml_deployments import stop_deployment

    stopped = stop_deployment(options.name)
    return (
        f"'{options.name}' is stopped." if stopped else f"There was no deployment '{options.name}'."
    )


def _read_customer(path: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError) as error:
        reason = error_reason(error)
        raise InputError(
            f"The customer in {path} cannot be read ({reason}); name a file with one JSON object."
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"The customer in {path} is not a JSON object; name a file with one.")
    return content


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runner.scoring_service", description=__doc__, allow_abbrev=False
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    deploy = commands.add_parser("deploy", help="start it, or start it anew")
    deploy.add_argument("--store", help="bundle store (that of the only model in production)")
    deploy.add_argument("--stack", default=DEFAULT_STACK, help=f"stack ({DEFAULT_STACK})")
    deploy.add_argument("--port", type=int, help=f"port ({PORT}, or any free one)")
    deploy.add_argument("--keyed", action="store_true", help="answer only who shows a key")
    deploy.set_defaults(run=_deploy)
    invoke = commands.add_parser("invoke", help="score one customer")
    invoke.add_argument("--customer", required=True, help="file with a JSON object; -: stdin")
    invoke.add_argument("--keep", action="store_true", help="store the answer as an artifact")
    invoke.set_defaults(run=_invoke)
    stop = commands.add_parser("stop", help="stop it; its runs stay in ZenML")
    stop.set_defaults(run=_stop)
    for command in (deploy, invoke, stop):
        command.add_argument("--state", type=Path, help="output.folder of the runs (CHURN_HOME)")
        command.add_argument("--name", default=NAME, help=f"ZenML's name of it ({NAME})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
