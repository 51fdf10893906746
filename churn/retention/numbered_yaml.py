"""A YAML file whose every value knows the line that it stands on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from churn.errors import InputError, error_reason

Place = Iterable[int | str]


class NumberedYaml:
    """A YAML mapping, and the line of each of its values.

    Args:
        path: the file.

    Attributes:
        content: the mapping, as plain values.

    Raises:
        InputError: the file cannot be read, is no mapping, or names a key twice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            text = path.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self.content: Any = yaml.safe_load(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise InputError(f"{path} cannot be read as YAML: {error_reason(error)}.") from None
        if not isinstance(node, yaml.MappingNode):
            raise InputError(f"{path} must be a YAML mapping.")
        self._node = node
        self._require_unique_keys(node)

    def at(self, place: Place) -> str:
        """File and line of a value, for the beginning of a sentence.

        What is not in the file, such as a field that is missing, has the line of what it belongs to.
        """
        node: Any = self._node
        line = node.start_mark.line
        for part in place:
            found = _child(node, part)
            if found is not None:
                line, node = found
        return f"{self._path} line {line + 1}"

    def _require_unique_keys(self, node: Any) -> None:
        if isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                line = key.start_mark.line + 1
                if key.value in seen:
                    raise InputError(
                        f"{self._path} line {line}: '{key.value}' stands there a second time, first "
                        f"on line {seen[key.value]}; keep one of the two."
                    )
                seen[key.value] = line
                self._require_unique_keys(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                self._require_unique_keys(value)


def _child(node: Any, part: int | str) -> tuple[int, Any] | None:
    """Line and node of a mapping's key or a list's entry; None where there is none."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line, value
    return None
