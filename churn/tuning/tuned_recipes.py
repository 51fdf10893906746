"""From names in a configuration to candidates, tuned ones included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from churn.contract import DataContract
from churn.models import recipe_catalog as catalog
from churn.models.candidate import Candidate
from churn.models.recipe_settings import RecipeSettings, TunedGbmSettings, TunedTabularNetSettings
from churn.tuning.tuned_candidate import TunedCandidate


def build_candidates(
    names: Sequence[str], recipes: Mapping[str, RecipeSettings], contract: DataContract
) -> dict[str, Candidate]:
    """The candidates of some names, in their order; a blend shares its members with the rest.

    Raises:
        InputError: a recipe is unknown, a blend's member is missing or a blend itself, the
            contract lacks roles that a recipe asks for, or a library is missing.
    """
    return catalog.build_candidates(names, recipes, contract, builder=_build)


def _build(name: str, settings: RecipeSettings, contract: DataContract) -> Candidate:
    if isinstance(settings, TunedGbmSettings | TunedTabularNetSettings):
        return TunedCandidate.from_settings(name, settings, contract)
    return catalog.build_single(name, settings, contract)
