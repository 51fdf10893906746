"""A monitoring run's check: each window gets a clear verdict or a sentence, and never a wrong `ok`."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from churn.errors import InputError
from tests.steps.monitored_store import (
    MODEL,
    check,
    folders,
    frame,
    published_store,
    store,
    table,
    trained,
)

__all__ = ["check", "folders", "frame", "published_store", "store", "table", "trained"]


def test_the_training_rows_themselves_are_ok(check, table):
    report = check(table())

    assert report.verdict == "ok"
    assert report.window.rows == 1500
    assert report.moved == ()
    assert report.figures["rows"] == 1500


def test_a_price_rise_is_an_alarm_that_names_the_column(check, table, frame):
    dearer = frame.assign(
        MonthlyCharges=(frame["MonthlyCharges"].astype(float) * 1.2).clip(upper=118).round(2)
    )

    report = check(table(dearer))

    assert report.verdict == "alarm"
    assert "MonthlyCharges" in report.moved
    assert report.columns[0].name == "MonthlyCharges" or "MonthlyCharges" in report.moved
    assert report.alarm_since is not None
    assert "resolve the alarm" in report.next_step


def test_an_alarm_stays_when_the_next_window_is_fine(check, table, frame):
    check(table(frame.assign(Contract="Two year"), "bad.csv"))

    report = check(table())

    assert report.check.finding == "ok"
    assert report.verdict == "alarm"
    assert "nobody has resolved" in report.sentence


def test_the_same_window_twice_counts_once(check, table):
    first, second = check(table()), check(table())

    assert not first.already_checked
    assert second.already_checked
    assert len(second.past) == 1


def test_an_all_null_column_is_drift_and_has_no_scores(check, table, frame):
    report = check(table(frame.assign(tenure="")))

    assert report.verdict in ("watch", "alarm")
    assert report.window.refused["tenure"] == 1500
    column = next(each for each in report.check.columns if each.name == "tenure")
    assert column.unknown == 1


def test_a_new_category_is_drift(check, table, frame):
    fiveg = frame["InternetService"].where(np.arange(1500) % 5 > 0, "5G")

    report = check(table(frame.assign(InternetService=fiveg)))

    assert report.verdict in ("watch", "alarm")
    assert "InternetService" in report.moved
    assert report.window.refused == {"InternetService": 300}
    assert "5G" in report.window.refusal


def test_a_constant_column_is_drift(check, table, frame):
    report = check(table(frame.assign(PaymentMethod="Mailed check")))

    assert report.verdict in ("watch", "alarm")
    assert "PaymentMethod" in report.moved


def test_numbers_that_became_words_are_drift(check, table, frame):
    report = check(table(frame.assign(MonthlyCharges="much")))

    assert report.verdict in ("watch", "alarm")
    assert report.window.refused["MonthlyCharges"] == 1500


def test_a_column_of_lists_is_refused_by_name(check, frame, tmp_path):
    rows = {name: list(frame[name]) for name in frame}
    rows["tenure"] = [[1]] * 1500
    parquet.write_table(pa.table(rows), tmp_path / "lists.parquet")

    with pytest.raises(InputError, match="tenure"):
        check(tmp_path / "lists.parquet")


def test_a_missing_column_is_refused_by_name(check, table, frame):
    with pytest.raises(InputError, match="tenure"):
        check(table(frame.drop(columns="tenure")))


def test_an_empty_window_is_never_ok(check, frame, tmp_path):
    parquet.write_table(
        pa.table({name: pa.array([], pa.string()) for name in frame}), tmp_path / "none.parquet"
    )

    report = check(tmp_path / "none.parquet")

    assert report.verdict == "cannot tell"
    assert "0 rows" in report.sentence


@pytest.mark.parametrize(("rows", "is_known"), [(49, False), (50, True)])
def test_few_rows_are_too_few(check, table, frame, rows, is_known):
    report = check(table(frame.iloc[:rows]))

    assert (report.verdict != "cannot tell") == is_known


def test_rows_of_one_customer_count_once(check, table, frame):
    report = check(table(frame.iloc[[0] * 500 + list(range(40))]))

    assert (report.window.rows, report.window.repeated) == (40, 500)
    assert report.verdict == "cannot tell"


@pytest.mark.parametrize(
    ("blank", "verdict"), [(1500, "cannot tell"), (751, "cannot tell"), (750, "ok")]
)
def test_where_most_rows_have_no_id_nothing_is_ok(check, table, frame, blank, verdict):
    ids = frame["customerID"].where(np.arange(1500) >= blank, "")

    report = check(table(frame.assign(customerID=ids)))

    assert report.verdict == verdict
    assert ("have no id" in report.sentence) == (verdict != "ok")


def test_a_bundle_without_a_usable_reference_is_never_ok(check, table, store, monkeypatch):
    from churn.errors import BundleError
    from churn.windows import opened_window

    def refuse(path, _contract):
        raise BundleError(f"The drift reference {path.name} cannot be read.")

    monkeypatch.setattr(opened_window, "read_reference", refuse)

    report = check(table())

    assert report.verdict == "cannot tell"
    assert "cannot be read" in report.sentence


def test_nothing_in_production_is_a_sentence(check, table, store):
    (store / "current.json").unlink()

    with pytest.raises(InputError, match="nothing in production"):
        check(table())


def test_a_locked_ledger_is_a_sentence(check, table, frame, folders, monkeypatch):
    from churn.ledger import database

    check(table())
    monkeypatch.setitem(database.DatabaseLedger.__init__.__kwdefaults__, "lock_seconds", 0.1)
    file = folders["ledger"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(InputError, match="locked"):
            check(table(frame.iloc[:700]))


def test_a_ledger_that_is_gone_is_a_sentence(folders, table, tmp_path):
    from steps.monitoring.check_window import check_window

    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    gone = folders | {"ledger": f"sqlite:///{tmp_path}/file/ledger.db"}

    with pytest.raises(InputError, match="ledger"):
        check_window.entrypoint({"model": {"name": MODEL}, "batch": str(table())}, gone)


def test_two_runs_at_once_count_one_window_once(check, table):
    path, reports = table(), []
    runs = [threading.Thread(target=lambda: reports.append(check(path))) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()

    assert sorted(each.already_checked for each in reports) == [False, True]


def test_the_report_is_json_with_its_verdict(check, table):
    report = check(table())

    assert json.loads(report.model_dump_json())["verdict"] == "ok"


def test_the_consequence_is_estimated_in_auc_and_in_money(check, table, frame):
    report = check(table(frame.assign(Contract="Month-to-month")))

    found = report.consequence
    assert found.now.roc_auc.value < found.before.roc_auc.value
    assert found.roc_auc_change == report.figures["estimated_roc_auc_change"] < 0
    assert found.now.churn_rate.value > found.before.churn_rate.value
    assert "USD a customer" in found.sentence or "units of money" in found.sentence
    assert "blind to changes of behaviour" in report.lines["estimate"]
    assert found.assumptions


@pytest.mark.parametrize("worth", [{}, {"clv_months": 12}], ids=["one amount", "own charge"])
def test_without_drift_the_estimate_is_that_of_the_training_rows(check, table, worth):
    found = check(table(), value=worth).consequence

    assert found.roc_auc_change == pytest.approx(0, abs=0.002)
    assert found.profit_change == pytest.approx(0, abs=0.1)


def test_a_window_without_scores_has_no_estimate(check, table, frame):
    report = check(table(frame.assign(tenure="")))

    assert report.consequence.now.finding == "cannot tell"
    assert "estimated_roc_auc" not in report.figures
    assert "Cannot be estimated. The window has 0 rows with a score" in report.lines["estimate"]


def test_a_person_resolves_an_alarm(check, table, frame):
    check(table(frame.assign(Contract="Two year"), "bad.csv"))

    report = check(table(), resolve={"person": "Ada", "note": "a campaign"})

    assert report.verdict == "ok"


def test_where_no_alarm_is_open_there_is_none_to_resolve(check, table):
    with pytest.raises(InputError, match="No alarm is open"):
        check(table(), resolve={"person": "Ada"})
