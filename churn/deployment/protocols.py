"""How a served model is asked about customers: our own routes, the V2 protocol, Seldon Core 1's.

Pure: what is sent, and what an answer says. Whoever has a connection does the asking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Answer(NamedTuple):
    """What a served model says of one customer.

    Attributes:
        probability: of leaving; NaN where there is none.
        version: that answered; empty where the answer does not say.
        refusal: why there is no probability; empty where there is one.
    """

    probability: float
    version: str
    refusal: str = ""


@dataclass(frozen=True)
class ScoringProtocol:
    """A way of asking.

    Attributes:
        path: of the request; also its name in the record.
        body: the request's JSON body, from at least one customer.
        answers: what the response's JSON body says, a customer each; raises KeyError, TypeError,
            ValueError or IndexError where it is not what the protocol has.
        single: whether a request is about one customer.
        named: whether customers can be sent under an id.
        one_version: whether an answer names one version, however many customers it is about.
        headers: that go with each request.
    """

    path: str
    body: Callable[[Sequence[Row]], Any]
    answers: Callable[[Any], list[Answer]]
    single: bool = False
    named: bool = False
    one_version: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def one_by_one() -> ScoringProtocol:
    """`POST /v1/score`, the route for one customer."""
    return ScoringProtocol(
        path="/v1/score",
        body=lambda rows: dict(rows[0]),
        answers=lambda content: [_scored(content)],
        single=True,
        named=True,
    )


def batch() -> ScoringProtocol:
    """`POST /v1/score/batch`, the route for many."""
    return ScoringProtocol(
        path="/v1/score/batch",
        body=lambda rows: [dict(row) for row in rows],
        answers=lambda content: [_scored(one) for one in content],
        named=True,
    )


def inference(
    model: str, *, named: bool = False, headers: Mapping[str, str] | None = None
) -> ScoringProtocol:
    """`POST /v2/models/<model>/infer`, the Open Inference Protocol.

    Args:
        model: its name there.
        named: whether the server takes the customer's id among the tensors.
        headers: such as the one that Seldon's mesh finds the model by.
    """
    return ScoringProtocol(
        path=f"/v2/models/{model}/infer",
        body=_tensors,
        answers=_inferred,
        named=named,
        one_version=True,
        headers=dict(headers or {}),
    )


def seldon_core_1(path: str = "/api/v1.0/predictions") -> ScoringProtocol:
    """Seldon Core 1's own protocol, with customers as `jsonData`."""
    return ScoringProtocol(
        path=path,
        body=lambda rows: {"jsonData": [dict(row) for row in rows]},
        answers=lambda content: [_scored(one) for one in content["jsonData"]["customers"]],
    )


def invocation() -> ScoringProtocol:
    """`POST /invoke`, the route of a pipeline that ZenML has deployed; each request is a run there."""
    return ScoringProtocol(
        path="/invoke",
        body=lambda rows: invocation_body(rows[0]),
        answers=lambda content: [_scored(invocation_score(content))],
        single=True,
    )


def invocation_body(customer: Row, *, keep: bool = False) -> dict[str, Any]:
    """What a deployed pipeline is sent; kept answers become artifacts, others stay in memory."""
    return {"parameters": {"customer": dict(customer)}, "skip_artifact_materialization": not keep}


def invocation_score(content: Any) -> dict[str, Any]:
    """The score in a deployed pipeline's answer.

    Raises:
        ValueError: the run failed.
    """
    if not content["success"]:
        raise ValueError(f"its run failed, {content.get('error') or 'without saying why'}")
    return dict(content["outputs"]["customer_score"])


def _scored(content: Any) -> Answer:
    if content.get("error") is not None:
        return Answer(float("nan"), "", str(content["error"]["detail"]))
    version = content["model_version"] if "model_version" in content else content["version"]
    return Answer(float(content["probability"]), str(version))


def _tensors(rows: Sequence[Row]) -> dict[str, Any]:
    """One tensor a field, one element a customer; a column with a blank goes as texts."""
    inputs = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        numbers = all(isinstance(value, int | float) for value in values)
        inputs.append(
            {
                "name": name,
                "shape": [len(rows)],
                "datatype": "FP64" if numbers else "BYTES",
                "data": values if numbers else [str(value) for value in values],
            }
        )
    return {"inputs": inputs}


def _inferred(content: Any) -> list[Answer]:
    # `model_version` is the server's own where the bundle's stands among the parameters.
    told = content.get("parameters") or {}
    version = str(told.get("bundle_version", content.get("model_version", "")))
    (found,) = (each for each in content["outputs"] if each["name"] == "probability")
    return [Answer(float(probability), version) for probability in found["data"]]
