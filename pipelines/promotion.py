"""Promotion: find the pair, judge it, act on the decision."""

from typing import Any

from zenml import pipeline

from steps.promotion.apply_promotion import apply_promotion
from steps.promotion.find_pair import find_pair
from steps.promotion.judge_pair import judge_pair


@pipeline(name="promotion")
def promotion(settings: dict[str, Any], folders: dict[str, str]) -> None:
    """Wires the steps; `settings` are `PromotionPipelineSettings`, `folders` bundle stores and ledger."""
    pair = find_pair(settings["model"]["name"], settings["challenger"], folders)
    decision = judge_pair(pair, settings, folders)
    apply_promotion(pair, decision, settings, folders)
