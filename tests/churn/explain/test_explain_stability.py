"""Stability of reasons: measured against refits, the same for the same seed, cheap to widen."""

import numpy as np
import pytest
from pydantic import ValidationError

from churn.explain.explanation_settings import ExplanationSettings
from churn.explain.reason_stability import ReasonStability, jaccard, reason_stability
from churn.explain.reasons import reason_codes
from churn.features.encoding import take
from churn.models.recipe_catalog import build_candidates
from churn.models.recipe_settings import SplineLogisticSettings

RECIPES = {"spline": SplineLogisticSettings()}


@pytest.fixture(scope="module")
def candidate(contract):
    return build_candidates(["spline"], RECIPES, contract)["spline"]


@pytest.fixture(scope="module")
def model(candidate, telco_columns, telco_target):
    return candidate.fit(telco_columns, telco_target)


def plan(**changes) -> ExplanationSettings:
    return ExplanationSettings.model_validate({"samples": 3, "customers": 200} | changes)


class Fixed:
    """A recipe that gives the same model whatever it is shown."""

    name = "fixed"

    def __init__(self, model):
        self.model = model

    def fit(self, _columns, _target):
        return self.model


@pytest.fixture(scope="module")
def stability(candidate, model, telco_columns, telco_target, contract):
    return reason_stability(candidate, model, telco_columns, telco_target, contract, plan())


def test_real_refits_keep_many_first_reasons_and_not_all(stability):
    assert (stability.samples, stability.training_rows, stability.customers) == (3, 7043, 200)
    assert 0.4 < stability.first_same_lowest <= stability.first_same < 1
    assert 0.4 < stability.overlap_lowest <= stability.overlap < 1
    assert stability.set_same < stability.overlap
    assert f"{stability.first_same:.0%} of customers the same first reason" in stability.sentence


def test_the_figures_are_those_of_refits_made_by_hand(
    stability, candidate, model, telco_columns, telco_target, contract
):
    shown = take(telco_columns, np.linspace(0, 7042, 200).astype(int))
    own = reason_codes(model, shown, contract)
    first, overlap = [], []
    for sample in range(3):
        draw = np.random.default_rng([7, sample]).integers(7043, size=7043)
        refit = candidate.fit(take(telco_columns, draw), telco_target[draw])
        other = reason_codes(refit, shown, contract)
        for row in range(200):
            mine = [each.column for each in own[row].reasons]
            theirs = [each.column for each in other[row].reasons]
            first.append(mine[:1] == theirs[:1])
            overlap.append(len({*mine} & {*theirs}) / len({*mine} | {*theirs}))

    assert stability.first_same == pytest.approx(np.mean(first))
    assert stability.overlap == pytest.approx(np.mean(overlap))


def test_a_recipe_that_does_not_move_is_wholly_stable(model, telco_columns, telco_target, contract):
    found = reason_stability(Fixed(model), model, telco_columns, telco_target, contract, plan())

    assert found.first_same == found.first_steady == found.set_same == found.overlap == 1
    assert "100% of customers" in found.sentence


def test_the_same_seed_gives_the_same_figures_and_json_keeps_them(
    stability, candidate, model, telco_columns, telco_target, contract
):
    again = reason_stability(candidate, model, telco_columns, telco_target, contract, plan())

    assert again == stability
    assert ReasonStability.model_validate_json(stability.model_dump_json()) == stability


def test_customers_without_any_reason_agree():
    ours = [[], [], ["tenure", "Contract"], ["tenure"]]
    theirs = [[], ["tenure"], ["Contract", "tenure"], ["tenure", "Contract"]]

    assert jaccard(ours, theirs).tolist() == [1, 0, 1, 0.5]


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"customers": 1}, {"top": 0}, {"tops": 3}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        plan(**wrong)
