"""Batch inference: every customer of a table scored once."""

from typing import Any

from zenml import pipeline

from steps.inference.publish_batch_figures import publish_batch_figures
from steps.inference.score_batch import score_batch


@pipeline(name="batch_inference")
def batch_inference(settings: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the steps; `settings` are `BatchInferenceSettings`, `folders` bundle stores, ledger and metrics."""
    report = score_batch(settings, folders)
    publish_batch_figures(report, settings, folders)
