"""Settings of the Deepchecks suites, and which of their failures may stop a model.

Its conditions come with thresholds that were made for no table in particular. A failed one is
critical, unless it is named here with the reason why it says nothing against table or model.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from churn.frozen_model import FrozenSettings

SHOWN_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "IsSingleValue": "a feature that never varies teaches nothing and harms nothing; a target "
        "that never varies is refused by the quality gate",
        "StringLengthOutOfBounds": "every text is one of the contract's categories, so an unusual "
        "length is a long name",
        "ConflictingLabels": "customers may be alike in every column and still decide differently; "
        "a condition of 0% leaves no room for that",
        "FeatureFeatureCorrelation": "a bill is the sum of its services, and a total is months "
        "times bill; the models are penalised and can bear it",
        "IdentifierLabelCorrelation": "a condition of exactly 0 leaves no room for chance",
        "TrainTestPerformance": "it compares two figures at a cut of 0.5 without an interval; the "
        "evaluation of the gate rows has one",
        "WeakSegmentsPerformance": "where half of the customers leave, nobody is right much more "
        "often than half of the time; slices are judged by ROC-AUC and calibration instead",
        "UnusedFeatures": "an unused feature costs a little time and no accuracy",
    }
)
"""Check -> why its failure is shown and stops nothing."""

LEFT_OUT: Mapping[str, str] = MappingProxyType(
    {
        "OutlierSampleDetection": "it asks numpy for an argument that numpy 2.4 no longer has, "
        "and has no condition that could fail",
        "DateTrainTestLeakageDuplicates": "the table has no dates",
        "DateTrainTestLeakageOverlap": "the table has no dates",
        "ConfusionMatrixReport": "it has no condition that could fail",
        "CalibrationScore": "it has no condition that could fail; the evaluation of the gate "
        "rows measures calibration with its interval",
        "RegressionErrorDistribution": "it is about amounts, not about a yes or no",
        "BoostingOverfit": "it cuts trees off one library's own models; it knows ours by their "
        "scores alone",
        "ModelInferenceTime": "it reads a stopwatch, so no two reports would be equal",
    }
)
"""Check -> why it is not run."""


class ValidationSettings(FrozenSettings):
    """Settings of the Deepchecks suites.

    Attributes:
        seed: fixes its draws and ours.
        maximum_rows: development rows, and gate rows, that are checked; of more, that many are
            drawn. Some of its checks cost far more than a pass over the table.
        segment_features: how many of the model's strongest features are crossed, two at a time,
            in search of segments where it does badly.
        shown_only: check -> why its failure stops nothing; every other failure is critical.
    """

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 7
    maximum_rows: Annotated[int, Field(ge=200)] = 20_000
    segment_features: Annotated[int, Field(ge=2, le=20)] = 6
    shown_only: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=lambda: dict(SHOWN_ONLY)
    )
