"""A ledger that is stuck costs outcomes their answer, and nothing else: scores, swaps and the end go on."""

import json
import socket
import sqlite3
import time
from contextlib import ExitStack, closing

from churn.ledger.predictions import PredictionLedger
from churn.scoring.bundle import publish
from tests.servers.churn_api import sample, serving
from tests.servers.ledger_files import current_month

OUTCOMES = 300
STOP_SECONDS = 2


def report(service, number):
    """A connection on which an outcome was sent."""
    body = json.dumps({"customer": f"c-{number}", "churned": True}).encode()
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    head = f"POST /v1/outcomes HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_three_hundred_outcomes_stop_neither_scores_nor_a_swap_nor_the_end(
    store, tmp_path, customers
):
    PredictionLedger(f"sqlite:///{tmp_path / 'ledger.db'}").prepare()
    month = current_month(tmp_path / "ledger.db")
    with (
        serving(store, tmp_path, stop_seconds=STOP_SECONDS, max_concurrency=64) as service,
        service.client() as client,
        closing(sqlite3.connect(month, isolation_level=None)) as other,
        ExitStack() as stack,
    ):
        other.execute("BEGIN IMMEDIATE")
        reported = [stack.enter_context(report(service, number)) for number in range(OUTCOMES)]
        publish(store, "2")
        scored = {client.post("/v1/score", json=customers[0]).status_code for _ in range(50)}
        service.wait_for("bundle_swapped")
        answers = [connection.recv(10_000) for connection in reported]
        scored |= {client.post("/v1/score", json=customers[0]).status_code}
        page = sample(client.get("/metrics").text)

        began = time.monotonic()
        code = service.stop()
        seconds = time.monotonic() - began
        other.execute("ROLLBACK")

    assert scored == {200}
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in answer
    assert page["churn_bundle_swaps_total"] == 1
    assert code == 0
    assert seconds < STOP_SECONDS + 5
    assert service.logged("ledger_lost")[0]["predictions"] == 51
