"""The health page: what it reads from a ledger, what it says, and that it needs nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from churn.errors import InputError
from churn.ledger.changes import ProductionChange
from churn.ledger.drift_checks import DriftLedger
from churn.ledger.predictions import Outcome, Prediction, PredictionLedger, TreatmentRecord
from churn.ledger.records import Ledger
from churn.monitoring.alarms import AlarmPolicy
from churn.monitoring.drift_check import CheckResult, ColumnDrift
from churn.reports.health.__main__ import main
from churn.reports.health.health_findings import (
    auc_finding,
    drift_finding,
    headline,
    outcome_finding,
)
from churn.reports.health.health_page import render_health_page
from churn.reports.health.model_health import read_health

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(weeks=1)
CUSTOMERS = 200
NOW = MONDAY + 70 * WEEK


@pytest.fixture
def address(tmp_path):
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def record_check(address, week, p_value, *, kind="batch", model="telco"):
    moved = ColumnDrift(name="Price", p_value=1e-9 if p_value < 1e-3 else 0.5, psi=0, psi_expected=0, unknown=0)  # fmt: skip
    finding = "watch" if p_value <= 0.05 else "ok"
    result = CheckResult(
        finding=finding, reason="Said.", rows=500, reference_rows=7000, p_value=p_value,
        columns=(moved,),
    )  # fmt: skip
    with DriftLedger(address) as ledger:
        ledger.record_check(
            result, model=model, version="1", kind=kind, window=f"w{week}", policy=AlarmPolicy(),
            now=MONDAY + week * WEEK,
        )  # fmt: skip


def record_week(address, week, *, reversed_outcomes=False, outcomes=True, role="production"):
    """Scores between 0 and 1 whose customers leave as the scores say, or as they do not."""
    generator = np.random.default_rng(week)
    scores = generator.random(CUSTOMERS)
    left = generator.random(CUSTOMERS) < (1 - scores if reversed_outcomes else scores)
    made = [
        Prediction(
            predicted_at=MONDAY + week * WEEK + timedelta(days=6, hours=23), prediction_id=f"{role}-{week}-{k}",
            customer=None, version="1", role=role, source="batch", probability=float(score),
            decision=bool(score > 0.5), input_hash="",
        )
        for k, score in enumerate(scores)
    ]  # fmt: skip
    with PredictionLedger(address) as ledger:
        ledger.record(made)
        if outcomes:
            ledger.record_outcomes(
                [Outcome(one.predicted_at + timedelta(30), bool(gone), prediction_id=one.prediction_id)
                 for one, gone in zip(made, left, strict=True)]
            )  # fmt: skip


def promote(address, version, at, status="done"):
    with Ledger(address) as ledger:
        ledger.record_change(
            ProductionChange(
                model="telco", version=version, version_before=None, stage_before=None,
                command="promotion", status=status, reason="better", recorded_at=at,
            )
        )  # fmt: skip


@pytest.fixture
def history(address):
    """Five weeks: an alarm in the second that was resolved, another in the last; reversed in the fourth."""
    promote(address, "1", MONDAY)
    for week, p_value in enumerate([0.5, 1e-5, 0.5, 0.02, 1e-8]):
        record_week(address, week, reversed_outcomes=week == 3, outcomes=week < 4)
        record_check(address, week, p_value)
        if week == 2:
            with DriftLedger(address) as ledger:
                ledger.resolve_alarm("telco", "batch", person="Ada", now=MONDAY + 2 * WEEK)
            promote(address, "2", MONDAY + 2 * WEEK, status="intended")
            promote(address, "2", MONDAY + 2 * WEEK)
    return address


def test_the_ledger_gives_weeks_checks_alarms_and_promotions(history):
    health = read_health(history, "telco", now=NOW)

    assert (health.kind, len(health.checks)) == ("batch", 5)
    assert [change.version for change in health.changes] == ["1", "2"]
    assert [incident.resolution is None for incident in health.incidents] == [False, True]
    assert health.incidents[0].resolution.recorded_at == MONDAY + 2 * WEEK
    assert [each.start for each in health.periods] == [(MONDAY + n * WEEK).date() for n in range(5)]
    assert {each.predictions for each in health.periods} == {CUSTOMERS}
    assert [each.outcomes for each in health.periods] == [CUSTOMERS] * 4 + [0]
    areas = [each.roc_auc.area for each in health.judged]
    assert len(areas) == 4
    assert areas[3] < 0.3
    assert min(areas[:3]) > 0.7
    assert all(0.7 < each.estimated.value < 0.95 for each in health.periods)


def test_the_titles_say_what_was_found(history):
    health = read_health(history, "telco", now=NOW)

    assert headline(health) == "An alarm is open since 2026-02-02: Price moved"
    assert drift_finding(health) == "3 of 5 windows differ from the training rows; 2 alarms"
    assert auc_finding(health).startswith("ROC-AUC was lowest in the week of 2026-01-26: 0.")
    assert outcome_finding(health) == (
        "As many left as was predicted, in all 4 weeks whose outcomes are known"
    )
    first, *others = health.periods
    health = replace(health, periods=(replace(first, predicted=0.99), *others))
    assert outcome_finding(health) == (
        "In 1 of 4 weeks another share left than was predicted; chance alone gives one in 20"
    )


def test_the_page_stands_alone_and_the_same_history_gives_the_same_one(history):
    health = read_health(history, "telco", now=NOW)
    page = render_health_page(health, note="Only <made> up.")

    assert page == render_health_page(health, note="Only <made> up.")
    assert "Only &lt;made&gt; up." in page
    assert "<script" not in page
    assert page.replace("http://www.w3.org", "").count("http") == 0
    assert page.count("data:image/svg+xml") == 2  # light and dark
    for said in ("An alarm is open since 2026-02-02", "resolved 2026-01-19 by Ada", "version 2"):
        assert said in page


def outcomes_at(address, days):
    """Customers with an outcome, by week, so many days after the first Monday."""
    health = read_health(address, "telco", now=MONDAY + timedelta(days))
    return [each.outcomes for each in health.periods]


@pytest.mark.parametrize(
    ("days", "outcomes"), [(42, [0, 0]), (43, [CUSTOMERS, 0]), (50, [CUSTOMERS] * 2)]
)
def test_a_week_has_outcomes_once_they_are_due(address, days, outcomes):
    record_check(address, 0, 0.5)
    for week in (0, 1):
        record_week(address, week)

    assert outcomes_at(address, days) == outcomes


def test_treated_customers_are_in_no_figure_by_outcomes_and_the_page_says_so(address):
    record_check(address, 0, 0.5)
    record_week(address, 0)
    with PredictionLedger(address) as ledger:
        ledger.record_treatments(
            [TreatmentRecord(MONDAY + WEEK, k % 2 == 0, f"production-0-{k}") for k in range(40)]
        )

    health = read_health(address, "telco", now=NOW)

    assert (health.treated, health.periods[0].outcomes) == (20, CUSTOMERS - 20)
    assert "20 answers about customers that a campaign contacted" in render_health_page(health)


def test_a_customer_who_is_scored_every_day_counts_once_a_week(address):
    record_check(address, 0, 0.5)
    made = [
        Prediction(
            predicted_at=MONDAY + timedelta(days=day, hours=1), prediction_id=f"{day}-{k}",
            customer=f"C{k}" if k else None, version="1", role="production", source="api",
            probability=(1 + day) / 10, decision=True, input_hash="",
        )
        for day in (1, 0, 2) for k in range(3)
    ]  # fmt: skip
    with PredictionLedger(address) as ledger:
        ledger.record(made)
        ledger.record_outcomes(
            [Outcome(one.predicted_at + timedelta(30), True, one.prediction_id) for one in made]
        )

    (week,) = read_health(address, "telco", now=NOW).periods

    assert (week.predictions, week.outcomes) == (9, 2 + 3)  # nobody can be told apart
    assert week.predicted == pytest.approx((2 * 0.1 + 0.1 + 0.2 + 0.3) / 5)


def test_checks_alone_make_a_page(address):
    record_check(address, 0, 0.5)
    health = read_health(address, "telco", now=NOW)

    page = render_health_page(health)

    assert (health.periods, health.known, health.judged) == ((), (), ())
    assert "No alarm is open, and the check of 2026-01-05 found nothing" in page
    assert "None was raised." in page


def test_one_kind_of_window_is_shown_and_shadows_are_not_counted(address):
    record_check(address, 0, 0.5, kind="batch")
    record_check(address, 1, 0.02, kind="predictions")
    record_week(address, 0, role="shadow")
    record_check(address, 1, 0.5, model="other", kind="elsewhere")

    assert read_health(address, "telco", now=NOW).kind == "predictions"
    health = read_health(address, "telco", "batch")
    assert (health.kind, len(health.checks), health.periods) == ("batch", 1, ())


def test_a_month_without_predictions_leaves_a_gap_and_years_are_no_problem(address):
    for week in (0, 60):
        record_week(address, week)
        record_check(address, week, 0.5)
    health = read_health(address, "telco", now=NOW)
    assert [each.start for each in health.periods] == [MONDAY.date(), (MONDAY + 60 * WEEK).date()]
    assert render_health_page(health)


@pytest.mark.parametrize("kind", [None, "stream"])
def test_nothing_checked_is_a_sentence_and_makes_no_file(address, tmp_path, kind):
    with pytest.raises(InputError, match="No window of model 'telco' was ever checked"):
        read_health(address, "telco", kind)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_was_never_checked_is_reported_with_those_that_were(address):
    record_check(address, 0, 0.5)
    with pytest.raises(InputError, match=r"No stream window of model 'telco'.*It has: batch\."):
        read_health(address, "telco", "stream")


def test_the_command_writes_the_page_or_says_why_not(history, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["telco", "--ledger", history, "--output", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")

    for days in ("-1", "3651", "many"):
        with pytest.raises(SystemExit):
            main(["telco", "--ledger", history, "--horizon-days", days])
    capsys.readouterr()
    assert main(["nobody", "--ledger", history, "--output", str(page)]) == 2
    assert main(["telco", "--ledger", history, "--output", str(tmp_path / "no" / "page")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("No window of model 'nobody' was ever checked")
    assert said[1].startswith("The page cannot be written to ")
