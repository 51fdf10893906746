"""Compares a stack's file with what ZenML has, and lists the changes; changes nothing itself."""

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
    """One difference between the file and ZenML, and what to do about it.

    Attributes:
        action: What to do.
        kind: `stack`, `flavor`, or a component's type.
        name: Name of the stack, flavor or component.
        details: What differs, one line each; secrets are masked.
    """

    action: Literal["create", "update", "delete"]
    kind: str
    name: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.name}"


@dataclass(frozen=True)
class ComponentPlan:
    """One component of the stack: desired state, current state, and the change between them.

    Attributes:
        kind: ZenML's component type.
        desired: As the file has it.
        current: As ZenML has it; None where it must be created.
        change: What to do; None where nothing differs.
    """

    kind: StackComponentType
    desired: ExistingComponent | OwnComponent
    current: ComponentResponse | None
    change: Change | None


@dataclass(frozen=True)
class StackPlan:
    """A stack with its components: desired state, current state, and the changes between them.

    Attributes:
        spec: The stack, its placeholders filled in.
        components: Their plans.
        current: The stack as ZenML has it; None where it must be created.
        change: What to do about the stack itself; None where nothing differs.
    """

    spec: StackSpec
    components: tuple[ComponentPlan, ...]
    current: StackResponse | None
    change: Change | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in the order in which they are applied."""
        changes = (*(each.change for each in self.components), self.change)
        return tuple(change for change in changes if change)


def plan_stack(client: Client, spec: StackSpec) -> StackPlan:
    """Compares a stack, its placeholders filled in, with what the ZenML of its server has.

    Raises:
        InputError: a name is taken by something this project did not make, a component that the
            stack uses does not exist, or a secret is missing.
    """
    from zenml.enums import StackComponentType

    kinds = {kind.value: kind for kind in StackComponentType}
    components = []
    for name, component in spec.components.items():
        if name not in kinds:
            raise InputError(
                f"Stack '{spec.name}' names the component type '{name}', which ZenML does not "
                f"know; known: {', '.join(sorted(kinds))}."
            )
        components.append(_plan_component(client, spec, kinds[name], component))
    stacks = client.list_stacks(name=spec.name, hydrate=True).items
    current = stacks[0] if stacks else None
    if current is not None:
        require_ours(current.labels, f"stack '{spec.name}'", spec)
    _require_secrets(client, spec)
    return StackPlan(spec, tuple(components), current, _stack_change(spec, components, current))


def find_component(client: Client, kind: StackComponentType, name: str) -> ComponentResponse | None:
    """Returns the component of exactly that name; None where there is none."""
    components = client.list_stack_components(type=kind, name=name, hydrate=True).items
    return components[0] if components else None


def is_ours(labels: Mapping[str, Any] | None) -> bool:
    """Whether these are labels of something that this project made."""
    return (labels or {}).get(LABEL) == OWNER


def require_ours(labels: Mapping[str, Any] | None, what: str, spec: StackSpec) -> None:
    """Raises InputError if the labels of a stack or component are not this project's."""
    if not is_ours(labels):
        raise InputError(
            f"ZenML already has a {what} that this project did not make, so it stays untouched; "
            f"rename it, or rename it in {spec.file}."
        )


def mask_secret(key: str, value: Any) -> str:
    """Returns a configuration value for display: references unchanged, secrets as `***`."""
    text = str(value)
    if _REFERENCE.search(text):
        return text
    if _SECRET_KEY.search(key):
        return "***"
    return _CREDENTIALS.sub("//***@", text)


def _plan_component(
    client: Client,
    spec: StackSpec,
    kind: StackComponentType,
    component: ExistingComponent | OwnComponent,
) -> ComponentPlan:
    if isinstance(component, ExistingComponent):
        current = find_component(client, kind, component.use)
        if current is None:
            raise InputError(
                f"Stack '{spec.name}' uses the {kind.value} '{component.use}', which this ZenML "
                f"configuration does not have; register it or change {spec.file}."
            )
        return ComponentPlan(kind, component, current, None)
    current = find_component(client, kind, component.name)
    if current is None:
        details = (f"{k}: {mask_secret(k, v)}" for k, v in component.configuration.items())
        change = Change("create", kind.value, component.name, tuple(details))
        return ComponentPlan(kind, component, None, change)
    require_ours(current.labels, f"{kind.value} '{component.name}'", spec)
    if current.flavor_name != component.flavor:
        raise InputError(
            f"The {kind.value} '{component.name}' exists with flavor '{current.flavor_name}', and "
            f"{spec.file} wants '{component.flavor}'; delete the old one with "
            f"`zenml {kind.value.replace('_', '-')} delete {component.name}`."
        )
    differences = _differences(dict(current.configuration), component.configuration)
    updated = Change("update", kind.value, component.name, differences) if differences else None
    return ComponentPlan(kind, component, current, updated)


def _differences(current: Mapping[str, Any], desired: Mapping[str, Any]) -> tuple[str, ...]:
    lines = []
    for key in sorted({*current, *desired}):
        if key not in desired:
            lines.append(f"{key}: {mask_secret(key, current[key])} → removed")
        elif key not in current:
            lines.append(f"{key}: {mask_secret(key, desired[key])} (new)")
        elif current[key] != desired[key]:
            before, after = mask_secret(key, current[key]), mask_secret(key, desired[key])
            lines.append(f"{key}: {before} → {after}")
    return tuple(lines)


def _stack_change(
    spec: StackSpec, components: list[ComponentPlan], stack: StackResponse | None
) -> Change | None:
    if stack is None:
        details = (f"{c.kind.value}: {spec.component_name(c.kind.value)}" for c in components)
        return Change("create", "stack", spec.name, tuple(details))
    current = {kind: held[0] for kind, held in stack.components.items() if held}
    lines = []
    for each in components:
        before = current.pop(each.kind, None)
        if before is None or each.current is None or before.id != each.current.id:
            after = spec.component_name(each.kind.value)
            lines.append(f"{each.kind.value}: {before.name if before else 'none'} → {after}")
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
