"""Rollback: puts back what was in production before."""

from typing import Any

from zenml import pipeline

from steps.promotion.restore_champion import restore_champion


@pipeline(name="rollback")
def rollback(settings: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the step; `settings` are `RollbackSettings`, `folders` bundle stores and ledger."""
    restore_champion(settings, folders)
