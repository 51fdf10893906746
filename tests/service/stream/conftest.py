"""A broker that speaks Kafka's protocol, a Redis, a PostgreSQL: all real, all on this machine."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from churn.feature_store.online.address import open_online_store
from churn.feature_store.online.stored_customer import CustomerUpdate
from service.core.environment_settings import StoreSettings
from service.core.model_pool import ModelPool
from service.core.worker_metrics import RequestMetrics
from service.stream.stored_fields import StoredFields
from tests.servers.kafka_proxy import KafkaProxy
from tests.servers.messaging import Broker
from tests.servers.postgres_fixture import postgres
from tests.servers.published import ROWS, customers, published_store, store, trained
from tests.servers.redis_server import RedisServer, redis_program, running_redis

sys.path.insert(0, str(Path(__file__).parent))  # `worker_process` is these tests' own

_NUMBERS = count(1)
collect_ignore = [] if os.environ.get("CHURN_TEST_KAFKA") else ["test_on_kafka.py"]
_RUN = uuid4().hex[:8]  # a real broker may still have the topics of a run before

__all__ = ["customers", "postgres", "published_store", "running_redis", "store", "trained"]


@pytest.fixture(scope="session")
def scorers(published_store):
    """Version -> the scorer that every path has to agree with."""
    from churn.scoring import Scorer
    from churn.scoring.bundle import bundle_folder

    return {version: Scorer.load(bundle_folder(published_store, version)) for version in ROWS}


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def topics(broker, request):
    """Three topics of the test's own, by their use."""
    name = re.sub(r"[^a-z]+", "-", request.node.name.lower())[:50] + f"-{_RUN}-{next(_NUMBERS)}"
    names = {kind: f"{name}-{kind}" for kind in ("input", "output", "dead_letter")}
    broker.topics(*names.values())
    return names


@pytest.fixture
def proxy(broker):
    """A broker's address that refuses what a test wants refused."""
    between = KafkaProxy(broker.address)
    yield between
    between.stop()


@pytest.fixture
def outside(broker, topics):
    """Another program at the same topics."""
    from worker_process import Outside

    client = Outside(broker.address, topics)
    yield client
    client.close()


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(redis_program(), tmp_path)
    yield server
    server.stop()


@pytest.fixture
def streams(running_redis):
    """Settings of a worker on streams of the test's own."""
    name = f"streams-{next(_NUMBERS)}"
    return {
        "transport": "redis",
        "stream_redis": running_redis,
        "group": name,
        "input_topic": f"{name}-input",
        "output_topic": f"{name}-output",
        "dead_letter_topic": f"{name}-rejected",
        "session_seconds": 6,
    }


@pytest.fixture
def redis(running_redis):
    from redis import Redis

    client = Redis.from_url(running_redis)
    yield client
    client.close()


@pytest.fixture
def redis_sessions(streams):
    """Opens sessions under a name, and closes them at the end."""
    from service.stream.redis_session import RedisSession
    from service.stream.stream_settings import StreamSettings

    sessions = []

    def open_session(instance, **more):
        sessions.append(RedisSession(StreamSettings(**streams | {"instance": instance} | more)))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


@pytest.fixture
def postgres_ledger(postgres, request):
    """URL of a new, empty database."""
    return postgres.create(f"ledger-{abs(hash(request.node.name))}")


@pytest.fixture
def settings(broker, topics, store, tmp_path):
    """Settings of this test's worker."""
    return {
        "kafka_servers": broker.address,
        "group": topics["input"],
        "store": store,
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "poll_seconds": 0.1,
        "session_seconds": 6,
        "port": 0,
    } | {f"{kind}_topic": name for kind, name in topics.items()}


@pytest.fixture
def pool(published_store, tmp_path):
    return ModelPool(StoreSettings(store=str(published_store)), tmp_path, RequestMetrics(tmp_path))


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'online.db'}"


@pytest.fixture
def stored(contract, address, customers):
    """The fields of all customers, an hour old."""
    at = datetime.now(UTC) - timedelta(hours=1)
    with open_online_store(contract, address) as store:
        store.write(
            CustomerUpdate(row["customerID"], at, {n: v for n, v in row.items() if n != "customerID"})
            for row in customers
        )  # fmt: skip
    fields = StoredFields(address, contract, 0)
    yield fields
    fields.close()


@pytest.fixture
def stream(settings):
    """The settings of a Kafka session."""
    from service.stream.stream_settings import StreamSettings

    names = ("kafka_servers", "group", "input_topic", "output_topic", "dead_letter_topic")
    return StreamSettings(session_seconds=6, **{name: settings[name] for name in names})


@pytest.fixture
def proxied(stream, proxy):
    """The same, through the proxy."""
    return stream.model_copy(update={"kafka_servers": (proxy.address,)})


@pytest.fixture
def opened():
    """Opens sessions, and closes them at the end."""
    from service.stream.kafka_session import KafkaSession

    sessions = []

    def open_session(settings):
        sessions.append(KafkaSession(settings))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


os.environ.setdefault("OMP_NUM_THREADS", "1")
