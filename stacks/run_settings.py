"""A stack's run settings in ZenML's words, for `pipeline.with_options(...)`."""

from __future__ import annotations

from typing import Any

from stacks.spec import Image, Resources, RunSettings


def pipeline_options(run: RunSettings, pipeline: str) -> dict[str, Any]:
    """What a pipeline is configured with on a stack, beyond what it says of itself.

    Args:
        run: The stack's run settings, placeholders filled in.
        pipeline: The pipeline's name, which picks its own steps' resources.

    Returns:
        Keyword arguments; empty for a stack that asks for nothing.
    """
    options: dict[str, Any] = {}
    settings: dict[str, Any] = {name: dict(given) for name, given in run.settings.items()}
    if run.resources is not None:
        settings["resources"] = _resources(run.resources)
    if run.image is not None:
        settings["docker"] = _docker(run.image)
    if settings:
        options["settings"] = settings
    if run.retry is not None:
        from zenml.config.retry_config import StepRetryConfig

        options["retry"] = StepRetryConfig(
            max_retries=run.retry.times, delay=run.retry.delay_seconds, backoff=run.retry.backoff
        )
    steps = run.steps.get(pipeline, {})
    if steps:
        options["steps"] = {
            name: {"settings": {"resources": _resources(wanted)}} for name, wanted in steps.items()
        }
    return options


def _resources(wanted: Resources) -> Any:
    from zenml.config import ResourceSettings

    given = {"cpu_count": wanted.cpu, "memory": wanted.memory, "gpu_count": wanted.gpu}
    return ResourceSettings(**{name: value for name, value in given.items() if value is not None})


def _docker(image: Image) -> Any:
    from zenml.config import DockerSettings

    if image.prebuilt:
        # The project lies in it already: nothing is built, and no code is fetched at start.
        return DockerSettings(
            parent_image=image.prebuilt, skip_build=True, environment=image.environment
        )
    given: dict[str, Any] = {"environment": image.environment}
    if image.base:
        given["parent_image"] = image.base
    if image.requirements:
        given["requirements"] = image.requirements
    return DockerSettings(install_stack_requirements=False, **given)
