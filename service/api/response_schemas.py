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


class ReasonResponse(BaseModel):
    """One reason behind a score.

    Attributes:
        column: of the contract.
        sentence: to be read out.
        direction: whether it raises or lowers the risk against the average customer.
        strength: how far, in words.
        actionable: whether the business can do something about it.
        contribution: how far exactly, in log-odds.
        odds_ratio: what the odds of leaving are multiplied by.
    """

    column: str
    sentence: str
    direction: str
    strength: str
    actionable: bool
    contribution: float
    odds_ratio: float


class Way(BaseModel):
    """One way to a lower risk, in the model.

    Attributes:
        sentence: to be read out, together with the caveat.
        changes: what is proposed, and what follows from it.
        risk: the probability then.
        bill_before: monthly bill now; null where the contract has none.
        bill_after: monthly bill then.
        bill_held: whether a service changes whose price is not known.
    """

    sentence: str
    changes: list[dict[str, Any]]
    risk: float = Field(ge=0, le=1)
    bill_before: float | None
    bill_after: float | None
    bill_held: bool


class Ways(BaseModel):
    """What would have to be otherwise for the risk to be lower.

    Attributes:
        sentence: the whole answer in one.
        threshold: what the risk was to fall below; null where it was to fall as far as it can.
        reached: whether it can, or is below already.
        found: fewest changes first, then the lowest risk.
        caveat: what none of this promises; show it wherever the others are shown.
    """

    sentence: str
    threshold: float | None
    reached: bool
    found: list[Way]
    caveat: str


class ExplanationResponse(Score):
    """A score with its reasons.

    Attributes:
        base_probability: what the model gives where no column adds anything: the average of the
            training customers' log-odds, as a probability.
        reasons: what can be acted on first; at most as many as asked for.
        withheld: log-odds of the columns that are never given as a reason.
        exact: whether contributions are exact, or estimated as a network's are.
        counterfactuals: null where they were not asked for.
    """

    base_probability: float
    reasons: list[ReasonResponse]
    withheld: float
    exact: bool
    counterfactuals: Ways | None = None


class Recorded(BaseModel):
    """Outcomes were kept.

    Attributes:
        recorded: how many.
    """

    recorded: int


class Tensor(BaseModel):
    """A tensor's name and kind.

    Attributes:
        name: of it.
        datatype: as the protocol has it.
        shape: -1 stands for any length.
    """

    name: str
    datatype: str
    shape: list[int]


class FilledTensor(Tensor):
    """A tensor.

    Attributes:
        data: flat.
    """

    data: list[Any]


class ModelMetadata(BaseModel):
    """The model as the Open Inference Protocol describes it.

    Attributes:
        name: of the model here.
        versions: that answer now.
        platform: what it runs on.
        inputs: one tensor a field.
        outputs: what is answered.
    """

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class InferenceResponse(BaseModel):
    """An answer of the Open Inference Protocol.

    Attributes:
        model_name: of the model here.
        model_version: that answered; several, joined by a comma, where a canary took its share.
        id: the request's.
        outputs: those asked for.
    """

    model_name: str
    model_version: str
    id: str
    outputs: list[FilledTensor]


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
