"""Modules that a stack needs and this installation may lack; checked before anything starts."""

from __future__ import annotations

from importlib.util import find_spec

from churn.errors import InputError
from stacks.flavors.flavor_catalog import FLAVORS
from stacks.spec import OwnComponent, StackSpec


def missing_modules(spec: StackSpec) -> list[str]:
    """Returns the modules of a stack and its flavors that are not installed; imports none."""
    flavors = [part.flavor for part in spec.components.values() if isinstance(part, OwnComponent)]
    modules = [*spec.needs]
    modules += [module for name in flavors if name in FLAVORS for module in FLAVORS[name].modules]
    return [name for name in dict.fromkeys(modules) if find_spec(name) is None]


def require_modules(spec: StackSpec) -> None:
    """Raises InputError with the command that installs the modules, if one is not installed."""
    if missing := missing_modules(spec):
        raise InputError(
            f"Stack '{spec.name}' needs {', '.join(missing)}, which this environment does not have; "
            "run `make setup-stacks` once, which installs what every stack needs."
        )
