"""Batch inference: every customer of a table scored once."""

from typing import Any

from zenml import pipeline

from steps.inference.score_batch import score_batch


@pipeline(name="batch_inference")
def batch_inference(settings: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the step; `settings` are `BatchInferenceSettings`, `folders` bundle stores and ledger."""
    score_batch(settings, folders)
