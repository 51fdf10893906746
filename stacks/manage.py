"""What `run.py stack ...` does with stacks: looks at them, applies, activates and deletes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from churn.errors import ChurnError, InputError
from stacks.apply import AppliedStack, apply_stack, prepare
from stacks.needs import missing_modules
from stacks.plan import Change, find_component, is_ours, refuse_foreign, shown
from stacks.spec import OwnComponent, StackSpec, load_stack, stack_names

if TYPE_CHECKING:
    from zenml.client import Client

Standing = Literal["applied", "differs", "not applied", "not set up", "elsewhere", "broken"]


@dataclass(frozen=True)
class StackStanding:
    """How a stack stands here.

    Attributes:
        name: Its name.
        description: In a line.
        standing: applied as its file says; differs from it; not applied yet; not set up, because
            something is missing here; elsewhere, on a server of its own; broken, the file itself.
        remark: What is missing or wrong; '' where nothing is.
        active: Whether the user has it set active.
    """

    name: str
    description: str
    standing: Standing
    remark: str = ""
    active: bool = False


def list_stacks(values: Mapping[str, str]) -> list[StackStanding]:
    """How every stack with a file stands; changes nothing and asks no other machine."""
    import os

    from zenml.client import Client

    client = Client()
    active = client.active_stack_model.name
    found = []
    for name in stack_names():
        try:
            spec = load_stack(name)
        except InputError as error:
            found.append(StackStanding(name, "", "broken", str(error)))
            continue
        unset = [each for each in spec.variables() if not os.environ.get(each)]
        missing = missing_modules(spec)
        standing: Standing
        remark = ""
        if unset or missing:
            standing = "not set up"
            lacks = [f"{', '.join(unset)} unset"] if unset else []
            lacks += [f"{', '.join(missing)} not installed"] if missing else []
            remark = "; ".join(lacks)
        elif spec.server is not None:
            standing, remark = "elsewhere", spec.resolved(values).server.url  # type: ignore[union-attr]
        else:
            standing, remark = _standing(spec, values)
        found.append(StackStanding(name, spec.description, standing, remark, active == name))
    return found


def _standing(spec: StackSpec, values: Mapping[str, str]) -> tuple[Standing, str]:
    try:
        plan, _, flavors = prepare(spec, values)
    except ChurnError as error:
        return "broken", str(error)
    if plan.found is None:
        return "not applied", ""
    changes = (*flavors, *plan.changes)
    return ("differs", "; ".join(map(str, changes))) if changes else ("applied", "")


def show_stack(spec: StackSpec, values: Mapping[str, str]) -> dict[str, Any]:
    """A stack as its file says with what can be filled in filled in, and no secret in it."""
    import os

    unset = {name: "${env:" + name + "}" for name in spec.variables() if not os.environ.get(name)}
    filled = spec.resolved(values, {**os.environ, **unset})
    document = filled.model_dump(mode="json", exclude_unset=True)
    if filled.server is not None:
        document["server"]["api_key"] = shown("api_key", filled.server.api_key)
    for kind, component in filled.components.items():
        if isinstance(component, OwnComponent):
            document["components"][kind]["configuration"] = {
                key: shown(key, value) for key, value in component.configuration.items()
            }
    for place, value in (document.get("places") or {}).items():
        document["places"][place] = shown(place, value)
    return document


def diff_stack(spec: StackSpec, values: Mapping[str, str]) -> tuple[Change, ...]:
    """What applying the stack would change.

    Raises:
        ChurnError: as `stacks.apply.apply_stack`.
    """
    plan, _, flavors = prepare(spec, values)
    return (*flavors, *plan.changes)


def activate_stack(spec: StackSpec, values: Mapping[str, str]) -> AppliedStack:
    """Applies a stack and sets it active for the user, as `zenml stack set` does.

    Raises:
        InputError: it lives on a server of its own, where runs find it by `--stack` alone.
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
    """Deletes a stack from ZenML with those of its components that no other stack uses.

    Runs, models and artifacts stay; so does everything that this project did not make.

    Raises:
        InputError: the stack is active, or somebody else's.
    """
    _, client, _ = prepare(spec, values)
    found = client.list_stacks(name=spec.name, hydrate=True).items
    if not found:
        return ()
    stack = found[0]
    refuse_foreign(stack.labels, f"stack '{spec.name}'", spec)
    if client.active_stack_model.id == stack.id:
        raise InputError(
            f"Stack '{spec.name}' is the active one; set another first, with `zenml stack set default`."
        )
    client.delete_stack(stack.id)
    changes = [Change("delete", "stack", spec.name)]
    changes += _delete_parts(client, spec)
    return tuple(changes)


def _delete_parts(client: Client, spec: StackSpec) -> list[Change]:
    from zenml.enums import StackComponentType

    changes = []
    for kind, component in spec.components.items():
        if not isinstance(component, OwnComponent):
            continue
        typed = StackComponentType(kind)
        found = find_component(client, typed, component.name)
        if found is None or not is_ours(found.labels):
            continue
        if client.list_stacks(component_id=found.id, size=1).total:
            continue
        client.delete_stack_component(found.id, typed)
        changes.append(Change("delete", kind, component.name))
    return changes
