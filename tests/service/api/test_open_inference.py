"""The Open Inference Protocol: versions, binary tensors, and requests that do not follow it."""

import asyncio
import json
import tracemalloc
from codecs import BOM_UTF8

import numpy as np
import pytest

from service.api import open_inference, response_schemas
from service.api.inference_tensors import JSON_LENGTH, read_request
from service.api.problems import ProblemError
from service.api.service_settings import ServiceSettings
from service.api.worker_state import WorkerState

INFER = "/v2/models/churn/infer"
_MIB = 2**20


def read(body, json_length, limit):
    return asyncio.run(read_request(body, json_length, limit))


def as_json(rows):
    return [
        {"name": name, "shape": [len(rows)], "datatype": "BYTES", "data": [r[name] for r in rows]}
        for name in rows[0]
    ]


def texts(values):
    encoded = [str(value).encode() for value in values]
    return b"".join(len(each).to_bytes(4, "little") + each for each in encoded)


def as_binary(rows):
    """A body and its header, with each number in its own datatype."""
    tensors, tail = [], b""
    for name in rows[0]:
        values = [row[name] for row in rows]
        datatype, raw = "BYTES", texts(values)
        if name == "tenure":
            datatype, raw = "INT64", np.array(values, "<i8").tobytes()
        elif name == "MonthlyCharges":
            datatype, raw = "FP64", np.array(values, "<f8").tobytes()
        parameters = {"binary_data_size": len(raw)}
        tensors.append(
            {"name": name, "shape": [len(rows), 1], "datatype": datatype, "parameters": parameters}
        )
        tail += raw
    head = json.dumps({"inputs": tensors}).encode()
    return head + tail, {JSON_LENGTH: str(len(head))}


def test_the_server_names_itself_and_its_extensions(client):
    described = client.get("/v2").json()

    response_schemas.ServerMetadata.model_validate(described)
    assert described == {"name": "churn", "version": "1", "extensions": ["binary_tensor_data"]}


def test_a_served_version_has_paths_of_its_own(client, customers):
    whole = client.get("/v2/models/churn").json()
    request = {"inputs": as_json(customers[:3])}

    assert client.get("/v2/models/churn/versions/1").json() == whole
    assert client.get("/v2/models/churn/versions/1/ready").json() == {"ready": True}
    answer = client.post("/v2/models/churn/versions/1/infer", json=request).json()
    assert answer["model_version"] == "1"
    assert answer["outputs"][0] == client.post(INFER, json=request).json()["outputs"][0]


@pytest.mark.parametrize("version", ["2", "01", "None", "1%20"])
def test_any_other_version_is_not_found(client, customers, version):
    path = f"/v2/models/churn/versions/{version}"

    answers = [
        client.get(path),
        client.get(f"{path}/ready"),
        client.post(f"{path}/infer", json={"inputs": as_json(customers[:1])}),
    ]

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["detail"].endswith("is not served here; 1 is.")


@pytest.fixture(scope="module")
def state(published_store, tmp_path_factory):
    """Version 1 in production, version 2 as a canary that gets nobody by itself."""
    settings = ServiceSettings(store=str(published_store), ledger="none", canary_version="2")
    return WorkerState(settings, tmp_path_factory.mktemp("metrics"))


def infer(state, body, length=None, version=None):
    answer = asyncio.run(open_inference.infer(state, body, length, version, "call"))
    return json.loads(answer.body[: answer.json_length]), answer.body[answer.json_length :]


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_version_that_is_named_answers_itself(state, trained, telco_columns, customers, version):
    body = json.dumps({"inputs": as_json(customers[:70])}).encode()

    answer, _ = infer(state, body, version=version)

    expected = trained[version].probability(telco_columns)[:70].tolist()
    assert answer["model_version"] == version
    assert answer["outputs"][0]["data"] == expected


def test_a_byte_order_mark_before_the_json_is_skipped(client, customers):
    body = json.dumps({"inputs": as_json(customers[:3])}).encode()

    plain, marked = (client.post(INFER, content=each) for each in (body, BOM_UTF8 + body))

    assert marked.status_code == 200, marked.text
    assert marked.json()["outputs"][:3] == plain.json()["outputs"][:3]


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 20, "-1", "x"])
def test_a_length_that_is_none_is_refused(client, customers, length):
    headers = {"Inference-Header-Content-Length": length}

    answer = client.post(INFER, json={"inputs": as_json(customers[:1])}, headers=headers)

    assert (answer.status_code, "is no number up to" in answer.text) == (400, True)


def test_binary_tensors_score_like_json(client, customers):
    body, headers = as_binary(customers[:40])

    plain = client.post(INFER, json={"inputs": as_json(customers[:40])}).json()
    binary = client.post(INFER, content=body, headers=headers)

    assert binary.status_code == 200, binary.text
    assert binary.json()["outputs"][:3] == plain["outputs"][:3]


def test_outputs_are_binary_where_the_request_asks_for_it(state, customers):
    request = {
        "inputs": as_json(customers[:2]),
        "parameters": {"binary_data_output": True},
        "outputs": [
            {"name": "risk_band"},
            {"name": "probability", "parameters": {"binary_data": False}},
            {"name": "decision"},
        ],
    }

    head, tail = infer(state, json.dumps(request).encode())
    plain, _ = infer(state, json.dumps({"inputs": request["inputs"]}).encode())

    expected = {each["name"]: each["data"] for each in plain["outputs"]}
    band, probability, decision = head["outputs"]
    assert probability["data"] == expected["probability"]
    assert "data" not in band
    size = band["parameters"]["binary_data_size"]
    assert tail[:size] == texts(expected["risk_band"])
    assert decision["parameters"] == {"binary_data_size": 2}
    assert tail[size:] == bytes(expected["decision"])


def test_a_binary_answer_says_how_much_of_it_is_json(client, customers):
    request = {"inputs": as_json(customers[:2]), "parameters": {"binary_data_output": True}}

    answer = client.post(INFER, json=request)

    length = int(answer.headers[JSON_LENGTH])
    assert answer.headers["content-type"] == "application/octet-stream"
    response_schemas.Inference.model_validate_json(answer.content[:length])
    assert np.frombuffer(answer.content[length : length + 16], "<f8").shape == (2,)


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("INT8", [-1, 7]), ("INT16", [-1, 7]), ("INT32", [-1, 7]), ("INT64", [-1, 7]),
        ("UINT8", [0, 255]), ("UINT16", [0, 7]), ("UINT32", [0, 7]), ("UINT64", [0, 2**64 - 1]),
        ("FP16", [0.5, -1.0]), ("FP32", [0.5, -1.0]), ("FP64", [0.1, -1.0]), ("BOOL", [True, False]),
        ("BYTES", ["Zoë", ""]),
    ],
)  # fmt: skip
def test_every_datatype_is_read_from_bytes(datatype, values):
    kinds = {"FP": "f", "INT": "i", "UINT": "u"}
    if datatype == "BYTES":
        raw = texts(values)
    elif datatype == "BOOL":
        raw = bytes(values)
    else:
        letters = datatype.rstrip("0123456789")
        width = int(datatype[len(letters) :]) // 8
        raw = np.array(values, f"<{kinds[letters]}{width}").tobytes()
    tensor = {"name": "a", "shape": [2], "datatype": datatype}
    head = json.dumps(
        {"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}
    ).encode()

    _, columns = read(head + raw, str(len(head)), 10)

    assert columns == {"a": values}


def tensor(**changes):
    return {"name": "a", "shape": [2], "datatype": "BYTES", "data": ["x", "y"]} | changes


def raw(size, **changes):
    described = tensor(parameters={"binary_data_size": size}, **changes)
    del described["data"]
    return described


@pytest.mark.parametrize(
    ("inputs", "tail", "sentence"),
    [
        ([], b"", "has no tensor"),
        ([tensor(), tensor()], b"", "appears among the inputs twice"),
        ([tensor(), tensor(name="b", shape=[1], data=["x"])], b"", "has 1 elements where others"),
        ([tensor(data=["x"])], b"", "has 1 elements where its shape says 2"),
        ([tensor(data=["x", "y", "z"])], b"", "has more elements where its shape says 2"),
        ([tensor(data=[["x", "y"]])], b"", "no text, number, boolean or null"),
        ([tensor(data=["x", {"y": "z"}])], b"", "no text, number, boolean or null"),
        ([tensor(data=[{"y": "z"}])], b"", "no text, number, boolean or null"),
        ([tensor(data=["x,y"])], b"", "has 1 elements where its shape says 2"),
        ([tensor(data=["x,y", "y,z", "z"])], b"", "has more elements where its shape says 2"),
        ([tensor(data="xy")], b"", "has no list of data"),
        ([tensor(datatype="TEXT")], b"", "has a datatype that is none of"),
        ([tensor(datatype=["BYTES"])], b"", "has a datatype that is none of"),
        ([tensor(shape=[1, 2])], b"", "not one element for each customer"),
        ([tensor(shape=[True])], b"", "not one element for each customer"),
        ([tensor(shape=2)], b"", "not one element for each customer"),
        ([tensor(name=7)], b"", "a tensor without a name"),
        ([tensor(parameters=7)], b"", "parameters that are no object"),
        ([tensor(parameters={"shared_memory_region": "r"})], b"", "lies in shared memory"),
        ([tensor(parameters={"binary_data_size": 10})], texts("xy"), "needs either data or"),
        ([raw(10)], b"", "needs either data or a binary_data_size within"),
        ([raw(-1)], texts("xy"), "needs either data or a binary_data_size within"),
        ([raw("10")], texts("xy"), "needs either data or a binary_data_size within"),
        ([raw(10)], texts("xy") + b"z", "leaves 1 bytes behind the JSON to no tensor"),
        ([raw(5)], texts("x"), "has 1 elements where its shape says 2"),
        ([raw(15)], texts("xyz"), "has more elements where its shape says 2"),
        ([raw(20)], texts("xyz") + b"\1\0\0\0\xff", "has more elements where its shape says 2"),
        ([raw(9)], texts("xy")[:9], "ends within an element"),
        ([raw(6)], b"\x02\0\0\0\xff\xfe", "is not UTF-8 text"),
        ([raw(9, datatype="FP32")], b"123456789", "no whole FP32 elements"),
        ([raw(4, datatype="FP32")], b"1234", "has 1 elements where its shape says 2"),
    ],
)
def test_a_tensor_at_fault_is_refused_in_one_sentence(inputs, tail, sentence):
    head = json.dumps({"inputs": inputs}).encode()

    with pytest.raises(ProblemError) as refused:
        read(head + tail, str(len(head)), 10)

    assert refused.value.status == 422
    assert sentence in refused.value.detail


@pytest.mark.parametrize("length", ["", "-1", "x", "3.0", "\u0661", "99"])
def test_a_length_of_the_json_that_is_none_is_refused(length):
    with pytest.raises(ProblemError, match="Inference-Header-Content-Length is no number up to 13"):
        read(b'{"inputs":[]}', length, 10)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outputs": 7}, "outputs"),
        ({"outputs": [{"name": "score"}]}, "outputs"),
        ({"outputs": [{"name": "decision", "parameters": {"classification": 2}}]}, "decision"),
        ({"outputs": [{"name": "decision", "parameters": {"binary_data": 1}}]}, "binary_data"),
        ({"outputs": [{"name": "decision", "parameters": []}]}, ""),
        ({"parameters": 7}, "parameters"),
        ({"parameters": {"binary_data_output": "yes"}}, "binary_data_output"),
    ],
)
def test_outputs_at_fault_are_refused(state, customers, changes, field):
    body = json.dumps({"inputs": as_json(customers[:1]), **changes}).encode()
    if not field:
        infer(state, body)  # an empty list says nothing
        return

    with pytest.raises(ProblemError) as refused:
        infer(state, body)

    assert (refused.value.status, refused.value.fault["field"]) == (422, field)


@pytest.mark.parametrize(
    "body",
    [
        '{"inputs":[%s],"inputs":[%s]}',
        '{"id":"a","inputs":[%s],"id":"b"}',
        '{"inputs":[%s,{"name":"b","shape":[2],"datatype":"BYTES","data":["x"],"data":["x","y"]}]}',
        '{"inputs":[%s,{"name":"b","name":"c","shape":[2],"datatype":"BYTES","data":["x","y"]}]}',
        '{"parameters":{"a":1,"\\u0061":2},"inputs":[%s]}',
    ],
)
def test_a_repeated_key_is_refused(body):
    body = body.replace("%s", json.dumps(tensor())).encode()

    with pytest.raises(ProblemError, match="stands twice in one object"):
        read(body, None, 10)


def test_a_comma_in_a_text_parts_no_elements():
    body = json.dumps({"inputs": [tensor(data=["x,y", "[z,"])]}).encode()

    assert read(body, None, 10)[1] == {"a": ["x,y", "[z,"]}


def test_data_that_look_like_a_shape_or_a_key_are_read(state):
    inputs = [
        {"name": "a", "datatype": "INT64", "shape": [1], "data": [1]},
        {"name": '"data": [1]', "datatype": "BYTES", "shape": [1], "data": [', "data": [1]']},
    ]

    content, columns = read(json.dumps({"inputs": inputs}).encode(), None, 10)

    assert columns == {"a": [1], '"data": [1]': [', "data": [1]']}
    assert content["inputs"][0]["shape"] == [1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"7", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"inputs":{}}', 422),
        (b'{"inputs":[7]}', 422),
        (b'{"inputs":[[],[],NaN]}', 422),
        (b'{"inputs":[{"data":[NaN]}]}', 422),
        (b'{"inputs":' + b"[" * 100_000, 422),
        (b'{"inputs":[{"name":"a","shape":[1],"datatype":"BYTES","data":["\xff"]}]}', 400),
        (b'{"inputs":[{"name":"\xff","shape":[1],"datatype":"BYTES","data":["a"]}]}', 400),
    ],
)
def test_a_body_that_is_no_request_is_refused(body, status):
    with pytest.raises(ProblemError) as refused:
        read(body, None, 10)

    assert refused.value.status == status


def in_data(element):
    return b'{"inputs":[{"name":"a","shape":[9],"datatype":"BYTES","data":[' + element


@pytest.mark.parametrize(
    ("start", "element", "end"),
    [
        (in_data(b""), b"1,", b"1]}]}"),
        (in_data(b""), b"1.5,", b"1]}]}"),
        (in_data(b""), b'"a",', b"1]}]}"),
        (in_data(b""), b"[],", b"1]}]}"),
        (in_data(b""), b"[1],", b"1]}]}"),
        (in_data(b'"'), b"\\n", b'"]}]}'),
        (b'{"inputs":[', b"[],", b"[]]}"),
        (b'{"inputs":[', b"{},", b"{}]}"),
        (b'{"inputs":[{"shape":[', b"1,", b"1]}]}"),
        (b'{"inputs":[{"data":[1]}],"parameters":{', b'"a":1,', b'"b":1}}'),
        (b'{"inputs":[{"data":[1]}],"id":"', b'\\"data\\":[1]', b'"}'),
    ],
)
def test_a_large_body_costs_little_memory(start, element, end):
    body = start + element * ((8 * _MIB - len(start) - len(end)) // len(element)) + end

    tracemalloc.start()
    try:
        with pytest.raises(ProblemError):
            read(body, None, 10_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 64 * _MIB


def test_a_refused_request_leaves_no_trace_and_an_answered_one_counts_each_customer(
    state, customers
):
    def counted():
        return sum(state.pool.production.metrics.numbers[:-3])

    before = counted()
    wrong = [customers[0], customers[1] | {"tenure": 999}]
    with pytest.raises(ProblemError) as refused:
        infer(state, json.dumps({"inputs": as_json(wrong)}).encode())
    assert refused.value.detail.startswith("Row 2: ")
    assert counted() == before

    infer(state, json.dumps({"inputs": as_json(customers[:3])}).encode())
    assert counted() == before + 3
