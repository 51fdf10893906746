import json

import pytest
from pydantic import TypeAdapter, ValidationError

from churn.models.recipe_settings import (
    RecipeSettings,
    TabularNetSettings,
    TunedGbmSettings,
    TunedTabularNetSettings,
    deep_recipes,
    default_recipes,
    expensive_recipes,
)

RECIPE = TypeAdapter(RecipeSettings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"kind": "tuned_gbm", "space": {"depth": {"low": 4, "high": 2}}}, "must not lie above"),
        ({"kind": "tuned_gbm", "space": {"depth": {"low": 2, "high": 9}}}, "space.depth reaches 9"),
        ({"kind": "tuned_gbm", "space": {"depth": {"low": 2.5, "high": 3}}}, "valid integer"),
        ({"kind": "tuned_gbm", "space": {"colour": {"low": 1, "high": 2}}}, "not permitted"),
        (
            {"kind": "tuned_gbm", "space": {"l2": {"low": 0.0, "high": 1.0, "log": True}}},
            "begin above 0",
        ),
        (
            {"kind": "tuned_tabular_net", "space": {"dropout": {"low": 0.0, "high": 1.0}}},
            "space.dropout reaches 1",
        ),
        ({"kind": "tuned_gbm", "trials": 0}, "greater than or equal to 1"),
        ({"kind": "tuned_gbm", "storage": ""}, "at least 1 character"),
        ({"kind": "tuned_gbm", "base": {"kind": "tabular_net"}}, "gbm"),
        ({"kind": "tabular_net", "networks": 1}, "greater than or equal to 2"),
        ({"kind": "tabular_net", "dropout": 1.0}, "less than 1"),
        ({"kind": "tabular_net", "device": "cuda:0"}, "auto"),
        ({"kind": "tabular_net", "validation_share": 0.0}, "greater than 0"),
    ],
)
def test_what_cannot_be_searched_or_trained_is_refused(content, message):
    with pytest.raises(ValidationError, match=message):
        RECIPE.validate_python(content)


def test_a_part_of_a_space_can_be_named():
    settings = RECIPE.validate_python(
        {"kind": "tuned_gbm", "trials": 5, "space": {"depth": {"low": 2, "high": 3}}}
    )
    assert settings.space.depth.high == 3
    assert settings.space.l2 == TunedGbmSettings().space.l2
    assert list(settings.space.ranges) == [
        "depth", "learning_rate", "minimum_leaf_rows", "l2", "column_share",
    ]  # fmt: skip


def test_deep_recipes_survive_json_stand_beside_the_default_ones_and_cannot_be_changed():
    recipes = deep_recipes()
    assert not set(recipes) & set(default_recipes())
    for settings in recipes.values():
        assert RECIPE.validate_json(json.dumps(settings.model_dump(mode="json"))) == settings
        with pytest.raises(ValidationError):
            settings.kind = "other"
    assert set(recipes["deep_blend"].members) <= {*default_recipes(), *recipes}


def test_every_default_lies_in_its_own_space():
    for tuned, base in (
        (TunedGbmSettings(), TunedGbmSettings().base),
        (TunedTabularNetSettings(), TabularNetSettings()),
    ):
        assert tuned.space.ranges
        for name, searched in tuned.space.ranges.items():
            assert searched.low <= getattr(base, name) <= searched.high


def test_what_takes_seconds_a_fit_is_known_before_it_is_fitted():
    recipes = default_recipes() | deep_recipes()
    assert expensive_recipes(recipes) == tuple(deep_recipes())
    assert expensive_recipes(default_recipes()) == ()
