"""A bucket or a database that goes away in the middle of a retraining loop, and comes back."""

from __future__ import annotations

import secrets
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
import s3fs

from churn.errors import ChurnError
from churn.ledger.retraining_events import RetrainingLedger
from churn.retraining.record import replay
from churn.scoring.current import read_current
from tests.registry.places import MODEL
from tests.runner.loop_places import LoopPlaces
from tests.servers.cloud_servers import BUCKET
from tests.servers.relay import Relay
from tests.system.production.kept_places import kept_places

RISEN = 600


@dataclass
class Away:
    """A loop whose store lies in a bucket and whose ledger is on PostgreSQL, each behind a relay."""

    loop: LoopPlaces
    bucket: Relay
    database: Relay

    def serving(self) -> str:
        return read_current(self.loop.places.store).version

    def events(self):
        with RetrainingLedger(self.loop.places.ledger_url) as ledger:
            return [each.kind for each in ledger.events(MODEL)]


@pytest.fixture
def away(bucket, postgres, published_store, telco, tmp_path, monkeypatch):
    """Version 1 is in production, and 600 customers pay a tenth more."""
    s3fs.S3FileSystem.clear_instance_cache()  # fsspec keeps connections by their settings
    relays = [Relay(int(bucket.endpoint.rpartition(":")[2])), Relay(postgres.port)]
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{relays[0].port}")
    store = f"loops-{secrets.token_hex(4)}/{MODEL}"
    for file in published_store.rglob("*"):
        if file.is_file() and file.name != "current.json":
            bucket.put(f"{store}/{file.relative_to(published_store)}", file)
    ledger = postgres.create(f"loops-{secrets.token_hex(4)}")
    ledger = ledger.replace(f":{postgres.port}/", f":{relays[1].port}/")
    places = kept_places(tmp_path, monkeypatch)
    places.store, places.ledger_url = f"s3://{BUCKET}/{store}", ledger
    places.promote("1")
    table = telco.frame.iloc[:RISEN].copy()
    table["MonthlyCharges"] = (table["MonthlyCharges"] * 1.1).round(2)
    table.to_csv(tmp_path / "risen.csv", index=False)
    loop = LoopPlaces(places, tmp_path, tmp_path / "risen.csv")
    loop.install(monkeypatch)
    yield Away(loop, *relays)
    for relay in relays:
        relay.go_away()
    s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def leaving(away, relay, moment):
    """Makes a server go away before a pipeline, or between two writes of the promotion."""
    run = LoopPlaces.run

    def run_without(loop, name, given):
        if name == moment and not given.get("only_judge"):
            relay.go_away()
        return run(loop, name, given)

    with ExitStack() as changes:
        if moment == "pointer":  # the version has its stage already
            changes.enter_context(away.loop.places.stopping("stage", "after", relay.go_away))
        else:
            patch = changes.enter_context(pytest.MonkeyPatch.context())
            patch.setattr(LoopPlaces, "run", run_without)
        yield


@pytest.mark.parametrize(
    ("moment", "server", "sentence", "code", "serving"),
    [
        ("training", "bucket", "current.json cannot be read", 1, "1"),
        ("training", "database", "The ledger at .* cannot be used", 2, "1"),
        ("pointer", "bucket", "bundles/2 cannot be read", 1, "1"),
        # the pointer was moved: the change counts, and only its record is missing
        ("pointer", "database", "Version 2 is in production .* Do not repeat", 1, "2"),
        ("deployment", "bucket", "current.json cannot be read", 1, "2"),
        ("deployment", "database", "The ledger at .* cannot be used", 2, "2"),
    ],
)
def test_what_goes_away_in_the_middle_is_a_sentence_and_the_next_start_goes_on(
    away, moment, server, sentence, code, serving
):
    relay = getattr(away, server)

    with leaving(away, relay, moment), pytest.raises(ChurnError, match=sentence) as said:
        away.loop.start()

    assert said.value.exit_code == code
    relay.come_back()
    assert away.serving() == serving

    ended = away.loop.start()

    assert ended.status == "completed"
    assert away.serving() == away.loop.places.agreed() == "2"
    kinds = away.events()
    assert (kinds.count("opened"), kinds[-1]) == (1, "closed")
    assert replay(away.loop.folder / "retraining" / f"retraining-{MODEL}-1.json")[1]
