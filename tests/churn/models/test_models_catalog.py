from dataclasses import dataclass, field

import numpy as np
import pytest

from churn.contract import Role
from churn.errors import InputError
from churn.models.blend import BlendCandidate
from churn.models.recipe_catalog import build_candidates, fit_all, left_out
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    LogisticSettings,
    default_recipes,
)


@dataclass
class Counting:
    """A candidate that says the same to everybody and counts its fits."""

    name: str
    answer: float
    fits: list = field(default_factory=list)

    def fit(self, columns, target):  # noqa: ARG002
        self.fits.append(len(target))
        return Constant(self.answer)


@dataclass(frozen=True)
class Constant:
    answer: float
    kind: str = "constant"
    features: tuple = ("tenure",)
    base: float = 0.0

    def logit(self, columns):
        return np.full(len(columns["tenure"]), self.answer)


ROWS = {"tenure": np.arange(4.0)}
TARGET = np.array([0, 1, 0, 1], dtype=np.int8)


def test_candidates_come_in_the_order_they_are_named(contract):
    names = ["blend", "gbm", "logistic", "spline_logistic"]
    built = build_candidates(names, default_recipes(), contract)
    assert list(built) == names
    assert [candidate.name for candidate in built.values()] == names


def test_a_blend_shares_its_members_with_the_rest(contract):
    built = build_candidates(["blend", "gbm"], default_recipes(), contract)
    assert isinstance(built["blend"], BlendCandidate)
    assert built["blend"].members[1] is built["gbm"]
    assert built["blend"].members[0].name == "spline_logistic"


@pytest.mark.parametrize("order", [("a", "b", "both"), ("both", "b", "a"), ("both",)])
def test_every_recipe_is_fitted_once_wherever_the_blend_stands(order):
    members = (Counting("a", 1.0), Counting("b", 2.0))
    every = {"a": members[0], "b": members[1], "both": BlendCandidate("both", members)}
    fitted = fit_all({name: every[name] for name in order}, ROWS, TARGET)

    assert list(fitted) == list(order)
    assert [len(member.fits) for member in members] == [1, 1]
    assert fitted["both"].logit(ROWS).tolist() == [1.5] * 4


def test_a_candidate_of_a_members_name_is_not_taken_for_the_member():
    member, namesake = Counting("a", 1.0), Counting("a", 9.0)
    blend = BlendCandidate("both", (member, Counting("b", 3.0)))
    fitted = fit_all({"a": namesake, "both": blend}, ROWS, TARGET)
    assert fitted["both"].logit(ROWS).tolist() == [2.0] * 4


def test_an_unknown_recipe_is_refused(contract):
    with pytest.raises(InputError, match=r"'net' is not defined; the recipes are logistic, log"):
        build_candidates(["logistic", "net"], default_recipes(), contract)


def test_a_blend_without_its_member_is_refused(contract):
    recipes = {"logistic": LogisticSettings(), "mix": BlendSettings(members=("logistic", "net"))}
    with pytest.raises(InputError, match=r"'mix' names the member 'net', which is not among"):
        build_candidates(["mix"], recipes, contract)


def test_a_blend_of_blends_is_refused(contract):
    recipes = default_recipes() | {"mix": BlendSettings(members=("logistic", "blend"))}
    with pytest.raises(InputError, match="'blend', which is a blend itself"):
        build_candidates(["mix"], recipes, contract)


def without_role(contract, role):
    return contract.model_copy(
        update={
            "columns": tuple(
                column.model_copy(update={"roles": tuple(r for r in column.roles if r != role)})
                for column in contract.columns
            )
        }
    )


def test_a_contract_without_tenure_has_nothing_to_be_monotone_in(contract):
    built = build_candidates(["gbm"], default_recipes(), without_role(contract, Role.TENURE))
    assert built["gbm"].falling == ()
    assert build_candidates(["gbm"], default_recipes(), contract)["gbm"].falling == ("tenure",)


def test_a_feature_group_the_contract_cannot_fill_is_left_out_and_said(contract):
    recipes = {"logistic": LogisticSettings(features=("commitment",))}
    built = build_candidates(["logistic"], recipes, without_role(contract, Role.CONTRACT_TERM))
    assert built["logistic"].inputs.engineered.names == ()
    (sentence, *_) = left_out(built)
    assert sentence.startswith("Recipe 'logistic': ")
    assert "is left out: it needs" in sentence
    assert "'contract_term', and contract 'telco' has none." in sentence


def test_a_group_that_can_be_filled_in_part_says_what_is_left_out(contract):
    recipes = {"logistic": LogisticSettings(features=("revenue",))}
    poor = without_role(contract, Role.TOTAL_CHARGE)
    recipes |= {"gbm": GbmSettings(), "mix": BlendSettings(members=("logistic", "gbm"))}
    built = build_candidates(["logistic", "mix"], recipes, poor)
    assert built["logistic"].inputs.engineered.names == ("charge_per_service",)
    sentences = left_out(built)
    assert len(sentences) == 3
    assert sentences[0].startswith("Recipe 'logistic': 'average_charge' is left out: it needs")
    assert left_out({"toy": Counting("toy", 1.0)}) == ()


@pytest.mark.parametrize("name", ["logistic", "spline_logistic", "gbm", "blend"])
@pytest.mark.parametrize("outcome", [0, 1])
def test_rows_of_one_outcome_teach_nothing(contract, telco_columns, name, outcome):
    candidate = build_candidates([name], default_recipes(), contract)[name]
    few = {column: values[:50] for column, values in telco_columns.items()}
    with pytest.raises(
        InputError, match=rf"cannot learn from 50 rows of which {50 * outcome} left"
    ):
        candidate.fit(few, np.full(50, outcome, dtype=np.int8))
