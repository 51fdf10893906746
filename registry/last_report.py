"""The last report of a kind, to show a new one beside it."""

from typing import Any

from pydantic import ValidationError
from zenml.client import Client

from registry.artifacts import Artifact
from registry.step_context import in_step


def last_report(artifact: Artifact, model: str) -> Any:
    """Returns a model's last report that an earlier run has stored; None for the first, and outside of runs.

    One that another release wrote otherwise is none: what it is compared for is only shown.
    """
    if not in_step():
        return None
    found = Client().list_artifact_versions(
        artifact=artifact.value,
        run_metadata=[f"model:{model}"],
        sort_by="desc:created",
        size=1,
        hydrate=True,
    )
    last = next(iter(found), None)
    try:
        return last.load() if last is not None else None
    except ValidationError:
        return None
