"""Registers this project's own flavors in the user's ZenML; never changes an existing one.

A flavor has no labels; its source shows who made it. A flavor of the same name with another source
is not this project's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from churn.errors import InputError
from churn.root import ROOT
from stacks.flavors.flavor_catalog import FLAVORS

if TYPE_CHECKING:
    from zenml.client import Client


def missing_flavors(client: Client, names: Iterable[str]) -> tuple[str, ...]:
    """Returns those of the names that are own flavors and not registered yet; changes nothing.

    Raises:
        InputError: a flavor of that name is not this project's.
    """
    return tuple(
        name
        for name in dict.fromkeys(names)
        if name in FLAVORS and not _is_registered(client, name)
    )


def register_flavors(client: Client, names: Iterable[str]) -> list[str]:
    """Registers own flavors that are missing, ignores other flavors, and returns what is new.

    Raises:
        InputError: a flavor of that name is not this project's; nothing was registered.
    """
    from zenml.enums import StackComponentType
    from zenml.utils.source_utils import set_custom_source_root

    if missing := missing_flavors(client, names):
        # ZenML resolves a source from here, whatever the working directory is.
        set_custom_source_root(str(ROOT))
    for name in missing:
        flavor = FLAVORS[name]
        client.create_flavor(flavor.source, StackComponentType(flavor.component_type))
    return list(missing)


def _is_registered(client: Client, name: str) -> bool:
    flavor = FLAVORS[name]
    for existing in client.list_flavors(name=name, type=flavor.component_type, hydrate=True).items:
        if existing.source != flavor.source:
            raise InputError(
                f"ZenML already has a {flavor.component_type} flavor '{name}' that points to "
                f"{existing.source}, which is not this project's, so it stays untouched; remove it "
                f"with `zenml {flavor.component_type.replace('_', '-')} flavor delete {name}`."
            )
        return True
    return False
