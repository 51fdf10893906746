"""The stack files of this project: what they may say, and reading them.

Light on purpose: `run.py --list` reads descriptions from here without importing ZenML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from churn.errors import InputError

FOLDER = Path(__file__).resolve().parent
DEFAULT_STACK = "local-mlflow"

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExistingComponent(_Strict):
    """A component that is there already and is used as it is, never changed."""

    use: str


class OwnComponent(_Strict):
    """A component that this project makes and keeps as the file says."""

    name: str = Field(pattern=r"^churn-[a-z0-9-]+$")
    flavor: str
    configuration: dict[str, str] = {}


class StackSpec(_Strict):
    """One stack: its components by ZenML's component type."""

    name: str
    description: str
    components: dict[str, Annotated[ExistingComponent | OwnComponent, Field(union_mode="smart")]]

    def resolved(self, values: Mapping[str, str]) -> StackSpec:
        """The same stack with `${name}` placeholders in configurations filled in.

        Raises:
            InputError: a placeholder names a value that is not given.
        """
        components: dict[str, ExistingComponent | OwnComponent] = {}
        for kind, component in self.components.items():
            if isinstance(component, OwnComponent):
                filled = {
                    key: self._fill(text, values, f"{kind}.configuration.{key}")
                    for key, text in component.configuration.items()
                }
                components[kind] = component.model_copy(update={"configuration": filled})
            else:
                components[kind] = component
        return self.model_copy(update={"components": components})

    def _fill(self, text: str, values: Mapping[str, str], place: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in values:
                raise InputError(
                    f"Stack '{self.name}' needs a value for ${{{name}}} at components.{place}; "
                    f"known here: {', '.join(sorted(values))}."
                )
            return values[name]

        return _PLACEHOLDER.sub(value, text)


def stack_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Names of the stacks that have a file, the default first."""
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_STACK))


def load_stack(name: str, folder: Path = FOLDER) -> StackSpec:
    """Reads one stack file.

    Raises:
        InputError: no such stack, or its file is not valid.
    """
    known = stack_names(folder)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"There is no stack '{name}' in {folder.name}/; known: {', '.join(known)}.{hint}"
        )
    path = folder / f"{name}.yaml"
    try:
        spec = StackSpec.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"The stack file {path} is not YAML: {reason}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top level"
        raise InputError(
            f"The stack file {path} is not valid at {place}: {first['msg']}."
        ) from None
    if spec.name != name:
        raise InputError(
            f"The stack file {path} says name: {spec.name}; a stack is named like its file, {name}."
        )
    return spec
