"""Fills `${state}`, `${env:NAME}` and `${env:NAME:-default}` into what a stack file says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from churn.errors import InputError

_PLACEHOLDER = re.compile(
    r"\$\{(?:env:(?P<variable>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-[^}]*)?|(?P<value>[a-z_]+))\}"
)


@dataclass
class Filling:
    """One pass over a stack file's values.

    Attributes:
        stack: The stack's name, for the sentences.
        values: What this project gives, such as the absolute `state` folder.
        environment: The process's environment.
        unset: Environment variables that a placeholder wants and nobody has set -> first place.
    """

    stack: str
    values: Mapping[str, str]
    environment: Mapping[str, str]
    unset: dict[str, str] = field(default_factory=dict)

    def fill(self, document: Any, place: str = "") -> Any:
        """The same document with every placeholder in its texts filled in."""
        if isinstance(document, dict):
            return {
                key: self.fill(each, f"{place}.{key}" if place else str(key))
                for key, each in document.items()
            }
        if isinstance(document, list):
            return [self.fill(each, f"{place}[{at}]") for at, each in enumerate(document)]
        if isinstance(document, str):
            return _PLACEHOLDER.sub(self._at(place), document)
        return document

    def require_complete(self) -> None:
        """Refuses where a variable was wanted and not there.

        Raises:
            InputError: names every one of them with a place that wants it.
        """
        if not self.unset:
            return
        named = ", ".join(f"{name} (for {place})" for name, place in self.unset.items())
        raise InputError(
            f"Stack '{self.stack}' is not set up here: the environment does not have {named}; "
            f"export what is missing, as docs/stacks.md says."
        )

    def _at(self, place: str) -> Callable[[re.Match[str]], str]:
        def value(match: re.Match[str]) -> str:
            if variable := match["variable"]:
                if found := self.environment.get(variable):
                    return found
                if match["otherwise"] is None:
                    self.unset.setdefault(variable, place)
                    return match[0]
                return match["otherwise"].removeprefix(":-")
            name = match["value"]
            if name not in self.values:
                raise InputError(
                    f"Stack '{self.stack}' needs a value for ${{{name}}} at {place}; "
                    f"known here: {', '.join(sorted(self.values)) or 'none'}."
                )
            return self.values[name]

        return value


def variables(document: Any) -> list[str]:
    """Names of the environment variables that a document's placeholders ask for, in order."""
    asked = Filling(stack="", values=_Anything(), environment={})
    asked.fill(document)
    return list(asked.unset)


class _Anything(dict[str, str]):
    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return ""
