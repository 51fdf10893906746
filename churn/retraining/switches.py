"""The file by which people stop retraining: a kill switch, and maintenance windows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import yaml
from pydantic import ValidationError

from churn.errors import InputError, error_reason
from churn.frozen_model import first_fault
from churn.monitoring.policy import Maintenance, Switches


def read_switches(path: Path) -> Switches:
    """Reads the file; one that cannot be read stops everything.

    Raises:
        InputError: it is not there, or says something that is no switch.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):  # `stop:` with nothing behind it is no stop
            content = {name: each for name, each in content.items() if each is not None}
        return Switches.model_validate_json(json.dumps(content or {}, default=_as_text))
    except ValidationError as error:
        reason = _fault(error)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        reason = error_reason(error)
    raise InputError(
        f"The switches of retraining in {path} cannot be read ({reason}), so nothing is retrained. "
        "Correct the file, or name another with --set switches=FILE."
    )


def _fault(error: ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] != "extra_forbidden":
        return first_fault(error)
    kind = Switches if len(first["loc"]) == 1 else Maintenance
    place = ".".join(map(str, first["loc"]))
    return f"unknown setting '{place}'; known: {', '.join(kind.model_fields)}"


def _as_text(value: object) -> str:
    """A time as it is written; YAML alone reads more than text in it."""
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no switch")
