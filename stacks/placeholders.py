"""Fills `${state}`, `${env:NAME}` and `${env:NAME:-default}` into the values of a stack file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from churn.errors import InputError

_PLACEHOLDER = re.compile(
    r"\$\{(?:env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?|(?P<value>[a-z_]+))\}"
)


@dataclass
class PlaceholderFiller:
    """Fills the placeholders of one stack.

    Attributes:
        stack: Name of the stack, for messages.
        values: Values that this project provides, such as the absolute `state` folder.
        environment: Environment variables.
        unset: Variables that a placeholder needs and that are not set -> where it is, the first one.
    """

    stack: str
    values: Mapping[str, str]
    environment: Mapping[str, str]
    unset: dict[str, str] = field(default_factory=dict)

    def fill(self, document: Any, place: str = "") -> Any:
        """Returns the same document with the placeholders in its texts filled in.

        Args:
            document: Mappings, lists and scalars, as YAML has them.
            place: Path of the document inside the stack file, for messages.

        Raises:
            InputError: this project provides no value of that name.
        """
        if isinstance(document, dict):
            return {
                key: self.fill(each, f"{place}.{key}" if place else str(key))
                for key, each in document.items()
            }
        if isinstance(document, list):
            return [self.fill(each, f"{place}[{index}]") for index, each in enumerate(document)]
        if isinstance(document, str):
            return _PLACEHOLDER.sub(self._replacement(place), document)
        return document

    def require_complete(self) -> None:
        """Raises InputError with every variable that was not set, and a place that needs it."""
        if self.unset:
            named = ", ".join(f"{name} (for {place})" for name, place in self.unset.items())
            raise InputError(
                f"Stack '{self.stack}' is not set up here: the environment does not have {named}; "
                f"export what is missing, as docs/stacks.md says."
            )

    def _replacement(self, place: str) -> Callable[[re.Match[str]], str]:
        def replacement(match: re.Match[str]) -> str:
            if variable := match["variable"]:
                if value := self.environment.get(variable):
                    return value
                if match["default"] is None:
                    self.unset.setdefault(variable, place)
                    return match[0]
                return match["default"].removeprefix(":-")
            try:
                return self.values[match["value"]]
            except KeyError:
                raise InputError(
                    f"Stack '{self.stack}' needs a value for {match[0]} at {place}; "
                    f"known here: {', '.join(sorted(self.values)) or 'none'}."
                ) from None

        return replacement


def variables(document: Any) -> list[str]:
    """Returns the environment variables that a document needs, in order.

    Example:
        >>> variables({"uri": "${env:URL}", "key": "${env:KEY:-none}"})
        ['URL']
    """
    filler = PlaceholderFiller(stack="", values=defaultdict(str), environment={})
    filler.fill(document)
    return list(filler.unset)
