"""GET /v1/customers/{id}/score: the bits of a full request, or a problem that says what the store lacks."""

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from redis import Redis

from churn.contract import NumberColumn
from churn.errors import InputError
from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from service.api.service_settings import ServiceSettings
from service.api.stored_customers import StoredCustomers
from service.core.keys import new_key
from tests.servers.churn_api import sample, serving
from tests.servers.ledger_files import current_month

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
ODD_IDS = ["a b", "ä/ö ☕", "%2F", "x" * 200, "..", "a?b#c", "+", "id/score"]


def path(customer):
    encoded = quote(customer, safe="").replace(".", "%2E")  # clients resolve ".." by themselves
    return f"/v1/customers/{encoded}/score"


def fields(customer):
    return {name: value for name, value in customer.items() if name != "customerID"}


def edge_rows(contract, customer):
    """A customer at every edge of the contract, one field at a time."""
    rows = []
    for column in contract.features:
        if isinstance(column, NumberColumn):
            edges = [column.minimum, column.maximum, column.minimum - 1, column.maximum + 1, -0.0]
            inner = [np.nextafter(column.maximum, 0).item(), np.nextafter(column.minimum, 1).item()]
            values = [*edges, *inner, f" {column.maximum:g} ", "", None, float(2**53)]
        else:
            values = [*column.categories, *(f" {each} " for each in column.categories), True, 0, ""]
        rows += [customer | {column.name: value} for value in values]
    rows += [customer | {"tenure": 0, "TotalCharges": blank} for blank in ("", " ", None)]
    return [{**row, "customerID": f"edge-{place}"} for place, row in enumerate(rows)]


def write(contract, address, rows, at=AT):
    with open_online_store(contract, address) as store:
        store.write(CustomerUpdate(row["customerID"], at, fields(row)) for row in rows)


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def filled(request, published_store, contract, customers, tmp_path_factory):
    """A service whose online store has all customers, edges and odd ids; with the store's address."""
    folder = tmp_path_factory.mktemp("stored")
    address = f"sqlite:///{folder / 'online.db'}"
    if request.param == "redis":
        address = request.getfixturevalue("running_redis")
    odd = [customers[0] | {"customerID": each} for each in ODD_IDS]
    write(contract, address, [*customers, *edge_rows(contract, customers[3]), *odd])
    settings = {"online_store": address, "ledger_flush_seconds": 0.05}
    with serving(published_store, folder, **settings) as running:
        yield running


@pytest.fixture
def lookup(filled):
    with filled.client() as client:
        yield client


def test_all_customers_get_the_bits_of_the_model_and_of_a_batch(
    lookup, trained, telco_columns, customers
):
    expected = trained["1"].probability(telco_columns).tolist()
    batch = lookup.post("/v1/score/batch", json=customers).json()

    # A bare connection: seven thousand calls through the client of the other tests take four times as long.
    with closing(HTTPConnection(lookup.base_url.host, lookup.base_url.port)) as connection:
        for customer, probability, row in zip(customers, expected, batch, strict=True):
            connection.request("GET", path(customer["customerID"]))
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            assert json.loads(body)["probability"] == probability == row["probability"]


def test_every_edge_of_the_contract_is_scored_or_refused_as_by_post(lookup, contract, customers):
    statuses = set()
    for row in edge_rows(contract, customers[3]):
        posted, stored = lookup.post("/v1/score", json=row), lookup.get(path(row["customerID"]))
        statuses.add(stored.status_code)
        if posted.status_code == 200:
            assert stored.json()["probability"] == posted.json()["probability"], row
        else:
            assert (posted.status_code, stored.status_code) == (422, 409), row
            assert posted.json()["detail"] in stored.json()["detail"]
            assert stored.json()["field"] == posted.json()["field"]
    assert statuses == {200, 409}


def test_the_answer_is_that_of_post_with_the_age_of_the_oldest_field(lookup, customers):
    before = (datetime.now(UTC) - AT).total_seconds()

    answer = lookup.get(path(customers[0]["customerID"])).json()

    posted = lookup.post("/v1/score", json=customers[0]).json()
    assert before < answer.pop("feature_age_seconds") < before + 600
    assert answer | {"prediction_id": ""} == posted | {"prediction_id": ""}


@pytest.mark.parametrize("customer", ODD_IDS)
def test_ids_are_read_from_the_path_as_they_were_sent(lookup, customers, customer):
    answer = lookup.get(path(customer))

    expected = lookup.post("/v1/score", json=customers[0]).json()["probability"]
    assert answer.status_code == 200, answer.text
    assert answer.json()["probability"] == expected


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("/v1/customers/nobody/score", 404),
        ("/v1/customers/id/score/score", 404),  # a slash within an id is %2F
        ("/v1/customers//score", 422),
        ("/v1/customers/%20/score", 422),
        ("/v1/customers/%00/score", 422),
        ("/v1/customers/%FF/score", 422),
        (f"/v1/customers/{'x' * 201}/score", 422),
        ("/v1/customers/nobody/score?top=3", 422),
        ("/v1/customers/nobody", 404),
    ],
)
def test_other_ids_are_problems(lookup, sent, status):
    answer = lookup.get(sent)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


@pytest.fixture
def own(contract, customers, store, tmp_path):
    """Starts a service of the test's own, on the store in a file with a few customers."""
    address = f"sqlite:///{tmp_path / 'online.db'}"
    write(contract, address, customers[:40])

    def start(**settings):
        return serving(store, tmp_path, ledger_flush_seconds=0.05, **settings)

    return start


def test_a_score_is_answered_by_the_customers_version_and_kept_with_the_shadows(own, customers):
    versions = {"canary_version": "2", "canary_percent": 50, "shadow_version": "2"}
    with own(**versions) as service, service.client() as client:
        answers = [client.get(path(each["customerID"])).json() for each in customers[:40]]
        posted = [client.post("/v1/score", json=each).json() for each in customers[:40]]
        ledger = service.ledger

    for answer, post in zip(answers, posted, strict=True):
        assert answer["model_version"] == post["model_version"]
        assert answer["probability"] == post["probability"]
    assert {each["model_version"] for each in answers} == {"1", "2"}
    month = current_month(Path(ledger.removeprefix("sqlite:///")))
    with closing(sqlite3.connect(month)) as database:
        query = "SELECT prediction_id, customer, source, probability, role FROM predictions"
        rows = database.execute(query).fetchall()
    first, customer = answers[0], customers[0]["customerID"]
    kept = [row[1:4] for row in rows if row[0] == first["prediction_id"] and row[4] != "shadow"]
    assert kept == [(customer, "online", first["probability"])]
    assert sum(row[0] == first["prediction_id"] and row[4] == "shadow" for row in rows) == 1


def test_an_answer_has_the_callers_id_and_is_counted_and_logged_without_the_customers(
    own, customers
):
    with own() as service, service.client() as client:
        known = path(customers[0]["customerID"])
        first = client.get(known, headers={"X-Request-ID": "crm-1"})
        client.head(known)
        client.get(path("7590-VHVEG"))
        page = sample(client.get("/metrics").text)

    assert first.headers["x-request-id"] == "crm-1"
    route = 'route="/v1/customers/{id}/score"'
    assert page[f'churn_requests_total{{{route},status="200"}}'] == 2
    assert page[f'churn_requests_total{{{route},status="404"}}'] == 1
    assert "7590-VHVEG" not in str(service.lines)
    assert service.logged("answered")[-1]["route"] == "/v1/customers/{id}/score"


def test_a_key_is_needed(own, customers):
    key, digest = new_key()
    with own(api_keys=digest) as service, service.client() as client:
        known = path(customers[0]["customerID"])

        assert client.get(known).status_code == 401
        assert client.get(known, headers={"X-API-Key": key}).status_code == 200


def test_fields_that_were_never_written_are_named(own, contract, customers, tmp_path):
    partial = {"customerID": "new", "gender": "Male", "tenure": 0}
    write(contract, f"sqlite:///{tmp_path / 'online.db'}", [partial])
    with own() as service, service.client() as client:
        answer = client.get(path("new"))
        write(
            contract,
            f"sqlite:///{tmp_path / 'online.db'}",
            [{k: v for k, v in customers[0].items() if k != "TotalCharges"} | partial],
        )
        completed = client.get(path("new"))  # a blank TotalCharges is allowed at tenure 0

    assert answer.status_code == 409
    assert "Fields 'SeniorCitizen', 'Partner', 'Dependents'" in answer.json()["detail"]
    assert "'PaymentMethod'" in answer.json()["detail"]
    assert "'tenure'" not in answer.json()["detail"]
    assert completed.status_code == 200


def test_old_fields_are_refused_beyond_the_limit(own, contract, customers, tmp_path):
    now = datetime.now(UTC)
    fresh, mixed = (fields(customers[0]) | {"customerID": each} for each in ("fresh", "mixed"))
    write(contract, f"sqlite:///{tmp_path / 'online.db'}", [fresh], now)
    write(contract, f"sqlite:///{tmp_path / 'online.db'}", [mixed], now - timedelta(hours=3))
    one = {"customerID": "mixed", "tenure": 5}
    write(contract, f"sqlite:///{tmp_path / 'online.db'}", [one], now)
    with own(max_feature_age_seconds=7200) as service, service.client() as client:
        assert client.get(path("fresh")).status_code == 200
        stale = client.get(path("mixed"))

    assert stale.status_code == 409
    assert "and at most 7200 are allowed" in stale.json()["detail"]


@pytest.mark.parametrize("setting", ["none", "missing", "redis"])
def test_without_a_store_only_this_route_is_unavailable(
    store, tmp_path, contract, customers, setting
):
    address = {
        "none": "none",
        "missing": f"sqlite:///{tmp_path / 'not yet' / 'online.db'}",
        "redis": "redis://:s3cret@127.0.0.1:9/0",
    }[setting]
    with serving(store, tmp_path, online_store=address) as service, service.client() as client:
        for _ in range(3):
            answer = client.get(path("C1"))
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
            assert "online store" in answer.json()["detail"]
            assert str(tmp_path) not in answer.text
            assert "127.0.0.1" not in answer.text
        assert client.get("/readyz").status_code == 200
        assert client.post("/v1/score", json=customers[0]).status_code == 200
        if setting == "missing":  # it is found as soon as it is there
            write(contract, address, customers[:1])
            assert client.get(path(customers[0]["customerID"])).status_code == 200

    assert "s3cret" not in answer.text + str(service.lines)
    assert len(service.logged("online_store_failed")) == (setting != "none")


def test_a_store_that_hangs_holds_up_no_other_request(
    store, tmp_path, contract, customers, running_redis
):
    write(contract, running_redis, customers[:1])
    with (
        serving(store, tmp_path, online_store=running_redis) as service,
        service.client() as client,
        service.client() as other,
        Redis.from_url(running_redis) as redis,
        ThreadPoolExecutor() as threads,
    ):
        known = path(customers[0]["customerID"])
        assert client.get(known).status_code == 200
        redis.client_pause(4000)
        waiting = threads.submit(client.get, known)
        while not waiting.done():
            assert other.post("/v1/score", json=customers[0]).status_code == 200
            assert other.get("/readyz").status_code == 200
        redis.ping()  # is answered when the pause is over
        assert waiting.result().status_code == 503
        assert "online store" in waiting.result().json()["detail"]
        assert client.get(known).status_code == 200


def test_another_file_in_its_place_is_read(own, contract, customers, tmp_path):
    with own() as service, service.client() as client:
        known = path(customers[0]["customerID"])
        before = client.get(known).json()["probability"]
        for file in tmp_path.glob("online.db*"):
            file.unlink()
        assert client.get(known).status_code == 503
        other = customers[1] | {"customerID": customers[0]["customerID"]}
        write(contract, f"sqlite:///{tmp_path / 'online.db'}", [other])
        after = client.get(known).json()["probability"]
        posted = client.post("/v1/score", json=other).json()["probability"]

    assert after == posted != before


def test_a_store_of_another_contract_is_named(own, contract, customers, tmp_path):
    with open_online_store(contract, f"sqlite:///{tmp_path / 'online.db'}") as filled:
        filled.clear()
    newer = contract.model_copy(update={"version": 2})
    write(newer, f"sqlite:///{tmp_path / 'online.db'}", customers[:1])
    with own() as service, service.client() as client:
        answer = client.get(path(customers[0]["customerID"]))

    assert answer.status_code == 503
    assert "another version of contract 'telco'" in answer.json()["detail"]
    assert str(tmp_path) not in answer.text


def test_a_store_that_is_no_address_stops_the_start(store, tmp_path):
    with pytest.raises(InputError, match="online store's address") as refused:
        StoredCustomers(
            ServiceSettings(store=str(store), online_store="postgresql://u:s3cret@h/d"), None
        )

    assert "s3cret" not in str(refused.value)
