"""Processes that write at once leave what one would; one that is killed loses nothing it had written."""

import json
import subprocess
import sys
from random import Random

import pytest
from redis import Redis

PROGRAM = "tests.churn.feature_store.online.writer_process"
CUSTOMERS = 200


@pytest.fixture
def written(tmp_path):
    """2,000 updates of 200 customers in a file: full and partial ones, at times that repeat."""
    draw = Random(7)
    rows = [
        [
            f"C{draw.randrange(CUSTOMERS)}",
            1_700_000_000 + draw.randrange(30),
            {name: draw.randrange(100) for name in ("tenure", "MonthlyCharges") if draw.random() < 0.7},
        ]
        for _ in range(2000)
    ]  # fmt: skip
    file = tmp_path / "updates.json"
    file.write_text(json.dumps(rows), encoding="utf-8")
    return file


@pytest.fixture
def start(root, address, written):
    """Starts a process that writes all updates in an order of its own."""
    started = []

    def start_(seed):
        given = (root / "data/contracts/telco.yaml", address, written, str(seed))
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", PROGRAM, *given], cwd=root, stdout=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield start_
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def content(store):
    return {f"C{n}": stored and stored.fields for n in range(CUSTOMERS) for stored in [store.read(f"C{n}")]}  # fmt: skip


def test_two_processes_at_once_leave_what_one_leaves(start, online):
    assert start(0).wait(60) == 0
    alone = content(online)
    online.clear()

    both = [start(1), start(2)]

    assert [process.wait(60) for process in both] == [0, 0]
    assert content(online) == alone


def test_a_killed_process_loses_nothing_that_was_written_and_can_be_repeated(
    start, online, address, written
):
    process = start(0)
    kept = [int(process.stdout.readline()) for _ in range(3)][-1]
    process.kill()
    process.wait()

    rows = json.loads(written.read_text(encoding="utf-8"))
    for customer, at, fields in rows[:kept]:
        for name in fields:
            assert online.read(customer).fields[name].at >= at * 1_000_000
    if address.startswith("redis"):
        with Redis.from_url(address) as redis:
            redis.script_flush()  # as after a restart of the server
    assert start(3).wait(60) == 0
    repeated = content(online)
    online.clear()
    assert start(0).wait(60) == 0
    assert content(online) == repeated
