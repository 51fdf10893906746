"""The real seldon-core-microservice and the real MLServer score as the trainer's model does."""

import json
import os
import subprocess

import httpx
import numpy as np
import pytest

from service.seldon.package import package
from tests.service.seldon import running

pytestmark = pytest.mark.system

NUMBERS = {"tenure", "MonthlyCharges", "TotalCharges"}
EXACT = {"rtol": 0, "atol": 1e-12}


@pytest.fixture(scope="module")
def microservice(shop, tmp_path_factory):
    log = tmp_path_factory.mktemp("microservice") / "log"
    with running.seldon_core(shop.store, log, workers=2) as server:
        yield server


@pytest.fixture(scope="module")
def mlserver(shop, tmp_path_factory):
    log = tmp_path_factory.mktemp("mlserver") / "log"
    folder = package(shop.store, None, log.parent / "models")
    with running.mlserver(folder, log) as server:
        yield server


def post(server, path, document):
    return httpx.post(server.http + path, json=document, timeout=30, trust_env=False)


def predict(server, document):
    return post(server, "/api/v1.0/predictions", document)


def tensors(rows):
    """Customers as the V2 protocol carries them; a blank is an empty text there."""
    inputs = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        number = name in NUMBERS and None not in values
        data = values if number else ["" if one is None else str(one) for one in values]
        kind = "FP64" if number else "BYTES"
        inputs.append({"name": name, "datatype": kind, "shape": [len(rows)], "data": data})
    return {"id": "one", "inputs": inputs}


def test_a_table_of_real_customers_scores_as_in_the_trainers_hands(shop, microservice):
    names = list(shop.rows[0])
    table = [[row[name] for name in names] for row in shop.rows]

    answer = predict(microservice, {"data": {"names": names, "ndarray": table}}).json()

    scores = np.array(answer["data"]["ndarray"])
    assert answer["data"]["names"] == ["probability", "decision"]
    np.testing.assert_allclose(scores[:, 0], shop.expected["7"], **EXACT)
    assert np.array_equal(scores[:, 1], shop.expected["7"] >= 0.31)
    assert answer["meta"]["tags"] == {"version": "7", "threshold": 0.31}


def test_a_tensor_of_codes_scores_the_same_whatever_the_order_of_its_columns(shop, microservice):
    names = sorted(shop.codes)
    values = np.column_stack([shop.codes[name] for name in names]).astype(float)
    tensor = {"shape": list(values.shape), "values": values.ravel().tolist()}

    answer = predict(microservice, {"data": {"names": names, "tensor": tensor}}).json()

    scores = np.array(answer["data"]["tensor"]["values"]).reshape(-1, 2)
    np.testing.assert_allclose(scores[:, 0], shop.expected["7"], **EXACT)


def test_customers_as_json_score_the_same_one_by_one_and_together(shop, microservice):
    together = predict(microservice, {"jsonData": shop.rows}).json()["jsonData"]["customers"]
    with httpx.Client(base_url=microservice.http, trust_env=False) as client:
        alone = [
            client.post("/api/v1.0/predictions", json={"jsonData": row}).json()["jsonData"]
            for row in shop.rows
        ]

    assert alone == together
    np.testing.assert_allclose([one["probability"] for one in alone], shop.expected["7"], **EXACT)
    assert {one["version"] for one in alone} == {"7"}
    assert [one["decision"] for one in alone] == (shop.expected["7"] >= 0.31).tolist()


def test_grpc_gives_the_same_numbers_and_the_same_sentence(shop, microservice):
    names = list(shop.rows[0])
    table = [[row[name] for name in names] for row in shop.rows]
    codes = np.column_stack([shop.codes[name] for name in names]).astype(float).tolist()
    wrong = [["Biennial" if name == "Contract" else shop.rows[0][name] for name in names]]
    requests = [["ndarray", names, table], ["tensor", names, codes], ["json", names, table]]
    requests += [
        ["ndarray", names, wrong],
        ["ndarray", names, [[1, 2]]],
        ["tensor", names[:3], codes],
    ]

    answers = json.loads(microservice.ask_by_grpc("grpc_seldon_core.py", json.dumps(requests)))

    for answer in answers[:3]:
        np.testing.assert_allclose(answer["probability"], shop.expected["7"], **EXACT)
        assert answer["tags"]["version"] == "7"
    errors = [answer["error"] for answer in answers[3:]]
    assert "Field 'Contract': 'Biennial' is not one of Month-to-month" in errors[0]
    assert "Row 1 has 2 values and 19 names; give one value a name." in errors[1]
    assert "The tensor is not a table of numbers" in errors[2]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"Contract": "Biennial"}, "Field 'Contract': 'Biennial' is not one of"),
        ({"tenure": 999}, "Field 'tenure': 999 is outside 0 to 240"),
        ({"tenure": None}, "Field 'tenure': null is blank"),
        ({"Tenure": 3}, "did you mean 'tenure'?"),
        ({"MonthlyCharges": {"a": [1]}}, "Field 'MonthlyCharges': an object is not a number"),
        ({"gender": "\ud800"}, "Field 'gender': "),
    ],
)
def test_a_wrong_customer_is_a_400_with_one_sentence(shop, microservice, change, sentence):
    body = json.dumps({"jsonData": [shop.rows[0], shop.rows[1] | change]})

    response = httpx.post(
        f"{microservice.http}/api/v1.0/predictions",
        content=body,
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )

    assert response.status_code == 400
    assert response.json()["status"]["info"].startswith("Row 2: Field ")
    assert sentence in response.json()["status"]["info"]


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", "3", "{}", '{"data": 3}', '{"data": {"ndarray": [[1]]}}', '{"strData": "x"}',
        '{"data": {"names": ["a"], "ndarray": [1]}}', '{"data": {"names": ["a"], "ndarray": []}}',
        '{"data": {"names": ["a"], "ndarray": [[1], [1, 2]]}}', '{"jsonData": null}',
        '{"data": {"names": ["a"], "ndarray": [[[1]]]}}', '{"jsonData": []}', '{"jsonData": [3]}',
        '{"data": {"names": ["a"], "tensor": {"shape": [2, 1], "values": [1]}}}',
        '{"data": {"names": ["a", "a"], "tensor": {"shape": [1, 2], "values": [1, 2]}}}',
        '{"data": {"names": ["a"], "tensor": {"shape": [1, 1], "values": [1]}}}',
        '{"data": {"names": ["tenure"], "tensor": {"shape": [1, 1], "values": [1e999]}}}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_request_that_is_none_is_a_400_with_one_sentence(microservice, body):
    response = httpx.post(
        f"{microservice.http}/api/v1.0/predictions",
        content=body,
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )

    assert response.status_code == 400, response.text
    assert len(response.json()["status"]["info"]) > 15


def test_it_says_what_it_serves_and_counts_the_customers_it_scored(shop, microservice):
    about = httpx.get(f"{microservice.http}/metadata", trust_env=False).json()
    predict(microservice, {"jsonData": shop.rows[:5]})
    counted = httpx.get(f"{microservice.metrics}/metrics", trust_env=False).text

    assert (about["name"], about["versions"]) == ("churn", ["7"])
    assert about["custom"]["recipe"] == "quick"
    assert about["inputs"][0]["schema"]["names"] == list(shop.rows[0])
    lines = [line for line in counted.splitlines() if line.startswith("churn_customers_scored")]
    assert lines
    assert all('version="7"' in line for line in lines)
    assert sum(float(line.rpartition(" ")[2]) for line in lines) >= 5


def test_a_bundle_that_is_not_as_it_was_written_opens_no_port(shop, tmp_path):
    home = running.environment("requirements.txt")
    broken = package(shop.store, "7", tmp_path / "models") / "bundle"
    golden = broken / "golden.json"
    golden.write_text(golden.read_text().replace("0.", "1.", 1))

    done = subprocess.run(
        [home / "bin" / "seldon-core-microservice", "service.seldon.model.ChurnModel"],
        env=os.environ | {"BUNDLE_URI": str(broken), "PYTHONPATH": str(running.ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert "golden.json is not as it was written" in done.stderr


def test_mlserver_gives_the_same_numbers(shop, mlserver):
    answer = post(mlserver, "/v2/models/churn/infer", tensors(shop.rows)).json()

    scores = {one["name"]: one for one in answer["outputs"]}
    np.testing.assert_allclose(scores["probability"]["data"], shop.expected["7"], **EXACT)
    assert scores["decision"]["data"] == (shop.expected["7"] >= 0.31).tolist()
    assert answer["id"] == "one"
    assert answer["parameters"] == {"bundle_version": "7", "threshold": 0.31}


def test_mlserver_scores_a_customer_alone_to_the_same_bits(shop, mlserver):
    with httpx.Client(base_url=mlserver.http, trust_env=False) as client:
        scores = [
            client.post("/v2/models/churn/infer", json=tensors([row])).json()["outputs"][0]["data"]
            for row in shop.rows
        ]

    np.testing.assert_allclose(np.ravel(scores), shop.expected["7"], **EXACT)


def test_mlserver_by_grpc_gives_the_same_numbers_and_the_same_sentence(shop, mlserver):
    requests = [tensors(shop.rows), tensors([shop.rows[0] | {"Contract": "Biennial"}])]

    answers = json.loads(mlserver.ask_by_grpc("grpc_mlserver.py", json.dumps(requests)))

    np.testing.assert_allclose(answers[0]["probability"], shop.expected["7"], **EXACT)
    assert answers[1]["code"] == "INVALID_ARGUMENT"
    assert answers[1]["error"].startswith("Field 'Contract': 'Biennial' is not one of")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"data": ["Biennial"]}, "is not one of"),
        ({"shape": [2]}, "Input 'gender' has 1 values where its shape says 2"),
        ({"shape": [1, 2]}, "Input 'gender' has shape [1, 2]"),
        ({"data": 5}, "Input 'gender' has data that is no list"),
        ({"data": {"a": 1}}, "Input 'gender' has data that is no list"),
        ({"name": "tenure"}, "Input 'tenure' appears twice"),
        ({"name": "Gender"}, "Field 'Gender' is not in the contract; did you mean 'gender'?"),
        ({"data": ["Male", "Male"], "shape": [2]}, "give every input the same customers"),
    ],
)
def test_mlserver_refuses_with_a_400_and_one_sentence(shop, mlserver, change, sentence):
    document = tensors(shop.rows[:1])
    document["inputs"][0] |= change

    response = post(mlserver, "/v2/models/churn/infer", document)

    assert response.status_code == 400, response.text
    assert sentence in response.json()["error"]


def test_mlserver_knows_the_contracts_fields(shop, mlserver):
    about = httpx.get(f"{mlserver.http}/v2/models/churn", trust_env=False).json()

    assert [one["name"] for one in about["inputs"]] == list(shop.rows[0])
    assert [one["name"] for one in about["outputs"]] == ["probability", "decision"]


def test_mlserver_serves_a_store_through_the_shipped_settings(shop, tmp_path):
    uri = {"MLSERVER_MODEL_URI": str(shop.store)}
    with running.mlserver(running.PACKAGE, tmp_path / "log", **uri) as server:
        answer = post(server, "/v2/models/churn/infer", tensors(shop.rows[:3])).json()

    np.testing.assert_allclose(answer["outputs"][0]["data"], shop.expected["7"][:3], **EXACT)


def test_an_environment_that_is_there_is_not_made_again(monkeypatch):
    made = running.environment("requirements.txt")
    monkeypatch.setattr(running, "_install", lambda file, place: pytest.fail("made again"))

    assert running.environment("requirements.txt") == made


def test_an_environment_that_was_broken_off_is_made_from_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "ENVIRONMENTS", tmp_path)
    installed = []

    def breaks_off(file, place):
        place.mkdir()
        installed.append(place)
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_install", breaks_off)
    for _ in range(2):  # mkdir would fail where the half of the first were still there
        with pytest.raises(KeyboardInterrupt):
            running.environment("requirements.txt")

    assert len(installed) == 2
