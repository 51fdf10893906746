"""Actions of `run.py stack ...`: lists, shows, compares, activates and deletes stacks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from churn.errors import ChurnError, InputError
from churn.home import home
from stacks.apply import AppliedStack, apply_stack, prepare_stack
from stacks.plan import Change, find_component, is_ours, mask_secret, require_ours
from stacks.requirements import missing_modules
from stacks.spec import OwnComponent, StackSpec, load_stack, stack_names
from stacks.zenml_store import open_zenml

if TYPE_CHECKING:
    from zenml.client import Client

Status = Literal["applied", "differs", "not applied", "not set up", "elsewhere", "broken"]


@dataclass(frozen=True)
class StackStatus:
    """Status of a stack in this installation.

    Attributes:
        name: Its name.
        description: One line.
        status: applied as its file says; differs from it; not applied yet; not set up, because
            something is missing here; elsewhere, on a server of its own; broken, the file itself.
        remark: What is missing or wrong; empty where nothing is.
        active: Whether it is the user's active stack.
    """

    name: str
    description: str
    status: Status
    remark: str = ""
    active: bool = False

    def as_json(self) -> dict[str, Any]:
        """Returns the object that `run.py stack list --json` prints."""
        return {
            "name": self.name,
            "description": self.description,
            "standing": self.status,
            "remark": self.remark,
            "active": self.active,
        }


def list_stacks(values: Mapping[str, str]) -> list[StackStatus]:
    """Returns the status of every stack that has a file; changes nothing, contacts no server."""
    active = open_zenml(home(values.get("state"))).active_stack_model.name
    return [_stack_status(name, values, active=name == active) for name in stack_names()]


def show_stack(spec: StackSpec, values: Mapping[str, str]) -> dict[str, Any]:
    """Returns a stack as its file has it, placeholders filled in where possible, secrets masked."""
    unset = {name: "${env:" + name + "}" for name in _unset_variables(spec)}
    filled = spec.resolved(values, {**os.environ, **unset})
    document = filled.model_dump(mode="json", exclude_unset=True)
    if filled.server is not None:
        document["server"]["api_key"] = mask_secret("api_key", filled.server.api_key)
    for kind, component in filled.components.items():
        if isinstance(component, OwnComponent):
            document["components"][kind]["configuration"] = {
                key: mask_secret(key, value) for key, value in component.configuration.items()
            }
    for place, value in (document.get("places") or {}).items():
        document["places"][place] = mask_secret(place, value)
    return document


def diff_stack(spec: StackSpec, values: Mapping[str, str]) -> tuple[Change, ...]:
    """Returns what applying the stack would change."""
    plan, _, flavors = prepare_stack(spec, values)
    return (*flavors, *plan.changes)


def activate_stack(spec: StackSpec, values: Mapping[str, str]) -> AppliedStack:
    """Applies a stack and sets it active for the user, as `zenml stack set` does.

    Raises:
        InputError: it is on a server of its own, where runs find it by `--stack` alone.
    """
    if spec.server is not None:
        raise InputError(
            f"Stack '{spec.name}' lives on a ZenML server of its own, which a run is connected to for "
            f"itself: use `run.py --pipeline NAME --stack {spec.name}`; nothing needs activating."
        )
    applied = apply_stack(spec, values)
    from zenml.client import Client

    Client().activate_stack(applied.id)
    return applied


def delete_stack(spec: StackSpec, values: Mapping[str, str]) -> tuple[Change, ...]:
    """Deletes a stack from ZenML, with those of its components that no other stack uses.

    Runs, models and artifacts stay; so does everything that this project did not make.

    Raises:
        InputError: the stack is active, or this project did not make it.
    """
    _, client, _ = prepare_stack(spec, values)
    stacks = client.list_stacks(name=spec.name, hydrate=True).items
    if not stacks:
        return ()
    stack = stacks[0]
    require_ours(stack.labels, f"stack '{spec.name}'", spec)
    if client.active_stack_model.id == stack.id:
        raise InputError(
            f"Stack '{spec.name}' is the active one; set another first, with `run.py "
            "stack activate NAME`."
        )
    client.delete_stack(stack.id)
    return (Change("delete", "stack", spec.name), *_delete_components(client, spec))


def _stack_status(name: str, values: Mapping[str, str], *, active: bool) -> StackStatus:
    try:
        spec = load_stack(name)
    except InputError as error:
        return StackStatus(name, "", "broken", str(error))
    unset, missing = _unset_variables(spec), missing_modules(spec)
    if unset or missing:
        lacks = [f"{', '.join(unset)} unset"] if unset else []
        lacks += [f"{', '.join(missing)} not installed"] if missing else []
        return StackStatus(name, spec.description, "not set up", "; ".join(lacks), active)
    try:
        status, remark = _compare(spec, values)
    except ChurnError as error:
        status, remark = "broken", str(error)
    return StackStatus(name, spec.description, status, remark, active)


def _compare(spec: StackSpec, values: Mapping[str, str]) -> tuple[Status, str]:
    server = spec.resolved(values).server
    if server is not None:
        return "elsewhere", server.url
    plan, _, flavors = prepare_stack(spec, values)
    if plan.current is None:
        return "not applied", ""
    changes = (*flavors, *plan.changes)
    return ("differs", "; ".join(map(str, changes))) if changes else ("applied", "")


def _unset_variables(spec: StackSpec) -> list[str]:
    return [name for name in spec.variables() if not os.environ.get(name)]


def _delete_components(client: Client, spec: StackSpec) -> list[Change]:
    from zenml.enums import StackComponentType

    changes = []
    for kind, component in spec.components.items():
        if not isinstance(component, OwnComponent):
            continue
        component_type = StackComponentType(kind)
        current = find_component(client, component_type, component.name)
        if current is None or not is_ours(current.labels):
            continue
        if not client.list_stacks(component_id=current.id, size=1).total:
            client.delete_stack_component(current.id, component_type)
            changes.append(Change("delete", kind, component.name))
    return changes
