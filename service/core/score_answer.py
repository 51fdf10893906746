"""A score as it is answered, on every path: over HTTP, in a batch and on a topic."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from churn.scoring.risk_bands import Band


class ScoreAnswer(msgspec.Struct):
    """One customer's score.

    Attributes:
        prediction_id: its id in the ledger; send it with the outcome.
        probability: of leaving, by the model.
        decision: whether the probability reaches the threshold, so that the customer needs action.
        risk_band: risk band of the probability; /metadata has the bounds.
        model_version: version that answered.
    """

    prediction_id: str
    probability: Annotated[float, Field(ge=0, le=1)]
    decision: bool
    risk_band: Band
    model_version: str
