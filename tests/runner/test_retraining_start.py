"""What a start of the retraining loop refuses, what it has nothing to do for, and what its policy is told."""

from __future__ import annotations

import json
import logging
import re
import shutil

import pytest

from churn.errors import InputError
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.retraining_events import RetrainingLedger
from churn.ledger.stale_months import StaleLedger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import CheckResult
from churn.retraining.record import replay
from tests.registry.places import MODEL
from tests.runner.loop_places import events, record
from tests.servers.published import published_store, trained

__all__ = ["published_store", "trained"]


def test_the_same_snapshot_again_is_nothing_to_do(loop):
    loop.start()

    outcome = loop.start()

    assert (outcome.status, outcome.result.status) == ("completed", "unchanged")
    assert "Nothing to do" in outcome.result.sentence
    assert {each.loop for each in events(loop)} == {1}


def test_a_snapshot_older_than_the_last_is_refused(loop, tables):
    policy = {"policy": {"per_year": 9}}
    loop.script.training = "hold"
    loop.start(**policy)
    loop.source = tables / "later.csv"
    loop.start(**policy)
    loop.source = tables / "risen.csv"

    with pytest.raises(InputError, match="older than the last one: an earlier loop"):
        loop.start(**policy)

    assert loop.places.agreed() == "1"


def test_a_snapshot_stated_to_be_of_an_earlier_day_is_refused(loop, tables):
    loop.script.training = "hold"
    loop.start(as_of="2020-11-01")
    loop.source = tables / "later.csv"

    with pytest.raises(
        InputError, match="is of 2020-10-31, older than the last one, of 2020-11-01"
    ):
        loop.start(as_of="2020-10-31")


def test_a_stated_day_that_has_not_come_is_refused_by_its_name(loop):
    with pytest.raises(InputError, match=r"^as_of says that .* is of 2999-01-01.* Correct as_of"):
        loop.start(as_of="2999-01-01")

    assert events(loop) == []


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("unlabelled", "Churn"),
        ("stayed", "same outcome"),
        ("others", "as if they were those of other customers"),
    ],
)
def test_labels_that_are_none_or_of_other_customers_are_refused(loop, tables, table, sentence):
    loop.source = tables / f"{table}.csv"

    with pytest.raises(InputError, match=sentence):
        loop.start()

    assert (loop.ran, events(loop), loop.places.agreed()) == ([], [], "1")


def test_without_a_champion_it_is_refused(loop):
    (loop.places.store / "current.json").unlink()

    with pytest.raises(InputError, match="There is no champion"):
        loop.start()


def test_a_policy_that_does_not_ask_starts_nothing(loop):
    outcome = loop.start(trigger="policy")

    assert (outcome.status, outcome.result.status, events(loop)) == ("completed", "not needed", [])


@pytest.mark.parametrize(("version", "asks"), [("1", True), ("7", False)])
def test_alarms_of_another_version_are_none_of_the_champion(loop, version, asks):
    found = CheckResult(finding="watch", reason="", rows=500, reference_rows=7043, p_value=1e-4)
    with DriftLedger(loop.places.ledger_url) as ledger:
        for window in ("first", "second"):
            ledger.record_check(
                found, model=MODEL, version=version, kind="batch", window=window,
                policy=AlarmPolicy(),
            )  # fmt: skip

    outcome = loop.start(trigger="policy")

    assert (outcome.result.status == "promoted") is asks


def test_what_staying_costs_starts_a_loop_where_it_is_more_than_the_price(loop, tables):
    loop.source = tables / "recoded.csv"

    expensive = loop.start(trigger="policy", policy={"cost": {"retraining": 1e9}})
    assert (expensive.result.status, loop.ran) == ("not needed", [])
    assert "a retraining costs 1,000,000,000" in expensive.result.sentence
    found = loop.start(trigger="policy", policy={"cost": {"retraining": 2_000}}).result

    (month,) = found.inputs.trigger.evidence.stale  # the same table twice is one month
    assert month.lost - 1.645 * month.error > 2_000 / 12
    assert "a retraining costs 2,000" in found.decision.judged[0].sentence
    assert replay(record(loop))[1]


def test_what_was_lost_adds_up_over_the_starts(loop, tables):
    policy = {"cost": {"retraining": 1e9}}
    given = {"trigger": "policy", "policy": policy, "outcome_days": 30}
    loop.source = tables / "recoded.csv"
    loop.start(as_of="2020-01-31", **given)
    loop.source = tables / "later.csv"
    loop.start(as_of="2020-02-27", **given)  # both months' outcomes are known in March

    with StaleLedger(loop.places.ledger_url) as ledger:
        recoded, later = ledger.months(MODEL, "1")
    assert [each.until.date().isoformat() for each in (recoded, later)] == [
        "2020-03-02", "2020-03-29",
    ]  # fmt: skip
    assert later.lost < recoded.lost


def test_without_the_cost_rule_nothing_is_measured(loop):
    loop.start(trigger="policy")

    with StaleLedger(loop.places.ledger_url) as ledger:
        assert ledger.months(MODEL, "1") == ()


def test_a_newer_snapshot_takes_the_place_of_one_that_was_never_trained(loop, tables):
    train = loop._training

    def broken():
        loop._training = train
        raise InputError("The bucket went away.")

    loop._training = broken
    with pytest.raises(InputError, match="went away"):
        loop.start()
    loop.source = tables / "later.csv"

    outcome = loop.start()

    assert (outcome.result.status, outcome.result.loop, outcome.model_version) == (
        "promoted",
        2,
        "2",
    )
    assert outcome.result.inputs.trigger.evidence.started == ()  # no cooldown for what was replaced
    given_up = json.loads(record(loop).read_text("utf-8"))
    assert given_up["decision"]["outcome"] == "given up"
    assert "A newer snapshot came" in (
        loop.folder / "reports" / f"retraining-{MODEL}-1.html"
    ).read_text("utf-8")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"data": {"source": "/nope.csv"}}, "/nope.csv is not looked at until it is over."),
        ({"data": {"source": "bundled"}}, "bundled is not looked at until it is over."),
        ({"person": "Bob"}, "the request of Bob is not looked at until it is over."),
        ({}, None),
        ({"person": ""}, None),
        ({"person": "Bob", "trigger": "policy"}, None),
    ],
)
def test_a_table_or_a_request_that_an_open_loop_does_not_look_at_is_named(
    loop, caplog, settings, sentence
):
    rules = {"probation": {"days": 30}}
    loop.start(rules=rules)

    with caplog.at_level(logging.WARNING, "churn.progress"):
        outcome = loop.start(rules=rules, **settings)

    said = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert said == ([f"Loop 1 is open on {loop.source}; {sentence}"] if sentence else [])
    assert (outcome.result.loop, outcome.result.decision.next) == (1, "watch")


@pytest.fixture
def waits_for_its_table(loop, tables, tmp_path):
    """An open loop whose table is gone."""
    train = loop._training

    def broken():
        loop._training = train
        raise InputError("The bucket went away.")

    loop._training = broken
    loop.source = shutil.copy(tables / "risen.csv", tmp_path / "gone.csv")
    with pytest.raises(InputError, match="went away"):
        loop.start()
    loop.source.unlink()
    return loop


@pytest.mark.parametrize("table", ["gone", "others"])
def test_a_loop_whose_table_is_gone_says_the_way_out_where_a_table_is_refused(
    waits_for_its_table, tables, table
):
    loop = waits_for_its_table
    loop.source = loop.source if table == "gone" else tables / f"{table}.csv"
    way_out = (
        r"Loop 1 is open and waits for .*gone\.csv: bring that table back, or start with a newer"
    )

    with pytest.raises(InputError, match=way_out):
        loop.start()

    loop.source = tables / "later.csv"
    assert loop.start().result.loop == 2


@pytest.mark.parametrize("cause", ["stop", "budget", "switches", "champion"])
def test_where_no_table_is_at_fault_none_is_asked_for(waits_for_its_table, tables, tmp_path, cause):
    loop, settings = waits_for_its_table, {}
    loop.source, stop = tables / "later.csv", tmp_path / "switches.yaml"
    if cause == "stop":
        stop.write_text("stop: not now\n")
    if cause in ("stop", "switches"):
        settings = {"switches": str(stop)}
    if cause == "budget":
        settings = {"policy": {"per_year": 0}}
    if cause == "champion":
        (loop.places.store / "current.json").unlink()

    try:
        said = loop.start(**settings).result.sentence
    except InputError as error:
        said = str(error)

    assert re.search(r"\. Loop 1 is open and waits for .*gone\.csv\.$", said)


def test_a_closed_loop_of_another_release_stops_no_start(loop, tables):
    policy = {"policy": {"per_year": 9}}
    loop.script.training = "hold"
    loop.start(**policy)
    closed = events(loop)[-1]
    unknown = {"number": closed.number + 1, "facts": {"weather": "fine"}}
    with RetrainingLedger(loop.places.ledger_url) as ledger:
        ledger.add(closed.model_copy(update=unknown))

    assert loop.start(**policy).result.status == "unchanged"
    loop.source = tables / "later.csv"
    assert loop.start(**policy).result.loop == 2


def test_a_refused_snapshot_takes_no_place_and_a_schedule_forgets_no_request(
    loop, tables, tmp_path
):
    train = loop._training

    def broken():
        loop._training = train
        raise InputError("The bucket went away.")

    loop._training = broken
    with pytest.raises(InputError, match="went away"):
        loop.start()
    loop.source = tables / "others.csv"
    with pytest.raises(InputError, match="as if they were those of other customers"):
        loop.start(trigger="policy")
    stop = tmp_path / "switches.yaml"
    stop.write_text("stop: not now\n")
    loop.source = tables / "later.csv"
    assert loop.start(trigger="policy", switches=str(stop)).result.status == "held"
    assert "closed" not in {each.kind for each in events(loop)}

    found = loop.start(trigger="policy").result

    assert (found.loop, found.decision.trigger.triggers[0].reason) == (2, "Ada asks for it.")
