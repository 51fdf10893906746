"""Protocols that a served model speaks: our own routes, the V2 protocol, Seldon Core 1's, ZenML's.

Pure functions of JSON bodies: what a request sends, and what a response says. The HTTP client is
elsewhere (`deployment.smoke_client`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = Mapping[str, Any]


class Prediction(NamedTuple):
    """A served model's prediction for one customer.

    Attributes:
        probability: Of leaving; NaN where there is none.
        version: Version of the model; empty where the response does not say.
        error: Why there is no probability; empty where there is one.
    """

    probability: float
    version: str
    error: str = ""


@dataclass(frozen=True)
class ScoringProtocol:
    """How to request predictions from a served model.

    Attributes:
        path: Path of the route; also its name in the record.
        body: Builds the request's JSON body from one or more customers.
        parse: Reads the predictions from the response's JSON body, one for each customer; raises
            KeyError, TypeError, ValueError or IndexError if the body does not follow the protocol.
        single: Whether a request is about one customer.
        sends_ids: Whether a request can carry the customers' ids.
        one_version: Whether a response names one version, however many customers it is about.
    """

    path: str
    body: Callable[[Sequence[Row]], Any]
    parse: Callable[[Any], list[Prediction]]
    single: bool = False
    sends_ids: bool = False
    one_version: bool = False


def service_protocols() -> tuple[ScoringProtocol, ...]:
    """Returns the scoring protocols of our own service."""
    return single_score(), batch_score(), open_inference("churn", sends_ids=True)


def single_score() -> ScoringProtocol:
    """Returns `POST /v1/score`, our route for one customer.

    Example:
        >>> single_score().body([{"tenure": 3}])
        {'tenure': 3}
    """
    return ScoringProtocol(
        path="/v1/score",
        body=lambda rows: dict(rows[0]),
        parse=lambda content: [_prediction(content)],
        single=True,
        sends_ids=True,
    )


def batch_score() -> ScoringProtocol:
    """Returns `POST /v1/score/batch`, our route for many customers."""
    return ScoringProtocol(
        path="/v1/score/batch",
        body=lambda rows: [dict(row) for row in rows],
        parse=lambda content: [_prediction(each) for each in content],
        sends_ids=True,
    )


def open_inference(model: str, *, sends_ids: bool = False) -> ScoringProtocol:
    """Returns `POST /v2/models/<model>/infer`, the Open Inference Protocol (V2).

    Args:
        model: Name of the model on that server.
        sends_ids: Whether the server takes the customer's id as one of the tensors.
    """
    return ScoringProtocol(
        path=f"/v2/models/{model}/infer",
        body=_tensors,
        parse=_predictions_from_tensors,
        sends_ids=sends_ids,
        one_version=True,
    )


def seldon_core_1() -> ScoringProtocol:
    """Returns Seldon Core 1's own protocol, with the customers as `jsonData`."""
    return ScoringProtocol(
        path="/api/v1.0/predictions",
        body=lambda rows: {"jsonData": [dict(row) for row in rows]},
        parse=lambda content: [_prediction(each) for each in content["jsonData"]["customers"]],
    )


def zenml_invocation() -> ScoringProtocol:
    """Returns `POST /invoke`, the route of a pipeline that ZenML has deployed; a request is a run."""
    return ScoringProtocol(
        path="/invoke",
        body=lambda rows: invocation_body(rows[0]),
        parse=lambda content: [_prediction(invocation_score(content))],
        single=True,
    )


def invocation_body(customer: Row, *, keep: bool = False) -> dict[str, Any]:
    """Returns the request of `/invoke`; ZenML stores the results only if `keep` is set."""
    return {"parameters": {"customer": dict(customer)}, "skip_artifact_materialization": not keep}


def invocation_score(content: Any) -> dict[str, Any]:
    """Returns the score in a response of `/invoke`.

    Raises:
        ValueError: the run failed.
    """
    if not content["success"]:
        raise ValueError(f"its run failed, {content.get('error') or 'without saying why'}")
    return dict(content["outputs"]["customer_score"])


def _prediction(content: Any) -> Prediction:
    if content.get("error") is not None:
        return Prediction(float("nan"), "", str(content["error"]["detail"]))
    version = content["model_version"] if "model_version" in content else content["version"]
    return Prediction(float(content["probability"]), str(version))


def _tensors(rows: Sequence[Row]) -> dict[str, Any]:
    """Returns one tensor for each field, shape [customers]; a column with a blank is sent as text."""
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


def _predictions_from_tensors(content: Any) -> list[Prediction]:
    # `model_version` is the server's own version where the parameters have the bundle's.
    parameters = content.get("parameters") or {}
    version = str(parameters.get("bundle_version", content.get("model_version", "")))
    (tensor,) = (each for each in content["outputs"] if each["name"] == "probability")
    return [Prediction(float(probability), version) for probability in tensor["data"]]
