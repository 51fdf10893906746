"""From names in a configuration to candidates, and from candidates to fitted models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from churn.contract import DataContract
from churn.errors import InputError
from churn.features.encoding import Columns
from churn.models.blend import BlendCandidate
from churn.models.candidate import Candidate, FittedModel, Target
from churn.models.linear.logistic import LogisticCandidate, SplineLogisticCandidate
from churn.models.network.tabular_net import TabularNetCandidate
from churn.models.recipe_inputs import RecipeInputs
from churn.models.recipe_settings import (
    BlendSettings,
    GbmSettings,
    LogisticSettings,
    RecipeSettings,
    SplineLogisticSettings,
    TabularNetSettings,
)
from churn.models.trees.gbm import GbmCandidate

Builder = Callable[[str, RecipeSettings, DataContract], Candidate]
"""Makes the candidate of a recipe that is not a blend."""


def build_single(name: str, settings: RecipeSettings, contract: DataContract) -> Candidate:
    """The candidate of a recipe that is neither a blend nor tuned.

    Raises:
        InputError: the contract lacks roles that the recipe asks for, or a library is missing.
        TypeError: the recipe is a blend or tuned (`churn.tuning.tuned_recipes` builds those).
    """
    if isinstance(settings, LogisticSettings):
        return LogisticCandidate.from_settings(name, settings, contract)
    if isinstance(settings, SplineLogisticSettings):
        return SplineLogisticCandidate.from_settings(name, settings, contract)
    if isinstance(settings, GbmSettings):
        return GbmCandidate.from_settings(name, settings, contract)
    if isinstance(settings, TabularNetSettings):
        return TabularNetCandidate.from_settings(name, settings, contract)
    raise TypeError(f"a recipe of kind '{settings.kind}' is not built here")


def build_candidates(
    names: Sequence[str],
    recipes: Mapping[str, RecipeSettings],
    contract: DataContract,
    *,
    builder: Builder = build_single,
) -> dict[str, Candidate]:
    """The candidates of some names, in their order; a blend shares its members with the rest.

    `builder` makes every candidate that is not a blend.

    Raises:
        InputError: a recipe is unknown, or a blend's member is missing or a blend itself.
    """
    built: dict[str, Candidate] = {}

    def single(name: str) -> Candidate:
        if name not in built:
            built[name] = builder(name, recipes[name], contract)
        return built[name]

    def candidate(name: str) -> Candidate:
        if name not in recipes:
            raise InputError(
                f"Recipe '{name}' is not defined; the recipes are {', '.join(recipes)}. Name one "
                "of them, or define it under recipes in the configuration."
            )
        settings = recipes[name]
        if not isinstance(settings, BlendSettings):
            return single(name)
        _require_members(name, settings, recipes)
        return BlendCandidate(name, tuple(single(member) for member in settings.members))

    return {name: candidate(name) for name in names}


def fit_all(
    candidates: Mapping[str, Candidate], columns: Columns, target: Target
) -> dict[str, FittedModel]:
    """Fits every candidate on the same rows, each recipe once: blends reuse their members' fits.

    Raises:
        InputError: a candidate cannot learn from the rows.
    """
    fitted: dict[int, FittedModel] = {}

    def fit(candidate: Candidate) -> FittedModel:
        # By identity: a candidate of the same name elsewhere may be another recipe.
        if id(candidate) not in fitted:
            fitted[id(candidate)] = (
                candidate.combine([fit(member) for member in candidate.members])
                if isinstance(candidate, BlendCandidate)
                else candidate.fit(columns, target)
            )
        return fitted[id(candidate)]

    return {name: fit(candidate) for name, candidate in candidates.items()}


def left_out(candidates: Mapping[str, Candidate]) -> tuple[str, ...]:
    """One sentence for each engineered column that a recipe asks for and the contract lacks."""
    every: list[Candidate] = []
    for candidate in candidates.values():
        every += candidate.members if isinstance(candidate, BlendCandidate) else [candidate]
    found = [
        f"Recipe '{candidate.name}': {sentence}"
        for candidate in every
        if isinstance(inputs := getattr(candidate, "inputs", None), RecipeInputs)
        for sentence in inputs.engineered.left_out
    ]
    return tuple(dict.fromkeys(found))


def _require_members(
    name: str, settings: BlendSettings, recipes: Mapping[str, RecipeSettings]
) -> None:
    for member in settings.members:
        if member not in recipes:
            raise InputError(
                f"Blend '{name}' names the member '{member}', which is not among the recipes "
                f"({', '.join(recipes)}); define it or take it out of the blend's members."
            )
        if isinstance(recipes[member], BlendSettings):
            raise InputError(
                f"Blend '{name}' names the member '{member}', which is a blend itself; name its "
                "members instead."
            )
