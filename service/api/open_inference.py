"""The Open Inference Protocol (V2), JSON part: one tensor a field, one element a customer."""

from __future__ import annotations

from math import prod
from typing import Any

from churn.contract import DataContract, NumberColumn
from churn.scoring.fields import FieldError
from service.api.problems import ProblemError
from service.api.worker_state import WorkerState

NAME = "churn"
_OUTPUTS = {
    "probability": "FP64",
    "decision": "BOOL",
    "risk_band": "BYTES",
    "prediction_id": "BYTES",
}
_INTEGERS = [f"{kind}{bits}" for kind in ("INT", "UINT") for bits in (8, 16, 32, 64)]
_DATATYPES = frozenset(["BOOL", "BYTES", "FP16", "FP32", "FP64", *_INTEGERS])

_TENSOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        "datatype": {"type": "string", "enum": sorted(_DATATYPES)},
        "data": {"type": "array"},
        "parameters": {"type": "object"},
    },
    "required": ["name", "shape", "datatype", "data"],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
        "outputs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string", "enum": list(_OUTPUTS)}},
                "required": ["name"],
            },
        },
    },
    "required": ["inputs"],
}


def model_metadata(state: WorkerState) -> dict[str, Any]:
    """Returns the model's tensors."""
    pool = state.pool
    models = [pool.production, *([pool.canary] if pool.canary else [])]
    return {
        "name": NAME,
        "versions": [model.version for model in models],
        "platform": f"churn_{pool.production.scorer.manifest.model.kind}",
        "inputs": _inputs(pool.production.contract),
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, kind in _OUTPUTS.items()
        ],
    }


def infer(state: WorkerState, content: Any, request_id: str) -> dict[str, Any]:
    """Scores the customers in a request's tensors.

    Raises:
        ProblemError: the request does not follow the protocol, or a customer is at fault; then none
            is answered, as the protocol has no errors by row.
    """
    if not isinstance(content, dict):
        raise _fault("body", "is no JSON object with 'inputs'")
    names = _requested_outputs(content.get("outputs"))
    rows = _rows(content.get("inputs"), state.settings.max_batch_rows)
    outputs: dict[str, list[Any]] = {name: [] for name in _OUTPUTS}
    versions: list[str] = []
    # All are checked before the first is answered, so that a refused request leaves no trace.
    scorer = state.pool.production.scorer
    for number, row in enumerate(rows, start=1):
        try:
            scorer.columns([row])
            state.choose_model(row)
        except FieldError as error:
            problem = ProblemError.from_field_error(error)
            problem.detail = str(error).replace("Row 1:", f"Row {number}:", 1)
            raise problem from None
    for row in rows:
        answer = state.score_customer(row, "inference")
        for name, values in outputs.items():
            values.append(getattr(answer, name))
        if answer.model_version not in versions:
            versions.append(answer.model_version)
    own_id = content.get("id")
    return {
        "model_name": NAME,
        "model_version": ",".join(versions) or state.pool.production.version,
        "id": own_id if isinstance(own_id, str) and own_id else request_id,
        "outputs": [
            {"name": n, "datatype": _OUTPUTS[n], "shape": [len(rows)], "data": outputs[n]}
            for n in names
        ],
    }


def _inputs(contract: DataContract) -> list[dict[str, Any]]:
    tensors = [{"name": contract.id.name, "datatype": "BYTES", "shape": [-1]}]
    for column in contract.features:
        datatype = "BYTES"
        if isinstance(column, NumberColumn):
            datatype = "INT64" if column.integer else "FP64"
        tensors.append({"name": column.name, "datatype": datatype, "shape": [-1]})
    return tensors


def _requested_outputs(outputs: Any) -> list[str]:
    if not outputs:
        return list(_OUTPUTS)
    if not isinstance(outputs, list):
        raise _fault("outputs", "is no list")
    names = []
    for output in outputs:
        name = output.get("name") if isinstance(output, dict) else None
        if not isinstance(name, str) or name not in _OUTPUTS:
            raise _fault("outputs", f"names an output that is none of {', '.join(_OUTPUTS)}")
        names.append(name)
    return names


def _rows(inputs: Any, limit: int) -> list[dict[str, Any]]:
    """Returns the customers, from one tensor a field."""
    if not isinstance(inputs, list) or not inputs:
        raise _fault("inputs", "is no list of tensors")
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name, data = _read_tensor(tensor)
        if name in columns:
            raise _fault(name, "appears among the inputs twice")
        columns[name] = data
    lengths = {name: len(data) for name, data in columns.items()}
    first = next(iter(lengths.values()))
    for name, length in lengths.items():
        if length != first:
            raise _fault(name, f"has {length:,} elements where others have {first:,}")
    if first > limit:
        raise ProblemError(
            413, f"The tensors hold {first:,} customers; {limit:,} are allowed at once.",
            field="inputs", allowed=f"{limit} elements",
        )  # fmt: skip
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _read_tensor(tensor: Any) -> tuple[str, list[Any]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise _fault("inputs", "holds a tensor without a name")
    name: str = tensor["name"]
    shape, data = tensor.get("shape"), tensor.get("data")
    if tensor.get("datatype") not in _DATATYPES:
        raise _fault(name, f"has a datatype that is none of {', '.join(sorted(_DATATYPES))}")
    if not isinstance(data, list):
        raise _fault(name, "has no list of data; binary data are not read here")
    valid = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not valid or not shape or prod(shape[1:]) != 1 or shape[0] != len(data):
        raise _fault(name, f"has {len(data):,} elements and another shape; give [{len(data)}]")
    flat = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in data]
    return name, flat


def _fault(field: str, what: str) -> ProblemError:
    return ProblemError(422, f"'{field[:40]}' {what}.", field=field[:40])
