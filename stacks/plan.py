"""What must change for ZenML to hold a stack as its file says; finds out, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from churn.errors import InputError
from stacks.spec import ExistingComponent, OwnComponent, StackSpec

if TYPE_CHECKING:
    from zenml.client import Client
    from zenml.enums import StackComponentType
    from zenml.models import ComponentResponse, StackResponse

LABEL = "managed-by"
OWNER = "churn-platform"
LABELS = {LABEL: OWNER}

_REFERENCE = re.compile(r"\{\{.+\}\}")
_SECRET_KEY = re.compile(r"secret|password|token|key", re.IGNORECASE)
_CREDENTIALS = re.compile(r"//[^/@\s]+@")


@dataclass(frozen=True)
class Change:
    """One thing that is not as the file says.

    Attributes:
        action: What to do about it.
        kind: `stack`, `flavor`, or a component's type.
        name: What it is called.
        details: What differs, a line each; secrets are never among it.
    """

    action: Literal["create", "update", "delete"]
    kind: str
    name: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}"


@dataclass(frozen=True)
class Part:
    """A component of the stack: what the file wants, and what ZenML has.

    Attributes:
        kind: ZenML's component type.
        wanted: As the file has it.
        found: As ZenML has it; None where it has to be made.
        change: What to do; None where nothing is.
    """

    kind: StackComponentType
    wanted: ExistingComponent | OwnComponent
    found: ComponentResponse | None
    change: Change | None


@dataclass(frozen=True)
class Plan:
    """All of it.

    Attributes:
        spec: The stack, its placeholders filled in.
        parts: Its components.
        found: The stack as ZenML has it; None where it has to be made.
        change: What to do about the stack itself; None where nothing is.
    """

    spec: StackSpec
    parts: tuple[Part, ...]
    found: StackResponse | None
    change: Change | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything to do, in order."""
        made = tuple(part.change for part in self.parts if part.change)
        return (*made, self.change) if self.change else made


def plan_stack(client: Client, spec: StackSpec) -> Plan:
    """Compares a stack with what ZenML has.

    Args:
        client: Connected to where the stack shall be.
        spec: The stack, its placeholders filled in.

    Raises:
        InputError: a name is taken by something this project did not make, a component that the
            stack wants to use does not exist, or a secret is not there.
    """
    from zenml.enums import StackComponentType

    kinds = {kind.value: kind for kind in StackComponentType}
    parts = []
    for name, component in spec.components.items():
        if name not in kinds:
            raise InputError(
                f"Stack '{spec.name}' names the component type '{name}', which ZenML does not "
                f"know; known: {', '.join(sorted(kinds))}."
            )
        parts.append(_part(client, spec, kinds[name], component))
    found = client.list_stacks(name=spec.name, hydrate=True).items
    stack = found[0] if found else None
    if stack is not None:
        refuse_foreign(stack.labels, f"stack '{spec.name}'", spec)
    _require_secrets(client, spec)
    return Plan(spec, tuple(parts), stack, _stack_change(spec, parts, stack))


def find_component(client: Client, kind: StackComponentType, name: str) -> ComponentResponse | None:
    """The component of that very name; None where there is none."""
    found = client.list_stack_components(type=kind, name=name, hydrate=True).items
    return found[0] if found else None


def is_ours(labels: Mapping[str, Any] | None) -> bool:
    """Whether this project made what carries these labels."""
    return (labels or {}).get(LABEL) == OWNER


def refuse_foreign(labels: Mapping[str, Any] | None, what: str, spec: StackSpec) -> None:
    """Refuses to go on where something is not this project's.

    Raises:
        InputError: it is not.
    """
    if not is_ours(labels):
        raise InputError(
            f"ZenML already has a {what} that this project did not make, so it stays untouched; "
            f"rename it, or rename it in stacks/{spec.name}.yaml."
        )


def shown(key: str, value: Any) -> str:
    """A configuration's value as it may be shown: references as they are, secrets never."""
    text = str(value)
    if _REFERENCE.search(text):
        return text
    if _SECRET_KEY.search(key):
        return "***"
    return _CREDENTIALS.sub("//***@", text)


def _part(
    client: Client,
    spec: StackSpec,
    kind: StackComponentType,
    component: ExistingComponent | OwnComponent,
) -> Part:
    if isinstance(component, ExistingComponent):
        found = find_component(client, kind, component.use)
        if found is None:
            raise InputError(
                f"Stack '{spec.name}' uses the {kind.value} '{component.use}', which this ZenML "
                f"configuration does not have; register it or change stacks/{spec.name}.yaml."
            )
        return Part(kind, component, found, None)
    found = find_component(client, kind, component.name)
    if found is None:
        details = tuple(f"{key}: {shown(key, v)}" for key, v in component.configuration.items())
        change = Change("create", kind.value, component.name, details)
        return Part(kind, component, None, change)
    refuse_foreign(found.labels, f"{kind.value} '{component.name}'", spec)
    if found.flavor_name != component.flavor:
        raise InputError(
            f"The {kind.value} '{component.name}' exists with flavor '{found.flavor_name}', and "
            f"stacks/{spec.name}.yaml wants '{component.flavor}'; delete the old one with "
            f"`zenml {kind.value.replace('_', '-')} delete {component.name}`."
        )
    differing = _differences(dict(found.configuration), component.configuration)
    if not differing:
        return Part(kind, component, found, None)
    return Part(kind, component, found, Change("update", kind.value, component.name, differing))


def _differences(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    lines = []
    for key in sorted({*current, *wanted}):
        if key not in wanted:
            lines.append(f"{key}: {shown(key, current[key])} → removed")
        elif key not in current:
            lines.append(f"{key}: {shown(key, wanted[key])} (new)")
        elif current[key] != wanted[key]:
            before, after = shown(key, current[key]), shown(key, wanted[key])
            lines.append(f"{key}: {before} → {after}")
    return tuple(lines)


def _stack_change(spec: StackSpec, parts: list[Part], stack: StackResponse | None) -> Change | None:
    if stack is None:
        named = tuple(
            f"{part.kind.value}: {spec.component_name(part.kind.value)}" for part in parts
        )
        return Change("create", "stack", spec.name, named)
    current = {kind: found[0] for kind, found in stack.components.items() if found}
    lines = []
    for part in parts:
        before = current.pop(part.kind, None)
        if before is None or part.found is None or before.id != part.found.id:
            after = spec.component_name(part.kind.value)
            lines.append(f"{part.kind.value}: {before.name if before else 'none'} → {after}")
    lines += [f"{kind.value}: {before.name} → none" for kind, before in current.items()]
    if stack.description != spec.description:
        lines.append(f"description: {spec.description}")
    return Change("update", "stack", spec.name, tuple(lines)) if lines else None


def _require_secrets(client: Client, spec: StackSpec) -> None:
    for name, keys in spec.secrets.items():
        command = f"zenml secret create {name} " + " ".join(f"--{key}=..." for key in keys)
        try:
            secret = client.get_secret(
                name, allow_partial_name_match=False, allow_partial_id_match=False
            )
        except KeyError:
            raise InputError(
                f"Stack '{spec.name}' wants the secret '{name}' in ZenML's secret store, and it is "
                f"not there; make it with `{command}`."
            ) from None
        missing = [key for key in keys if key not in secret.values]
        if missing:
            raise InputError(
                f"The secret '{name}' that stack '{spec.name}' wants lacks {', '.join(missing)}; "
                f"add what is missing with `zenml secret update {name}`."
            )
