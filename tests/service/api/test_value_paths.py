"""Every path takes or refuses the same raw value alike: files, requests, batches, V2, stream, Seldon, MLflow."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from pyarrow import parquet

from churn.contract import DataContract, NumberColumn
from churn.contract.values import PLAIN_ID, is_customer_id
from churn.data import parse, read_raw
from churn.data.quality.column_rules import column_rules
from churn.errors import InputError
from churn.features.encoding import encode
from churn.scoring import Scorer
from churn.scoring.encoder import RowEncoder
from service.api.service_settings import ServiceSettings
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from service.seldon.customers import score_document, score_tensors
from service.stream.message_scoring import score_messages
from service.stream.messages import Message

REFUSED = "refused"
FIELDS = ("SeniorCitizen", "Contract", "Partner", "tenure", "MonthlyCharges", "TotalCharges")

spaces = st.sampled_from(["", " ", "  ", "\t", "\u00a0", "\u2003", "\u200b", "\x1c", "\n"])
spellings = st.sampled_from(
    ["0", "1", "2", "Yes", "No", "yes", "One year", "Two year", "One  year", "One year.0", "0.0", "1.0", "12",
     "12.0", "+12", "-0", "1.2e1", ".5", "7.", "1_2", "84,45", "inf", "nan", "-NaN", "1e999", "240",
     "241", "240.5", "1001", "9007199254740993", "٣٤", "१२", "²", "None", "null", "true", "0x10",
     "0.000", "0E-18", "-0.0", "01", "01.0", "1.5", "TRUE", "False", "NA", "N/A", "\\N", "-", "?"]
)  # fmt: skip
texts = st.one_of(st.builds("{}{}{}".format, spaces, spellings, spaces), st.text(max_size=5))
whole = st.one_of(st.integers(-2, 300), st.sampled_from([2**53 + 1, 2**70, 10**30, -(2**63)]))
numbers = st.one_of(whole, st.floats(-1, 2000), st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e300]))
others = st.sampled_from([None, True, False, [], [1, 2], {}, {"a": 1}])
values = st.one_of(texts, numbers, others)


@pytest.fixture(scope="module")
def scorer(published_store):
    return Scorer.load(published_store)


@pytest.fixture(scope="module")
def pool(published_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    return ModelPool(ServiceSettings(store=str(published_store)), folder, RequestMetrics(folder))


@pytest.fixture(scope="module")
def paths(contract, scorer, pool, trained, service):
    """Path -> what it makes of a customer: the probability, or REFUSED."""
    from registry.mlflow_model import ChurnModel

    copy = ChurnModel()
    copy.model = trained["1"]
    client = service.client()

    def request(row: dict[str, Any]) -> Any:
        answer = client.post("/v1/score", json=row)
        assert answer.status_code in (200, 422), answer.text
        return answer.json()["probability"] if answer.status_code == 200 else REFUSED

    def batch(row: dict[str, Any], kind: str = "application/json") -> Any:
        body = json.dumps([row] if kind == "application/json" else row)
        answer = client.post("/v1/score/batch", content=body, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text
        found = answer.json()[0] if kind == "application/json" else answer.json()
        return found.get("probability", REFUSED)

    def tensors(row: dict[str, Any]) -> Any:
        kinds = {column.name: "FP64" for column in contract.numbers}
        inputs = [
            {"name": name, "datatype": kinds.get(name, "BYTES"), "shape": [1], "data": [value]}
            for name, value in row.items()
        ]
        answer = client.post("/v2/models/churn/infer", json={"inputs": inputs})
        assert answer.status_code in (200, 422), answer.text
        if answer.status_code == 422:
            return REFUSED
        return answer.json()["outputs"][0]["data"][0]

    def stream(row: dict[str, Any]) -> Any:
        message = Message("t", 0, 0, 1, None, json.dumps(row).encode())
        batch = score_messages([message], pool, 10_000)
        assert [why.kind for _, why in batch.rejected] in ([], ["field"])
        return batch.scored[0].answer.probability if batch.scored else REFUSED

    def mlflow(row: dict[str, Any]) -> Any:
        frame = pd.DataFrame(
            {name: pd.Series([value], dtype=object) for name, value in row.items()}
        )
        return float(copy.predict(None, frame)["probability"][0])

    yield {
        "scorer": lambda row: scorer.score_one(row).probability,
        "columns": lambda row: scorer.score_many(scorer.columns([row])).probability[0],
        "request": request,
        "batch": batch,
        "lines": lambda row: batch(row, "application/x-ndjson"),
        "tensors": tensors,
        "stream": stream,
        "seldon": lambda row: score_document(scorer, row).probability[0],
        "seldon tensors": lambda row: score_tensors(
            scorer, {name: [value] for name, value in row.items()}
        ).probability[0],
        "mlflow": mlflow,
    }
    client.close()


def outcome(path: Any, row: dict[str, Any]) -> Any:
    try:
        return path(row)
    except (InputError, MlflowException):
        return REFUSED


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("tenure", [0, 12])
@settings(max_examples=40)
@given(value=values)
@example(value=" ")
@example(value=None)
@example(value="9007199254740993")
@example(value="One year.0")
def test_every_path_takes_or_refuses_a_value_alike(paths, customers, field, tenure, value):
    row = customers[0] | {"tenure": tenure, field: value}
    name = row.pop("customerID")
    expected = outcome(paths["scorer"], row)

    for path, score in paths.items():
        given_row = row | {"customerID": name} if path == "stream" else row
        assert outcome(score, given_row) == expected, path


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("tenure", [0, 12])
@settings(max_examples=100)
@given(value=st.one_of(texts, numbers, st.none(), st.booleans()))
@example(value="9007199254740993")
@example(value="0E-18")
@example(value="nan")
def test_a_file_and_a_table_take_what_a_request_takes_and_read_it_alike(
    contract, customers, scorer, client, field, tenure, value
):
    row = customers[0] | {"tenure": tenure, field: value}
    cells = {
        name: pa.array([None if cell is None else str(cell)], pa.string())
        for name, cell in (row | {contract.target.name: "No"}).items()
    }

    assert outcome(lambda _: from_file(pa.table(cells), contract), row) == outcome(
        lambda row: from_request(row, contract), row
    )
    assert from_table(client, row) == outcome(lambda row: scorer.score_one(row).probability, row)


KINDS = {bool: pa.bool_(), Decimal: pa.decimal128(38, 18), float: pa.float64(), int: pa.int64()}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("tenure", [0, 12])
@settings(max_examples=50)
@given(
    value=st.one_of(
        st.booleans(), st.integers(-2, 300), st.decimals(-2, 300, places=2), st.floats(-1, 2000),
        st.sampled_from([Decimal(0), Decimal(1), Decimal("12.000"), -0.0, 0.0, 1.0, 12.0]),
    )
)  # fmt: skip
def test_parquet_takes_what_a_request_takes_and_reads_it_alike(
    contract, customers, field, tenure, value
):
    row = customers[0] | {"tenure": tenure, field: value}
    cells = {name: pa.array([cell]) for name, cell in (row | {contract.target.name: False}).items()}
    cells[field] = pa.array([value], KINDS[type(value)])
    file = BytesIO()
    parquet.write_table(pa.table(cells), file)

    table, _ = read_raw(file.getvalue(), "x.parquet")

    assert outcome(lambda _: from_file(table, contract), row) == outcome(
        lambda row: from_request(row, contract), row
    )


def from_file(table: pa.Table, contract: DataContract) -> list[float]:
    """What parser and quality gate make of a table's first customer."""
    frame = parse(table, contract)
    for rule in column_rules(contract):
        (expected,) = rule.expectations
        bounds = expected.arguments
        if "min_value" in bounds:  # the quality gate's part: a range
            number = frame[bounds["column"]][0]
            if not bounds["min_value"] <= number <= bounds["max_value"]:
                raise InputError("outside")
    return [float(values[0]) for values in encode(frame, contract).values()]


def from_table(client: Any, row: dict[str, Any]) -> Any:
    text = io.StringIO()
    csv.writer(text).writerows([row, ["" if cell is None else cell for cell in row.values()]])
    body, kind = text.getvalue().encode(), {"Content-Type": "text/csv"}
    answer = client.post("/v1/score/batch", content=body, headers=kind)
    if answer.status_code == 400:
        return REFUSED
    return answer.json()[0].get("probability", REFUSED)


def from_request(row: dict[str, Any], contract: DataContract) -> list[float]:
    return [float(values[0]) for values in RowEncoder(contract).columns([row]).values()]


@pytest.mark.parametrize("column", ["tenure", "MonthlyCharges"])
@settings(max_examples=100)
@given(value=st.one_of(numbers, st.sampled_from([float("nan"), float("inf"), -1e-9, 240.0000001])))
def test_a_column_of_numbers_takes_what_a_request_takes(contract, customers, scorer, column, value):
    assert isinstance(contract.column(column), NumberColumn)
    row = {name: cell for name, cell in customers[0].items() if name != "customerID"}
    columns = dict(scorer.columns([row])) | {column: np.array([float(value)])}

    many = outcome(lambda _: scorer.score_many(columns).probability[0], row)

    assert many == outcome(lambda row: scorer.score_one(row).probability, row | {column: value})


ids = st.one_of(
    st.from_regex(PLAIN_ID, fullmatch=True),
    st.text(max_size=4),
    st.sampled_from(["", " ", "\u2003", "a b", " C1", "\0", "x" * 200, "x" * 201, "\udfff", 17, -1, 0, True, 1.0, None, [], {}]),
)  # fmt: skip


@given(value=ids)
@example(value="C1\n")
def test_an_id_is_the_same_for_requests_the_stream_and_files(
    contract, customers, pool, client, value
):
    row = customers[0] | {"customerID": value}
    allowed = is_customer_id(value)
    if isinstance(value, str) and re.fullmatch(PLAIN_ID, value):
        assert allowed

    answer = client.post("/v1/score", content=json.dumps(row))
    # A request may leave it out.
    assert answer.status_code == (200 if allowed or value is None else 422), answer.text
    batch = score_messages([Message("t", 0, 0, 1, None, json.dumps(row).encode())], pool, 10_000)
    assert len(batch.scored) == allowed
    if isinstance(value, str) and value.isprintable():
        cells = {name: pa.array([None if c is None else str(c)], pa.string())
                 for name, c in (row | {contract.target.name: "No"}).items()}  # fmt: skip
        frame = outcome(lambda _: parse(pa.table(cells), contract), row)
        assert (not isinstance(frame, str)) is allowed
