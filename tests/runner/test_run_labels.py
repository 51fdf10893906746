"""What a run is labelled with at its end, and how a list of runs shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from churn.promotion.promotion_outcome import PromotionOutcome
from runner.outcome import Outcome
from runner.run_labels import label_run, run_metadata, run_tags, version_description
from tools import list_runs
from tools.list_runs import COLUMNS, cells, columns_for


@pytest.fixture
def trained(generated_report):
    """A training run that came to its end."""
    return Outcome(
        pipeline="training",
        status="completed",
        stack="local",
        model_version="7",
        stage="staging",
        seconds=41.26,
        training=generated_report,
        decision=generated_report.decision,
    )


@pytest.fixture
def promoted():
    """A promotion that put a version into production."""
    outcome = PromotionOutcome(
        status="promoted",
        model="gym-churn",
        version="7",
        before="6",
        sentence="version 7 is in production instead of 6",
    )
    return Outcome(
        pipeline="promotion",
        status="completed",
        stack="cloud",
        model_version="7",
        stage="production",
        promotion=outcome,
    )


def test_a_training_run_is_tagged_with_stack_model_and_verdict(trained, generated_report):
    assert run_tags(trained) == [
        ("stack", "local"),
        ("model", generated_report.selection.chosen),
        ("verdict", generated_report.decision.verdict),
    ]


def test_a_promotion_is_tagged_with_what_it_did(promoted):
    assert run_tags(promoted) == [("stack", "cloud"), ("outcome", "promoted")]


def test_the_summary_has_the_protocols_figure_and_the_version(trained, generated_report):
    metadata = run_metadata(trained)

    figure = generated_report.figure.result.metrics.roc_auc
    assert metadata["roc_auc"] == pytest.approx(figure, abs=5e-5)
    assert metadata["verdict"] == generated_report.decision.verdict
    assert metadata["outcome"] == generated_report.decision.status == "cleared for staging"
    assert (metadata["model_version"], metadata["stage"], metadata["stack"]) == (
        "7",
        "staging",
        "local",
    )
    assert metadata["seconds"] == 41.3
    assert all(isinstance(value, str | int | float) for value in metadata.values())


def test_a_run_without_a_result_has_its_stack_and_its_seconds():
    bare = Outcome(pipeline="rollback", status="completed", stack="local", seconds=2.0)

    assert run_metadata(bare) == {"stack": "local", "seconds": 2.0}
    assert version_description(bare) == ""


def test_a_version_is_described_by_its_figure_and_its_data(trained, generated_report):
    words = version_description(trained)

    assert words.startswith(f"{generated_report.selection.chosen}: ROC-AUC 0.")
    assert "cleared for staging" in words
    assert words.endswith("900 customers of data abababab")


def test_a_line_of_the_list_shows_it(trained):
    run = SimpleNamespace(
        created=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
        name="training-1125-0930-ab12",
        stack=SimpleNamespace(name="local"),
        status=SimpleNamespace(value="completed"),
        run_metadata=run_metadata(trained),
    )

    line = dict(zip(COLUMNS, cells(run), strict=True))

    assert line["started"] == "2026-11-25 09:30"
    assert line["ROC-AUC"] == f"{run_metadata(trained)['roc_auc']:.4f}"
    assert line["verdict"] == "cleared for staging"
    assert (line["version"], line["s"]) == ("7", "41")


def test_a_failed_run_has_its_status_and_nothing_made_up():
    run = SimpleNamespace(
        created=datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
        name="training-x",
        stack=None,
        status=SimpleNamespace(value="failed"),
        run_metadata={},
    )

    assert cells(run) == ("2026-11-25 09:30", "training-x", "", "failed", "", "", "", "", "")


@pytest.fixture
def hundred(trained):
    """A hundred lines, the longest names and words that there are among them."""
    started = ("2026-11-25 09:30", "deployment-compose-1125-0930-ab12", "local-great-expectations")
    ended = ("completed", "spline_logistic", "0.8504", "cleared for staging", "123", "1234")
    return [dict(zip(COLUMNS, (*started, *ended), strict=True))] * 100


def test_a_wide_window_shows_all_that_is_known(hundred):
    assert columns_for(hundred, 160) == COLUMNS


def test_a_narrow_window_has_names_and_verdicts_uncut(hundred):
    shown = columns_for(hundred, 100)

    assert sum(len(hundred[0][name]) + 2 for name in shown) <= 100
    assert {"run", "status", "model", "ROC-AUC", "verdict"} <= set(shown)


def test_nothing_to_show_is_no_reason_to_stumble():
    assert columns_for([], 80)[1] == "run"


@pytest.fixture(scope="module")
def zenml_is_there():
    """Before any test's own stdout: ZenML's log keeps the one that it finds when it is imported."""
    import zenml.client

    return zenml.client


def test_answers_of_a_deployed_pipeline_are_left_out_and_counted(
    zenml_is_there, monkeypatch, capsys
):
    names = []
    monkeypatch.setenv("ZENML_LOGGING_VERBOSITY", "")

    class Zenml:
        def list_pipeline_runs(self, **chosen):
            names.append(chosen["pipeline_name"])
            return SimpleNamespace(items=[], total=1234 if names[-1] == "scoring" else 0)

    monkeypatch.setattr(zenml_is_there, "Client", Zenml)

    assert list_runs.main([]) == 0

    assert names == ["notequals:scoring", "scoring"]
    assert (
        "1,234 answers of the deployed pipeline are left out: --pipeline scoring."
        in capsys.readouterr().out
    )


def test_a_fresh_version_is_described_and_a_described_one_left_alone(trained, monkeypatch):
    tagged, logged, updated = [], [], []
    model = SimpleNamespace(description="Who leaves the gym.")
    version = SimpleNamespace(id="v", description=model.description, model=model)

    class Known:
        def get_model_version(self, name, number):
            assert (name, number) == ("gym-churn", "7")
            return version

        def update_model_version(self, name, identifier, *, description, add_tags):
            version.description = description
            updated.append((name, identifier, add_tags))

    monkeypatch.setattr("zenml.client.Client", Known)
    monkeypatch.setattr(
        "zenml.log_metadata", lambda metadata, **run: logged.append((metadata, run))
    )
    monkeypatch.setattr("zenml.utils.tag_utils.add_tags", lambda **given: tagged.append(given))
    run = SimpleNamespace(id="r")

    label_run(run, trained)
    label_run(run, trained)

    assert updated == [("gym-churn", "v", [trained.training.selection.chosen, "full"])]
    assert version.description == version_description(trained)
    names = [tag.name for tag in tagged[0]["tags"]]
    assert names == [f"{kind}: {value}" for kind, value in run_tags(trained)]
    assert logged[0] == (run_metadata(trained), {"run_id_name_or_prefix": "r"})


def test_a_run_that_cannot_be_labelled_is_what_it_came_to_all_the_same(
    trained, monkeypatch, caplog
):
    def refuses(**given):
        raise ValueError("no more\ntags")

    monkeypatch.setattr("zenml.utils.tag_utils.add_tags", refuses)

    label_run(SimpleNamespace(id="r"), trained)

    messages = [record.getMessage() for record in caplog.records if record.name == "churn.progress"]
    assert messages == ["the run could not be labelled: ValueError: no more tags"]
