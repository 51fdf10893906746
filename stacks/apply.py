"""Makes the user's ZenML configuration hold a stack exactly as its file says.

Idempotent, and careful: everything made here carries a label, and nothing without that label is
ever changed. A run activates its stack for its own process only, so the stack a user has set with
`zenml stack set` stays set, and two runs on two stacks do not disturb each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churn.errors import InputError
from stacks.spec import ExistingComponent, OwnComponent, StackSpec

if TYPE_CHECKING:
    from uuid import UUID

    from zenml.client import Client
    from zenml.models import ComponentResponse, StackResponse

LABEL = "managed-by"
OWNER = "churn-platform"
_LABELS = {LABEL: OWNER}


@dataclass(frozen=True)
class AppliedStack:
    """A stack as it stands in ZenML now, and what had to change for that."""

    name: str
    id: UUID
    tracker: str | None
    changes: tuple[str, ...]


def apply_stack(spec: StackSpec, values: Mapping[str, str]) -> AppliedStack:
    """Creates or updates the stack and its own components; changes nothing that is right already.

    Args:
        spec: The stack, with placeholders.
        values: What the placeholders stand for, such as the absolute `state` folder.

    Raises:
        InputError: a name is taken by something this project did not make, or a component that
            the stack wants to use does not exist.
    """
    from zenml.client import Client
    from zenml.enums import StackComponentType

    spec = spec.resolved(values)
    client = Client()
    kinds = {kind.value: kind for kind in StackComponentType}
    changes: list[str] = []
    components: dict[Any, UUID] = {}
    for name, component in spec.components.items():
        if name not in kinds:
            raise InputError(
                f"Stack '{spec.name}' names the component type '{name}', which ZenML does not "
                f"know; known: {', '.join(sorted(kinds))}."
            )
        kind = kinds[name]
        if isinstance(component, ExistingComponent):
            components[kind] = _existing(client, spec, kind, component).id
        else:
            components[kind] = _own(client, spec, kind, component, changes).id
    stack = _stack(client, spec, components, changes)
    tracker = spec.components.get("experiment_tracker")
    tracker_name = tracker.name if isinstance(tracker, OwnComponent) else None
    if isinstance(tracker, ExistingComponent):
        tracker_name = tracker.use
    return AppliedStack(spec.name, stack.id, tracker_name, tuple(changes))


def activate(stack: AppliedStack) -> None:
    """Makes the stack the active one for this process, and for no other."""
    from zenml.constants import ENV_ZENML_ACTIVE_STACK_ID

    os.environ[ENV_ZENML_ACTIVE_STACK_ID] = str(stack.id)


def _find(client: Client, kind: Any, name: str) -> ComponentResponse | None:
    found = client.list_stack_components(type=kind, name=name, hydrate=True).items
    return found[0] if found else None


def _existing(
    client: Client, spec: StackSpec, kind: Any, component: ExistingComponent
) -> ComponentResponse:
    found = _find(client, kind, component.use)
    if found is None:
        raise InputError(
            f"Stack '{spec.name}' uses the {kind.value} '{component.use}', which this ZenML "
            f"configuration does not have; register it or change stacks/{spec.name}.yaml."
        )
    return found


def _own(
    client: Client, spec: StackSpec, kind: Any, component: OwnComponent, changes: list[str]
) -> ComponentResponse:
    found = _find(client, kind, component.name)
    if found is None:
        changes.append(f"create {kind.value} {component.name}")
        return client.create_stack_component(
            name=component.name,
            flavor=component.flavor,
            component_type=kind,
            configuration=component.configuration,
            labels=_LABELS,
        )
    _refuse_foreign(found.labels, f"{kind.value} '{component.name}'", spec)
    if found.flavor_name != component.flavor:
        raise InputError(
            f"The {kind.value} '{component.name}' exists with flavor '{found.flavor_name}', and "
            f"stacks/{spec.name}.yaml wants '{component.flavor}'; delete the old one with "
            f"`zenml {kind.value.replace('_', '-')} delete {component.name}`."
        )
    if dict(found.configuration) == component.configuration:
        return found
    changes.append(f"update {kind.value} {component.name}")
    # A key set to None is removed: what the file does not say must not linger.
    gone: dict[str, Any] = dict.fromkeys(set(found.configuration) - set(component.configuration))
    return client.update_stack_component(
        name_id_or_prefix=found.id,
        component_type=kind,
        configuration={**component.configuration, **gone},
    )


def _stack(
    client: Client, spec: StackSpec, components: dict[Any, UUID], changes: list[str]
) -> StackResponse:
    found = client.list_stacks(name=spec.name, hydrate=True).items
    if not found:
        changes.append(f"create stack {spec.name}")
        made = client.create_stack(name=spec.name, components=components, labels=_LABELS)
        return client.update_stack(made.id, description=spec.description)
    stack = found[0]
    _refuse_foreign(stack.labels, f"stack '{spec.name}'", spec)
    current = {kind: {c.id for c in parts} for kind, parts in stack.components.items() if parts}
    wanted = {kind: {identifier} for kind, identifier in components.items()}
    if current == wanted and stack.description == spec.description:
        return stack
    changes.append(f"update stack {spec.name}")
    dropped: dict[Any, list[Any]] = {kind: [] for kind in set(current) - set(wanted)}
    return client.update_stack(
        stack.id,
        description=spec.description,
        component_updates={**{k: [v] for k, v in components.items()}, **dropped},
    )


def _refuse_foreign(labels: Mapping[str, Any] | None, what: str, spec: StackSpec) -> None:
    if (labels or {}).get(LABEL) != OWNER:
        raise InputError(
            f"ZenML already has a {what} that this project did not make, so it stays untouched; "
            f"rename it, or rename it in stacks/{spec.name}.yaml."
        )
