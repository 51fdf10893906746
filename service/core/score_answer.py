"""A score as it is answered, on every path: over HTTP, in a batch and on a topic."""

from __future__ import annotations

import msgspec


class ScoreAnswer(msgspec.Struct):
    """What POST /v1/score answers; `service.api.response_schemas.Score` is its schema."""

    prediction_id: str
    probability: float
    decision: bool
    risk_band: str
    model_version: str
