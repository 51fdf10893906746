"""A recipe with balanced weights: what the report says of its probabilities is what is served.

Its scores say 84% where two in three leave. The shift that takes that back is a part of the model.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, logit

from churn.errors import InputError
from churn.evaluation.calibration import assess_calibration
from churn.evaluation.final_threshold import final_threshold
from churn.evaluation.recalibration import Recalibration
from churn.features.encoding import encode, encode_target, take
from churn.retention.value_settings import ThresholdSettings, ValueSettings
from churn.scoring import Scorer
from churn.scoring.bundle import Threshold, write_bundle

RECIPE = "logistic_balanced"


@pytest.fixture(scope="module")
def balanced(customers, split, settings):
    """Everything that the training steps return for this recipe."""
    from steps.modelling.choose_threshold import choose_threshold
    from steps.modelling.evaluate_model import evaluate_model
    from steps.modelling.measure_slices import measure_slices
    from steps.modelling.recalibrate_scores import recalibrate_scores
    from steps.modelling.score_candidates import score_candidates
    from steps.modelling.select_model import select_model
    from steps.modelling.train_model import train_model

    recipes = {"candidates": [RECIPE], "recipes": {RECIPE: settings["recipes"][RECIPE]}}
    scored = score_candidates.entrypoint(customers, split, recipes, settings["selection"], 1)
    selection = select_model.entrypoint(scored, RECIPE, settings["selection"])
    recalibration = recalibrate_scores.entrypoint(scored, selection, settings["threshold"])
    model = train_model.entrypoint(customers, split, selection, recalibration, recipes)
    evaluation = evaluate_model.entrypoint(
        customers, split, model, recipes, RECIPE, settings["evaluation"]
    )
    threshold = choose_threshold.entrypoint(
        customers, split, scored, recalibration, model, settings["value"], settings["threshold"]
    )
    return SimpleNamespace(
        scored=scored, recalibration=recalibration, model=model, evaluation=evaluation,
        threshold=threshold,
        slices=measure_slices.entrypoint(customers, split, model, threshold, settings["slices"]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def scorer(balanced, customers, split, tmp_path_factory):
    """Loaded from the bundle of that model."""
    columns = take(encode(customers.frame, customers.contract), split.development)
    threshold = Threshold(value=balanced.threshold.threshold, basis=balanced.threshold.basis)
    folder = tmp_path_factory.mktemp("bundle") / "1"
    return Scorer.load(
        write_bundle(
            folder, balanced.model, columns, name="churn", version="1", threshold=threshold,
            metrics={},
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def gate(customers, split):
    """Feature columns and outcomes of the gate rows."""
    columns = take(encode(customers.frame, customers.contract), split.gate)
    return columns, encode_target(customers.frame, customers.contract)[split.gate]


def test_the_bundle_serves_what_the_report_announces(balanced, scorer, customers):
    line = balanced.recalibration.map
    fitted = balanced.model.model.fitted
    columns = encode(customers.frame, customers.contract)
    raw = expit(fitted.logit(columns))
    place = int(np.argmin(np.abs(raw - 0.837)))
    row = customers.frame.drop(columns="Churn").iloc[place].to_dict()

    served = scorer.score_one(row)

    assert "a shift on the log-odds is applied" in balanced.recalibration.sentence
    assert line.intercept == pytest.approx(-0.995, abs=0.02)
    assert raw[place] == pytest.approx(0.837, abs=0.001)
    assert served.probability == pytest.approx(0.655, abs=0.006)
    assert served.logit == pytest.approx(logit(raw[place]) + line.intercept, abs=1e-12)
    assert scorer.manifest.model.recalibration == line


def test_gates_slices_and_threshold_judge_the_served_score(balanced, scorer, gate):
    columns, left = gate
    served = scorer.score_many(columns)
    error = assess_calibration(left, served.probability, seed=0)
    raw = assess_calibration(left, expit(balanced.model.model.fitted.logit(columns)), seed=0)

    assert raw.ece == pytest.approx(0.171, abs=0.005)
    assert error.ece < 0.05
    assert balanced.evaluation.reliability.ece == error.ece
    chosen = balanced.threshold.gate.chosen
    assert chosen.threshold == scorer.threshold
    assert chosen.contacted == int(served.decision.sum())
    assert balanced.slices.threshold == scorer.threshold


def test_the_error_that_is_reported_comes_from_rows_that_did_not_fit_the_shift(balanced):
    scores, left = balanced.scored.mean_logit(RECIPE), balanced.scored.target
    fitted_on_all = assess_calibration(
        left, expit(balanced.recalibration.map.apply(scores)), seed=0
    )

    reported = balanced.recalibration.served.reliability

    assert reported.ece != fitted_on_all.ece
    assert reported.ece == pytest.approx(0.012, abs=0.006)
    assert reported.ece < reported.noise_upper < 0.02


def test_reasons_sum_to_the_served_log_odds(balanced, scorer, customers):
    rows = customers.frame.drop(columns="Churn").iloc[::700].to_dict(orient="records")
    for row in rows:
        found = scorer.explain(row)
        total = found.base + sum(found.contributions.values())
        assert total == pytest.approx(scorer.score_one(row).logit, abs=1e-9)


def test_reasons_of_refits_are_scaled_as_the_models_own(
    balanced, customers, split, settings, monkeypatch
):
    from steps.modelling import measure_stability

    seen = []

    def remember(candidate, *_):
        seen.append(candidate)
        return SimpleNamespace(first_same=1.0, overlap=1.0, samples=1)

    monkeypatch.setattr(measure_stability, "reason_stability", remember)
    recipes = {"candidates": [RECIPE], "recipes": {RECIPE: settings["recipes"][RECIPE]}}

    measure_stability.measure_stability.entrypoint(
        customers, split, balanced.model, recipes, settings["explanation"]
    )

    (candidate,) = seen
    assert (candidate.name, candidate.map) == (RECIPE, balanced.recalibration.map)


def test_a_report_does_not_announce_what_the_model_does_not_serve(balanced, customers, split):
    # Given a model that was trained without the shift
    without = Recalibration(trials=balanced.recalibration.trials)

    for recalibration, model in (
        (balanced.recalibration, SimpleNamespace(recipe=RECIPE, recalibration=without.map)),
        (without, balanced.model),
    ):
        with pytest.raises(InputError, match="not trained with the recalibration of its scores"):
            final_threshold(
                customers, split, balanced.scored, recalibration, model,
                value=ValueSettings(), settings=ThresholdSettings(),
            )  # fmt: skip
