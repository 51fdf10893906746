"""A record is read again, and what is none, or one of another release, is told apart."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from churn.errors import InputError
from churn.ledger.retraining_events import RetrainingEvent
from churn.retraining.record import build_record, evidence_of, replay
from tests.churn.retraining.loops import MODEL, NOW, opened


def events(**changes):
    facts = opened().model_dump(mode="json") | changes
    event = RetrainingEvent(
        model=MODEL, number=1, loop=3, kind="opened", holder="", lease_until=NOW, facts=facts,
        recorded_at=NOW + timedelta(seconds=1),
    )  # fmt: skip
    return [event]


@pytest.fixture
def write(tmp_path):
    """Writes a record with changes at the top or in its inputs."""

    def write(inputs=None, **changes):
        content = json.loads(build_record(events()).text())
        content["inputs"] |= inputs or {}
        path = tmp_path / "record.json"
        path.write_text(json.dumps(content | changes), encoding="utf-8")
        return path

    return write


def test_a_record_replays(write):
    found, same = replay(write())

    assert same
    assert (found.loop, found.decision.next) == (3, "train")


@pytest.mark.parametrize("changes", [{"inputs": {"weather": "fine"}}, {"page": 1}])
def test_a_record_of_another_release_is_not_called_none(write, changes):
    with pytest.raises(InputError, match="is a record of a retraining, but of another release"):
        replay(write(**changes))


@pytest.mark.parametrize("text", ["{}", "[]", "no record", '{"model": "m", "loop": 1}', ""])
def test_what_is_no_record_is_said_to_be_none(tmp_path, text):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError, match="is no record of a retraining"):
        replay(path)


def test_a_loop_of_another_release_in_the_ledger_is_a_sentence():
    with pytest.raises(InputError, match=f"has loop 3 of '{MODEL}' from another release.*weather"):
        evidence_of(events(weather="fine"))


@pytest.mark.parametrize(("kept", "replicas"), [(None, 0), ({"requests": 9}, 1), ([{}, {}], 2)])
def test_counts_of_one_service_as_they_were_kept_before_are_read(kept, replicas):
    zero = {"requests": 0, "errors": 0, "seconds": 0.0}
    given = [zero | each for each in kept] if isinstance(kept, list) else kept and zero | kept

    assert len(evidence_of(events(service=given)).service) == replicas
