"""What can be set about each recipe, with ranges and the defaults that the evidence supports.

docs/models.md and docs/features.md have the figures behind the defaults. Loads pydantic alone, so
that a configuration can be checked without waiting for any model library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from churn.features.groups import FeatureGroup
from churn.frozen_model import FrozenSettings
from churn.models.search_space import GbmSpace, SearchRange, TabularNetSpace


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names something twice; name each once")
    return names


# YAML has lists where these settings have tuples; everything else is taken strictly.
Groups = Annotated[tuple[FeatureGroup, ...], Field(strict=False), AfterValidator(_each_once)]
Members = Annotated[tuple[str, ...], Field(strict=False, min_length=2), AfterValidator(_each_once)]
Penalty = Annotated[float, Field(gt=0, le=1e6)]


class LogisticSettings(FrozenSettings):
    """Plain logistic regression: one-hot categories, standardised numbers.

    Attributes:
        c: inverse strength of the ridge penalty.
        class_weight: `balanced` weighs both outcomes alike in training, `none` takes them as they
            come. Imbalance is handled by the decision threshold; weights are for the comparison.
        features: groups of engineered columns to add.
    """

    kind: Literal["logistic"] = "logistic"
    c: Penalty = 1.0
    class_weight: Literal["none", "balanced"] = "none"
    features: Groups = ()


class SplineLogisticSettings(FrozenSettings):
    """Logistic regression on cubic splines of the numbers and one-hot categories.

    Attributes:
        c: inverse strength of the ridge penalty.
        knots: spline knots per number column, at quantiles of the training rows.
        features: groups of engineered columns to add.
    """

    kind: Literal["spline_logistic"] = "spline_logistic"
    c: Penalty = 0.2
    knots: int = Field(default=7, ge=2, le=50)
    features: Groups = ("commitment",)


class GbmSettings(FrozenSettings):
    """Shallow gradient-boosted trees (LightGBM).

    Attributes:
        trees: boosting rounds.
        depth: levels of a tree; a tree has at most 2^depth leaves.
        learning_rate: how much of each tree is kept.
        minimum_leaf_rows: training rows a leaf must hold.
        l2: ridge penalty on leaf values.
        column_share: share of the columns each tree may use, drawn by `seed`.
        monotone_tenure: whether a longer tenure may never raise these trees' risk, all else equal;
            a blend with them, and columns such as `within_first_term`, are not held to it.
        seed: seed of the column draws; fixed, never searched.
        features: groups of engineered columns to add.
    """

    kind: Literal["gbm"] = "gbm"
    trees: int = Field(default=400, ge=1, le=5000)
    depth: int = Field(default=3, ge=1, le=8)
    learning_rate: float = Field(default=0.03, gt=0, le=1)
    minimum_leaf_rows: int = Field(default=40, ge=1)
    l2: float = Field(default=5.0, ge=0)
    column_share: float = Field(default=0.4, gt=0, le=1)
    monotone_tenure: bool = True
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    features: Groups = ()


class TabularNetSettings(FrozenSettings):
    """TabM: an ensemble of small networks that share their matrices; needs the extra `deep`.

    Attributes:
        networks: how many it holds (k); their mean log-odds are the score.
        layers: hidden layers of each.
        width: units of a hidden layer.
        pieces: pieces that each number is cut into, at quantiles.
        dropout: share of units left out at each training step.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        batch_rows: rows of a training step.
        epochs: passes over the training rows, at most.
        patience: epochs without a lower validation loss after which the training stops.
        validation_share: share of the training rows that only says when to stop.
        seed: of initialisation, shuffling, dropout and that share; fixed, never searched.
        device: `auto` takes a GPU where there is one; only on a `cpu` is a fit repeatable.
        features: groups of engineered columns to add.
    """

    kind: Literal["tabular_net"] = "tabular_net"
    networks: int = Field(default=16, ge=2, le=128)
    layers: int = Field(default=2, ge=1, le=6)
    width: int = Field(default=32, ge=2, le=1024)
    pieces: int = Field(default=16, ge=1, le=128)
    dropout: float = Field(default=0.1, ge=0, lt=1)
    learning_rate: float = Field(default=0.002, gt=0, le=1)
    weight_decay: float = Field(default=0.0003, ge=0, le=1)
    batch_rows: int = Field(default=256, ge=8)
    epochs: int = Field(default=60, ge=1, le=1000)
    patience: int = Field(default=6, ge=1)
    validation_share: float = Field(default=0.15, gt=0, le=0.5)
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    device: Literal["auto", "cpu"] = "auto"
    features: Groups = ()


class BlendSettings(FrozenSettings):
    """The mean of other recipes' log-odds.

    Attributes:
        members: names of the recipes it blends, each once.
    """

    kind: Literal["blend"] = "blend"
    members: Members


class TunedGbmSettings(FrozenSettings):
    """Trees whose settings Optuna chooses on the rows they are fitted on; needs the extra `deep`.

    Attributes:
        base: the recipe to start from; what is not searched stays as it says.
        space: what is searched, and where.
        trials: settings that are tried, the base's own first.
        inner_folds: parts the given rows are cut into to judge a trial.
        most_trees: boosting rounds of a trial, at most; the best number of them is kept.
        seed: seed of the search and of the cuts; fixed, never searched.
        storage: an SQLite file that keeps the trials, so that a search broken off goes on where it
            was; none keeps them in memory.
    """

    kind: Literal["tuned_gbm"] = "tuned_gbm"
    base: GbmSettings = GbmSettings()
    space: GbmSpace = GbmSpace()
    trials: int = Field(default=20, ge=1, le=1000)
    inner_folds: int = Field(default=3, ge=2, le=10)
    most_trees: int = Field(default=800, ge=25, le=5000)
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    storage: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _searched_within_bounds(self) -> Self:
        _require_within_bounds(self.base, self.space.ranges)
        return self


class TunedTabularNetSettings(FrozenSettings):
    """A network whose settings Optuna chooses on the rows it is fitted on; needs the extra `deep`.

    Attributes:
        base: the recipe to start from; what is not searched stays as it says.
        space: what is searched, and where.
        trials: settings that are tried, the base's own first.
        holdout_share: share of the given rows that judges a trial.
        seed: seed of the search and of the cut; fixed, never searched.
        storage: an SQLite file that keeps the trials, so that a search broken off goes on where it
            was; none keeps them in memory.
    """

    kind: Literal["tuned_tabular_net"] = "tuned_tabular_net"
    base: TabularNetSettings = TabularNetSettings()
    space: TabularNetSpace = TabularNetSpace()
    trials: int = Field(default=8, ge=1, le=1000)
    holdout_share: float = Field(default=0.25, gt=0, le=0.5)
    seed: int = Field(default=7, ge=0, le=2**31 - 1)
    storage: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _searched_within_bounds(self) -> Self:
        _require_within_bounds(self.base, self.space.ranges)
        return self


TunedSettings = TunedGbmSettings | TunedTabularNetSettings
RecipeSettings = Annotated[
    LogisticSettings
    | SplineLogisticSettings
    | GbmSettings
    | TabularNetSettings
    | BlendSettings
    | TunedGbmSettings
    | TunedTabularNetSettings,
    Field(discriminator="kind"),
]


def _require_within_bounds(base: BaseModel, ranges: Mapping[str, SearchRange]) -> None:
    """Both ends of every range must be settings that the recipe itself would take."""
    for name, searched in ranges.items():
        for end in (searched.low, searched.high):
            try:
                type(base).model_validate(base.model_dump() | {name: end})
            except ValueError:
                raise ValueError(f"space.{name} reaches {end}, which {name} cannot be") from None


def default_recipes() -> dict[str, RecipeSettings]:
    """The recipes that ship, by name; `logistic` is the baseline."""
    return {
        "logistic": LogisticSettings(),
        "logistic_balanced": LogisticSettings(class_weight="balanced"),
        "spline_logistic": SplineLogisticSettings(),
        "gbm": GbmSettings(),
        "blend": BlendSettings(members=("spline_logistic", "gbm")),
    }


def deep_recipes() -> dict[str, RecipeSettings]:
    """The recipes that need the extra `deep`, by name."""
    return {
        "tabular_net": TabularNetSettings(),
        "deep_blend": BlendSettings(members=("spline_logistic", "gbm", "tabular_net")),
        "tuned_gbm": TunedGbmSettings(),
        "tuned_tabular_net": TunedTabularNetSettings(),
    }


def expensive_recipes(recipes: Mapping[str, RecipeSettings]) -> tuple[str, ...]:
    """Names of the recipes that take seconds a fit: networks, tuned ones, blends that hold one.

    They are for the nested protocol, not for fifty splits.
    """
    kinds = {name: settings.kind for name, settings in recipes.items()}
    expensive = ("tabular_net", "tuned_gbm", "tuned_tabular_net")
    return tuple(
        name
        for name, settings in recipes.items()
        if any(
            kinds.get(each) in expensive
            for each in (settings.members if isinstance(settings, BlendSettings) else (name,))
        )
    )
