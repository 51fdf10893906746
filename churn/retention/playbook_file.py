"""Reads a playbook from its file; whatever is wrong with it is named with its line."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from churn.contract import DataContract
from churn.errors import InputError
from churn.frozen_model import requirement
from churn.retention.numbered_yaml import NumberedYaml
from churn.retention.playbook import Playbook
from churn.retention.playbook_check import playbook_faults


def load_playbook(path: Path, contract: DataContract) -> Playbook:
    """Reads a playbook and checks it against the data contract.

    Raises:
        InputError: the file cannot be read or is not valid; the sentence names file and line.
    """
    if not path.exists():
        raise InputError(
            f"There is no playbook {path}. Write one for the data contract '{contract.name}', as "
            "docs/playbooks.md describes, or name another with --set playbook=PATH."
        )
    file = NumberedYaml(path)
    try:
        playbook = Playbook.from_mapping(file.content)
    except ValidationError as error:
        raise InputError(_sentence(file, error)) from None
    except TypeError:
        raise InputError(
            f"{path} holds a value that is not plain YAML, such as a date; write it in quotes."
        ) from None
    for place, fault in playbook_faults(playbook, contract):
        raise InputError(f"{file.at(place)}: {fault}")
    return playbook


def _sentence(file: NumberedYaml, error: ValidationError) -> str:
    first = error.errors()[0]
    place = [part for part in first["loc"] if part not in ("[key]", "beta", "normal", "fixed")]
    if first["loc"] and first["loc"][-1] in ("beta", "normal", "fixed"):
        place.append(first["loc"][-1])
    key = ".".join(map(str, place))
    if first["type"] == "extra_forbidden":
        return f"{file.at(place)}: unknown field '{key}'; docs/playbooks.md lists all."
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return f"{file.at(place)}: '{key}' must have a distribution: beta, normal or fixed."
    value, must = first["input"], requirement(first)
    if place and place[-1] == "source":
        must = "must say 'assumed' or 'measured in experiment NAME'"
    if isinstance(value, bool):
        must = "must be in quotes where it is a word such as yes or no"
    shown = (
        "" if isinstance(value, dict | list) or first["type"] == "missing" else f", not {value!r}"
    )
    return f"{file.at(place)}: '{key}' {must}{shown}."
