"""What only Kafka does: `noida-db` keeps a member of the group however long that is silent."""

from __future__ import annotations

import signal

import pytest
from worker_process import wait_until, working

pytestmark = pytest.mark.system


@pytest.mark.parametrize("transport", ["kafka", "confluent"])
def test_a_worker_that_froze_over_a_batch_leaves_it_to_the_one_that_took_its_partitions(
    settings, outside, customers, redis_server, transport
):
    """The group has moved on when the first worker wants to commit: its transaction is undone."""
    settings = settings | {"transport": transport, "redis": redis_server.address}
    outside.send(customers[:30])

    with working(settings) as first:
        first.wait_for("redis_failed")
        first.process.send_signal(signal.SIGSTOP)
        redis_server.start()
        with working(settings) as second:
            wait_until(lambda: outside.committed(settings["group"]) == 30, second.ready)
            first.process.send_signal(signal.SIGCONT)
            wait_until(lambda: first.ready()["ready"], first.ready)
            wait_until(lambda: second.ready()["ready"], second.ready)
            outside.send(customers[30:60])
            wait_until(lambda: outside.committed(settings["group"]) == 60, second.ready)
            answers = outside.read("output", 60)
            codes = first.stop(), second.stop()

    assert [each["messages"] for each in first.logged("commit_refused")] == [30]
    assert sorted(each.key.decode() for each in answers) == sorted(
        customer["customerID"] for customer in customers[:60]
    )
    assert codes == (0, 0)
