"""Reads a pipeline's settings: the file, the profile's part of it, and `--set key=value`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from churn.errors import InputError, did_you_mean, error_reason
from churn.frozen_model import requirement

Settings = TypeVar("Settings", bound=BaseModel)
Tree = dict[str, Any]

PROFILES = "profiles"
PROFILE = "profile"
FULL = "full"


def load_settings(kind: type[Settings], path: Path, overrides: Sequence[str] = ()) -> Settings:
    """Reads, overlays and validates.

    Args:
        kind: the pipeline's settings.
        path: its YAML file.
        overrides: `key=value` each, dotted keys, values in YAML's spelling.

    Raises:
        InputError: the file cannot be read, or a key or value in it or in `overrides` is wrong.

    Examples:
        >>> from churn.settings.pipelines import TrainingSettings
        >>> path = Path("configs/training.yaml")
        >>> load_settings(TrainingSettings, path, ["profile=quick"]).protocol.repeats
        3
        >>> load_settings(TrainingSettings, path, ["protocol.repeat=3"])
        Traceback (most recent call last):
        churn.errors.InputError: Unknown setting 'protocol.repeat' in --set; ...
    """
    tree = _read(path)
    profiles = tree.pop(PROFILES, {})
    changes: Tree = {}
    for override in overrides:
        _put(changes, override)
    profile = changes.get(PROFILE, tree.get(PROFILE, FULL))
    merged = _merge(tree, _overlay(profiles, profile, path))
    merged = _merge(merged, changes)
    try:
        # As JSON: strict about types, while a list may still stand for a tuple.
        return kind.model_validate_json(json.dumps(merged, default=_as_text))
    except TypeError:
        source = _near(path) if _is_plain(changes) else "--set"
        raise InputError(
            f"{source} holds a value that is not plain YAML, such as a set; write it otherwise."
        ) from None
    except ValidationError as error:
        raise InputError(_sentence(kind, error, changes, path)) from None


def _read(path: Path) -> Tree:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"The configuration {_near(path)} does not exist; name one that does."
        ) from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = error_reason(error)
        raise InputError(
            f"The configuration {_near(path)} cannot be read as YAML: {reason}."
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"The configuration {_near(path)} must be a YAML mapping of settings.")
    return content


def _overlay(profiles: Any, profile: Any, path: Path) -> Tree:
    known = [FULL, *(profiles if isinstance(profiles, dict) else ())]
    if profile not in known:
        raise InputError(
            f"There is no profile {profile!r} in {_near(path)}; known: {', '.join(known)}."
        )
    if profile == FULL and (not isinstance(profiles, dict) or FULL not in profiles):
        return {}
    overlay = profiles[profile]
    if not isinstance(overlay, dict):
        raise InputError(f"Profile {profile!r} in {_near(path)} must be a mapping of settings.")
    return overlay


def _put(changes: Tree, override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise InputError(f"--set {override!r} is not key=value, such as --set profile=quick.")
    here = changes
    for part in parts[:-1]:
        here = here.setdefault(part, {})
        if not isinstance(here, dict):
            raise InputError(f"--set {override!r} goes into '{part}', which --set made a value.")
    here[parts[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    """What YAML reads, but a sentence stays a sentence: its colon makes no mapping, its hash no comment."""
    try:
        value = yaml.safe_load(text) if text else ""
    except (yaml.YAMLError, ValueError):  # a ValueError: what looks like a date and is none
        return text
    is_plain = not text.startswith(('"', "'", "{", "["))
    is_sentence = isinstance(value, str | dict) or "#" in text
    return text if is_plain and is_sentence else value


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> Tree:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        deeper = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below or {}, value) if deeper else value
    return merged


def _sentence(kind: type[BaseModel], error: ValidationError, changes: Tree, path: Path) -> str:
    """The first thing wrong, where it was set, and what is allowed there."""
    first = error.errors()[0]
    place, holder = _walk(kind, first["loc"])
    # A missing setting was left out where its parent was set.
    set_at = place[:-1] if first["type"] == "missing" else place
    source = "--set" if _is_set(changes, set_at) else _near(path)
    key = ".".join(place)
    if first["type"] == "extra_forbidden":
        known = list(holder.model_fields) if holder else []
        near = did_you_mean(place[-1], known, cutoff=0.5)
        hint = f" Did you mean '{near}'?" if near else ""
        where = f" under '{'.'.join(place[:-1])}'" if place[:-1] else ""
        listed = f"; known{where}: {', '.join(known)}" if known else ""
        return f"Unknown setting '{key}' in {source}{listed}.{hint}"
    if not key:
        reason = first["msg"].removeprefix("Value error, ")
        source = f"{_near(path)} with --set" if changes else _near(path)
        return f"The settings in {source} do not go together: {reason}."
    value = first["input"]
    shown = "" if isinstance(value, dict) else f", not {value!r}"
    return f"Setting '{key}' in {source} {requirement(first)}{shown}."


def _walk(
    kind: type[BaseModel], location: tuple[int | str, ...]
) -> tuple[list[str], type[BaseModel] | None]:
    """A setting's place as users write it, and the settings class that has its last part.

    pydantic's location also names the member of a union that it chose; users never write that.
    """
    place: list[str] = []
    here: Any = kind
    holder: type[BaseModel] | None = None
    for part in map(str, location):
        members = _members(here)
        if members:
            here = members.get(part)
            continue
        place.append(part)
        holder = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        if holder is not None:
            field = holder.model_fields.get(part)
            here = field.annotation if field is not None else None
        else:
            inner = get_args(here)
            here = inner[-1] if inner else None
    return place, holder


def _members(annotation: Any) -> dict[str, Any]:
    """A tagged union's members by their `kind`; empty for anything else."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (UnionType, Union):
        return {}
    kinds = [each for each in get_args(annotation) if isinstance(each, type)]
    tagged = [each for each in kinds if issubclass(each, BaseModel)]
    return {str(each.model_fields["kind"].default): each for each in tagged}


def _is_set(changes: Any, place: Sequence[str]) -> bool:
    for part in place:
        if not isinstance(changes, dict):
            return True
        if part not in changes:
            return False
        changes = changes[part]
    return bool(place)


def _as_text(value: Any) -> str:
    """A date or a time as it is written; YAML alone reads more than text in it."""
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError


def _is_plain(tree: Tree) -> bool:
    try:
        json.dumps(tree, default=_as_text)
    except TypeError:
        return False
    return True


def _near(path: Path) -> str:
    """The path relative to the current folder if it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
