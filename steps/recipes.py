"""What the settings say of candidates, turned from a step's parameters into the domain's objects."""

from typing import Any

from churn.contract import DataContract
from churn.frozen_model import FrozenModel
from churn.models.candidate import Candidate
from churn.models.recipe_settings import RecipeSettings
from churn.tuning.tuned_recipes import build_candidates


class Recipes(FrozenModel):
    """Which candidates are trained, in which order, and what each name stands for."""

    candidates: tuple[str, ...]
    recipes: dict[str, RecipeSettings]


def candidates_from_parameters(
    recipes: dict[str, Any], contract: DataContract
) -> dict[str, Candidate]:
    """All candidates of the run, by name, in the order of the settings."""
    asked = Recipes.model_validate(recipes)
    return build_candidates(asked.candidates, asked.recipes, contract)
