"""Makes ZenML hold a stack exactly as its file says.

Idempotent, and careful: everything created here carries a label, and nothing without that label is
ever changed. A run activates its stack for its own process only, so the user's active stack stays
as `zenml stack set` left it, and two runs on two stacks do not disturb each other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from churn.errors import InputError, error_reason
from churn.home import home
from churn.root import ROOT
from stacks.flavors.register import missing_flavors, register_flavors
from stacks.plan import LABELS, Change, ComponentPlan, StackPlan, plan_stack
from stacks.requirements import require_modules
from stacks.server import connect
from stacks.spec import OwnComponent, StackSpec
from stacks.zenml_store import open_zenml

if TYPE_CHECKING:
    from uuid import UUID

    from zenml.client import Client


@dataclass(frozen=True)
class AppliedStack:
    """A stack that ZenML holds as its file says.

    Attributes:
        name: Its name.
        id: ZenML's id of it.
        tracker: Name of its experiment tracker; None where it has none.
        changes: What was changed, a few words each.
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
    """Creates or updates the stack and its own components; changes nothing that is up to date.

    Args:
        spec: The stack, with placeholders.
        values: Values of the placeholders, such as the absolute `state` folder.

    Raises:
        InputError: the stack is not set up here, a name is taken by something this project did not
            make, or something that the stack uses does not exist; nothing was changed.
        ChurnError: its server does not answer.
    """
    plan, client, flavors = prepare_stack(spec, values)
    stack_id = _apply_plan(plan, client, flavors)
    return AppliedStack(
        name=plan.spec.name,
        id=stack_id,
        tracker=plan.spec.component_name("experiment_tracker"),
        changes=tuple(str(change) for change in (*flavors, *plan.changes)),
        validator=plan.spec.component_name("data_validator"),
        spec=plan.spec,
    )


def prepare_stack(
    spec: StackSpec, values: Mapping[str, str]
) -> tuple[StackPlan, Client, tuple[Change, ...]]:
    """Connects and compares: returns the plan, ZenML's client, and the flavors to register."""
    require_modules(spec)
    spec = spec.resolved(values)
    state = home(values.get("state"))
    connect(spec, state)
    client = open_zenml(state)
    used = [part.flavor for part in spec.components.values() if isinstance(part, OwnComponent)]
    flavors = tuple(Change("create", "flavor", name) for name in missing_flavors(client, used))
    return plan_stack(client, spec), client, flavors


def activate(stack: AppliedStack) -> None:
    """Makes the stack the active one for this process, and for no other."""
    from zenml.constants import ENV_ZENML_ACTIVE_STACK_ID

    os.environ[ENV_ZENML_ACTIVE_STACK_ID] = str(stack.id)


def _apply_plan(plan: StackPlan, client: Client, flavors: tuple[Change, ...]) -> UUID:
    from zenml.utils.source_utils import set_custom_source_root

    spec, current = plan.spec, plan.current
    # ZenML loads a component's class from here; else from the main module's folder, and a worker of
    # Dagster's has none.
    set_custom_source_root(str(ROOT))
    register_flavors(client, [change.name for change in flavors])
    components = _apply_components(client, plan)
    if current is None:
        created = client.create_stack(name=spec.name, components=components, labels=LABELS)
        return client.update_stack(created.id, description=spec.description).id
    if plan.change is not None:
        removed: dict[Any, list[Any]] = {
            kind: [] for kind in current.components if kind not in components
        }
        client.update_stack(
            current.id,
            description=spec.description,
            component_updates={**{kind: [each] for kind, each in components.items()}, **removed},
        )
    return current.id


def _apply_components(client: Client, plan: StackPlan) -> dict[Any, UUID]:
    """Creates or updates all components; where one fails, deletes those that are new."""
    created: list[tuple[Any, UUID]] = []
    components: dict[Any, UUID] = {}
    try:
        for part in plan.components:
            components[part.kind] = _apply_component(client, plan.spec, part)
            if part.current is None:
                created.append((part.kind, components[part.kind]))
    except BaseException:
        for kind, component_id in created:
            client.delete_stack_component(component_id, kind)
        raise
    return components


def _apply_component(client: Client, spec: StackSpec, part: ComponentPlan) -> UUID:
    desired, current = part.desired, part.current
    if not isinstance(desired, OwnComponent):
        assert current is not None  # noqa: S101 - `plan_stack` refuses a component that is missing
        return current.id
    if current is not None and part.change is None:
        return current.id
    try:
        if current is None:
            return client.create_stack_component(
                name=desired.name,
                flavor=desired.flavor,
                component_type=part.kind,
                configuration=desired.configuration,
                labels=LABELS,
            ).id
        # ZenML removes a key that is set to None: what the file no longer says must go.
        gone: dict[str, Any] = dict.fromkeys(current.configuration)
        return client.update_stack_component(
            name_id_or_prefix=current.id,
            component_type=part.kind,
            configuration=gone | desired.configuration,
        ).id
    except (ValueError, KeyError) as error:
        raise InputError(
            f"ZenML refuses the {part.kind.value} '{desired.name}' of {spec.file}: "
            f"{error_reason(error, longest=300)}; correct its flavor or configuration."
        ) from error
