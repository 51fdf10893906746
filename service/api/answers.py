"""What the routes answer, as schemas: they stand in the OpenAPI document, and tests hold answers to them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from service.api.problems import Problem

Band = Literal["low", "medium", "high", "very_high"]


class Score(BaseModel):
    """One customer's score.

    Attributes:
        prediction_id: under which it stands in the ledger; to be named with its outcome.
        probability: of leaving, as the model says.
        decision: whether it reaches the threshold, so that the customer is to be acted for.
        risk_band: of the probability; /metadata has the bounds.
        model_version: that answered.
    """

    prediction_id: str
    probability: float = Field(ge=0, le=1)
    decision: bool
    risk_band: Band
    model_version: str


class BatchRow(BaseModel):
    """One row of a batch's answer: a score, or why there is none.

    Attributes:
        row: of the request, counted from 1.
        error: why the customer was refused; then nothing else stands beside it.
    """

    row: int = Field(ge=1)
    prediction_id: str | None = None
    probability: float | None = Field(None, ge=0, le=1)
    decision: bool | None = None
    risk_band: Band | None = None
    model_version: str | None = None
    error: Problem | None = None


class Alive(BaseModel):
    """The process runs.

    Attributes:
        status: always `alive`.
    """

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Whether this worker should be asked.

    Attributes:
        ready: whether it should.
        reasons: why not, by name; empty where it should.
        versions: which version does what.
        refused_bundle: why the store's current bundle is not served; null where it is.
    """

    ready: bool
    reasons: dict[str, str]
    versions: dict[str, Any]
    refused_bundle: str | None = None


class Metadata(BaseModel):
    """What is served, and where it comes from; docs/bundle.md describes the bundle's fields.

    Attributes:
        model: name, version, recipe, settings and training rows.
        threshold: probability from which on a customer is to be acted for, and how it was chosen.
        risk_bands: each band's bounds; the first is included, the last is not.
        metrics: as measured when it was trained, with intervals.
        contract: the data contract.
        data_sha256: of the training rows' source.
        git_commit: of the code.
        libraries: it was trained with.
        trained_at: when the bundle was written.
        promoted_at: when it went into production.
        promoted_by: `publish`, or `roll_back` where it came back.
        bundle_sha256: of the bundle's manifest.
        model_card: whether the bundle has a model card.
        versions: which version does what.
    """

    model: dict[str, Any]
    threshold: dict[str, Any]
    risk_bands: dict[str, list[float]]
    metrics: dict[str, Any]
    contract: dict[str, Any]
    data_sha256: str
    git_commit: str | None
    libraries: dict[str, str]
    trained_at: str
    promoted_at: str | None
    promoted_by: str | None
    bundle_sha256: str | None
    model_card: bool
    versions: dict[str, Any]
