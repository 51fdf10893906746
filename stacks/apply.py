"""Makes ZenML hold a stack exactly as its file says.

Idempotent, and careful: everything made here carries a label, and nothing without that label is
ever changed. A run activates its stack for its own process only, so the stack a user has set with
`zenml stack set` stays set, and two runs on two stacks do not disturb each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from churn.errors import InputError, error_reason
from stacks.flavors.register import missing_flavors, register_flavors
from stacks.needs import require_modules
from stacks.plan import LABELS, Change, Part, Plan, plan_stack
from stacks.server import connect
from stacks.spec import OwnComponent, StackSpec

if TYPE_CHECKING:
    from uuid import UUID

    from zenml.client import Client


@dataclass(frozen=True)
class AppliedStack:
    """A stack as it stands in ZenML now.

    Attributes:
        name: Its name.
        id: ZenML's id of it.
        tracker: Name of its experiment tracker; None where it has none.
        changes: What had to change, a few words each.
        validator: Name of its data validator; None where it has none.
        spec: What its file says, placeholders filled in.
    """

    name: str
    id: UUID
    tracker: str | None
    changes: tuple[str, ...]
    validator: str | None
    spec: StackSpec


def apply_stack(spec: StackSpec, values: Mapping[str, str]) -> AppliedStack:
    """Creates or updates the stack and its own components; changes nothing that is right already.

    Args:
        spec: The stack, with placeholders.
        values: What the placeholders stand for, such as the absolute `state` folder.

    Raises:
        InputError: the stack is not set up here, a name is taken by something this project did not
            make, or something that the stack wants to use does not exist; nothing was changed.
        ChurnError: its server does not answer.
    """
    plan, client, flavors = prepare(spec, values)
    return perform(plan, client, flavors)


def prepare(spec: StackSpec, values: Mapping[str, str]) -> tuple[Plan, Client, tuple[Change, ...]]:
    """Connects, and finds out what would change: the plan, the client, and the flavors to register.

    Raises:
        InputError: as `apply_stack`.
        ChurnError: as `apply_stack`.
    """
    require_modules(spec)
    spec = spec.resolved(values)
    connect(spec, Path(values.get("state", ".")))
    from zenml.client import Client

    client = Client()
    wanted = [part.flavor for part in spec.components.values() if isinstance(part, OwnComponent)]
    flavors = tuple(Change("create", "flavor", name) for name in missing_flavors(client, wanted))
    return plan_stack(client, spec), client, flavors


def perform(plan: Plan, client: Client, flavors: tuple[Change, ...]) -> AppliedStack:
    """Does what a plan says."""
    spec = plan.spec
    register_flavors(client, [change.name for change in flavors])
    components = _components(client, plan)
    if plan.found is None:
        made = client.create_stack(name=spec.name, components=components, labels=LABELS)
        identifier = client.update_stack(made.id, description=spec.description).id
    else:
        identifier = plan.found.id
    if plan.found is not None and plan.change is not None:
        dropped: dict[Any, list[Any]] = {
            kind: [] for kind in plan.found.components if kind not in components
        }
        client.update_stack(
            identifier,
            description=spec.description,
            component_updates={**{kind: [each] for kind, each in components.items()}, **dropped},
        )
    return AppliedStack(
        name=spec.name,
        id=identifier,
        tracker=spec.component_name("experiment_tracker"),
        changes=tuple(str(change) for change in (*flavors, *plan.changes)),
        validator=spec.component_name("data_validator"),
        spec=spec,
    )


def activate(stack: AppliedStack) -> None:
    """Makes the stack the active one for this process, and for no other."""
    from zenml.constants import ENV_ZENML_ACTIVE_STACK_ID

    os.environ[ENV_ZENML_ACTIVE_STACK_ID] = str(stack.id)


def _components(client: Client, plan: Plan) -> dict[Any, UUID]:
    """Makes all of them, or leaves none of the new ones behind."""
    made: list[tuple[Any, UUID]] = []
    components: dict[Any, UUID] = {}
    try:
        for part in plan.parts:
            components[part.kind] = _component(client, plan.spec, part)
            if part.found is None:
                made.append((part.kind, components[part.kind]))
    except BaseException:
        for kind, identifier in made:
            client.delete_stack_component(identifier, kind)
        raise
    return components


def _component(client: Client, spec: StackSpec, part: Part) -> UUID:
    wanted, found = part.wanted, part.found
    if found is not None and (part.change is None or not isinstance(wanted, OwnComponent)):
        return found.id
    wanted = cast(OwnComponent, wanted)  # what is only used was found, or refused
    try:
        if found is None:
            return client.create_stack_component(
                name=wanted.name,
                flavor=wanted.flavor,
                component_type=part.kind,
                configuration=wanted.configuration,
                labels=LABELS,
            ).id
        # A key set to None is removed: what the file does not say must not linger.
        gone: dict[str, Any] = dict.fromkeys(set(found.configuration) - set(wanted.configuration))
        return client.update_stack_component(
            name_id_or_prefix=found.id,
            component_type=part.kind,
            configuration={**wanted.configuration, **gone},
        ).id
    except (ValueError, KeyError) as error:
        reason = error_reason(error, longest=300)
        raise InputError(
            f"ZenML refuses the {part.kind.value} '{wanted.name}' of stacks/{spec.name}.yaml: "
            f"{reason}; correct its flavor or configuration."
        ) from error
