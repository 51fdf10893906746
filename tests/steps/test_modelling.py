"""From a split table to a judged, explained and reported model."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from churn.errors import ChurnError
from churn.reports.model_card.card_page import model_card_markdown


def test_score_candidates_scores_each_development_row_once_a_candidate(split, out_of_fold, recipes):
    assert recipes["candidates"]
    for name in recipes["candidates"]:
        scores = out_of_fold.mean_logit(name)
        assert scores.shape == split.development.shape
        assert np.isfinite(scores).all()


def test_select_model_chooses_one_of_the_candidates(selection, recipes):
    assert selection.chosen in recipes["candidates"]
    assert selection.chosen in selection.sentence


def test_measure_protocol_puts_an_interval_on_each_recipe(protocol, recipes):
    assert sorted(each.name for each in protocol.candidates) == recipes["candidates"]
    for each in protocol.candidates:
        assert each.roc_auc_interval.lower < each.metrics.roc_auc < each.roc_auc_interval.upper
        assert each.metrics.roc_auc > 0.83


def test_measure_nested_judges_recipes_on_every_row(customers, recipes, settings):
    from steps.modelling.measure_nested import measure_nested

    plan = {**settings["protocol"]}
    baseline, _ = plan.pop("baseline"), plan.pop("frozen_recipe")
    plain = recipes | {"candidates": ["logistic"]}

    report = measure_nested.entrypoint(customers, plain, plan, baseline, 1)

    assert report.rows == customers.rows
    assert report.ranking[0].name == "logistic"


def test_tune_recipes_keeps_the_best_of_its_trials(customers, split):
    from steps.modelling.tune_recipes import tune_recipes

    little = {"kind": "tuned_gbm", "trials": 2, "most_trees": 25, "inner_folds": 2}
    recipes = {"candidates": ["tuned_gbm"], "recipes": {"tuned_gbm": little}}

    (search,) = tune_recipes.entrypoint(customers, split, recipes).reports

    assert len(search.trials) == 2
    assert search.best_value == min(each.value for each in search.trials if each.value is not None)


def test_train_model_fits_the_chosen_recipe_and_nothing_else(model, selection, customers, split):
    assert model.recipe == selection.chosen
    assert model.data_sha256 == customers.source.sha256


def test_evaluate_model_measures_the_gate_rows(evaluation, model, split):
    assert evaluation.model == model.recipe
    assert evaluation.metrics.rows == len(split.gate)
    assert 0.8 < evaluation.metrics.roc_auc < 0.9


def test_choose_threshold_contacts_some_and_not_all(threshold):
    assert 0 < threshold.threshold < 1
    assert 0 < threshold.chosen.campaign.share < 1


def test_measure_slices_measures_the_large_groups(slices):
    assert {"measured"} < {each.verdict for each in slices.slices}


def test_explain_model_orders_columns_by_strength(explanation, customers):
    strengths = [each.strength for each in explanation.importance]

    assert strengths == sorted(strengths, reverse=True)
    assert explanation.importance[0].column in {each.name for each in customers.contract.features}


def test_measure_stability_counts_reasons_that_stay(stability, settings):
    assert stability.samples == settings["explanation"]["samples"]
    assert 0 < stability.first_same <= 1


@pytest.fixture
def tracked(monkeypatch, report, tmp_path):
    """An MLflow run that somebody has begun, and the page that ZenML would have stored."""
    import mlflow

    from materializers.report_visualizations import PAGE
    from steps.modelling import track_run

    (tmp_path / PAGE).write_text("<p>The report.</p>", encoding="utf-8")
    here = SimpleNamespace(inputs={"report": [SimpleNamespace(uri=str(tmp_path))]})
    monkeypatch.setattr(track_run, "get_step_context", lambda: here)
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)  # set by the next line, too
    mlflow.set_tracking_uri(address)
    experiment = mlflow.create_experiment("steps", artifact_location=str(tmp_path / "artifacts"))
    with mlflow.start_run(experiment_id=experiment) as run:
        yield run.info.run_id
    mlflow.set_tracking_uri(None)  # any address would be created at the next call


def test_track_run_fills_the_run_that_is_open(tracked, model, report, settings):
    import mlflow

    from steps.modelling.track_run import track_run

    created = mlflow.get_experiment_by_name("steps").creation_time
    run_id = track_run.entrypoint(model, report, settings, experiment=f"1@{created}")

    assert run_id == tracked
    run = mlflow.get_run(tracked)
    assert run.data.params["workers"] == "1"
    assert run.data.metrics == pytest.approx(report.figures)
    assert len(run.outputs.model_outputs) == 1
    page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/training_report.html")
    assert page == "<p>The report.</p>"


def test_a_tracker_that_was_pointed_at_another_database_meanwhile_gets_nothing(
    tracked, model, report, settings
):
    import mlflow

    from steps.modelling.track_run import track_run

    with pytest.raises(ChurnError, match="pointed this stack's experiment tracker at another"):
        track_run.entrypoint(model, report, settings, experiment="1@1")

    run = mlflow.get_run(tracked)
    assert run.data.params == run.data.metrics == {}


def test_run_deepchecks_judges_table_split_and_model(customers, split, model):
    if find_spec("deepchecks") is None:  # looked up: an import would phone home
        pytest.skip("needs the extra 'deep' or 'stacks'")
    from steps.modelling.run_deepchecks import run_deepchecks

    small = {"maximum_rows": 200, "segment_features": 2}
    report = run_deepchecks.entrypoint(customers, split, model, small)

    assert report.held <= len(report.findings)
    assert len(report.findings) > 20


def test_write_report_says_what_the_steps_before_have_found(
    report, evaluation, decision, selection
):
    assert report.gate_rows is evaluation
    assert report.decision is decision
    assert any(selection.chosen in sentence for sentence in report.sentences)


def test_write_model_card_speaks_of_model_and_purpose(card, settings):
    text = model_card_markdown(card)

    assert settings["model"]["audience"] in text
    assert f"{card.report.gate_rows.metrics.roc_auc:.4f}" in text
