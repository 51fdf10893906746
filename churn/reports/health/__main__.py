"""`python -m churn.reports.health`: writes the health page of a model from a ledger."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from churn.durable import replace_text
from churn.errors import ChurnError, InputError
from churn.home import home
from churn.ledger.settled_outcomes import OutcomeSettings, OutcomeTiming
from churn.reports.health.health_page import render_health_page
from churn.reports.health.model_health import read_health

_TIMING = OutcomeSettings()
_MOST_DAYS = 3650
_HORIZON = f"who leaves within so many days has left (default: {_TIMING.horizon_days})"
_DELAY = f"so much later an outcome may still arrive (default: {_TIMING.delay_days})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page and returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        ledger = options.ledger or f"sqlite:///{home() / 'ledger.db'}"
        timing = OutcomeTiming(horizon_days=options.horizon_days, delay_days=options.delay_days)
        health = read_health(ledger, options.model, options.kind, timing=timing)
        page = render_health_page(health)
        output = options.output or home() / f"{options.model}-health.html"
        replace_text(output, page)
        sys.stdout.write(f"{output}\n")
    except OSError as error:
        sys.stderr.write(
            f"The page cannot be written to {error.filename or output}: {error.strerror}.\n"
        )
        return InputError.exit_code
    except ChurnError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m churn.reports.health",
        description="Drift, scores, outcomes, alarms and versions of a model on one page.",
    )
    add = parser.add_argument
    add("model", metavar="MODEL", help="name of the model, such as telco-churn")
    add("--ledger", metavar="ADDRESS", help="the ledger's database (default: this machine's)")
    add("--kind", help="kind of the windows (default: that of the newest check)")
    add("--output", type=Path, metavar="FILE", help="default: MODEL-health.html beside the ledger")
    add("--horizon-days", type=_days, metavar="N", default=_TIMING.horizon_days, help=_HORIZON)
    add("--delay-days", type=_days, metavar="N", default=_TIMING.delay_days, help=_DELAY)
    return parser


def _days(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {_MOST_DAYS} days")
    return number


if __name__ == "__main__":
    sys.exit(main())
