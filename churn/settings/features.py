"""Settings of the features pipeline."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from churn.frozen_model import FrozenSettings
from churn.profile import Profile
from churn.settings.pipelines import DataSettings, OutputSettings


def _day(text: str) -> str:
    if text and not _is_day(text):
        raise ValueError("must be a day, written YYYY-MM-DD")
    return text


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


Day = Annotated[str, AfterValidator(_day)]
"""A day, YYYY-MM-DD; empty for none."""


class FeatureStoreSettings(FrozenSettings):
    """The feature store.

    Attributes:
        materialize: whether the online store is written to, too.
        online: address of the online store; empty for the stack's, or else a file in the output
            folder.
        feast: whether the features are registered with Feast, which is an extra.
        oldest_days: a row older than so many days is not used by Feast's reads; None for no limit.
    """

    materialize: bool = True
    online: str = ""
    feast: bool = False
    oldest_days: Annotated[int, Field(ge=1)] | None = None


class FeaturesSettings(FrozenSettings):
    """Settings of the features pipeline.

    Attributes:
        profile: as every pipeline has it; here all do the same.
        data: the table.
        observed: the day that the table describes, where its rows have no date; empty for now.
        as_of: builds the newest version of this day or before again, bit for bit, instead of a new
            one; empty for a new one.
        store: the feature store.
        output: where files go.
    """

    profile: Profile = "full"
    data: DataSettings = DataSettings()
    observed: Day = ""
    as_of: Day = ""
    store: FeatureStoreSettings = FeatureStoreSettings()
    output: OutputSettings = OutputSettings()

    @property
    def reads_table(self) -> bool:
        """Whether the table of `data` is read: an old version has its own."""
        return not self.as_of
