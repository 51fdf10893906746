"""Keys, limits, logs, draining, several workers: how the service behaves when it is run."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from service.core.keys import new_key
from tests.servers.churn_api import sample, serving
from tests.servers.logged_process import ROOT, environment

START = [sys.executable, "-m", "service.api", "--port", "0"]


def start(*arguments, **settings):
    return subprocess.run(
        [*START, *arguments],
        cwd=ROOT,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_with_nothing_in_production_it_says_what_to_run(tmp_path):
    stopped = start("--store", str(tmp_path))

    assert stopped.returncode == 2
    assert "python run.py --pipeline promotion" in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"environment": "production"}, "without an API key"),
        ({"environment": "staging"}, "CHURN_ENVIRONMENT"),
        ({"workers": "many"}, "CHURN_WORKERS"),
        ({"worker": "2"}, "did you mean CHURN_WORKERS?"),
        ({"api_keys": "secret"}, "CHURN_API_KEYS"),
        ({"canary_percent": "10"}, "canary_version"),
        ({"canary_version": "77"}, "77"),
        ({"ledger": "nonsense"}, "ledger's address"),
        ({"api_key_file": "/nonexistent/keys"}, "/nonexistent/keys"),
        ({"api_keys": ""}, "CHURN_API_KEYS"),
        ({"scratch_folder": "/proc/nowhere"}, "CHURN_SCRATCH_FOLDER"),
    ],
)
def test_it_does_not_start_with_a_setting_it_does_not_know_or_cannot_use(store, settings, named):
    stopped = start("--store", str(store), **settings)

    assert stopped.returncode != 0
    assert named in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert "secret" not in stopped.stderr


def test_a_port_that_is_taken_is_named(store):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stopped = start("--store", str(store), "--port", str(port))

    assert stopped.returncode == 2
    assert f"127.0.0.1:{port}" in stopped.stderr


def test_a_key_is_required_and_can_be_changed_while_serving(store, tmp_path, customers):
    first, first_digest = new_key()
    second, second_digest = new_key()
    third, third_digest = new_key()
    keys = tmp_path / "keys"
    keys.write_text(f"# callers\n{first_digest} crm\n")

    with (
        serving(
            store, tmp_path, environment="production", api_key_file=keys, api_keys=third_digest
        ) as service,
        service.client() as client,
    ):

        def status(key=None, path="/v1/score", **headers):
            headers |= {"X-API-Key": key} if key else {}
            return client.post(path, json=customers[0], headers=headers).status_code

        assert status() == status(path="/v1/explain") == 401
        assert status("churn_wrong") == status(first_digest) == 401
        assert status(first) == status(third) == status(first, path="/v1/explain") == 200
        assert status(Authorization=f"Bearer {first}") == 200
        assert client.get("/metadata").status_code == 401
        for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/v2/health/ready"):
            assert client.get(path).status_code == 200
        without = client.post("/v1/score", json=customers[0])
        assert without.headers["www-authenticate"] == "Bearer"
        assert without.json()["title"] == "Unauthorized"

        replace(keys, f"{second_digest}\n")
        service.wait_for("keys_reread")
        assert (status(first), status(second), status(third)) == (401, 200, 200)

        replace(keys, "not a digest\n")
        service.wait_for("keys_unreadable")
        assert status(second) == 200
        logged = json.dumps(service.lines)
        assert not {first, second, third, "churn_wrong"} & set(logged.replace('"', " ").split())


def replace(file, content):
    """A file exchanged whole: one that is being written may be read half."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(content)
    fresh.replace(file)


def test_a_new_key_is_printed_once_with_its_digest():
    made = subprocess.run(
        [sys.executable, "-m", "service.keys", "new", "crm"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    key, digest, name = made.stdout.split()[1], made.stdout.split()[3], made.stdout.split()[4]
    assert len(key) > 40
    assert len(digest) == 64
    assert name == "crm"
    assert key not in made.stderr


def test_requests_that_are_not_whole_take_no_capacity_and_end_in_time(store, tmp_path, customers):
    with (
        serving(store, tmp_path, max_concurrency=2, body_seconds=0.5) as service,
        service.client() as client,
    ):
        held = [slow_request(service) for _ in range(20)]
        answers = [client.post("/v1/score", json=customer) for customer in customers[:20]]
        ends = [b"".join(iter(lambda c=c: c.recv(10_000), b"")) for c in held]
        for connection in held:
            connection.close()

    assert {answer.status_code for answer in answers} == {200}
    assert all(end.startswith(b"HTTP/1.1 408") for end in ends)


def slow_request(service):
    """A request whose body never ends."""
    connection = socket.create_connection(("127.0.0.1", service.port))
    connection.sendall(b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"{")
    return connection


def test_a_stopped_service_answers_what_has_begun_and_writes_its_ledger(store, tmp_path, customers):
    from churn.ledger.predictions import PredictionLedger

    with serving(store, tmp_path, ledger_flush_seconds=30) as service:
        body = json.dumps(customers[0]).encode()
        connection = socket.create_connection(("127.0.0.1", service.port))
        head = f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body[:10])
        with service.client() as client:
            sent = [client.post("/v1/score", json=customer) for customer in customers[:200]]
        service.process.send_signal(signal.SIGTERM)
        until_nobody_listens(service)
        connection.sendall(body[10:])
        # Head and body may come in two parts; the server closes when it has answered.
        late = b"".join(iter(lambda: connection.recv(10_000), b""))
        connection.close()
        code = service.stop()

    assert code == 0
    assert late.startswith(b"HTTP/1.1 200")
    answers = [answer.json()["prediction_id"] for answer in sent]
    answers.append(json.loads(late.partition(b"\r\n\r\n")[2])["prediction_id"])
    kept = [p.prediction_id for p in PredictionLedger(service.ledger).predictions()]
    assert sorted(kept) == sorted(answers)


def until_nobody_listens(service, seconds=15):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            httpx.get(f"{service.url}/livez")
        except httpx.ConnectError:
            return
        except httpx.TransportError:  # closed while it was being answered
            continue
    raise AssertionError("the service listens on")


def test_while_draining_it_says_so_and_still_answers(store, tmp_path, customers):
    with serving(store, tmp_path, drain_seconds=120) as service, service.client() as client:
        service.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 60
        while (ready := client.get("/readyz")).status_code == 200 and time.monotonic() < until:
            time.sleep(0.02)
        in_v2 = {client.get(f"/v2/{path}/ready").status_code for path in ("health", "models/churn")}
        scored = client.post("/v1/score", json=customers[0])
        service.process.send_signal(signal.SIGTERM)  # a second one ends the draining
        assert service.process.wait(60) == 0

    assert ready.status_code == 503
    assert "draining" in ready.json()["reasons"]
    assert in_v2 == {503}
    assert scored.status_code == 200


@pytest.mark.system
def test_a_worker_that_is_killed_under_load_disturbs_no_other(store, tmp_path, customers):
    from churn.ledger.predictions import PredictionLedger

    answered, broken = [], []
    stop = threading.Event()
    with serving(store, tmp_path, workers=2, ledger_flush_seconds=0.05) as service:

        def send_requests():
            with service.client() as client:
                while not stop.is_set():
                    try:
                        answer = client.post("/v1/score", json=customers[len(answered) % 500])
                    except httpx.TransportError as error:
                        broken.append(error)
                        continue
                    assert answer.status_code == 200
                    answered.append(answer.json())

        before = service.workers()
        with ThreadPoolExecutor(4) as pool:
            sending = [pool.submit(send_requests) for _ in range(4)]
            time.sleep(1)
            os.kill(before[0], signal.SIGKILL)
            at_kill = len(answered)
            service.wait_for("ready", 3)
            time.sleep(0.5)
            stop.set()
            for each in sending:
                each.result(60)
        after = service.workers()
        with service.client() as client:
            page = client.get("/metrics").text
        assert service.stop() == 0

    assert len(before) == len(after) == 2
    assert before[0] not in after
    assert len(answered) > at_kill
    assert len(broken) <= 4  # those whose connection the dead worker held, once each
    kept = PredictionLedger(service.ledger).predictions(limit=10**6)
    ids = [each.prediction_id for each in kept]
    answers = {each["prediction_id"]: each["probability"] for each in answered}
    assert len(ids) == len(set(ids))
    assert {
        each.prediction_id: each.probability for each in kept if each.prediction_id in answers
    }.items() <= answers.items()
    # Lost: what the dead worker had not written yet, at most its last flush and what it was at.
    assert len(set(answers) - set(ids)) <= 500
    assert len(set(ids) - set(answers)) <= 4
    assert "churn_workers 2.0" in page


def test_all_workers_count_on_one_page(store, tmp_path, customers):
    with serving(store, tmp_path, workers=2) as service:
        for _ in range(40):  # a connection each, so that both workers get some
            with service.client() as client:
                assert client.post("/v1/score", json=customers[0]).status_code == 200
                client.post("/v1/score", json={})
        with service.client() as client:
            metrics = metrics_once(
                client,
                lambda now: (
                    now["churn_ledger_written_total"] == 40 and now["churn_ledger_waiting"] == 0
                ),
            )
            again = sample(client.get("/metrics").text)

    assert metrics['churn_requests_total{route="/v1/score",status="200"}'] == 40
    assert metrics['churn_requests_total{route="/v1/score",status="422"}'] == 40
    assert metrics['churn_request_seconds_count{route="/v1/score"}'] == 80
    assert metrics['churn_score_probability_count{role="production",version="1"}'] == 40
    assert metrics['churn_model_version{role="production",version="1"}'] == 2
    assert metrics["churn_ledger_written_total"] == 40
    assert metrics["churn_ledger_lag_seconds"] == 0
    assert again['churn_score_probability_count{role="production",version="1"}'] == 40


def metrics_once(client, there):
    """The metrics as soon as they are `there`; gauges are set twice a second."""
    until = time.monotonic() + 60
    while not there(metrics := sample(client.get("/metrics").text)):
        assert time.monotonic() < until, metrics
        time.sleep(0.02)
    return metrics


def test_a_ledger_that_cannot_be_written_stops_no_answer_and_is_logged(store, tmp_path, customers):
    (tmp_path / "file").write_text("")
    with (
        serving(
            store, tmp_path, ledger=f"sqlite:///{tmp_path}/file/ledger.db", ledger_queue=5,
            ledger_flush_seconds=0.05,
        ) as service,
        service.client() as client,
    ):  # fmt: skip
        for _ in range(600):
            assert client.post("/v1/score", json=customers[0]).status_code == 200
        service.wait_for("ledger_failed")
        for _ in range(20):
            client.post("/v1/score", json=customers[0])
        refused = client.post("/v1/outcomes", json={"customer": "a", "churned": True})
        metrics = metrics_once(client, lambda now: now["churn_ledger_lag_seconds"] > 0)

    assert refused.status_code == 503
    assert metrics["churn_ledger_failures_total"] >= 1
    assert metrics["churn_ledger_dropped_total"] > 0
    assert metrics["churn_ledger_lag_seconds"] > 0


def test_two_different_keys_are_refused_alike_on_every_route_and_the_same_key_twice_is_not(
    store, tmp_path, customers
):
    key, digest = new_key()
    other, other_digest = new_key()
    routes = [
        ("POST", "/v1/score"), ("POST", "/v1/score?"), ("POST", "/v1/explain"),
        ("POST", "/v1/score/batch"), ("POST", "/v1/outcomes"), ("POST", "/v1/treatments"),
        ("POST", "/v2/models/churn/infer"),
        ("GET", "/metadata"), ("GET", "/v2/models/churn"), ("GET", "/nothing"),
    ]  # fmt: skip
    different = [
        [("X-API-Key", key), ("Authorization", f"Bearer {other}")],
        [("Authorization", f"Bearer {other}"), ("X-API-Key", key)],
        [("X-API-Key", key), ("X-API-Key", "churn_wrong")],
        [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {other}")],
    ]
    same = [("X-API-Key", key), ("X-API-Key", key), ("Authorization", f"Bearer {key}")]

    with (
        serving(store, tmp_path, api_keys=f"{digest},{other_digest}") as service,
        service.client() as client,
    ):
        for method, path in routes:
            for headers in different:
                refused = client.request(method, path, json=customers[0], headers=headers)
                assert refused.status_code == 401, (path, headers)
                assert refused.json()["detail"] == (
                    "The request has two different keys. Send one of them."
                )
            twice = client.request(method, path, json=customers[0], headers=same)
            assert twice.status_code != 401, path
