"""Candidates of a run, built from a step's parameters."""

from typing import Any

from churn.contract import DataContract
from churn.frozen_model import FrozenModel
from churn.models.candidate import Candidate
from churn.models.recipe_settings import RecipeSettings
from churn.tuning.tuned_recipes import build_candidates


class RecipeParameters(FrozenModel):
    """Candidates to train, in order, and the recipe of each name."""

    candidates: tuple[str, ...]
    recipes: dict[str, RecipeSettings]


def candidates_from_parameters(
    recipes: dict[str, Any], contract: DataContract
) -> dict[str, Candidate]:
    """Returns the candidates of the run by name, in the order of the settings."""
    parameters = RecipeParameters.model_validate(recipes)
    return build_candidates(parameters.candidates, parameters.recipes, contract)
