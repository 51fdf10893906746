"""Training: acquire, check, split, select, measure, fit, judge, report, track, register."""

from typing import Any

from zenml import pipeline

from churn.settings.pipelines import TrainingSettings
from steps.data.accept_data import accept_data
from steps.data.accept_validation import accept_validation
from steps.data.acquire_data import acquire_data
from steps.data.check_quality import check_quality
from steps.data.split_rows import split_rows
from steps.data.validate_with_stack import validate_with_stack
from steps.modelling.choose_threshold import choose_threshold
from steps.modelling.evaluate_model import evaluate_model
from steps.modelling.explain_model import explain_model
from steps.modelling.measure_nested import measure_nested
from steps.modelling.measure_protocol import measure_protocol
from steps.modelling.measure_slices import measure_slices
from steps.modelling.measure_stability import measure_stability
from steps.modelling.run_deepchecks import run_deepchecks
from steps.modelling.score_candidates import score_candidates
from steps.modelling.select_model import select_model
from steps.modelling.track_run import track_run
from steps.modelling.train_model import train_model
from steps.modelling.tune_recipes import tune_recipes
from steps.modelling.write_model_card import write_model_card
from steps.modelling.write_report import write_report
from steps.promotion.decide_promotion import decide_promotion
from steps.promotion.register_model import register_model

TUNED = ("tuned_gbm", "tuned_tabular_net")


@pipeline(name="training")
def training(
    settings: dict[str, Any],
    data: dict[str, Any],
    folders: dict[str, str],
    tracker: dict[str, str] | None,
    validator: str | None = None,
) -> None:
    """Wires the steps.

    Args:
        settings: `TrainingSettings` as plain values.
        data: The table as the runner resolved it, a `TableInput` as plain values.
        folders: Absolute folders for downloads and snapshots.
        tracker: Name of the stack's experiment tracker and identity of the experiment there;
            without one the run is not tracked.
        validator: Name of the stack's data validator; without one nothing is asked of it.
    """
    asked = TrainingSettings.from_mapping(settings)
    recipes = _recipes(settings, asked.candidates, folders)
    judging = dict(settings["protocol"])
    baseline, frozen_recipe = judging.pop("baseline"), judging.pop("frozen_recipe")
    workers = settings["workers"]

    customers = acquire_data(**data, cache_folder=folders["downloads"])
    quality = check_quality(customers)
    accepted = accept_data(customers, quality, folders["snapshots"])
    split = split_rows(customers, **settings["split"], after=accepted)
    ready = [accepted]
    if validator is not None:
        looked_at = validate_with_stack(customers, split, validator)
        ready.append(accept_validation(looked_at))
    out_of_fold = score_candidates(
        customers, split, recipes, settings["selection"], workers, after=ready
    )
    selection = select_model(out_of_fold, baseline)
    thrifty = _recipes(settings, asked.thrifty, folders)
    protocol = measure_protocol(
        customers, thrifty, judging, baseline, frozen_recipe, workers, after=ready
    )
    nested = searches = None
    if asked.nested.candidates:
        dear = _recipes(settings, asked.nested.candidates, folders)
        nested = measure_nested(customers, dear, judging, baseline, workers, after=ready)
        if any(asked.recipes[name].kind in TUNED for name in asked.nested.candidates):
            searches = tune_recipes(customers, split, dear)
    model = train_model(customers, split, selection, recipes)
    evaluation = evaluate_model(customers, split, model, recipes, baseline, settings["evaluation"])
    threshold = choose_threshold(
        customers, split, selection, out_of_fold, model, settings["value"], settings["threshold"]
    )
    slices = measure_slices(customers, split, model, threshold, settings["slices"])
    explanation = explain_model(customers, split, model)
    stability = measure_stability(customers, split, model, recipes, settings["explanation"])
    decision = decide_promotion(evaluation, protocol, settings["floors"], nested)
    validation = None
    if settings["validation"] is not None:
        validation = run_deepchecks(customers, split, model, settings["validation"])
    report = write_report(
        customers,
        quality,
        split,
        selection,
        protocol,
        evaluation,
        decision,
        threshold,
        slices,
        explanation,
        stability,
        settings["model"]["name"],
        settings["profile"],
        frozen_recipe,
        validation,
        nested,
        searches,
    )
    card = write_model_card(customers, report, settings["model"])
    tracked = None
    if tracker is not None:
        experiment = {"experiment_tracker": {"experiment_name": settings["model"]["name"]}}
        tracked = track_run.with_options(experiment_tracker=tracker["name"], settings=experiment)(
            model, report, settings, tracker["experiment"]
        )
    register_model(
        model,
        selection,
        protocol,
        evaluation,
        decision,
        report,
        settings["model"],
        tracked,
        after=card,
    )


def _recipes(
    settings: dict[str, Any], names: tuple[str, ...], folders: dict[str, str]
) -> dict[str, Any]:
    """Recipes as a step's parameters; searches are kept in the output folder, to go on from."""
    kept = {
        name: {**recipe, "storage": recipe.get("storage") or folders["searches"]}
        if recipe["kind"] in TUNED
        else recipe
        for name, recipe in settings["recipes"].items()
    }
    return {"candidates": list(names), "recipes": kept}
