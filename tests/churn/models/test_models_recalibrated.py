"""A recalibration is part of the model: in memory, on disk, and for whoever explains it."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from churn.errors import InputError
from churn.models.model_store import load_model, save_model
from churn.models.recalibrated import LogitMap, RecalibratedCandidate, recalibration_of
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import GbmSettings, default_recipes
from churn.models.trained import TrainedModel

LINE = LogitMap(slope=0.8, intercept=-0.6)


@pytest.fixture(scope="module")
def rows(telco_columns, telco_target):
    return {name: values[:1500] for name, values in telco_columns.items()}, telco_target[:1500]


@pytest.fixture(scope="module")
def recipes():
    return default_recipes() | {"gbm": GbmSettings(trees=20)}


def trained(recipes, rows, contract, line, name="blend"):
    candidate = build_candidates([name], recipes, contract)[name]
    return TrainedModel.train(
        RecalibratedCandidate(candidate, line),
        *rows,
        contract=contract,
        data_sha256="ab" * 32,
        settings=recipes[name],
    )


@pytest.fixture(scope="module")
def plain(recipes, rows, contract):
    return trained(recipes, rows, contract, LogitMap())


@pytest.fixture(scope="module")
def corrected(recipes, rows, contract):
    return trained(recipes, rows, contract, LINE)


def test_the_log_odds_are_the_line_on_the_fitted_ones(plain, corrected, rows):
    columns, _ = rows
    expected = LINE.slope * plain.logit(columns) + LINE.intercept

    assert np.array_equal(corrected.logit(columns), expected)
    assert corrected.recalibration == LINE
    assert corrected.recipe == plain.recipe == "blend"


def test_reasons_are_scaled_and_sum_to_the_served_log_odds(plain, corrected, rows):
    columns, _ = rows
    parts = corrected.model.contributions(columns)

    assert np.array_equal(parts, LINE.slope * plain.model.contributions(columns))
    assert corrected.model.base + parts.sum(axis=1) == pytest.approx(
        corrected.logit(columns), abs=1e-9
    )
    assert list(corrected.importance.values()) == pytest.approx(
        [LINE.slope * each for each in plain.importance.values()]
    )


def test_a_map_that_changes_nothing_leaves_the_recipes_own_model(plain):
    assert plain.model.kind == "blend"
    assert plain.recalibration == recalibration_of(plain.model) == LogitMap()


@pytest.mark.parametrize(("name", "additive"), [("logistic", True), ("gbm", False)])
def test_it_is_as_additive_and_exact_as_what_was_fitted(recipes, rows, contract, name, additive):
    model = trained(recipes, rows, contract, LINE, name).model

    assert (model.additive, model.exact) == (additive, True)
    assert model.features == model.fitted.features


def test_a_trained_model_comes_back_with_its_recalibration(corrected, rows, tmp_path):
    corrected.save(tmp_path / "saved")

    again = TrainedModel.load(tmp_path / "saved")

    assert again.recalibration == LINE
    assert np.array_equal(again.logit(rows[0]), corrected.logit(rows[0]))
    assert again.model.base == corrected.model.base


@pytest.mark.parametrize(
    "wrong",
    [
        {"slope": -1.0},
        {"slope": 0},
        {"slope": float("inf")},
        {"intercept": float("nan")},
        {"intercept": "much"},
        {"offset": 1.0},
        {"kind": "forest"},
    ],
)
def test_numbers_that_are_no_recalibration_are_refused(corrected, tmp_path, monkeypatch, wrong):
    folder = tmp_path / "model"
    monkeypatch.setattr("churn.models.model_store.verify_checksums", lambda *_: "recalibrated")
    save_model(corrected.model, folder)
    file = folder / "recalibration.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))

    with pytest.raises(InputError, match="cannot be read"):
        load_model(folder)


def test_a_model_without_its_two_numbers_is_refused(corrected, tmp_path):
    save_model(corrected.model, tmp_path / "model")
    (tmp_path / "model" / "recalibration.json").unlink()

    with pytest.raises(InputError, match=r"recalibration\.json"):
        load_model(tmp_path / "model")


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_a_map_has_finite_numbers(number):
    with pytest.raises(ValidationError):
        LogitMap(intercept=number)
