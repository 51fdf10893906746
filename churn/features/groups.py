"""The groups that engineered columns come in; a recipe names the groups it wants."""

from typing import Literal, get_args

FeatureGroup = Literal["tenure", "commitment", "revenue", "services"]

GROUPS: tuple[FeatureGroup, ...] = get_args(FeatureGroup)
