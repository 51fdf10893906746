"""`run.py --dry-run`: compiles a pipeline for a stack and shows what would run; nothing runs.

It works in a temporary ZenML configuration: the user's own is not touched, no server, bucket or
cluster is called, and a variable of the stack that is not set is listed as missing.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from churn.errors import InputError
from runner.execute import configure_pipeline, pipeline_parameters
from runner.request import PreparedRun, RunRequest, prepare_run
from stacks.kubernetes.resources import runs_in_pods
from stacks.requirements import require_modules

if TYPE_CHECKING:
    from rich.console import Console
    from zenml.models import PipelineSnapshotBase

    from stacks.spec import StackSpec

_UNSET = "unset-"
_LIMITS = ("cpu_count", "memory", "gpu_count")
_ADDRESSES = ("_URL", "_ENDPOINT", "_URI")
_OTHER_STORES = ("ZENML_STORE_", "ZENML_SECRETS_STORE_", "ZENML_LOCAL_STORES_", "ZENML_ACTIVE_")


@dataclass(frozen=True)
class PlannedStep:
    """A step of a dry run.

    Attributes:
        after: Names of the steps that it waits for.
        resources: Its limits (`cpu_count`, `memory`, `gpu_count`), if the stack sets any.
    """

    name: str
    after: tuple[str, ...]
    resources: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRun:
    """Result of a dry run.

    Attributes:
        components: Component type -> name and flavor.
        places: Kind of file -> where the stack keeps it.
        unset: Environment variables that the stack needs and that are not set.
        image: Container image of the steps; '' if they run on this machine.
        steps: The steps in the order in which they would run.
        manifests: Objects that a Kubernetes orchestrator would create.
    """

    pipeline: str
    stack: str
    components: dict[str, str]
    places: dict[str, str]
    unset: tuple[str, ...]
    image: str
    steps: tuple[PlannedStep, ...]
    manifests: tuple[dict[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Returns the object that `--json` prints."""
        return asdict(self)


def dry_run(request: RunRequest) -> DryRun:
    """Compiles the requested pipeline as a run would.

    Raises:
        InputError: for every reason that a run has, except those that only servers know.
    """
    prepared = prepare_run(request)
    if prepared.entry.chain:
        raise InputError(
            f"{prepared.entry.name} runs other pipelines one after another, and what it runs follows "
            "from what they find. See what each would do: --pipeline training --dry-run, and the same "
            "of promotion and deployment."
        )
    require_modules(prepared.spec)
    with tempfile.TemporaryDirectory(prefix="churn-dry-run-") as folder:
        for name in [name for name in os.environ if name.startswith(_OTHER_STORES)]:
            del os.environ[name]  # a store that they name would be changed
        os.environ["ZENML_CONFIG_PATH"] = folder
        return _compile_dry_run(prepared, request)


def _compile_dry_run(prepared: PreparedRun, request: RunRequest) -> DryRun:
    from zenml.client import Client

    from stacks.apply import activate, apply_stack

    unset = tuple(name for name in prepared.spec.variables() if not os.environ.get(name))
    for name in unset:
        value = _UNSET + name.lower().replace("_", "-")
        # ZenML validates some values as addresses.
        os.environ[name] = f"https://{value}.invalid" if name.endswith(_ADDRESSES) else value
    # The stack's secrets are on its server, which is not called: placeholders replace them.
    for name, keys in prepared.spec.secrets.items():
        Client().create_secret(name, values=dict.fromkeys(keys, f"https://{_UNSET}{name}.invalid"))
    alone = prepared.spec.model_copy(update={"server": None})
    stack = apply_stack(alone, {"state": str(prepared.state)})
    activate(stack)
    tracker = stack.tracker and {"name": stack.tracker, "experiment": "", "uri": ""}
    configured = configure_pipeline(prepared, request, stack, f"{prepared.entry.name}-dry-run")
    configured.prepare(**pipeline_parameters(prepared, stack, tracker or None))
    snapshot = compile_pipeline(configured)
    docker = snapshot.pipeline_configuration.docker_settings
    return DryRun(
        pipeline=prepared.entry.name,
        stack=stack.name,
        components={
            kind.value: f"{component.name} ({component.flavor})"
            for kind, component in sorted(Client().active_stack.components.items())
        },
        places=_places(stack.spec),
        unset=unset,
        image=str(docker.parent_image or "") if docker.skip_build else "",
        steps=tuple(_steps(snapshot)),
        manifests=tuple(_manifests(snapshot, stack.spec, prepared.spec)),
    )


def compile_pipeline(configured: Any) -> PipelineSnapshotBase:
    """Compiles a prepared pipeline for the active stack and returns ZenML's snapshot of it."""
    # ZenML 0.98 compiles in public only together with a run or a stored snapshot. Can go when
    # `Pipeline` has a public method that compiles and stores nothing.
    arguments = dict(configured._run_args)
    arguments["steps"] = arguments.pop("step_configurations", None)
    snapshot: PipelineSnapshotBase = configured._compile(**arguments)[0]
    return snapshot


def _manifests(
    snapshot: PipelineSnapshotBase, resolved: StackSpec, spec: StackSpec
) -> list[dict[str, Any]]:
    if not runs_in_pods(resolved):
        return []
    from stacks.kubernetes.manifests import render_jobs

    server = spec.server and spec.resolved({"state": ""}).server
    return render_jobs(snapshot, resolved.model_copy(update={"server": server}))


def _places(spec: StackSpec) -> dict[str, str]:
    from stacks.plan import mask_secret

    return {
        name: mask_secret(name, place)
        for name, place in spec.places.model_dump(exclude_none=True).items()
    }


def _steps(snapshot: PipelineSnapshotBase) -> list[PlannedStep]:
    planned = []
    for name, step in snapshot.step_configurations.items():
        limits = step.config.resource_settings.model_dump(exclude_none=True, exclude_unset=True)
        resources = {key: limits[key] for key in _LIMITS if key in limits}
        planned.append(PlannedStep(name, tuple(step.spec.upstream_steps), resources))
    return planned


def print_dry_run(plan: DryRun, console: Console) -> None:
    """Prints components, places and steps."""
    console.print(
        f"{len(plan.steps)} steps of [bold]{plan.pipeline}[/] would run on "
        f"[bold]{plan.stack}[/]; nothing was started.\n"
    )
    lines = dict(plan.components) | plan.places
    if plan.image:
        lines["image"] = plan.image
    if plan.unset:
        lines["not set here"] = ", ".join(plan.unset)
    if plan.manifests:
        lines["manifests"] = f"{len(plan.manifests)}, which --json shows whole"
    width = max(map(len, lines))
    for name, value in lines.items():
        console.print(f"  {name.ljust(width)}  ", end="")
        console.print(value, markup=False, soft_wrap=True)
    console.print()
    width = max(len(step.name) for step in plan.steps)
    for at, step in enumerate(plan.steps, 1):
        after = f"after {', '.join(step.after)}" if step.after else "first"
        limits = ", ".join(f"{key} {value}" for key, value in step.resources.items())
        line = f"  {at:>2}  {step.name.ljust(width)}  {after}" + (f"  [{limits}]" if limits else "")
        console.print(line, markup=False, soft_wrap=True)
