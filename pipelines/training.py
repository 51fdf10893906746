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
from steps.modelling.recalibrate_scores import recalibrate_scores
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

Artifacts = dict[str, Any]
"""Outputs of steps by the name of the step input that takes them."""


@pipeline(name="training")
def training(
    settings: dict[str, Any],
    data: dict[str, Any],
    folders: dict[str, str],
    tracker: dict[str, str] | None,
    validator: str | None = None,
) -> None:
    """Wires the steps; `settings` are `TrainingSettings`, `data` is the runner's `TableInput`.

    `tracker` has the name of the stack's experiment tracker and the identity of the experiment there;
    a stack without one does not track the run, and one without a `validator` validates nothing.
    """
    recipes = _recipes(settings, TrainingSettings.from_mapping(settings).candidates, folders)
    table, accepted = _accept_table(settings, data, folders, validator)
    customers, split = table["customers"], table["split"]
    workers, baseline = settings["workers"], settings["protocol"]["baseline"]
    out_of_fold = score_candidates(
        customers, split, recipes, settings["selection"], workers, after=accepted
    )
    selection = select_model(out_of_fold, baseline, settings["selection"])
    measured = _measure_recipes(settings, folders, customers, split, accepted)
    recalibration = recalibrate_scores(out_of_fold, selection, settings["threshold"])
    model = train_model(customers, split, selection, recalibration, recipes)
    evaluation = evaluate_model(customers, split, model, recipes, baseline, settings["evaluation"])
    judged = _judge_model(
        settings, recipes, customers=customers, split=split, out_of_fold=out_of_fold,
        recalibration=recalibration, model=model, evaluation=evaluation, measured=measured,
    )  # fmt: skip
    report = write_report(
        **table, **measured, **judged, selection=selection, evaluation=evaluation,
        labels={
            "model_name": settings["model"]["name"],
            "profile": settings["profile"],
            "frozen_recipe": settings["protocol"]["frozen_recipe"],
            "recipes": recipes,
        },
    )  # fmt: skip
    card = write_model_card(customers, report, settings["model"], settings["data"]["contract"])
    register_model(
        model=model, selection=selection, protocol=measured["protocol"], evaluation=evaluation,
        decision=judged["decision"], report=report, registration=settings["model"],
        tracked_run=_track(settings, tracker, model, report), after=card,
    )  # fmt: skip


def _recipes(
    settings: dict[str, Any], names: tuple[str, ...], folders: dict[str, str]
) -> dict[str, Any]:
    """Returns recipes as a step's parameters; searches are stored, so that they can be resumed."""
    recipes = {
        name: {**recipe, "storage": recipe.get("storage") or folders["searches"]}
        if recipe["kind"] in TUNED
        else recipe
        for name, recipe in settings["recipes"].items()
    }
    return {"candidates": list(names), "recipes": recipes}


def _accept_table(
    settings: dict[str, Any], data: dict[str, Any], folders: dict[str, str], validator: str | None
) -> tuple[Artifacts, list[Any]]:
    """Acquires, checks and splits the table; returns it, and what fitting has to wait for."""
    customers = acquire_data(**data, cache_folder=folders["downloads"])
    quality = check_quality(customers, settings["data"]["on_shift"])
    accepted = accept_data(customers, quality, folders["snapshots"])
    split = split_rows(customers, **settings["split"], after=accepted)
    gates = [accepted]
    if validator is not None:
        gates.append(accept_validation(validate_with_stack(customers, split, validator)))
    return {"customers": customers, "quality": quality, "split": split}, gates


def _measure_recipes(
    settings: dict[str, Any], folders: dict[str, str], customers: Any, split: Any, after: list[Any]
) -> Artifacts:
    """Cross-validates the recipes, the expensive ones on the first repeat, and tunes those."""
    options, workers = TrainingSettings.from_mapping(settings), settings["workers"]
    plan = dict(settings["protocol"])
    baseline, frozen_recipe = plan.pop("baseline"), plan.pop("frozen_recipe")
    cheap = _recipes(settings, options.cheap_candidates, folders)
    measured: Artifacts = {
        "protocol": measure_protocol(
            customers, cheap, plan, baseline, frozen_recipe, workers, after=after
        )
    }
    if options.nested.candidates:
        expensive = _recipes(settings, options.nested.candidates, folders)
        measured["nested"] = measure_nested(
            customers, expensive, plan, baseline, workers, after=after
        )
        if any(options.recipes[name].kind in TUNED for name in options.nested.candidates):
            measured["searches"] = tune_recipes(customers, split, expensive)
    return measured


def _judge_model(
    settings: dict[str, Any],
    recipes: dict[str, Any],
    *,
    customers: Any,
    split: Any,
    out_of_fold: Any,
    recalibration: Any,
    model: Any,
    evaluation: Any,
    measured: Artifacts,
) -> Artifacts:
    """Chooses the threshold, measures slices, explains, and evaluates the gates."""
    threshold = choose_threshold(
        customers,
        split,
        out_of_fold,
        recalibration,
        model,
        settings["value"],
        settings["threshold"],
    )
    judged: Artifacts = {
        "threshold": threshold,
        "slices": measure_slices(customers, split, model, threshold, settings["slices"]),
        "explanation": explain_model(customers, split, model),
        "stability": measure_stability(customers, split, model, recipes, settings["explanation"]),
        "decision": decide_promotion(
            evaluation, measured["protocol"], settings["floors"], measured.get("nested")
        ),
    }
    if settings["validation"] is not None:
        judged["validation"] = run_deepchecks(customers, split, model, settings["validation"])
    return judged


def _track(
    settings: dict[str, Any], tracker: dict[str, str] | None, model: Any, report: Any
) -> Any:
    """Tracks the run on a stack with an experiment tracker; None on another."""
    if tracker is None:
        return None
    experiment = {"experiment_tracker": {"experiment_name": settings["model"]["name"]}}
    configured = track_run.with_options(experiment_tracker=tracker["name"], settings=experiment)
    return configured(model, report, settings, tracker["experiment"])
