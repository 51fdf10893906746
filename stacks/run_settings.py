"""Converts a stack's run settings to ZenML's, for `pipeline.with_options(...)`."""

from __future__ import annotations

from typing import Any

from stacks.spec import Image, Resources, RunSettings


def pipeline_options(run: RunSettings, pipeline: str) -> dict[str, Any]:
    """Returns the keyword arguments that a stack adds to a pipeline; empty if it has no run settings.

    Args:
        run: The stack's run settings, placeholders filled in.
        pipeline: Name of the pipeline, which selects the resources of its steps.
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
    if steps := run.steps.get(pipeline):
        options["steps"] = {
            name: {"settings": {"resources": _resources(each)}} for name, each in steps.items()
        }
    return options


def _resources(resources: Resources) -> Any:
    from zenml.config import ResourceSettings

    values = {"cpu_count": resources.cpu, "memory": resources.memory, "gpu_count": resources.gpu}
    return ResourceSettings(**{name: value for name, value in values.items() if value is not None})


def _docker(image: Image) -> Any:
    from zenml.config import DockerSettings

    if image.prebuilt:
        # The project is in it already: nothing is built, and no code is downloaded at start.
        return DockerSettings(
            parent_image=image.prebuilt, skip_build=True, environment=image.environment
        )
    options: dict[str, Any] = {"environment": image.environment}
    if image.base:
        options["parent_image"] = image.base
    if image.requirements:
        options["requirements"] = image.requirements
    return DockerSettings(install_stack_requirements=False, **options)
