"""What outcomes say in a monitoring run: figures, estimates by known customers, the risk test, alerts."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest

from churn.ledger.predictions import Outcome, PredictionLedger, TreatmentRecord
from churn.reports.monitoring_page import render_monitoring_page
from tests.steps.monitored_store import (
    MODEL,
    check,
    folders,
    frame,
    keep,
    published_store,
    store,
    table,
    trained,
)

__all__ = ["check", "folders", "frame", "keep", "published_store", "store", "table", "trained"]

DAY = timedelta(days=1)


@pytest.fixture
def outcomes(folders):
    """Records what became of the customers, as their scores say, or the other way round from a place on."""

    def record(count=1500, *, reversed_from=1500, treated=0, holdout=0):
        generator = np.random.default_rng(5)
        with PredictionLedger(folders["ledger"]) as ledger:
            scored = ledger.predictions()
            as_said = [bool(generator.random() < one.probability) for one in scored]
            ledger.record_outcomes(
                [
                    Outcome(
                        one.predicted_at + 30 * DAY,
                        left if place < reversed_from else not left,
                        one.prediction_id,
                    )
                    for place, (one, left) in enumerate(zip(scored[:count], as_said, strict=False))
                ]
            )
            ledger.record_treatments(
                [
                    TreatmentRecord(one.predicted_at + DAY, place < treated, customer=one.customer)
                    for place, one in enumerate(scored[: treated + holdout])
                ]
            )

    return record


@pytest.fixture
def week(table, frame):
    """Another window than the one whose outcomes are known."""
    return table(frame.iloc[:700], "week.csv")


def test_outcomes_are_measured_with_treated_customers_apart(check, keep, table, week, outcomes):
    keep(table(), days_ago=40)
    outcomes(1400, treated=200, holdout=100)

    report = check(week)

    found = report.realised
    assert (found.customers, found.with_inputs) == (1400, 1400)
    assert (found.counts.measured, found.counts.without_outcome) == (1400, 100)
    groups = found.performance
    assert (groups.untreated.rows, groups.treated.rows, groups.holdout.rows) == (1200, 200, 100)
    assert groups.untreated.roc_auc.interval.lower < groups.untreated.roc_auc.value
    assert groups.untreated.profit is not None
    assert any(each.name == "Contract = Two year" for each in groups.slices.slices)
    assert report.figures["realised_roc_auc"] == groups.untreated.roc_auc.value
    assert report.figures["outcomes_treated"] == 200
    assert "untreated customers left" in report.lines["outcomes"]
    weighted = report.consequence.weighted
    assert (weighted.method, weighted.finding) == ("PAPE", "estimated")
    assert weighted.roc_auc.value == pytest.approx(report.consequence.now.roc_auc.value, abs=0.05)
    assert "blind to changes of behaviour" in weighted.assumes
    assert report.figures["weighted_roc_auc"] == weighted.roc_auc.value
    page = render_monitoring_page(report)
    assert "By outcomes" in page
    assert "Predictions that are due and have no outcome, left out: 100" in page
    sent = json.loads(report.model_dump_json())
    assert sent["realised"]["performance"]["treated"]["rows"] == 200
    assert report.verdict == "ok"


def test_what_is_not_due_is_counted_and_nothing_is_said_of_it(check, keep, table, week, outcomes):
    keep(table(), days_ago=36)  # the 30 days are over, the 7 of the delay are not

    report = check(week)

    assert report.realised.performance is None
    assert report.realised.counts.not_due == 1500
    assert report.risk is None
    assert "no outcome" in report.lines["outcomes"]
    assert report.consequence.weighted.finding == "cannot tell"
    assert "realised_roc_auc" not in report.figures


def test_without_kept_inputs_there_are_figures_and_no_slices(check, keep, table, week, outcomes):
    keep(table(), days_ago=40, keep_inputs=False)
    outcomes()

    found = check(week).realised

    assert (found.customers, found.with_inputs) == (1500, 0)
    assert found.performance.slices is None
    assert any("in no slice" in note for note in found.notes)
    assert any("Who was treated" in note for note in found.notes)


def test_a_risk_that_rises_is_an_alarm_until_a_person_accepts_it(
    check, keep, table, week, outcomes, frame
):
    keep(table(), days_ago=40)
    outcomes(reversed_from=500)

    report = check(week)

    assert report.risk.test.alarms
    assert report.verdict == "alarm"
    assert "by outcomes: The model errs more than it did" in report.sentence
    assert report.check.finding == "ok"
    assert report.figures["risk_alarm"] == 1
    assert "Train again" in report.next_step
    later = check(table(frame.iloc[100:800], "later.csv"))
    assert later.verdict == "alarm"
    accepted = check(week, resolve={"person": "Ada", "note": "a competitor's offer"})
    assert (accepted.verdict, accepted.figures["risk_alarm"]) == ("ok", 0)
    assert check(table(frame.iloc[200:900], "last.csv")).verdict == "ok"


def test_outcomes_count_once_in_the_risk_test(check, keep, table, week, outcomes, frame):
    keep(table(), days_ago=40)
    outcomes()

    first, again = check(week), check(table(frame.iloc[100:800], "later.csv"))

    assert first.risk.test.outcomes == 1000  # after the 500 that it begins with
    assert again.risk == first.risk
    assert not first.risk.test.alarms


def test_the_risk_test_begins_with_outcomes_of_any_age(check, keep, table, week, outcomes, frame):
    keep(table(frame.iloc[:400], "old.csv"), days_ago=300)
    keep(table(frame.iloc[400:700], "newer.csv"), days_ago=40)
    outcomes()

    report = check(week)

    assert report.realised.customers == 300  # of the last 90 days
    assert report.risk.test.outcomes == 200  # after the first 500


def test_that_the_risk_test_has_not_begun_is_said(check, keep, table, week, outcomes, frame):
    keep(table(frame.iloc[:499], "few.csv"), days_ago=40)
    outcomes()

    report = check(week)

    assert report.risk is None
    assert report.lines["risk"] == ("no test yet: it needs 500 untreated outcomes of the version")


def test_the_alerts_of_a_run_that_died_are_sent_by_the_next(check, table, frame, monkeypatch):
    from steps.monitoring import check_window as step

    def die(*_alerts):
        raise KeyboardInterrupt

    bad = table(frame.assign(Contract="Two year"), "bad.csv")
    with monkeypatch.context() as patch:
        patch.setattr(step, "send_alerts", die)
        with pytest.raises(KeyboardInterrupt):
            check(bad)
    sent = []
    monkeypatch.setattr(step, "send_alerts", lambda *alerts: sent.append(alerts))

    check(bad)
    check(bad)

    (opened,) = sent[0]
    assert (opened.state, opened.incident) == ("opened", f"{MODEL}/batch/1")
    assert sent[1] == ()


def test_a_risk_alarm_is_sent_once(check, keep, table, week, outcomes, monkeypatch):
    from steps.monitoring import check_window as step

    sent = []
    monkeypatch.setattr(step, "send_alerts", lambda *alerts: sent.extend(alerts))
    keep(table(), days_ago=40)
    outcomes(reversed_from=500)

    check(week)
    check(week)

    assert [(each.state, each.level) for each in sent] == [("opened", "error")]
    assert sent[0].runbook == "docs/runbooks.md#churnriskalarm"
