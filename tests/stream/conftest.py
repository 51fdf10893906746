"""A broker that speaks Kafka's protocol, a Redis, two small models: all real, all on this machine."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # It reads its own schemas in a way that Python will not keep for ever: not ours to mend.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka.admin import KafkaAdminClient, NewTopic

sys.path.insert(0, str(Path(__file__).parent))  # `worker_process` is these tests' own

VERSIONS = ("1", "2")
ROWS = {"1": slice(0, 1500), "2": slice(1500, 3000)}
PARTITIONS = 3


@pytest.fixture(scope="session")
def trained(contract, telco_columns, telco_target):
    """Version -> model: the shipped blend with fewer trees, each from customers of its own."""
    from churn.models.catalog import build_candidates
    from churn.models.settings import GbmSettings, default_recipes
    from churn.models.trained import TrainedModel

    recipes = default_recipes() | {"gbm": GbmSettings(trees=30)}
    candidate = build_candidates(["blend"], recipes, contract)["blend"]
    return {
        version: TrainedModel.train(
            candidate,
            {name: values[rows] for name, values in telco_columns.items()},
            telco_target[rows],
            contract=contract,
            data_sha256="ab" * 32,
            settings=recipes["blend"],
        )
        for version, rows in ROWS.items()
    }


@pytest.fixture(scope="session")
def shelf(trained, telco_columns, tmp_path_factory):
    """A store with both versions, the first in production; copy it before changing it."""
    from churn.bundle import Threshold, bundle_folder, publish, write_bundle

    store = tmp_path_factory.mktemp("shelf")
    for version, rows in ROWS.items():
        write_bundle(
            bundle_folder(store, version),
            trained[version],
            {name: values[rows] for name, values in telco_columns.items()},
            name="churn",
            version=version,
            threshold=Threshold(value=0.3, basis="chosen for the tests"),
            metrics={"roc_auc": {"value": 0.84, "interval": [0.82, 0.86]}},
            model_card="# A model for tests\n",
        )
    publish(store, "1")
    return store


@pytest.fixture
def store(shelf, tmp_path):
    """A store of the test's own."""
    return Path(shutil.copytree(shelf, tmp_path / "store"))


@pytest.fixture(scope="session")
def scorers(shelf):
    """Version -> the scorer that every path has to agree with."""
    from churn.bundle import bundle_folder
    from churn.scoring import Scorer

    return {version: Scorer.load(bundle_folder(shelf, version)) for version in VERSIONS}


@pytest.fixture(scope="session")
def customers(telco):
    """The real customers in raw values, as JSON has them."""
    contract = telco.contract
    names = [contract.id.name, *(column.name for column in contract.features)]
    rows = telco.frame[names].astype(object).to_dict(orient="records")
    return [
        {name: getattr(value, "item", lambda v=value: v)() for name, value in row.items()}
        for row in rows
    ]


class Broker:
    """`noida-db`: one small program that speaks Kafka's protocol, restarted with what it holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        # The program itself, not the script around it, which would not hand a signal on.
        program = Path(find_spec("noida_db").origin).with_name("noida-db")
        program.chmod(0o755)
        self._process = subprocess.Popen(
            [program, "start", "--only", "kafka", "--kafka-port", str(self.port),
             "--data-dir", self._folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for_port(self.port)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def topics(self, *names: str) -> None:
        with self._admin() as admin:
            admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])

    def group_state(self, name: str) -> str:
        with self._admin() as admin:
            return admin.describe_groups([name])[name]["group_state"]

    @contextmanager
    def _admin(self):
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        try:
            yield admin
        finally:
            admin.close()


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    running = Broker(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def topics(broker, request):
    """Three topics of the test's own, by what they hold."""
    name = re.sub(r"[^a-z]+", "-", request.node.name.lower())[:60]
    found = {kind: f"{name}-{kind}" for kind in ("input", "output", "dead_letter")}
    broker.topics(*found.values())
    return found


class RedisServer:
    """Debian's redis-server, not started yet.

    Attributes:
        address: with its password.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._port = free_port()
        self._command = [program, "--port", str(self._port), "--bind", "127.0.0.1",
                         "--requirepass", "for-tests", "--save", "", "--dir", str(folder)]  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"redis://:for-tests@127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        wait_for_port(self._port)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)


@pytest.fixture
def redis_server(tmp_path):
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    server = RedisServer(program, tmp_path)
    yield server
    server.stop()


@pytest.fixture
def postgres():
    """Debian's PostgreSQL on an empty folder; the address of a ledger in it."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    as_root = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    port = free_port()
    # Not under pytest's own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory(prefix="churn-postgres-") as room:
        if as_root:
            shutil.chown(room, "postgres", "postgres")
        secret = Path(room) / "password"
        secret.write_text("for-tests")
        secret.chmod(0o644)
        subprocess.run(
            [found[-1], "-D", f"{room}/data", "-U", "churn", "--auth=scram-sha-256", "--no-sync",
             "-E", "UTF8", "--no-locale", f"--pwfile={secret}"],
            check=True, capture_output=True, cwd=room, **as_root,
        )  # fmt: skip
        process = subprocess.Popen(
            [found[-1].with_name("postgres"), "-D", f"{room}/data", "-p", str(port), "-k", room,
             "-h", "127.0.0.1", "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=room, **as_root,
        )  # fmt: skip
        wait_for_port(port)
        yield f"postgresql://churn:for-tests@127.0.0.1:{port}/postgres"
        process.send_signal(signal.SIGINT)  # at once, without waiting for who is connected
        process.wait(60)


@pytest.fixture
def settings(broker, topics, store, tmp_path):
    """What a worker of this test is told."""
    return {
        "kafka_servers": broker.address,
        "group": topics["input"],
        "store": store,
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "poll_seconds": 0.1,
        "session_seconds": 6,
        "port": 0,
    } | {f"{kind}_topic": name for kind, name in topics.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < until, f"nothing listens on {port} within {seconds} s"
            time.sleep(0.02)
        else:
            return


os.environ.setdefault("OMP_NUM_THREADS", "1")
