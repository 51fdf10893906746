"""A monitoring run's steps: each window gets a clear verdict or a sentence, and never a wrong `ok`."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from churn.errors import InputError
from tests.servers.published import published_store, store, trained

__all__ = ["published_store", "store", "trained"]

MODEL = "churn"


@pytest.fixture
def folders(store, tmp_path):
    return {
        "bundles": str(store),
        "ledger": f"sqlite:///{tmp_path / 'ledger.db'}",
        "metrics": str(tmp_path / "metrics"),
        "inputs": str(tmp_path / "inputs"),
    }


@pytest.fixture
def check(folders):
    from steps.monitoring.check_window import check_window

    def run(batch="", **settings):
        asked = {"model": {"name": MODEL}, "batch": str(batch), "classifier": False} | settings
        return check_window.entrypoint(asked, folders)

    return run


@pytest.fixture(scope="session")
def frame(telco):
    """The customers that version 1 was trained on, without the outcome."""
    contract = telco.contract
    names = [contract.id.name, *(column.name for column in contract.features)]
    return telco.frame[names].iloc[:1500].astype(str)


@pytest.fixture
def table(frame, tmp_path):
    """Writes a window as CSV."""

    def write(changed=frame, name="window.csv"):
        path = tmp_path / name
        changed.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
        return path

    return write


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


@pytest.mark.parametrize(("rows", "told"), [(49, False), (50, True)])
def test_few_rows_cannot_tell(check, table, frame, rows, told):
    report = check(table(frame.iloc[:rows]))

    assert (report.verdict != "cannot tell") == told


def test_rows_of_one_customer_count_once(check, table, frame):
    report = check(table(frame.iloc[[0] * 500 + list(range(40))]))

    assert (report.window.rows, report.window.repeated) == (40, 500)
    assert report.verdict == "cannot tell"


def test_a_bundle_without_a_usable_reference_cannot_tell(check, table, store, monkeypatch):
    from churn.errors import BundleError
    from steps.monitoring import opened_window

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


def test_figures_reach_a_file_that_prometheus_reads(check, table, folders):
    from prometheus_client.parser import text_string_to_metric_families

    from steps.monitoring.publish_figures import publish_figures

    report = check(table())

    said = publish_figures.entrypoint(report, {"model": {"name": MODEL}}, folders)

    written = Path(folders["metrics"]) / "churn-churn-batch.prom"
    assert str(written) in said
    samples = [
        sample
        for family in text_string_to_metric_families(written.read_text(encoding="utf-8"))
        for sample in family.samples
    ]
    verdicts = {s.labels["verdict"]: s.value for s in samples if s.name.endswith("_verdict")}
    assert verdicts == {"ok": 1, "watch": 0, "alarm": 0, "cannot tell": 0}
    assert sum(sample.name == "churn_monitoring_column_psi" for sample in samples) == 19


def test_a_gateway_that_is_down_costs_no_verdict(check, table, folders, monkeypatch):
    from steps.monitoring import publish_figures

    def refuse(*_arguments, **_more):
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(publish_figures, "push_metrics", refuse)
    settings = {"model": {"name": MODEL}, "prometheus": {"pushgateway": "http://127.0.0.1:1"}}

    said = publish_figures.publish_figures.entrypoint(check(table()), settings, folders)

    assert "not pushed" in said
    assert "Connection refused" in said


def test_the_report_is_json_with_its_verdict(check, table):
    report = check(table())

    assert json.loads(report.model_dump_json())["verdict"] == "ok"


@pytest.fixture
def keep(folders, tmp_path, monkeypatch):
    """Scores a table as a batch that keeps its inputs, as if it were `days_ago`."""
    from datetime import UTC, datetime, timedelta

    from churn.batch import run_batch
    from churn.kept_inputs import pseudonym
    from steps.inference.score_batch import score_batch

    monkeypatch.setenv(pseudonym.VARIABLE, "k" * 24)

    def run(path, *, days_ago=1, **settings):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.now(tz or UTC) - timedelta(days_ago)

        with monkeypatch.context() as patch:
            patch.setattr(run_batch, "datetime", Clock)
            asked = {
                "model": {"name": MODEL},
                "input": str(path),
                "output": str(tmp_path / f"scores-{path.stem}-{days_ago}"),
                "keep_inputs": True,
            }
            return score_batch.entrypoint(asked | settings, folders)

    return run


def kept_files(folders):
    return sorted(Path(folders["inputs"]).rglob("*.parquet"))


def test_the_kept_inputs_of_a_batch_are_the_window(check, keep, table, folders):
    keep(table())

    report = check()

    assert (report.window.kind, report.window.rows) == ("inputs", 1500)
    assert report.verdict == "ok"
    assert report.check.p_value == check(table()).check.p_value


def test_kept_inputs_name_no_customer(keep, table, folders, frame):
    keep(table())

    (file,) = kept_files(folders)
    kept = parquet.read_table(file)

    assert not set(kept["customerID"].to_pylist()) & set(frame["customerID"])
    assert len(set(kept["customerID"].to_pylist())) == 1500
    assert frame["customerID"].iloc[0].encode() not in file.read_bytes()


def test_a_customer_who_was_scored_on_two_days_counts_once(check, keep, table, frame):
    keep(table(frame, "first.csv"), days_ago=2)
    keep(table(frame.iloc[:400], "second.csv"), days_ago=1)

    report = check()

    assert (report.window.rows, report.window.repeated) == (1500, 400)


def test_nothing_is_kept_unless_it_is_asked_for(check, keep, table, folders):
    keep(table(), keep_inputs=False)

    report = check()

    assert kept_files(folders) == []
    assert report.verdict == "cannot tell"
    assert "keep_inputs" in report.window.note


@pytest.mark.parametrize(("days_ago", "left"), [(7, 2), (8, 1)])
def test_inputs_are_deleted_after_their_time(keep, table, frame, folders, days_ago, left):
    keep(table(frame, "old.csv"), days_ago=days_ago, keep_inputs_days=30)
    keep(table(frame, "new.csv"), keep_inputs_days=7)

    assert len(kept_files(folders)) == left


@pytest.mark.parametrize(("days_ago", "inside"), [(0, False), (1, True), (7, True), (8, False)])
def test_a_window_is_the_whole_days_before_today(check, keep, table, days_ago, inside):
    keep(table(), days_ago=days_ago)

    assert (check(days=7).window.rows > 0) == inside


def test_inputs_of_days_to_come_are_left_out_and_said(check, keep, table):
    keep(table(), days_ago=-2)

    report = check()

    assert report.verdict == "cannot tell"
    assert "a clock is wrong" in report.window.note


def test_the_same_batch_again_keeps_the_same_files(keep, table, folders):
    keep(table())
    before = {file: file.read_bytes() for file in kept_files(folders)}

    keep(table())

    assert {file: file.read_bytes() for file in kept_files(folders)} == before


@pytest.mark.parametrize("key", ["", "k" * 15, "k" * 65])
def test_no_input_is_kept_without_a_secret(keep, table, folders, monkeypatch, key):
    from churn.kept_inputs import pseudonym

    monkeypatch.setenv(pseudonym.VARIABLE, key)

    with pytest.raises(InputError, match="CHURN_INPUTS_KEY"):
        keep(table())

    assert kept_files(folders) == []


def test_a_damaged_file_of_inputs_is_a_sentence(check, keep, table, folders):
    keep(table())
    kept_files(folders)[0].write_bytes(b"PAR1")

    with pytest.raises(InputError, match="no whole parquet file"):
        check()


@pytest.mark.parametrize("library", ["evidently", "deepchecks", "great_expectations"])
def test_the_stacks_validator_gives_a_second_opinion(folders, table, frame, monkeypatch, library):
    if find_spec(library) is None:
        pytest.skip("needs the extra 'stacks'")
    from steps.monitoring import validate_window

    settings = import_module("churn.checks.validators.validator_settings")
    check_tables = import_module(f"churn.checks.validators.{library}_validation").validate
    name = "".join(word.capitalize() for word in library.split("_"))
    options = getattr(settings, f"{name}Settings")()

    class Validator:
        def validate(self, reference, current, contract, *, target):
            return check_tables(reference, current, contract, options, target=target)

    monkeypatch.setattr(validate_window, "stack_validator", lambda _name: Validator())
    asked = {"model": {"name": MODEL}, "batch": str(table(frame.assign(Contract="Two year")))}

    report = validate_window.validate_window.entrypoint(asked, folders, "churn-validator")

    assert report.verdict != "pass"
    assert any(each.column == "Contract" for each in (*report.failures, *report.warnings))


def test_a_validator_with_nothing_to_compare_asks_for_attention(folders):
    from steps.monitoring.validate_window import validate_window

    report = validate_window.entrypoint({"model": {"name": MODEL}}, folders, "churn-evidently")

    assert report.verdict_word == "attention"
    assert "no rows" in report.findings[0].sentence


@pytest.fixture
def tracked(monkeypatch, tmp_path):
    """The id of an open MLflow run, as the stack's tracker opens one."""
    import mlflow

    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)  # set by the next line, too
    mlflow.set_tracking_uri(address)
    experiment = mlflow.create_experiment("steps", artifact_location=str(tmp_path / "artifacts"))
    with mlflow.start_run(experiment_id=experiment) as run:
        yield run.info.run_id
    mlflow.set_tracking_uri(None)  # any address would be created at the next call


def test_the_figures_are_tracked(check, table, tracked):
    import mlflow

    from steps.monitoring.track_figures import track_figures

    report = check(table())
    created = mlflow.get_experiment_by_name("steps").creation_time

    track_figures.entrypoint(report, f"1@{created}")

    run = mlflow.get_run(tracked)
    assert run.data.tags["verdict"] == "ok"
    assert run.data.metrics["rows"] == 1500
    assert run.data.metrics["psi.tenure"] == pytest.approx(0, abs=1e-9)
    page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/monitoring_report.html")
    assert "<h1>Ok</h1>" in page


def test_the_consequence_is_estimated_in_auc_and_in_money(check, table, frame):
    report = check(table(frame.assign(Contract="Month-to-month")))

    found = report.consequence
    assert found.now.roc_auc.value < found.before.roc_auc.value
    assert found.roc_auc_change == report.figures["estimated_roc_auc_change"] < 0
    assert found.now.churn_rate.value > found.before.churn_rate.value
    assert "USD a customer" in found.sentence or "units of money" in found.sentence
    assert "blind to changes of behaviour" in report.lines["estimate"]
    assert found.assumptions


def test_without_drift_the_estimate_is_that_of_the_training_rows(check, table):
    found = check(table()).consequence

    assert found.roc_auc_change == pytest.approx(0, abs=0.002)
    assert found.profit_change == pytest.approx(0, abs=0.1)


def test_a_window_without_scores_has_no_estimate(check, table, frame):
    report = check(table(frame.assign(tenure="")))

    assert report.consequence.now.finding == "cannot tell"
    assert "estimated_roc_auc" not in report.figures
    assert "Cannot be estimated" in report.lines["estimate"]


def test_a_person_resolves_an_alarm(check, table, frame):
    check(table(frame.assign(Contract="Two year"), "bad.csv"))

    report = check(table(), resolve={"person": "Ada", "note": "a campaign"})

    assert report.verdict == "ok"


def test_where_no_alarm_is_open_there_is_none_to_resolve(check, table):
    with pytest.raises(InputError, match="No alarm is open"):
        check(table(), resolve={"person": "Ada"})
