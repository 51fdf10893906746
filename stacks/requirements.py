"""Whether this installation has what a stack needs; told before anything is started."""

from __future__ import annotations

from importlib.util import find_spec

from churn.errors import InputError
from stacks.flavors.catalog import FLAVORS
from stacks.spec import OwnComponent, StackSpec


def missing_modules(spec: StackSpec) -> list[str]:
    """The modules that a stack and its flavors need and that are not here; imports none of them."""
    flavors = [part.flavor for part in spec.components.values() if isinstance(part, OwnComponent)]
    needed = [*spec.needs]
    needed += [module for name in flavors if name in FLAVORS for module in FLAVORS[name].modules]
    return [name for name in dict.fromkeys(needed) if find_spec(name) is None]


def require_modules(spec: StackSpec) -> None:
    """Refuses a stack whose packages are not installed.

    Raises:
        InputError: names them, and the command that installs them.
    """
    missing = missing_modules(spec)
    if missing:
        raise InputError(
            f"Stack '{spec.name}' needs {', '.join(missing)}, which this environment does not have; "
            "run `make setup-stacks` once, which installs what every stack needs."
        )
