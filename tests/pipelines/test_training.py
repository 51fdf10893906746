"""Training from the shipped table to a registered model, once through the command line, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from registry.artifacts import Artifact

pytestmark = pytest.mark.slow

STEPS = {
    "acquire_data",
    "check_quality",
    "accept_data",
    "split_rows",
    "select_model",
    "measure_protocol",
    "recalibrate_scores",
    "train_model",
    "evaluate_model",
    "choose_threshold",
    "measure_slices",
    "explain_model",
    "measure_stability",
    "score_candidates",
    "decide_promotion",
    "write_report",
    "track_run",
    "write_model_card",
    "register_model",
}
NOT_MADE = {  # by other pipelines and other stacks, or only with the extra `deep`
    Artifact.NESTED,
    Artifact.TUNING,
    Artifact.VALIDATION,
    Artifact.PAIR,
    Artifact.OUTCOME,
    Artifact.SCORE,
    Artifact.BATCH_REPORT,
    Artifact.MONITORING_REPORT,
    Artifact.PUBLISHED_FIGURES,
    Artifact.FEATURE_BUILD,
    Artifact.FEATURES,
    Artifact.FEAST_REPOSITORY,
    Artifact.DEPLOYMENT_PLAN,
    Artifact.DEPLOYMENT,
    Artifact.DEPLOYMENT_RECORD,
    Artifact.VALIDATOR_REPORT,
    Artifact.VALIDATOR_VERDICT,
    Artifact.SCORED_CUSTOMERS,
    Artifact.REMAINING_MARGIN,
    Artifact.COHORTS,
    Artifact.CAMPAIGN,
    Artifact.CALL_LIST,
    Artifact.RETENTION_REPORT,
    Artifact.ROI_REPORT,
    Artifact.EXPERIMENT,
    Artifact.READOUT,
    Artifact.DELIVERABLES,
}
PICTURES = {
    Artifact.QUALITY_REPORT: {"html"},
    Artifact.SELECTION: {"image"},
    Artifact.PROTOCOL: {"image"},
    Artifact.EVALUATION: {"image"},
    Artifact.DECISION: {"markdown"},
    Artifact.TRAINING_REPORT: {"html"},
    Artifact.CUSTOMERS: {"html"},
    Artifact.MODEL: {"image"},
    Artifact.SPLIT: set(),
    Artifact.RECALIBRATION: {"markdown"},
    Artifact.THRESHOLD: {"image", "markdown"},
    Artifact.SLICES: {"markdown"},
    Artifact.EXPLANATION: {"image"},
    Artifact.STABILITY: {"markdown"},
    Artifact.OUT_OF_FOLD: set(),
    Artifact.MODEL_CARD: {"html", "markdown"},
}


def test_it_completes_and_says_so_in_one_json_object(trained):
    result = trained.result

    assert trained.code == 0, trained.stderr
    assert json.loads(trained.stdout) == result  # nothing before it, nothing after it
    assert (result["pipeline"], result["status"], result["stack"]) == (
        "training",
        "completed",
        "local-mlflow",
    )
    assert (result["model_version"], result["stage"]) == ("1", "staging")
    assert result["error"] is None
    assert result["dashboard"] is None  # no server is connected
    assert result["seconds"] > 1


def test_its_figures_are_those_this_table_is_known_for(trained):
    metrics = trained.result["metrics"]

    assert 0.84 <= metrics["protocol.roc_auc"] <= 0.86
    assert (
        metrics["protocol.roc_auc_lower"]
        < metrics["protocol.roc_auc"]
        < metrics["protocol.roc_auc_upper"]
    )
    assert 0.80 < metrics["gate.roc_auc"] < 0.90
    assert metrics["candidates.blend.roc_auc"] > metrics["candidates.logistic.roc_auc"]
    assert metrics["protocol.ece"] < 0.05
    assert 2.5 < metrics["protocol.lift_at_10"] < 3.5


def test_less_than_the_protocol_is_said_to_be_less(trained):
    said = " ".join(trained.stderr.split())

    assert "Profile demo: these figures are not the protocol's." in said
    assert "(15 splits, 200 resamplings)" in said


def test_every_step_is_shown_as_it_ends(trained):
    for step in STEPS:
        assert f"✓ {step.replace('_', ' ')} " in trained.stderr, step
    assert "Traceback" not in trained.stderr
    assert "warning" not in trained.stderr.lower()


def test_zenml_has_the_whole_run(zenml_run, trained):
    assert zenml_run["status"] == "completed"
    assert zenml_run["stack"] == "local-mlflow"
    assert zenml_run["tags"] == [
        "bundled data",
        "demo",
        "model: blend",
        "stack: local-mlflow",
        "verdict: promote",
    ]
    assert {name: step["status"] for name, step in zenml_run["steps"].items()} == dict.fromkeys(
        STEPS, "completed"
    )
    assert (
        set(zenml_run["artifacts"]) == set(trained.result["artifacts"]) == set(Artifact) - NOT_MADE
    )


@pytest.mark.parametrize("step", sorted(STEPS))
def test_every_step_keeps_what_it_found(zenml_run, step):
    kept = zenml_run["steps"][step]

    assert kept["finding"]


def test_the_domains_seconds_are_a_part_of_the_runs(zenml_run, trained):
    seconds = {name: float(kept["domain_seconds"]) for name, kept in zenml_run["steps"].items()}

    assert min(seconds.values()) >= 0
    assert seconds["measure_protocol"] > 0.1
    assert seconds["measure_protocol"] < sum(seconds.values()) < trained.result["seconds"]


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_every_artifact_of_ours_is_described_and_every_report_drawn(zenml_run, name):
    artifact = zenml_run["artifacts"][name]

    assert len(set(artifact["metadata"]) - {"storage_size"}) >= 2
    assert set(artifact["pictures"]) == PICTURES[name]


def test_every_artifact_lies_where_it_is_said_to_lie(trained):
    assert len(trained.result["artifacts"]) > 10
    for name, result in trained.result["artifacts"].items():
        assert any(Path(result["uri"]).iterdir()), name


def test_the_version_links_everything_it_came_from(zenml_run):
    version = next(each for each in zenml_run["versions"] if each["model"] == "telco-churn-demo")

    assert (version["model"], version["number"], version["stage"]) == (
        "telco-churn-demo",
        1,
        "staging",
    )
    assert {"churn_model", "training_report", "promotion_decision", "protocol_report"} <= set(
        version["artifacts"]
    )
    assert {"recipe", "protocol", "gate_rows", "verdict", "gates", "tracked_run"} <= set(
        version["metadata"]
    )


def test_the_stack_that_the_user_has_set_stays_set(zenml_run):
    assert zenml_run["active_stack"] == "default"


def test_mlflow_has_one_run_with_all_that_was_tried_and_found(tracked, trained):
    assert (tracked["runs"], tracked["status"], tracked["experiment"]) == (
        1,
        "FINISHED",
        "telco-churn-demo",
    )
    assert tracked["metrics"] == pytest.approx(trained.result["metrics"], abs=1e-12)
    assert tracked["parameters"]["profile"] == "demo"
    assert tracked["parameters"]["protocol.repeats"] == "3"
    assert tracked["parameters"]["recipes.gbm.trees"] == "400"
    assert tracked["tags"]["verdict"] == "promote"
    assert tracked["tags"]["status"] == "cleared for staging"
    plots = {"candidates", "differences", "roc", "gains", "reliability", "scores", "profit"}
    plots |= {"campaigns", "importance", "beeswarm", "dependence", "interaction"}
    assert {f"plots/{name}.png" for name in plots} <= set(tracked["files"])
    assert {"training_report.html", "candidates.json"} <= set(tracked["files"])
    assert Path(tracked["place"].removeprefix("file://")).is_relative_to(trained.output)


def test_mlflows_model_scores_like_zenmls_to_the_last_digit(
    tracked, zenml_run, trained, telco, root
):
    assert tracked["columns"] == [column.name for column in telco.contract.features]
    # It brought its own copy of the domain, in one file, and reads no pickle.
    assert not Path(tracked["code"]).is_relative_to(root)
    assert tracked["code"].endswith("/code/churn.zip/churn/__init__.py")
    assert not list(trained.output.rglob("*.pkl"))
    theirs, ours = np.array(tracked["scores"]), np.array(zenml_run["scores"])
    assert len(ours) == telco.rows
    assert np.abs(theirs - ours).max() <= 1e-12
    assert ours.min() < 0.05
    assert ours.max() > 0.5


def test_nothing_is_written_but_into_its_own_folder(
    trained, tracked, untracked, again, command_line
):
    assert list(command_line.typed_in.iterdir()) == []
    for folder in (command_line.root, command_line.root / "churn", command_line.root / "pipelines"):
        assert not {"mlruns", "mlartifacts", "mlflow.db", ".zen"} & {
            path.name for path in folder.iterdir()
        }
    kept = {path.name for path in trained.output.iterdir()}
    assert {"mlflow.db", "mlflow-artifacts", "reports"} <= kept
    # A promotion, asked for by other tests, keeps its own beside it.
    promoted = {
        "alerts.jsonl",
        "production",
        "ledger.db",
        "ledger.db-shm",
        "ledger.db-wal",
        "ledger.db.changing",
    }
    assert kept <= {"mlflow.db", "mlflow-artifacts", "reports"} | promoted
    assert {path.name for path in untracked.output.iterdir()} == {"reports", "snapshots"}


def test_the_report_lies_where_it_is_said_to_lie(trained):
    report = Path(trained.result["report"])

    assert report.parent == trained.output / "reports"
    page = report.read_text(encoding="utf-8")
    assert f"{trained.result['metrics']['protocol.roc_auc']:.4f}" in page
    assert len(list(report.parent.glob(f"{report.name.removesuffix('training.html')}*"))) == 3


def test_without_a_tracker_everything_else_works(untracked, trained):
    result = untracked.result

    assert untracked.code == 0, untracked.stderr
    assert (result["status"], result["stack"], result["stage"]) == ("completed", "local", "staging")
    assert set(result["artifacts"]) == set(Artifact) - NOT_MADE - {Artifact.TRACKED_RUN}
    assert Path(result["report"]).is_file()
    assert not list(untracked.output.rglob("mlflow*"))
    assert "track run" not in untracked.stderr


def test_the_same_customers_from_ibms_file_give_the_same_figures(untracked, trained):
    assert untracked.result["metrics"] == trained.result["metrics"]


def test_a_table_of_ones_own_is_kept_with_where_it_came_from(untracked, original):
    (kept,) = (untracked.output / "snapshots").iterdir()

    assert {path.name for path in kept.iterdir()} == {"customers.parquet", "provenance.json"}
    provenance = json.loads((kept / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["source"]["location"] == str(original)
    assert provenance["rows"] == 7043


def test_running_again_fits_nothing_and_ends_at_the_same_version(again, trained, tracked_runs):
    assert again.code == 0, again.stderr
    # Another version was registered in between; this very model is known all the same.
    assert (again.result["model_version"], again.result["stage"]) == ("1", "staging")
    assert again.result["metrics"] == trained.result["metrics"]
    assert again.result["run_id"] != trained.result["run_id"]
    assert tracked_runs(trained) == 1


def test_running_again_shows_what_came_from_the_cache(again):
    lines = [line for line in again.stderr.splitlines() if line.startswith("  = ")]

    assert len(lines) == len(STEPS) - 1
    assert all(line.endswith("cached") for line in lines)
    assert any("7,043 customers" in line for line in lines)
    assert "✓ register model" in again.stderr
