"""`run.py --dry-run`: compiles a pipeline for a stack and says what would run; nothing runs.

It works in a ZenML configuration that exists for as long as it takes: the user's own is not
touched, no server is asked, no bucket, no cluster, and a variable of the stack that is not set is
shown as one that is missing.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from runner.execute import Prepared, Request, configured_pipeline, pipeline_parameters, prepare
from stacks.kubernetes.resources import runs_in_pods
from stacks.requirements import require_modules

if TYPE_CHECKING:
    from rich.console import Console
    from zenml.models import PipelineSnapshotBase

    from stacks.spec import StackSpec

_UNSET = "unset-"
_ADDRESSES = ("_URL", "_ENDPOINT", "_URI")


@dataclass(frozen=True)
class PlannedStep:
    """A step as it would run.

    Attributes:
        name: Its name in the pipeline.
        after: Steps that it waits for.
        resources: What it may use, where the stack says so.
    """

    name: str
    after: tuple[str, ...]
    resources: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DryRun:
    """What would run.

    Attributes:
        pipeline: The pipeline's name.
        stack: The stack's name.
        components: Component type -> name and flavor.
        places: What of this project would lie where.
        unset: Environment variables that the stack wants and that are not set.
        image: What the steps would run in; '' where they run on this machine.
        steps: In the order in which they would run.
        manifests: What a Kubernetes orchestrator would create.
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
        """The object that `--json` prints."""
        return asdict(self)


def dry_run(request: Request) -> DryRun:
    """Compiles what is asked for, as a run would.

    Raises:
        InputError: as a run would be refused, but for what can only be asked of servers.
    """
    ready = prepare(request)
    require_modules(ready.spec)
    with tempfile.TemporaryDirectory(prefix="churn-dry-run-") as folder:
        os.environ["ZENML_CONFIG_PATH"] = folder
        return _compiled(ready, request)


def _compiled(ready: Prepared, request: Request) -> DryRun:
    from zenml.client import Client

    from stacks.apply import activate, apply_stack

    unset = tuple(name for name in ready.spec.variables() if not os.environ.get(name))
    for name in unset:
        word = _UNSET + name.lower().replace("_", "-")
        # ZenML holds some values to be addresses.
        os.environ[name] = f"https://{word}.invalid" if name.endswith(_ADDRESSES) else word
    # The secrets that the stack refers to lie on its server, which is not asked: ones to stand in.
    for name, keys in ready.spec.secrets.items():
        Client().create_secret(name, values=dict.fromkeys(keys, f"https://{_UNSET}{name}.invalid"))
    alone = ready.spec.model_copy(update={"server": None})
    stack = apply_stack(alone, {"state": str(ready.state)})
    activate(stack)
    tracker = stack.tracker and {"name": stack.tracker, "experiment": "", "uri": ""}
    configured = configured_pipeline(ready, request, stack, f"{ready.entry.name}-dry-run")
    configured.prepare(**pipeline_parameters(ready, stack, tracker or None))
    active = Client().active_stack
    # As a run compiles it: with what single steps are given.
    snapshot, _, _ = configured._compile(**configured._run_args)
    return DryRun(
        pipeline=ready.entry.name,
        stack=stack.name,
        components={
            kind.value: f"{component.name} ({component.flavor})"
            for kind, component in sorted(active.components.items())
        },
        places=_places(stack.spec),
        unset=unset,
        image=_image(snapshot),
        steps=tuple(_steps(snapshot)),
        manifests=tuple(_manifests(snapshot, stack.spec, ready.spec)),
    )


def _manifests(
    snapshot: PipelineSnapshotBase, filled: StackSpec, asked: StackSpec
) -> list[dict[str, Any]]:
    if not runs_in_pods(filled):
        return []
    from stacks.kubernetes.manifests import render

    server = asked.server and asked.resolved({"state": ""}).server
    return render(snapshot, filled.model_copy(update={"server": server}))


def _places(spec: StackSpec) -> dict[str, str]:
    from stacks.plan import mask_secret

    return {
        name: mask_secret(name, place)
        for name, place in spec.places.model_dump(exclude_none=True).items()
    }


def _image(snapshot: PipelineSnapshotBase) -> str:
    docker = snapshot.pipeline_configuration.docker_settings
    return str(docker.parent_image or "") if docker.skip_build else ""


def _steps(snapshot: PipelineSnapshotBase) -> list[PlannedStep]:
    planned = []
    for name, step in snapshot.step_configurations.items():
        given = step.config.resource_settings.model_dump(exclude_none=True, exclude_unset=True)
        wanted = {key: given[key] for key in ("cpu_count", "memory", "gpu_count") if key in given}
        planned.append(PlannedStep(name, tuple(step.spec.upstream_steps), wanted))
    return planned


def show(found: DryRun, console: Console) -> None:
    """Prints what would run."""
    console.print(
        f"{len(found.steps)} steps of [bold]{found.pipeline}[/] would run on "
        f"[bold]{found.stack}[/]; nothing was started.\n"
    )
    lines = dict(found.components) | found.places
    if found.image:
        lines["image"] = found.image
    if found.unset:
        lines["not set here"] = ", ".join(found.unset)
    if found.manifests:
        lines["manifests"] = f"{len(found.manifests)}, which --json shows whole"
    width = max(map(len, lines))
    for name, value in lines.items():
        console.print(f"  {name.ljust(width)}  ", end="")
        console.print(value, markup=False, soft_wrap=True)
    console.print()
    width = max(len(step.name) for step in found.steps)
    for at, step in enumerate(found.steps, 1):
        after = f"after {', '.join(step.after)}" if step.after else "first"
        wanted = ", ".join(f"{key} {value}" for key, value in step.resources.items())
        line = f"  {at:>2}  {step.name.ljust(width)}  {after}" + (f"  [{wanted}]" if wanted else "")
        console.print(line, markup=False, soft_wrap=True)
