"""Registers this project's own flavors in the user's ZenML; leaves alone what is there already.

A flavor has no labels, so what says whose it is, is its source: one of the same name that points
to another class is somebody else's and is never changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from churn.errors import InputError
from churn.root import ROOT
from stacks.flavors.catalog import FLAVORS

if TYPE_CHECKING:
    from zenml.client import Client


def missing_flavors(client: Client, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are own flavors and not registered yet, each once; changes nothing.

    Raises:
        InputError: a flavor of that name is somebody else's.
    """
    return tuple(
        name
        for name in dict.fromkeys(names)
        if name in FLAVORS and not _is_registered(client, name)
    )


def register_flavors(client: Client, names: Iterable[str]) -> list[str]:
    """Registers those that are missing. Names that are not this project's are passed over.

    Args:
        client: ZenML's.
        names: Flavors that a stack's components want.

    Returns:
        What was changed, in words; empty where everything was there.

    Raises:
        InputError: a flavor of that name is somebody else's; nothing was registered then.
    """
    from zenml.enums import StackComponentType
    from zenml.utils.source_utils import set_custom_source_root

    missing = missing_flavors(client, names)
    if missing:
        # Sources are told from the project's root, wherever the command was typed.
        set_custom_source_root(str(ROOT))
    for name in missing:
        flavor = FLAVORS[name]
        client.create_flavor(flavor.source, StackComponentType(flavor.component_type))
    return [f"create flavor {name}" for name in missing]


def _is_registered(client: Client, name: str) -> bool:
    wanted = FLAVORS[name]
    for found in client.list_flavors(name=name, type=wanted.component_type, hydrate=True).items:
        if found.source != wanted.source:
            raise InputError(
                f"ZenML already has a {wanted.component_type} flavor '{name}' that points to "
                f"{found.source}, which is not this project's, so it stays untouched; remove it "
                f"with `zenml {wanted.component_type.replace('_', '-')} flavor delete {name}`."
            )
        return True
    return False
