"""Every query of every panel has a series in Debian's Prometheus, which scrapes what is really exported."""

import json
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from worker_process import Outside, wait_until, working

from churn.reports.batch_metrics import published_batch
from churn.reports.monitoring_metrics import published_monitoring
from tests.servers.batch_run import batch_run
from tests.servers.churn_api import serving
from tests.servers.monitoring_run import monitoring_run

TOPICS = {"input": "customers", "output": "scores", "dead_letter": "rejected"}


@pytest.fixture
def queries(root):
    """Name of a dashboard's file -> the queries of its panels."""
    folder = root / "deployment" / "manifests" / "grafana" / "dashboards"
    return {
        path.stem: [
            target["expr"]
            for panel in json.loads(path.read_text())["panels"]
            for target in panel["targets"]
        ]
        for path in folder.glob("*.json")
    }


def all_drawn(prometheus, queries, keep_busy=lambda: None):
    """Waits until every query has a series at once, and says which has none."""

    def empty():
        keep_busy()
        return [query for query in queries if not prometheus.series(query)]

    assert queries
    wait_until(lambda: not empty(), empty)


def test_every_panel_of_the_service_is_drawn(store, tmp_path, customers, prometheus, queries):
    with serving(store, tmp_path) as service, service.client() as client:
        watching = prometheus(churn_api=service.port)
        all_drawn(
            watching, queries.pop("churn"), lambda: client.post("/v1/score", json=customers[0])
        )


def test_every_panel_of_the_stream_is_drawn(broker, store, customers, prometheus, queries):
    names = {f"{kind}_topic": name for kind, name in TOPICS.items()}
    settings = names | {
        "kafka_servers": broker.address, "store": store, "ledger": "none", "poll_seconds": 0.1,
        "session_seconds": 6, "port": 0, "group": "workers",
    }  # fmt: skip
    outside = Outside(broker.address, TOPICS)
    with working(settings) as worker:
        watching = prometheus(churn_stream=worker.wait_for("listening")["port"])
        all_drawn(
            watching,
            queries.pop("churn-stream"),
            lambda: outside.send([b"no customer", *customers[:20]]),
        )
    outside.close()


@contextmanager
def served(folder):
    """A folder's files over HTTP, as node_exporter shows those of its collector."""

    class Handler(SimpleHTTPRequestHandler):
        def translate_path(self, _path):
            (file,) = folder.glob("*.prom")
            return str(file)

        def log_message(self, *arguments):
            """Nothing on the terminal."""

    Handler.extensions_map = {".prom": "text/plain"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_every_panel_of_model_health_is_drawn_and_its_alarm_fires(tmp_path, prometheus, queries):
    published_monitoring(monitoring_run()).write(tmp_path / "metrics")
    with served(tmp_path / "metrics") as port:
        watching = prometheus(churn_monitoring=port)
        all_drawn(watching, queries.pop("churn-model"))
        wait_until(watching.firing)

        assert watching.firing() == {"ChurnDriftAlarm"}


def test_every_panel_of_a_batch_is_drawn(tmp_path, prometheus, queries):
    published_batch(batch_run()).write(tmp_path / "metrics")
    with served(tmp_path / "metrics") as port:
        all_drawn(prometheus(churn_monitoring=port), queries.pop("churn-batch"))


def test_no_dashboard_is_left_out(queries):
    assert set(queries) == {"churn", "churn-batch", "churn-model", "churn-stream"}
