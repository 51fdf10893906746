"""What other tools wrap customers in; here they are read without, and a wrapper is named for what it is."""

from __future__ import annotations

from collections.abc import Iterable

_LIST = (
    "Send the customers in it as objects of fields: one by itself, several as an array to the batch"
)
_COLUMNS = f"{_LIST}; pandas makes that array with to_json(orient='records')"
_EVENT = "Send what is in it by itself"
_WRAPPERS = {
    "instances": ("TensorFlow Serving and KServe V1", _LIST),
    "signature_name": ("TensorFlow Serving", _LIST),
    "inputs": (
        "the Open Inference Protocol, whose requests go to its own route, and MLflow",
        _LIST,
    ),
    "dataframe_records": ("MLflow", _LIST),
    "dataframe_split": ("MLflow", _COLUMNS),
    "columns": ("pandas' table by columns", _COLUMNS),
    "data": ("Seldon V1, pandas' tables and CloudEvents", _LIST),
    "jsonData": ("Seldon V1", _EVENT),
    "input_data": ("Azure ML", _COLUMNS),
    "records": ("lists of records", _LIST),
    "rows": ("lists of rows", _LIST),
    "customers": ("lists of customers", _LIST),
    "schema": (
        "Kafka Connect",
        "Set value.converter.schemas.enable=false, or send what is in 'payload' by itself",
    ),
    "payload": ("Kafka Connect and Debezium", _EVENT),
    "after": ("Debezium", _EVENT),
}


def wrapper_sentence(names: Iterable[object]) -> str | None:
    """Returns what the wrapper among some fields' names is, and the way out; None if there is none."""
    for name in names:
        if isinstance(name, str) and name in _WRAPPERS:
            whose, way_out = _WRAPPERS[name]
            return f"'{name}' is no field but a wrapper, of {whose}. {way_out}."
    return None
