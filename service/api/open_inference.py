"""The Open Inference Protocol (V2): one tensor a field, one element a customer."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import msgspec

from churn.contract import DataContract, NumberColumn
from churn.contract.refusals import quote_value
from churn.scoring import Score
from churn.scoring.encoder import Values
from churn.scoring.fields import FieldError
from service.api.inference_tensors import read_request, write_tensors
from service.api.problems import ProblemError
from service.api.tensor_elements import DATATYPES, fault
from service.api.worker_state import WorkerState
from service.core.loaded_model import LoadedModel

NAME = "churn"
EXTENSIONS = ("binary_tensor_data",)
_OUTPUTS = {
    "probability": "FP64",
    "decision": "BOOL",
    "risk_band": "BYTES",
    "prediction_id": "BYTES",
}
_ROWS_AT_ONCE = 32
"""Customers encoded or scored before other requests are answered in between."""
_encode = msgspec.json.Encoder().encode

_BINARY = {"type": "object", "properties": {"binary_data": {"type": "boolean"}}}
_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        "datatype": {"type": "string", "enum": sorted(DATATYPES)},
        "data": {"type": "array"},
        "parameters": {
            "type": "object",
            "properties": {"binary_data_size": {"type": "integer", "minimum": 0}},
        },
    },
    "required": ["name", "shape", "datatype"],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "parameters": {
            "type": "object",
            "properties": {"binary_data_output": {"type": "boolean"}},
        },
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "enum": list(_OUTPUTS)},
                    "parameters": _BINARY,
                },
                "required": ["name"],
            },
        },
    },
    "required": ["inputs"],
}


class InferenceAnswer(NamedTuple):
    """An answer's body, and how much of it is JSON; all of it if no tensor is binary."""

    body: bytes
    json_length: int


class _Customer(NamedTuple):
    row: dict[str, Any]
    model: LoadedModel
    prediction_id: str
    values: Values


def find_model(state: WorkerState, version: str) -> LoadedModel:
    """Returns a version that is served.

    Raises:
        ProblemError: 404, it is not.
    """
    for model in _models(state):
        if model.version == version:
            return model
    served = " and ".join(model.version for model in _models(state))
    raise ProblemError(
        404, f"Version {quote_value(version)} of the model {NAME} is not served here; {served} is.",
        field="version", value=quote_value(version), allowed=served,
    )  # fmt: skip


def model_metadata(state: WorkerState, version: str | None) -> dict[str, Any]:
    """Returns the model's tensors; of one version, or of production.

    Raises:
        ProblemError: 404, the version is not served.
    """
    model = state.pool.production if version is None else find_model(state, version)
    return {
        "name": NAME,
        "versions": [model.version for model in _models(state)],
        "platform": f"churn_{model.scorer.manifest.model.kind}",
        "inputs": _inputs(model.contract),
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, kind in _OUTPUTS.items()
        ],
    }


async def infer(
    state: WorkerState, body: bytes, json_length: str | None, version: str | None, request_id: str
) -> InferenceAnswer:
    """Scores the customers in a request's tensors.

    Args:
        state: the worker's.
        body: the request's.
        json_length: how much of it is JSON, by its header; None for all.
        version: that is to answer; None for the one that each customer gets elsewhere, too.
        request_id: for a request that has none of its own.

    Raises:
        ProblemError: the request does not follow the protocol, or a customer is at fault; then none
            is answered, as the protocol has no errors by row.
    """
    model = None if version is None else find_model(state, version)
    content, columns = await read_request(body, json_length, state.settings.max_batch_rows)
    binary = _requested_outputs(content)
    # All are encoded before the first is answered, so that a refused request leaves no trace.
    customers = await _encode_customers(state, columns, model)
    answers = await _score(state, customers)
    outputs, tail = write_tensors(
        {name: (_OUTPUTS[name], [getattr(a, name) for a in answers]) for name in binary}, binary
    )
    versions = dict.fromkeys(answer.model_version for answer in answers)
    own_id = content.get("id")
    head = _encode(
        {
            "model_name": NAME,
            "model_version": ",".join(versions) or (model or state.pool.production).version,
            "id": own_id if isinstance(own_id, str) and own_id else request_id,
            "outputs": outputs,
        }
    )
    return InferenceAnswer(head + tail, len(head))


def _models(state: WorkerState) -> list[LoadedModel]:
    pool = state.pool
    return [pool.production, *([pool.canary] if pool.canary else [])]


def _inputs(contract: DataContract) -> list[dict[str, Any]]:
    tensors = [{"name": contract.id.name, "datatype": "BYTES", "shape": [-1]}]
    for column in contract.features:
        datatype = "BYTES"
        if isinstance(column, NumberColumn):
            datatype = "INT64" if column.integer else "FP64"
        tensors.append({"name": column.name, "datatype": datatype, "shape": [-1]})
    return tensors


def _requested_outputs(content: dict[str, Any]) -> dict[str, bool]:
    """Returns the outputs by name, and whether each is to be binary."""
    parameters, outputs = content.get("parameters") or {}, content.get("outputs")
    if not isinstance(parameters, dict):
        raise fault("parameters", "is no object")
    default = _is_true(parameters, "binary_data_output", False)
    if not outputs:
        return dict.fromkeys(_OUTPUTS, default)
    if not isinstance(outputs, list):
        raise fault("outputs", "is no list")
    binary: dict[str, bool] = {}
    for output in outputs:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in _OUTPUTS:
            raise fault("outputs", f"names an output that is none of {', '.join(_OUTPUTS)}")
        own = output.get("parameters") or {}
        if not isinstance(own, dict):
            raise fault(name, "has parameters that are no object")
        for unsupported in ("classification", "shared_memory_region"):
            if unsupported in own:
                raise fault(name, f"asks for {unsupported}, which is not given here")
        binary[name] = _is_true(own, "binary_data", default)
    return binary


def _is_true(parameters: dict[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise fault(name, "is neither true nor false")
    return value


async def _encode_customers(
    state: WorkerState, columns: dict[str, list[Any]], model: LoadedModel | None
) -> list[_Customer]:
    customers = []
    for number, values in enumerate(zip(*columns.values(), strict=True), start=1):
        row = dict(zip(columns, values, strict=True))
        try:
            prediction_id = state.new_id()
            chosen = state.choose_model(row, prediction_id)
            chosen = model or chosen
            customers.append(_Customer(row, chosen, prediction_id, chosen.scorer.values(row)))
        except (FieldError, ProblemError) as error:
            problem = (
                error if isinstance(error, ProblemError) else ProblemError.from_field_error(error)
            )
            problem.detail = f"Row {number}: {problem.detail}"
            raise problem from None
        if number % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return customers


async def _score(state: WorkerState, customers: list[_Customer]) -> list[Any]:
    answers = []
    for number, (row, model, prediction_id, values) in enumerate(customers, start=1):
        score: Score = model.scorer.score_values(values)
        answers.append(state.record_score(row, model, prediction_id, values, score, "inference"))
        if number % _ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return answers
