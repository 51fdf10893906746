"""Under kills and restarts every event has exactly one effect, and the checks see where one has not."""

from dataclasses import replace

import pytest
from chaos_run import Chaos, chaos_settings, faults, run

pytestmark = pytest.mark.system
RUNS = [
    Chaos(events=20_000, kills=10),
    Chaos(events=20_000, kills=10, restarts=2, transactions=False, seed=2),
]


@pytest.mark.parametrize("chaos", RUNS, ids=["transactions", "restarts"])
def test_every_event_has_one_score_in_topic_ledger_and_redis_and_poison_is_in_the_dead_letters(
    broker, topics, store, redis_server, contract, customers, tmp_path, chaos
):
    if chaos.restarts and broker.is_real:
        pytest.skip("CHURN_TEST_KAFKA names a broker that no test restarts")
    redis_server.start()
    settings = {f"{kind}_topic": name for kind, name in topics.items()}
    settings |= chaos_settings(broker, store, tmp_path) | {"group": topics["input"]}

    left = run(broker, redis_server.address, contract, customers, settings, chaos)

    assert len(left.poison) == chaos.events / 20
    assert faults(left) == []
    # The checks can fail: each of them sees the one thing that is not so.
    first = left.ledger[0]
    for broken, word in (
        (replace(left, scores=left.scores[1:]), "topic"),
        (replace(left, scores=[*left.scores, left.scores[-1]]), "topic"),
        (replace(left, ledger=left.ledger[1:]), "ledger"),
        (replace(left, ledger=[first, *left.ledger]), "ledger"),
        (replace(left, ledger=[first._replace(probability=0.5), *left.ledger[1:]]), "ledger"),
        (replace(left, letters=left.letters[1:]), "dead letters"),
        (replace(left, letters=[*left.letters, left.letters[0]]), "dead letters"),
        (replace(left, scores=left.scores[::-1]), "order"),
        (replace(left, latest={}), "Redis"),
    ):
        assert any(word in fault for fault in faults(broken)), word
