"""Schemas of the answers, for the OpenAPI document; tests validate answers with them.

Reasons and counterfactuals have the domain's own. Whatever holds a score takes its fields from
`service.core.score_answer`, which is faster to make and to encode.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, Field, create_model

from churn.explain.counterfactuals import Counterfactual
from churn.explain.reasons import Reason
from service.api.problems import Problem
from service.core.score_answer import ScoreAnswer

_KINDS = get_type_hints(ScoreAnswer, include_extras=True)
_SCORE: dict[str, Any] = {name: (kind, ...) for name, kind in _KINDS.items()}
_ROW: dict[str, Any] = {
    "row": (Annotated[int, Field(ge=1)], ...),
    **{name: (kind | None, None) for name, kind in _KINDS.items()},
    "error": (Problem | None, None),
}
Score = create_model("Score", __doc__=ScoreAnswer.__doc__, **_SCORE)
StoredScore = create_model(
    "StoredScore",
    __doc__="""The score of a customer from the online store.

    Attributes:
        feature_age_seconds: time since the event of the customer's oldest field.
    """,
    __base__=Score,
    feature_age_seconds=(Annotated[float, Field(ge=0)], ...),
)
BatchRow = create_model(
    "BatchRow",
    __doc__="""One row of a batch's answer: a score, or why there is none.

    Attributes:
        row: row of the request, counted from 1.
        error: why the customer was refused; then the other fields are missing.
    """,
    **_ROW,
)


class Counterfactuals(BaseModel):
    """What would lower the risk.

    Attributes:
        sentence: the whole answer in one sentence.
        threshold: probability to get below; null for the lowest possible.
        reached: whether the risk can get below it, or is below it already.
        found: fewest changes first, then the lowest risk.
        caveat: what none of this promises; show it wherever the others are shown.
    """

    sentence: str
    threshold: float | None
    reached: bool
    found: list[Counterfactual]
    caveat: str


class _Reasons(BaseModel):
    """A score with its reasons.

    Attributes:
        base_probability: the average log-odds of the training customers, as a probability: the
            score to which no column contributes.
        reasons: those that the business can change come first; at most `top`.
        withheld: log-odds of the columns that are never shown as a reason.
        exact: whether contributions are exact, or estimated as a network's are.
        counterfactuals: null if they were not requested.
    """

    base_probability: float
    reasons: list[Reason]
    withheld: float
    exact: bool
    counterfactuals: Counterfactuals | None = None


Explanation = create_model("Explanation", __doc__=_Reasons.__doc__, __base__=(Score, _Reasons))


class RecordedOutcomes(BaseModel):
    """How many outcomes or treatments were recorded."""

    recorded: int


class Tensor(BaseModel):
    """Name and type of a tensor; -1 in its shape means any length."""

    name: str
    datatype: str
    shape: list[int]


class FilledTensor(Tensor):
    """A tensor with its values.

    Attributes:
        data: in one list; left out if they are binary.
        parameters: `binary_data_size`: how many bytes behind the JSON are this tensor's.
    """

    data: list[Any] | None = None
    parameters: dict[str, int] | None = None


class ModelMetadata(BaseModel):
    """The model as the Open Inference Protocol describes it.

    Attributes:
        versions: that answer now.
        platform: kind of model.
        inputs: one tensor a field.
    """

    name: str
    versions: list[str]
    platform: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class Inference(BaseModel):
    """An answer of the Open Inference Protocol.

    Attributes:
        model_version: that answered; several, joined by commas, if a canary answered its share.
        id: the request's.
        outputs: those requested.
    """

    model_name: str
    model_version: str
    id: str
    outputs: list[FilledTensor]


class Liveness(BaseModel):
    """The process runs: always `alive`."""

    status: Literal["alive"] = "alive"


class Readiness(BaseModel):
    """Whether this worker should get requests.

    Attributes:
        ready: whether it should.
        reasons: why not, by name; empty if it should.
        versions: which version has which role.
        refused_bundle: why the store's current bundle is not served; null if it is.
    """

    ready: bool
    reasons: dict[str, str]
    versions: dict[str, Any]
    refused_bundle: str | None = None


class ServedMetadata(BaseModel):
    """What is served, and where it comes from; docs/bundle.md describes the bundle's fields.

    Attributes:
        model: name, version, recipe, settings, training rows and profile.
        profile_note: what to know about a profile that is not the whole protocol; null for one that is.
        threshold: probability from which a customer needs action, and how it was chosen.
        risk_bands: each band's bounds; the first is included, the last is not.
        metrics: measured at the training, with intervals.
        contract: the data contract.
        data_sha256: SHA-256 of the training rows' source.
        git_commit: git commit of the code that trained it; null if unknown.
        libraries: versions it was trained with.
        trained_at: when the model was trained.
        promoted_at: when it went into production.
        promoted_by: who approved it; null if nobody had to, or if it came back.
        promotion: `publish`, or `roll_back` if it came back.
        bundle_sha256: SHA-256 of the bundle's manifest.
        model_card: whether the bundle has a model card.
        versions: which version has which role.
    """

    model: dict[str, Any]
    profile_note: str | None
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
    promotion: str | None
    bundle_sha256: str | None
    model_card: bool
    versions: dict[str, Any]


class ServerMetadata(BaseModel):
    """The server as the Open Inference Protocol describes it.

    Attributes:
        version: of the API.
        extensions: of the protocol, that it has.
    """

    name: str
    version: str
    extensions: tuple[str, ...]


class ServerLive(BaseModel):
    """The process runs: always true."""

    live: bool = True


class ServerReady(BaseModel):
    """Whether this worker should get requests."""

    ready: bool
