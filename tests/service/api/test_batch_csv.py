"""CSV as a form of a batch: read as files are, each row for itself, and answered as JSON or CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest

from service.api import batch_body, batch_scoring
from service.api.batch_body import RowLimits
from service.api.batch_csv import read_table
from service.api.batch_scoring import prefers_csv
from service.api.problems import ProblemError
from service.api.score_options import ScoreOptions
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState

BATCH = "/v1/score/batch"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
BOM = "\ufeff"
LIMITS = RowLimits(rows=100, row_bytes=200)


def as_csv(rows, names=None):
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def post(client, text, accept=None, **parameters):
    body = text if isinstance(text, bytes) else text.encode()
    headers = CSV | ({"Accept": accept} if accept else {})
    return client.post(BATCH, content=body, headers=headers, params=parameters)


@pytest.fixture(scope="module")
def some(customers):
    """A few customers; the last has no charges so far."""
    return [*customers[:20], customers[20] | {"tenure": 0, "TotalCharges": " "}]


@pytest.fixture
def expected(client, some):
    """What the customers get as JSON."""
    return [row["probability"] for row in client.post(BATCH, json=some).json()]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: BOM + text,
        lambda text: "sep=,\n" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace(",", " , "),
        lambda text: "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()),
        lambda text: text.rstrip("\n"),
    ],
    ids=["as written", "bom", "sep", "crlf", "blank lines", "spaces", "quoted", "no last newline"],
)  # fmt: skip
def test_a_table_is_scored_as_its_rows_are(client, some, expected, change):
    answer = post(client, change(as_csv(some)))

    assert answer.headers["content-type"] == "application/json"
    rows = answer.json()
    assert [row["probability"] for row in rows] == expected
    assert [row["customerID"] for row in rows] == [row["customerID"] for row in some]
    assert [row["row"] for row in rows] == list(range(1, len(some) + 1))


def test_the_shipped_file_is_scored_with_its_target_if_the_request_says_so(client, root, customers):
    text = (root / "data" / "raw" / "telco.csv").read_text(encoding="utf-8")

    rows = post(client, text, ignore="target").json()
    refused = post(client, text)

    assert len(rows) == 7043
    assert [row["customerID"] for row in rows[:9]] == [row["customerID"] for row in customers[:9]]
    assert not [row for row in rows if "error" in row]
    assert refused.status_code == 422
    assert "Field 'Churn' is what is to be predicted" in refused.json()["detail"]


def test_an_error_in_one_row_spoils_no_other(client, some, expected):
    lines = as_csv(some[:6]).splitlines()
    lines[2] = lines[2].replace("Month-to-month", "Biennial").replace("One year", "Biennial")
    lines[3] += ",more"
    lines[4] = lines[4].partition(",")[2]
    lines[5] = '""' + lines[5][lines[5].index(",") :]

    rows = post(client, "\n".join(lines)).json()

    assert [row.get("probability") for row in rows] == [expected[0], *[None] * 4, expected[5]]
    fields = [row["error"].get("field") for row in rows[1:5]]
    assert fields == ["Contract", "body", "body", "customerID"]
    assert "21 fields where the header has 20" in rows[2]["error"]["detail"]
    assert "19 fields where the header has 20" in rows[3]["error"]["detail"]


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        (lambda text: text.replace("tenure", "Tenure", 1), 422, "did you mean 'tenure'"),
        (lambda text: text.replace("tenure", "zip", 1), 422, "Field 'zip' is not in the contract"),
        (lambda text: "," + text.replace("\n", "\n0,"), 422, "Field '' looks like an index"),
        (lambda text: text.replace("tenure", "gender", 1), 422, "'gender' is there twice"),
        (lambda text: text.replace("TotalCharges", "Churn", 1), 422, "what is to be predicted"),
        (lambda text: text.partition("\n")[2], 422, "The first line names no field of the contract"),
        (lambda text: text.replace(text.partition("\n")[0], text.partition("\n")[0].lower()), 422, "spells fields otherwise"),
        (lambda text: "customerID,gender\nA,Male\n", 422, "Fields 'SeniorCitizen', 'Partner', "),
        (lambda text: text.replace(",", ";"), 400, "separated by semicolons"),
        (lambda text: "", 400, "is empty"),
        (lambda text: BOM + "\n\n", 400, "is empty"),
        (lambda text: text.replace("Male", '"Male', 1), 400, "a quote may be open"),
        (lambda text: text.replace("Male", "M\0le", 1), 400, "NUL byte"),
        (lambda text: text.encode("utf-16"), 400, "UTF-16"),
        (lambda text: text.replace("Male", "Mäle", 1).encode("latin-1"), 400, "not UTF-8 on line"),
        (lambda text: json.dumps([text]), 400, "a JSON document, not a CSV table"),
        (lambda text: b"PAR1" + text.encode(), 400, "a parquet file, not a CSV table"),
        (lambda text: text + "x" * 3_000_000, 413, "Row 22 is larger than the"),
        (lambda text: "x" * 3_000_000 + text, 413, "The header is larger than the"),
        (lambda text: text + text.partition("\n")[2] * 500, 413, "more than the 10,000 rows"),
    ],
)  # fmt: skip
def test_a_table_at_fault_as_a_whole_is_refused_whole(client, some, change, status, sentence):
    answer = post(client, change(as_csv(some)))

    assert answer.status_code == status, answer.text[:500]
    assert sentence in answer.json()["detail"]


def test_a_header_alone_is_answered_empty(client, some):
    assert post(client, as_csv(some).partition("\n")[0]).json() == []


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_any_batch_is_answered_as_csv_where_that_is_asked_for(client, some, expected, form):
    rows = [*some[:3], {"customerID": "A, B", "tenure": "x"} | some[3] | {"tenure": "x,\ny"}]
    bodies = {
        "csv": (as_csv(rows), "text/csv"),
        "json": (json.dumps(rows), "application/json"),
        "ndjson": ("\n".join(map(json.dumps, rows)), "application/x-ndjson"),
    }
    body, kind = bodies[form]

    answer = client.post(BATCH, content=body, headers={"Content-Type": kind, "Accept": "text/csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(table[0]) == ["row", "customerID", "prediction_id", "probability", "decision",
                              "risk_band", "model_version", "error"]  # fmt: skip
    assert [float(row["probability"]) for row in table[:3]] == expected[:3]
    assert {row["decision"] for row in table[:3]} <= {"true", "false"}
    assert [row["customerID"] for row in table] == [row["customerID"] for row in rows]
    assert table[3]["probability"] == ""
    assert table[3]["error"].startswith("Field 'tenure': ")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", True),
        ("TEXT/CSV; header=present", True),
        ("text/csv, application/json;q=0.5", True),
        ("text/csv, */*", True),
        ("application/json, text/csv;q=0.9", False),
        ("text/csv;q=0", False),
        ("text/csv;q=nan", False),
        ("text/csv;q=", False),
        ("*/*", False),
        ("text/*", False),
        ("", False),
        (",,;;", False),
    ],
)
def test_csv_is_answered_where_it_is_named_and_nothing_weighs_more(accept, expected):
    assert prefers_csv(accept) is expected


@pytest.mark.parametrize("more", [0, 1])
def test_a_row_of_several_lines_counts_as_one(more):
    row = '"' + "\n" * (LIMITS.row_bytes - 3 + more) + '"\n'
    table = read_table(b"name\n1\n" + row.encode() + b"2\n", LIMITS)
    if not more:
        assert list(map(len, table)) == [1, 1, 1, 1]
        return
    with pytest.raises(ProblemError, match="Row 2 is larger") as refused:
        list(table)
    assert refused.value.status == 413


def test_blank_lines_without_end_are_not_read(some):
    table = read_table(b"name\n1\n" + b"\n" * 1_000_000, LIMITS)

    with pytest.raises(ProblemError, match="Row 2 is larger"):
        list(table)


def test_no_row_is_read_behind_one_too_many(published_store, tmp_path, some, monkeypatch):
    clock = iter(range(1000))
    monkeypatch.setattr(batch_body, "perf_counter", lambda: next(clock))  # a second between looks
    settings = ServiceSettings(store=str(published_store), ledger="none", max_batch_rows=2)
    state = WorkerState(settings, tmp_path)
    body = as_csv(some[:4]).encode() + b"x" * (settings.max_body_bytes + 1)

    with pytest.raises(ProblemError, match="more than the 2 rows allowed"):
        asyncio.run(batch_scoring._read(state, body, "text/csv", ScoreOptions()))
