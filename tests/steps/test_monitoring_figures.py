"""Where a monitoring run's figures go, and the second opinion of the stack's validator."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

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


def test_a_batchs_figures_reach_such_a_file_too(folders):
    from steps.inference.publish_batch_figures import publish_batch_figures
    from tests.servers.batch_run import batch_run

    said = publish_batch_figures.entrypoint(
        batch_run(), {"model": {"name": "gym-churn"}, "prometheus": {}}, folders
    )

    assert said == f"written to {folders['metrics']}/churn-batch-gym-churn.prom"


def test_a_gateway_that_is_down_costs_no_verdict(check, table, folders, monkeypatch):
    from churn.reports import published_figures
    from steps.monitoring.publish_figures import publish_figures

    def refuse(*_arguments, **_more):
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(published_figures, "push_to_gateway", refuse)
    settings = {"model": {"name": MODEL}, "prometheus": {"pushgateway": "http://127.0.0.1:1"}}

    said = publish_figures.entrypoint(check(table()), settings, folders)

    assert "not pushed" in said
    assert "Connection refused" in said


@pytest.mark.parametrize("library", ["evidently", "deepchecks", "great_expectations"])
def test_the_stacks_validator_gives_a_second_opinion(folders, table, frame, monkeypatch, library):
    if find_spec(library) is None:
        pytest.skip("needs the extra 'stacks'")
    from steps.monitoring import validate_window

    settings = import_module("churn.checks.validators.validator_settings")
    check_tables = import_module(f"churn.checks.validators.{library}_validation").validate
    name = "".join(word.capitalize() for word in library.split("_"))
    limits = getattr(settings, f"{name}Settings")()

    class Validator:
        def validate(self, reference, current, contract, *, target):
            return check_tables(reference, current, contract, limits, target=target)

    monkeypatch.setattr(validate_window, "stack_validator", lambda _name: Validator())
    options = {"model": {"name": MODEL}, "batch": str(table(frame.assign(Contract="Two year")))}

    report = validate_window.validate_window.entrypoint(options, folders, "churn-validator")

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
