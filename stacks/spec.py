"""Reads and validates the stack files of this project.

Imports no ZenML, so that `run.py --list` answers at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from churn.errors import InputError, did_you_mean, error_reason
from churn.frozen_model import FrozenModel
from stacks.placeholders import PlaceholderFiller, variables

FOLDER = Path(__file__).resolve().parent / "definitions"
DEFAULT_STACK = "local-mlflow"


class ExistingComponent(FrozenModel):
    """A component that exists already; it is used, and never changed."""

    use: str


class OwnComponent(FrozenModel):
    """A component that this project creates and keeps as the file says.

    A value `{{secret.key}}` is a reference that ZenML resolves from its secret store where the
    component is used; the secret itself is neither in a file nor in the component.
    """

    name: str = Field(pattern=r"^churn-[a-z0-9-]+$")
    flavor: str
    configuration: dict[str, Any] = Field(default_factory=dict)


class Server(FrozenModel):
    """ZenML server of a stack; used by the runs on this stack alone."""

    url: str
    api_key: str


class Places(FrozenModel):
    """Where this project stores its own things; by default in the state folder.

    Attributes:
        bundles: Bundle store that promotion publishes to: a folder or an `s3://` address.
        ledger: SQLAlchemy URL of the ledger of decisions and predictions.
        features: Feature store of tables with provenance: a folder or an `s3://` address.
        online: Address of the online feature store, such as `redis://HOST:6379/0`.
        inputs: Where inputs are kept for monitoring: a folder or an `s3://` address.
        state: Absolute folder for temporary files of steps that run on another machine.
    """

    bundles: str | None = None
    ledger: str | None = None
    features: str | None = None
    online: str | None = None
    inputs: str | None = None
    state: str | None = None


class Resources(FrozenModel):
    """Resources of a step, where the orchestrator gives each step a machine of its own."""

    cpu: float | None = Field(default=None, gt=0)
    memory: str | None = Field(default=None, pattern=r"^[0-9]+(MB|MiB|GB|GiB)$")
    gpu: int | None = Field(default=None, ge=0)


class Retry(FrozenModel):
    """How often a failed step is retried, and the delay before."""

    times: int = Field(ge=1, le=10)
    delay_seconds: int = Field(default=10, ge=0)
    backoff: int = Field(default=2, ge=1)


class Image(FrozenModel):
    """Image of the steps, where the orchestrator runs containers.

    Attributes:
        prebuilt: Image with this project in it; empty lets ZenML build one.
        base: Image that ZenML builds on.
        requirements: Lock file that it installs.
        environment: Environment variables in it.
    """

    prebuilt: str = ""
    base: str | None = None
    requirements: str | None = None
    environment: dict[str, str] = Field(default_factory=dict)


class RunSettings(FrozenModel):
    """Settings of the runs on a stack.

    Attributes:
        resources: Resources of every step that `steps` does not name.
        steps: Resources of single steps, by pipeline.
        retry: Retries of failed steps; None for none.
        image: Image of the steps.
        settings: ZenML's own settings of components, such as `orchestrator: {...}`.
    """

    resources: Resources | None = None
    steps: dict[str, dict[str, Resources]] = Field(default_factory=dict)
    retry: Retry | None = None
    image: Image | None = None
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)


class StackSpec(FrozenModel):
    """One stack.

    Attributes:
        name: Its name in ZenML; also the name of its file.
        description: One line.
        needs: Modules that it imports and that not every installation has.
        server: Its ZenML server; None takes the one that the user is connected to.
        secrets: Secrets that the server must have -> the keys that they must have.
        components: Component type of ZenML -> component.
        places: Where this project stores its own things.
        run: Settings of the runs.
    """

    name: str
    description: str
    needs: tuple[str, ...] = ()
    server: Server | None = None
    secrets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    components: dict[str, Annotated[ExistingComponent | OwnComponent, Field(union_mode="smart")]]
    places: Places = Places()
    run: RunSettings = RunSettings()

    @property
    def file(self) -> str:
        """Path of its file inside the project, for messages."""
        return f"stacks/definitions/{self.name}.yaml"

    def resolved(
        self, values: Mapping[str, str], environment: Mapping[str, str] | None = None
    ) -> StackSpec:
        """Returns the same stack with its placeholders filled in.

        Args:
            values: Values that this project provides, such as the absolute `state` folder.
            environment: Environment variables; None takes the process's own.

        Raises:
            InputError: a placeholder has no value.
        """
        filler = PlaceholderFiller(
            self.name, values, os.environ if environment is None else environment
        )
        filled = filler.fill(self.model_dump(mode="json", exclude_unset=True))
        filler.require_complete()
        try:
            return StackSpec.model_validate(filled)
        except ValidationError as error:
            place, message = _first_error(error)
            raise InputError(
                f"Stack '{self.name}' is not valid at {place} once its placeholders are filled in: "
                f"{message}."
            ) from None

    def variables(self) -> list[str]:
        """Returns the environment variables that must be set for this stack."""
        return variables(self.model_dump(mode="json", exclude_unset=True))

    def component_name(self, kind: str) -> str | None:
        """Returns the name of the stack's component of this type; None where it has none."""
        component = self.components.get(kind)
        if component is None:
            return None
        return component.use if isinstance(component, ExistingComponent) else component.name


def stack_names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Returns the names of the stacks that have a file, the default first."""
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    return tuple(sorted(names, key=lambda name: name != DEFAULT_STACK))


def load_stack(name: str, folder: Path = FOLDER) -> StackSpec:
    """Reads one stack file.

    Raises:
        InputError: no such stack, or its file is not valid.
    """
    known = stack_names(folder)
    if name not in known:
        near = did_you_mean(name, known)
        hint = f" Did you mean '{near}'?" if near else ""
        raise InputError(
            f"There is no stack '{name}' in stacks/definitions/; known: {', '.join(known)}.{hint}"
        )
    path = folder / f"{name}.yaml"
    try:
        spec = StackSpec.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"The stack file {path} is not YAML: {error_reason(error)}.") from None
    except ValidationError as error:
        place, message = _first_error(error)
        raise InputError(f"The stack file {path} is not valid at {place}: {message}.") from None
    if spec.name != name:
        raise InputError(
            f"The stack file {path} says name: {spec.name}; a stack is named like its file, {name}."
        )
    return spec


def _first_error(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]) or "the top level", first["msg"]
