from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from churn.monitoring.policy import (
    AlarmRule,
    CheckedWindow,
    Maintenance,
    RetrainingEvidence,
    RetrainingPolicy,
    Switches,
    decide_retraining,
)
from churn.monitoring.staleness import CostRule, StaleMonth

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TRAINED = NOW - 100 * DAY


def evidence(*, alarms="", **known):
    """Evidence with one window a week, the newest checked now; an x raised an alarm."""
    windows = [
        CheckedWindow(
            window=str(place),
            checked_at=NOW - 7 * DAY * (len(alarms) - 1 - place),
            raises_alarm=letter == "x",
        )
        for place, letter in enumerate(alarms)
    ]
    return RetrainingEvidence(**{"champion_trained_at": TRAINED, "windows": windows} | known)


def policy(**rules):
    return RetrainingPolicy(**{"alarm": None} | rules)


def asks(decision, name):
    return next(each.asks for each in decision.triggers if each.name == name)


def held_by(decision):
    return [each.name for each in decision.holds]


@pytest.mark.parametrize(
    ("alarms", "retrains"),
    [
        ("", False),
        ("x", False),
        ("xx", True),
        ("x.x", True),
        ("x..x", False),  # the first of them is too long ago
        ("xx.", False),  # the newest raised none
        (".xx", True),
        ("xxxxxx", True),
    ],
)
def test_alarms_ask_by_the_newest_window_and_enough_of_the_last(alarms, retrains):
    rule = RetrainingPolicy(alarm=AlarmRule(windows=2, of_last=3))
    decision = decide_retraining(evidence(alarms=alarms), rule, NOW)
    assert decision.verdict == ("retrain" if retrains else "not needed")
    assert asks(decision, "alarm") == retrains


def test_windows_are_taken_by_their_time_and_only_since_the_champion_was_trained():
    rule = RetrainingPolicy(alarm=AlarmRule(windows=2, of_last=2))
    shuffled = evidence(alarms="xx.")
    shuffled = shuffled.model_copy(update={"windows": shuffled.windows[::-1]})
    assert decide_retraining(shuffled, rule, NOW).verdict == "not needed"
    # both alarms were about the version before
    replaced = evidence(alarms="xx", champion_trained_at=NOW)
    assert decide_retraining(replaced, rule, NOW).verdict == "not needed"
    younger = evidence(alarms="xx", champion_trained_at=NOW - 7 * DAY)
    assert decide_retraining(younger, rule, NOW).verdict == "not needed"


@pytest.mark.parametrize(("days", "retrains"), [(29, False), (30, True), (31, True), (-5, False)])
def test_the_schedule_asks_so_many_days_after_the_champion_was_trained(days, retrains):
    decision = decide_retraining(
        evidence(champion_trained_at=NOW - days * DAY), policy(every_days=30), NOW
    )
    assert decision.verdict == ("retrain" if retrains else "not needed")


@pytest.mark.parametrize(("rows", "retrains"), [(0, False), (999, False), (1000, True)])
def test_new_labelled_rows_ask(rows, retrains):
    decision = decide_retraining(evidence(new_rows=rows), policy(new_rows=1000), NOW)
    assert decision.verdict == ("retrain" if retrains else "not needed")


def test_a_person_asks_and_a_blank_name_does_not():
    assert decide_retraining(evidence(asked_by="Ada"), policy(), NOW).verdict == "retrain"
    assert decide_retraining(evidence(asked_by="  "), policy(), NOW).verdict == "not needed"


@pytest.mark.parametrize(("days", "verdict"), [(0, "held"), (13, "held"), (14, "retrain")])
def test_a_cooldown_holds_rules_and_not_a_person(days, verdict):
    known = evidence(alarms="xx", started=[NOW - days * DAY])
    assert decide_retraining(known, RetrainingPolicy(cooldown_days=14), NOW).verdict == verdict
    by_hand = known.model_copy(update={"asked_by": "Ada"})
    assert decide_retraining(by_hand, RetrainingPolicy(cooldown_days=14), NOW).verdict == "retrain"


def test_a_start_ahead_of_the_clock_counts_as_now():
    known = evidence(alarms="xx", started=[NOW + 40 * DAY])
    decision = decide_retraining(known, RetrainingPolicy(per_year=1), NOW)
    assert held_by(decision) == ["cooldown", "budget"]


def test_the_budget_is_of_any_365_days_and_binds_a_person_too():
    old, young = NOW - 365 * DAY, NOW - 365 * DAY + timedelta(seconds=1)
    for started, verdict in (([old, old], "retrain"), ([young, young], "held")):
        known = evidence(asked_by="Ada", started=started)
        decision = decide_retraining(known, RetrainingPolicy(per_year=2), NOW)
        assert decision.verdict == verdict
    assert decide_retraining(evidence(alarms="xx"), policy(per_year=0), NOW).holds


@pytest.mark.parametrize("per_year", [0, 1, 3, 6])
@pytest.mark.parametrize("hours", [1, 24, 24 * 3])
def test_a_storm_of_100_alarms_causes_no_more_retrainings_than_the_budget(per_year, hours):
    rule = RetrainingPolicy(
        alarm=AlarmRule(windows=1, of_last=1),
        every_days=1,
        new_rows=1,
        cost=CostRule(retraining=1),
        cooldown_days=0,
        per_year=per_year,
    )
    started, seen = [], []
    for number in range(100):
        now = NOW + timedelta(hours=hours) * number
        seen.append(CheckedWindow(window=str(number), checked_at=now, raises_alarm=True))
        known = RetrainingEvidence(
            champion_trained_at=TRAINED,
            windows=seen,
            started=started,
            new_rows=10**6,
            stale=[StaleMonth(until=now, lost=1e9, error=0, basis="realised")],
            asked_by="Ada" if number % 2 else "",
        )
        if decide_retraining(known, rule, now).verdict == "retrain":
            started.append(now)
    assert len(started) == per_year


def test_the_kill_switch_holds_everybody():
    stopped = evidence(asked_by="Ada", switches=Switches(stop="audit."))
    decision = decide_retraining(stopped, RetrainingPolicy(), NOW)
    assert decision.verdict == "held"
    assert decision.sentence == (
        "Held: Retraining is switched off: audit. It was asked for: Ada asks for it."
    )


@pytest.mark.parametrize(
    ("start", "end", "verdict"),
    [
        (NOW, NOW + DAY, "held"),
        (NOW - DAY, NOW, "retrain"),
        (NOW - DAY, NOW + DAY, "held"),
        (NOW + DAY, NOW + 2 * DAY, "retrain"),
    ],
)
def test_maintenance_holds_from_its_start_to_its_end(start, end, verdict):
    switches = Switches(maintenance=[Maintenance(start=start, end=end, reason="move")])
    known = evidence(asked_by="Ada", switches=switches)
    assert decide_retraining(known, RetrainingPolicy(), NOW).verdict == verdict


def test_nothing_is_held_where_nothing_asks_but_what_would_hold_is_said():
    decision = decide_retraining(evidence(switches=Switches(stop="audit")), RetrainingPolicy(), NOW)
    assert (decision.verdict, held_by(decision)) == ("not needed", ["kill switch"])


def test_every_rule_that_is_switched_on_is_kept_and_no_other():
    decision = decide_retraining(evidence(), RetrainingPolicy(every_days=30, new_rows=5), NOW)
    assert [(each.name, each.asks) for each in decision.triggers] == [
        ("by hand", False),
        ("alarm", False),
        ("schedule", True),
        ("data volume", False),
    ]
    assert decision.triggers[2].reason == (
        "The champion was trained 100 days ago; the schedule is every 30 days."
    )


def test_the_same_evidence_gives_the_same_bytes_and_zones_do_not_matter():
    known = evidence(alarms="xx", started=[NOW - 3 * DAY])
    elsewhere = NOW.astimezone(timezone(timedelta(hours=9)))
    again = RetrainingEvidence.model_validate_json(known.model_dump_json())
    first = decide_retraining(known, RetrainingPolicy(), NOW).model_dump_json()
    assert decide_retraining(again, RetrainingPolicy(), elsewhere).model_dump_json() == first


def test_a_clock_without_zone_is_refused():
    with pytest.raises(ValueError, match="needs a zone"):
        decide_retraining(evidence(), RetrainingPolicy(), NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    "wrong",
    [
        {"alarm": {"windows": 4, "of_last": 3}},
        {"alarm": {"windows": 0}},
        {"every_days": 0},
        {"new_rows": 0},
        {"cost": {"retraining": 0.0}},
        {"cooldown_days": -1},
        {"per_year": -1},
        {"budget": 3},
    ],
)
def test_a_policy_that_means_nothing_is_refused(wrong):
    with pytest.raises(ValidationError):
        RetrainingPolicy.from_mapping(wrong)


def test_maintenance_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValidationError, match="ends after it starts"):
        Maintenance(start=NOW, end=NOW)


def months(*lost, error=0.0):
    """One stale month after another, the last ends now."""
    return [
        StaleMonth(until=NOW - 30 * DAY * place, lost=each, error=error, basis="realised")
        for place, each in enumerate(reversed(lost))
    ]


@pytest.mark.parametrize(
    ("stale", "retrains"),
    [
        ((), False),
        ((0.0,), False),
        ((199.0,), False),  # pays 995 back in five months
        ((200.0,), True),
        ((200.0, 0.0), False),  # over by itself
        ((199.0,) * 5, False),
        ((199.0,) * 6, True),  # little by little, 1,194 are lost
        ((-1000.0, 200.0), True),
    ],
)
def test_the_cost_rule_asks_where_staying_costs_more_than_retraining(stale, retrains):
    rule = policy(cost=CostRule(retraining=1000, pays_back_months=5))
    known = evidence(stale=months(*stale), champion_trained_at=NOW - 400 * DAY)
    assert asks(decide_retraining(known, rule, NOW), "cost") == retrains


def test_a_loss_within_noise_asks_for_nothing():
    rule = policy(cost=CostRule(retraining=1000, pays_back_months=5, confidence=0.9))
    quantile = 1.2815515655446004
    for error, retrains in ((100 / quantile - 0.01, True), (100 / quantile + 0.01, False)):
        known = evidence(stale=months(300.0, error=error))
        assert asks(decide_retraining(known, rule, NOW), "cost") == retrains
    # four months together say what none says alone
    known = evidence(stale=months(*[340.0] * 4, error=140.0), champion_trained_at=NOW - 400 * DAY)
    assert asks(decide_retraining(known, rule, NOW), "cost")


def test_months_before_the_champion_was_trained_cost_it_nothing():
    known = evidence(stale=months(5000.0, 0.0), champion_trained_at=NOW - 30 * DAY)
    rule = policy(cost=CostRule(retraining=1000))
    assert not asks(decide_retraining(known, rule, NOW), "cost")
