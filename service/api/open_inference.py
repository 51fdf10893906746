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
_DATATYPES = frozenset(
    [
        "BOOL",
        "BYTES",
        "FP16",
        "FP32",
        "FP64",
        "INT8",
        "INT16",
        "INT32",
        "INT64",
        "UINT8",
        "UINT16",
        "UINT32",
        "UINT64",
    ]
)

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
    """The model's tensors."""
    pool = state.pool
    served = [pool.production, *([pool.canary] if pool.canary else [])]
    return {
        "name": NAME,
        "versions": [each.version for each in served],
        "platform": f"churn_{pool.production.scorer.manifest.model.kind}",
        "inputs": _inputs(pool.production.contract),
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, kind in _OUTPUTS.items()
        ],
    }


def infer(state: WorkerState, content: Any, request_id: str) -> dict[str, Any]:
    """Scores the customers in a request's tensors.

    Raises:
        ProblemError: the request is not what the protocol has, or a customer is refused; then none is
            answered, as the protocol knows no errors by row.
    """
    if not isinstance(content, dict):
        raise _fault("body", "is no JSON object with 'inputs'")
    wanted = _wanted(content.get("outputs"))
    rows = _rows(content.get("inputs"), state.settings.max_batch_rows)
    found: dict[str, list[Any]] = {name: [] for name in _OUTPUTS}
    versions: list[str] = []
    # All are looked at before the first is answered, so that a refused request leaves no trace.
    encoder = state.pool.production.scorer
    for number, row in enumerate(rows, start=1):
        try:
            encoder.columns([row])
            state.choose_model(row)
        except FieldError as error:
            refusal = ProblemError.of(error)
            refusal.detail = str(error).replace("Row 1:", f"Row {number}:", 1)
            raise refusal from None
    for row in rows:
        answer = state.score(row, "inference")
        for name, values in found.items():
            values.append(getattr(answer, name))
        if answer.model_version not in versions:
            versions.append(answer.model_version)
    given = content.get("id")
    return {
        "model_name": NAME,
        "model_version": ",".join(versions) or state.pool.production.version,
        "id": given if isinstance(given, str) and given else request_id,
        "outputs": [
            {"name": n, "datatype": _OUTPUTS[n], "shape": [len(rows)], "data": found[n]}
            for n in wanted
        ],
    }


def _inputs(contract: DataContract) -> list[dict[str, Any]]:
    found = [{"name": contract.id.name, "datatype": "BYTES", "shape": [-1]}]
    for column in contract.features:
        number = isinstance(column, NumberColumn)
        datatype = ("INT64" if column.integer else "FP64") if number else "BYTES"  # type: ignore[union-attr]
        found.append({"name": column.name, "datatype": datatype, "shape": [-1]})
    return found


def _wanted(outputs: Any) -> list[str]:
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
    """The customers, from one tensor a field."""
    if not isinstance(inputs, list) or not inputs:
        raise _fault("inputs", "is no list of tensors")
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name, data = _tensor(tensor)
        if name in columns:
            raise _fault(name, "stands among the inputs twice")
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


def _tensor(tensor: Any) -> tuple[str, list[Any]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise _fault("inputs", "holds a tensor without a name")
    name: str = tensor["name"]
    shape, data = tensor.get("shape"), tensor.get("data")
    if tensor.get("datatype") not in _DATATYPES:
        raise _fault(name, f"has a datatype that is none of {', '.join(sorted(_DATATYPES))}")
    if not isinstance(data, list):
        raise _fault(name, "has no list of data; binary data are not read here")
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or not shape or prod(shape[1:]) != 1 or shape[0] != len(data):
        raise _fault(name, f"has {len(data):,} elements and another shape; give [{len(data)}]")
    flat = [each[0] if isinstance(each, list) and len(each) == 1 else each for each in data]
    return name, flat


def _fault(field: str, what: str) -> ProblemError:
    return ProblemError(422, f"'{field[:40]}' {what}.", field=field[:40])
