"""How the effect of a campaign is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from churn.frozen_model import FrozenSettings

Method = Literal["cohens_h", "pooled_normal"]
_Name = Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$")]
_Share = Annotated[float, Field(gt=0, lt=1)]


class ExperimentSettings(FrozenSettings):
    """How the effect of a campaign is measured.

    Attributes:
        name: of the experiment; empty for the playbook's name and 1. Another name plans anew, with
            the same arms.
        read: name of an experiment to read out; empty for none.
        alpha: how often a difference is found where there is none, over all looks.
        power: how often the least difference is found where there is one.
        least_reduction: the least relative reduction of churn that is worth detecting.
        method: which formula gives the sample size.
        looks: at the running experiment, the last one included.
        horizon_days: who leaves within so many days after the assignment counts as having left.
        delay_days: how much later outcomes may still be recorded.
        imbalance_level: p-value below which the arms' sizes are no chance (sample-ratio mismatch).
    """

    name: _Name = ""
    read: _Name = ""
    alpha: _Share = 0.05
    power: _Share = 0.8
    least_reduction: _Share = 0.1
    method: Method = "cohens_h"
    looks: Annotated[int, Field(ge=1, le=20)] = 5
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 30
    delay_days: Annotated[int, Field(ge=0, le=3650)] = 0
    imbalance_level: _Share = 0.001
