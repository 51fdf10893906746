import json
import subprocess
import sys

import pytest
from pydantic import TypeAdapter, ValidationError

from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    LogisticSettings,
    RecipeSettings,
    SplineLogisticSettings,
    default_recipes,
)

RECIPE = TypeAdapter(RecipeSettings)


def test_the_kind_says_which_settings_are_meant():
    kinds = {
        "logistic": LogisticSettings,
        "spline_logistic": SplineLogisticSettings,
        "gbm": GbmSettings,
    }
    for kind, settings in kinds.items():
        assert RECIPE.validate_python({"kind": kind}) == settings()
    blend = RECIPE.validate_python({"kind": "blend", "members": ["a", "b"]})
    assert blend == BlendSettings(members=("a", "b"))


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "forest"},
        {"kind": "gbm", "tres": 10},
        {"kind": "gbm", "trees": 0},
        {"kind": "gbm", "trees": "400"},
        {"kind": "gbm", "trees": 10.5},
        {"kind": "gbm", "depth": 9},
        {"kind": "gbm", "column_share": 0},
        {"kind": "gbm", "column_share": 1.1},
        {"kind": "gbm", "monotone_tenure": "yes"},
        {"kind": "logistic", "c": 0},
        {"kind": "logistic", "c": float("nan")},
        {"kind": "logistic", "c": float("inf")},
        {"kind": "logistic", "class_weight": "heavy"},
        {"kind": "logistic", "features": ["weather"]},
        {"kind": "logistic", "features": ["tenure", "tenure"]},
        {"kind": "spline_logistic", "knots": 1},
        {"kind": "blend"},
        {"kind": "blend", "members": ["a"]},
        {"kind": "blend", "members": ["a", "a"]},
        {"members": ["a", "b"]},
    ],
)
def test_what_is_not_a_recipe_is_refused(content):
    with pytest.raises(ValidationError):
        RECIPE.validate_python(content)


def test_settings_survive_json_and_cannot_be_changed():
    for settings in default_recipes().values():
        assert RECIPE.validate_json(json.dumps(settings.model_dump(mode="json"))) == settings
        with pytest.raises(ValidationError):
            settings.kind = "other"


def test_the_defaults_are_the_shipped_recipes_and_nobody_can_spoil_them():
    default_recipes().pop("gbm")
    assert list(default_recipes()) == [
        "logistic",
        "logistic_balanced",
        "spline_logistic",
        "gbm",
        "blend",
    ]


def test_settings_load_no_library_of_models(root):
    program = (
        "import sys, churn.models.recipe_settings; "
        "print(sorted({'numpy', 'pandas', 'sklearn', 'lightgbm', 'scipy'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
